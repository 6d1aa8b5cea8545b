"""Declared colours judged from the submitted frames alone."""

from __future__ import annotations

import pytest

from capture.light.timeline import LabelKind
from preprocess.light.agreement import agreement
from preprocess.light.samples import ChromaSample
from tests.preprocess.lit import SIX, Light, lit, timeline_of

THREE = ("Red", "Green", "Blue")


def clip(
    declared: tuple[str, ...], shown: tuple[str, ...], light: Light, most: int = 8
) -> tuple[list[ChromaSample], list[str | None]]:
    """Clean frames of each slot, at most ``most``, with the declared names."""
    timeline = timeline_of(declared, light)
    samples, names, run = [], [], 0
    previous = None
    for sample in lit(shown, light):
        label = timeline.label(sample.t_frame_ns)
        run = run + 1 if label == previous else 0
        previous = label
        if label.kind is LabelKind.CLEAN and run < most:
            samples.append(sample)
            names.append(label.colour)
    return samples, names


@pytest.mark.parametrize(
    "light",
    [
        pytest.param(Light(), id="ordinary"),
        pytest.param(Light(f=0.08), id="faint"),
        pytest.param(Light(background=False), id="no background"),
        pytest.param(Light(fps=15), id="15 fps"),
        pytest.param(Light(gain=0.3), id="exposure hunts"),
    ],
)
@pytest.mark.parametrize("plan", [SIX, THREE, THREE * 3], ids=["six", "three", "nine"])
def test_genuine_frames_agree(plan: tuple[str, ...], light: Light) -> None:
    assert agreement(*clip(plan, plan, light)).state in {"ok", "weak"}


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        pytest.param(SIX, ("Blue", "Green", "Red", "Green", "Blue", "Red"), id="red is blue"),
        pytest.param(SIX, ("Green", "Blue", "Green", "Red", "Blue", "Red"), id="moved along"),
        pytest.param(SIX, ("Red", "Green", "Blue", "Green", "Blue", "Red"), id="two swapped"),
        pytest.param(THREE, ("Blue", "Green", "Red"), id="three, red is blue"),
        pytest.param(THREE, ("Blue", "Red", "Green"), id="three, moved along"),
        pytest.param(("Red", "Green"), ("Green", "Red"), id="two, exchanged"),
    ],
)
@pytest.mark.parametrize("background", [True, False], ids=["wall", "crop"])
def test_other_light_than_declared_is_a_mismatch(
    declared: tuple[str, ...], shown: tuple[str, ...], background: bool
) -> None:
    light = Light(background=background)
    assert agreement(*clip(declared, shown, light)).state == "mismatch"


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("plan", [SIX, THREE], ids=["six", "three"])
def test_an_unlit_face_shows_none(plan: tuple[str, ...], seed: int) -> None:
    assert agreement(*clip(plan, plan, Light(f=0.0, seed=seed))).state == "none"


def renamed(names: list[str | None], **new: str) -> list[str | None]:
    return [None if name is None else new.get(name, name) for name in names]


def test_names_are_compared_without_case() -> None:
    samples, names = clip(SIX, SIX, Light())
    assert agreement(samples, renamed(names, Red="RED", Green=" green")).state == "ok"


@pytest.mark.slow
def test_unknown_names_only_have_to_be_consistent() -> None:
    samples, names = clip(SIX, SIX, Light())
    assert agreement(samples, renamed(names, Blue="Indigo")).state == "ok"
    every = renamed(names, Red="A", Green="B", Blue="C")
    assert agreement(samples, every).state == "ok"


@pytest.mark.slow
def test_unknown_names_in_another_order_are_a_mismatch() -> None:
    samples, names = clip(SIX, ("Blue", "Green", "Green", "Red", "Blue", "Red"), Light())
    assert agreement(samples, renamed(names, Red="A", Green="B", Blue="C")).state == "mismatch"


@pytest.mark.slow
def test_unknown_names_that_come_once_leave_nothing_to_test() -> None:
    samples, names = clip(THREE, THREE, Light())
    assert agreement(samples, renamed(names, Red="A", Green="B", Blue="C")).state == "weak"


def test_undeclared_frames_are_left_out() -> None:
    samples, names = clip(SIX, SIX, Light())
    holes = [None if i % 3 == 0 else name for i, name in enumerate(names)]
    assert agreement(samples, holes).state == "ok"


@pytest.mark.parametrize(
    ("count", "name"), [(0, "Red"), (3, "Red"), (40, "Red")], ids=["none", "few", "one colour"]
)
def test_nothing_to_compare_shows_none(count: int, name: str) -> None:
    samples = lit()[:count]
    assert agreement(samples, [name] * count).state == "none"


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="one a sample"):
        agreement(lit()[:10], ["Red"])


def test_order_of_the_samples_does_not_matter() -> None:
    samples, names = clip(SIX, SIX, Light())
    assert agreement(samples, names) == agreement(samples[::-1], names[::-1])
