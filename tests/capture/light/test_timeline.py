"""Labels against the light that each row really saw."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import PlanError
from capture.files.sidecar import find_sidecar, read_sidecar
from capture.light.illumination import Flip, Rgb
from capture.light.timeline import Label, LabelKind, Timeline, Timing

MS = 1_000_000
RGB: dict[str | None, Rgb] = {
    None: (128, 128, 128),
    "Red": (255, 0, 0),
    "Green": (0, 255, 0),
    "Blue": (0, 0, 255),
}
TIMING = Timing(100 * MS, 0, 20 * MS, 20 * MS, 16 * MS, 4 * MS)


def flip(t_ms: float, colour: str | None) -> Flip:
    return Flip(round(t_ms * MS), colour, RGB[colour])


PLAN = [flip(0, None), flip(700, "Red"), flip(1200, "Green"), flip(1700, None)]

times = st.integers(-500, 6000).map(lambda ms: ms * MS)
guards = st.builds(
    Timing,
    latency_ns=st.integers(0, 300).map(lambda ms: ms * MS),
    latency_uncertainty_ns=st.integers(0, 40).map(lambda ms: ms * MS),
    exposure_ns=st.integers(0, 70).map(lambda ms: ms * MS),
    readout_ns=st.integers(0, 40).map(lambda ms: ms * MS),
    scanout_ns=st.integers(0, 17).map(lambda ms: ms * MS),
    settle_ns=st.integers(0, 15).map(lambda ms: ms * MS),
)


@st.composite
def flip_logs(draw: st.DrawFn) -> list[Flip]:
    dwells = draw(st.lists(st.integers(1, 700), max_size=10))
    colours = draw(st.lists(st.sampled_from(list(RGB)), min_size=1, max_size=len(dwells) + 1))
    start = draw(st.integers(-300, 300))
    return [flip(start + sum(dwells[:i]), colour) for i, colour in enumerate(colours)]


def lights(flips: list[Flip], opens_ns: int, closes_ns: int, settles_ns: int) -> set[object]:
    """Every light that is on somewhere between the two moments; a panel that settles shows two."""
    seen: set[object] = set()
    for index, one in enumerate(flips):
        until = flips[index + 1].t_ns + settles_ns if index + 1 < len(flips) else 1 << 62
        if one.t_ns < closes_ns and until > opens_ns:
            seen.add((one.colour, one.rgb))
    if not flips or opens_ns < flips[0].t_ns + settles_ns:
        seen.add("unknown")
    return seen


@pytest.mark.parametrize(
    ("t_ms", "expected"),
    [
        pytest.param(-400, LabelKind.NONE, id="long before the first flip"),
        pytest.param(60, LabelKind.NONE, id="its last row ends as the first flip comes"),
        pytest.param(61, LabelKind.TRANSITION, id="its last row sees the first flip"),
        pytest.param(119, LabelKind.TRANSITION, id="the panel has not settled"),
        pytest.param(120, LabelKind.NEUTRAL, id="the panel has just settled"),
        pytest.param(760, LabelKind.NEUTRAL, id="its last row ends as the colour comes"),
        pytest.param(761, LabelKind.TRANSITION, id="its last row sees the colour"),
        pytest.param(819, LabelKind.TRANSITION, id="its first row sees the panel settle"),
        pytest.param(820, LabelKind.CLEAN, id="first clean frame"),
        pytest.param(1260, LabelKind.CLEAN, id="last clean frame"),
        pytest.param(1261, LabelKind.TRANSITION, id="first frame that sees the next colour"),
        pytest.param(9000, LabelKind.NEUTRAL, id="the tail runs on"),
    ],
)
def test_a_frame_is_labelled_by_the_light_of_its_exposure(t_ms: int, expected: LabelKind) -> None:
    assert Timeline(PLAN, TIMING).label(t_ms * MS).kind is expected


def test_clean_and_neutral_labels_carry_their_light() -> None:
    timeline = Timeline(PLAN, TIMING)
    assert timeline.label(1000 * MS) == Label(LabelKind.CLEAN, "Red", (255, 0, 0))
    assert timeline.label(500 * MS) == Label(LabelKind.NEUTRAL, None, (128, 128, 128))
    assert timeline.label(1200 * MS + TIMING.latency_ns) == Label(LabelKind.TRANSITION)


def test_without_flips_nothing_is_known() -> None:
    assert Timeline([], TIMING).label(0) == Label(LabelKind.NONE)


@pytest.mark.parametrize(
    ("t_ms", "expected"),
    [
        pytest.param(2060, LabelKind.NEUTRAL, id="ends with the light"),
        pytest.param(2061, LabelKind.TRANSITION, id="reaches beyond the end"),
        pytest.param(2100, LabelKind.NONE, id="begins at the end"),
        pytest.param(9000, LabelKind.NONE, id="long after the end"),
    ],
)
def test_after_the_end_nothing_is_known(t_ms: int, expected: LabelKind) -> None:
    assert Timeline(PLAN, TIMING, end_ns=2000 * MS).label(t_ms * MS).kind is expected


@pytest.mark.parametrize(
    ("flips", "end_ns"),
    [
        pytest.param([flip(5, None), flip(4, "Red")], None, id="backwards"),
        pytest.param([flip(5, None), flip(5, "Red")], None, id="at once"),
        pytest.param([flip(5, None)], 4 * MS, id="end before the last flip"),
    ],
)
def test_flips_that_cannot_be_are_refused(flips: list[Flip], end_ns: int | None) -> None:
    with pytest.raises(PlanError):
        Timeline(flips, TIMING, end_ns)


@pytest.mark.parametrize(
    "name", ["latency_uncertainty_ns", "exposure_ns", "readout_ns", "scanout_ns", "settle_ns"]
)
def test_a_negative_guard_is_refused_by_name(name: str) -> None:
    with pytest.raises(PlanError, match=name):
        replace(Timing(0), **{name: -1})  # type: ignore[arg-type]


@given(flip_logs(), guards, times, st.floats(-1, 1))
def test_no_mixed_frame_is_clean(
    flips: list[Flip], timing: Timing, t_ns: int, error: float
) -> None:
    """Whatever the lag really is within its uncertainty, a labelled frame saw that light alone."""
    label = Timeline(flips, timing).label(t_ns)
    opens_ns = t_ns - timing.latency_ns + round(error * timing.latency_uncertainty_ns)
    closes_ns = opens_ns + timing.readout_ns + timing.exposure_ns
    seen = lights(flips, opens_ns, closes_ns, timing.scanout_ns + timing.settle_ns)
    if label.kind in {LabelKind.CLEAN, LabelKind.NEUTRAL}:
        assert seen <= {(label.colour, label.rgb)}
        assert (label.colour is None) == (label.kind is LabelKind.NEUTRAL)


@given(flip_logs(), guards, times)
def test_no_clean_frame_is_given_away(flips: list[Flip], timing: Timing, t_ns: int) -> None:
    """A frame whose widest window sees one light only is never a transition."""
    timeline = Timeline(flips, timing)
    opens_ns, closes_ns = timeline.window_ns(t_ns)
    seen = lights(
        flips, opens_ns, max(closes_ns, opens_ns + 1), timing.scanout_ns + timing.settle_ns
    )
    if len(seen) == 1 and "unknown" not in seen:
        assert timeline.label(t_ns).kind in {LabelKind.CLEAN, LabelKind.NEUTRAL}


@given(flip_logs(), guards, times)
def test_repeating_a_flip_changes_no_label(flips: list[Flip], timing: Timing, t_ns: int) -> None:
    repeated: list[Flip] = []
    for one in flips:
        repeated += [one, Flip(one.t_ns + 1, one.colour, one.rgb)]
    assert Timeline(repeated, timing).label(t_ns) == Timeline(flips, timing).label(t_ns)


@given(flip_logs(), guards, times, st.integers(0, 10))
def test_a_growing_log_gives_the_final_label_once_it_covers_the_frame(
    flips: list[Flip], timing: Timing, t_ns: int, known: int
) -> None:
    whole = Timeline(flips, timing)
    live = Timeline(flips[:known], timing)
    if known >= len(flips) or whole.window_ns(t_ns)[1] < flips[known].t_ns:
        assert live.label(t_ns) == whole.label(t_ns)
    assert live.extended(flips[known:]).label(t_ns) == whole.label(t_ns)


@given(flip_logs(), guards, times)
def test_with_the_end_set_to_now_no_label_is_taken_back(
    flips: list[Flip], timing: Timing, t_ns: int
) -> None:
    """A frame that reaches beyond what is known is a transition, never clean by mistake."""
    for known in range(1, len(flips)):
        live = Timeline(flips[:known], timing, end_ns=flips[known].t_ns)
        if live.label(t_ns).kind in {LabelKind.CLEAN, LabelKind.NEUTRAL}:
            assert live.label(t_ns) == Timeline(flips, timing).label(t_ns)


@given(flip_logs(), guards, times, st.integers(-(10**15), 10**15))
def test_another_clock_gives_the_same_labels(
    flips: list[Flip], timing: Timing, t_ns: int, delta_ns: int
) -> None:
    timeline = Timeline(flips, timing, end_ns=flips[-1].t_ns + 100 * MS)
    assert timeline.shifted(delta_ns).label(t_ns + delta_ns) == timeline.label(t_ns)


@pytest.mark.parametrize("name", ["s18-lit", "d13-lit"])
def test_relit_footage_has_no_wrong_label_and_keeps_four_fifths(footage: Path, name: str) -> None:
    video = footage / "videos" / f"{name}.mkv"
    sidecar = find_sidecar(video)
    assert sidecar is not None
    timeline = read_sidecar(sidecar).timeline()
    with video.with_suffix(".truth.csv").open(newline="") as file:
        truth = [(int(row["t_ms"]) * MS, row["label"]) for row in csv.DictReader(file)]
    labels = [(timeline.label(t_ns), true) for t_ns, true in truth]
    clean = [(f"clean:{x.colour}", true) for x, true in labels if x.kind is LabelKind.CLEAN]
    assert all(ours == true for ours, true in clean)
    assert all(true == "neutral" for x, true in labels if x.kind is LabelKind.NEUTRAL)
    assert len(clean) >= 0.8 * sum(true.startswith("clean:") for _, true in truth)
