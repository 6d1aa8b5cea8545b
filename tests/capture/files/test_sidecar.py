"""Sidecars that are right, and every way in which they can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import SidecarError
from capture.files.sidecar import LIMIT_BYTES, Sidecar, find_sidecar, read_sidecar, to_ns
from capture.light.illumination import PRIMARIES, Flip

MS = 1_000_000


def document() -> dict[str, Any]:
    return {
        "latency_ms": 92.0,
        "flips": [
            {"t_ms": 0.0, "colour": None, "rgb": [128, 128, 128]},
            {"t_ms": 700, "colour": "Red", "rgb": [255, 0, 0]},
            {"t_ms": 1200.5, "colour": "Green", "rgb": [0, 255, 0]},
            {"t_ms": 1700, "colour": None, "rgb": [128, 128, 128]},
        ],
    }


def written(folder: Path, content: Any) -> Path:
    path = folder / "clip.illumination.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refused(path: Path) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        read_sidecar(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_sidecar_becomes_a_timeline_on_the_videos_clock(tmp_path: Path) -> None:
    timeline = read_sidecar(written(tmp_path, document())).timeline(origin_ns=5 * MS)
    assert timeline.flips[2] == Flip(1_205_500_000, "Green", (0, 255, 0))
    assert timeline.timing.latency_ns == 92 * MS
    assert timeline.end_ns is None


def test_declared_guards_replace_the_defaults(tmp_path: Path) -> None:
    guards = {"latency_uncertainty_ms": 3, "exposure_ms": 16.0, "readout_ms": 20}
    timing = read_sidecar(written(tmp_path, document() | guards)).timing()
    assert (timing.latency_uncertainty_ns, timing.exposure_ns) == (3 * MS, 16 * MS)
    assert timing.readout_ns == 20 * MS


@pytest.mark.parametrize(
    ("interval_ns", "exposure_ns"),
    [
        pytest.param(16_666_667, 33_333_333, id="60 fps keeps the default"),
        pytest.param(66_666_667, 66_666_667, id="15 fps may expose as long"),
        pytest.param(500_000_000, 133_333_333, id="2 fps is no exposure"),
    ],
)
def test_an_undeclared_exposure_is_bounded_by_the_frame_interval(
    tmp_path: Path, interval_ns: int, exposure_ns: int
) -> None:
    sidecar = read_sidecar(written(tmp_path, document()))
    assert sidecar.timeline(frame_interval_ns=interval_ns).timing.exposure_ns == exposure_ns


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(document()).encode()
    assert read_sidecar(written(tmp_path, content)).latency_ms == 92


def change(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda content: content | fields


def change_flip(index: int, **fields: Any) -> Callable[[dict[str, Any]], Any]:
    def changed(content: dict[str, Any]) -> dict[str, Any]:
        content["flips"][index] |= fields
        return content

    return changed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param(change(latency_ms=-1), "latency_ms", id="negative latency"),
        pytest.param(change(latency_ms=1000.5), "latency_ms", id="latency beyond a second"),
        pytest.param(change(latency_ms="92"), "latency_ms", id="latency as text"),
        pytest.param(change(latency_ms=True), "latency_ms", id="latency as a truth value"),
        pytest.param(change(latency_ms=float("nan")), "latency_ms", id="latency NaN"),
        pytest.param(change(latency_ms=float("inf")), "latency_ms", id="latency infinite"),
        pytest.param(change(latency_ms=10**400), "latency_ms", id="latency beyond a float"),
        pytest.param(change(latency_uncertainty_ms=-1), "latency_uncertainty_ms", id="uncertainty"),
        pytest.param(change(exposure_ms=0), "exposure_ms", id="no exposure at all"),
        pytest.param(change(readout_ms=2000), "readout_ms", id="readout of seconds"),
        pytest.param(change(latency=92), "latency", id="unknown key"),
        pytest.param(change(flips=[]), "flips", id="no flips"),
        pytest.param(change(flips={}), "flips", id="flips of another type"),
        pytest.param(change(flips=[7]), "flips[0]", id="a flip of another type"),
        pytest.param(change_flip(1, colour=7), "flips[1].colour", id="colour as a number"),
        pytest.param(change_flip(1, colour=["Red"]), "flips[1].colour", id="colour as a list"),
        pytest.param(change_flip(1, colour=""), "flips[1].colour", id="colour without a name"),
        pytest.param(change_flip(1, colour="R\x1b[2J"), "flips[1].colour", id="terminal escape"),
        pytest.param(change_flip(1, colour="\ud800"), "flips[1].colour", id="half a character"),
        pytest.param(change_flip(1, rgb=[255, 0]), "flips[1].rgb", id="two channels"),
        pytest.param(change_flip(1, rgb=[255, 0, 256]), "flips[1].rgb[2]", id="channel of 256"),
        pytest.param(change_flip(1, rgb=[255, 0.5, 0]), "flips[1].rgb[1]", id="channel of a half"),
        pytest.param(change_flip(1, rgb="red"), "flips[1].rgb", id="rgb as text"),
        pytest.param(change_flip(1, t_ms=-1), "flips[1].t_ms", id="flips out of order"),
        pytest.param(change_flip(1, t_ms=0), "flips[1].t_ms", id="two flips at once"),
        pytest.param(change_flip(1, t_ms=float("nan")), "flips[1].t_ms", id="time NaN"),
        pytest.param(change_flip(3, t_ms=1e12), "flips[3].t_ms", id="time of another unit"),
        pytest.param(change_flip(1, t="soon"), "flips[1].t", id="unknown key in a flip"),
        pytest.param(lambda c: [c], "", id="a list"),
        pytest.param(lambda _: None, "", id="null"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], field: str
) -> None:
    assert refused(written(tmp_path, change(document()))).field == field


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "not valid JSON at line 1, column 1", id="empty"),
        pytest.param(b'{\n "latency_ms": 92,,\n}', "line 2, column 19", id="a comma too many"),
        pytest.param(b"\xff\xfe\xfa", "not valid JSON", id="no text"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="nested without end"),
        pytest.param(b'{"latency_ms": ' + b"9" * 5000 + b"}", "too many digits", id="digits"),
        pytest.param(b'{"flips": [], "flips": []}', "found twice", id="a key twice"),
        pytest.param(b" " * (LIMIT_BYTES + 1), "the file is larger", id="larger than any session"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    assert problem in str(refused(written(tmp_path, content)))


def test_an_unreadable_sidecar_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in str(refused(tmp_path))


def test_a_sidecar_is_found_beside_its_video(tmp_path: Path) -> None:
    path = written(tmp_path, document())
    assert find_sidecar(tmp_path / "clip.mp4") == path
    assert find_sidecar(tmp_path / "clip.part.mp4") is None
    folder = tmp_path / "clip"
    folder.mkdir()
    assert find_sidecar(folder) == path


def sidecar(*flips: tuple[float, str | None], latency_ms: float = 100) -> Sidecar:
    grey = (9, 9, 9)
    entries = [
        {"t_ms": t, "colour": c, "rgb": list(PRIMARIES.get(c or "", grey))} for t, c in flips
    ]
    return Sidecar.model_validate({"latency_ms": latency_ms, "flips": entries})


def test_without_a_latency_the_delay_is_to_be_measured(tmp_path: Path) -> None:
    found = read_sidecar(written(tmp_path, {"flips": document()["flips"]}))
    assert found.latency_ms is None
    assert found.timing().latency_ns == 0


def test_what_a_screen_is_known_to_need_replaces_the_bounds(tmp_path: Path) -> None:
    known = {"scanout_ms": 8.3, "settle_ms": 1.0, "end_ms": 1900, "exposure_ms": 50}
    timeline = read_sidecar(written(tmp_path, document() | known)).timeline(origin_ns=7)
    assert (timeline.timing.scanout_ns, timeline.timing.settle_ns) == (8_300_000, MS)
    assert timeline.timing.exposure_stated
    assert timeline.end_ns == 1900 * MS + 7


@pytest.mark.parametrize(
    ("changed", "field", "problem"),
    [
        pytest.param(
            change_flip(1, rgb=[0, 255, 0]),
            "flips[1].rgb",
            "expected Red, as [255, 0, 0], got [0, 255, 0], green",
            id="a name with another colour's rgb",
        ),
        pytest.param(
            change_flip(1, rgb=[0, 0, 255]), "flips[1].rgb", "reversed", id="channels reversed"
        ),
        pytest.param(
            change_flip(1, rgb=[128, 128, 128]),
            "flips[1].rgb",
            "a grey",
            id="a colour that is grey",
        ),
        pytest.param(
            change_flip(1, rgb=[1, 0, 0]),
            "flips[1].rgb",
            "0 to 255, got 0 to 1",
            id="rgb of 0 to 1",
        ),
        pytest.param(
            change_flip(0, rgb=[255, 0, 0]), "flips[0].rgb", "colour is null", id="neutral in red"
        ),
        pytest.param(
            change_flip(0, colour="neutral"), "flips[0].colour", "expected null", id="neutral"
        ),
        pytest.param(change_flip(0, colour="None"), "flips[0].colour", "expected null", id="none"),
        pytest.param(change(latency_ms=0.092), "latency_ms", "expected ms", id="delay in seconds"),
        pytest.param(change(exposure_ms=0.016), "exposure_ms", "expected ms", id="exposure in s"),
        pytest.param(
            change(flips=[flip | {"t_ms": flip["t_ms"] / 1000} for flip in document()["flips"]]),
            "flips[2].t_ms",
            "expected ms",
            id="times in seconds",
        ),
        pytest.param(change(end_ms=1000), "end_ms", "no earlier than the last flip", id="end"),
        pytest.param(
            change_flip(1, color="Red"), "flips[1].color", "got both", id="both spellings"
        ),
        pytest.param(
            change_flip(1, t="soon"), "flips[1].t", "one of t_ms, colour, rgb", id="unknown key"
        ),
        pytest.param(change_flip(1, rgb="#ff00"), "flips[1].rgb", "expected", id="half a hex"),
    ],
)
def test_a_sidecar_that_contradicts_itself_is_refused_with_what_was_expected(
    tmp_path: Path, changed: Callable[[dict[str, Any]], Any], field: str, problem: str
) -> None:
    error = refused(written(tmp_path, changed(document())))
    assert error.field == field
    assert problem in str(error)


@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param({"colour": "red", "rgb": [255, 0, 0]}, id="lower case"),
        pytest.param({"color": "RED", "rgb": "#FF0000"}, id="color, upper case, hex"),
        pytest.param({"colour": "Red", "rgb": [255, 96, 96]}, id="a pale red"),
    ],
)
def test_common_foreign_spellings_are_read(tmp_path: Path, spelled: dict[str, Any]) -> None:
    content = document()
    content["flips"][1] = {"t_ms": 700, **spelled}
    flip = read_sidecar(written(tmp_path, content)).flips[1].flip(0)
    assert (flip.colour, flip.rgb[0]) == ("Red", 255)


def test_any_other_name_may_mean_any_colour(tmp_path: Path) -> None:
    content = document()
    content["flips"][1] |= {"colour": "Sunset", "rgb": [255, 160, 40]}
    assert read_sidecar(written(tmp_path, content)).flips[1].colour == "Sunset"


def test_a_last_colour_beyond_the_video_is_left_to_the_light() -> None:
    found = sidecar(*PLAN)
    found.check_span(1250 * MS)
    assert found.overrun_ns(1250 * MS) == 50 * MS
    assert found.overrun_ns(2100 * MS) == 0


PLAN = ((0, None), (700, "Red"), (1200, "Green"), (1700, None))


@pytest.mark.parametrize(
    ("flips", "duration_ms"),
    [
        pytest.param(PLAN, 2100, id="as recorded"),
        pytest.param(PLAN, 1790, id="the closing flip comes just after the last frame"),
        pytest.param(PLAN, 3790, id="a neutral tail of two seconds"),
        pytest.param(((0, None), (4000, "Red"), (4500, None)), 9000, id="tail as long as the plan"),
        pytest.param(PLAN[:3], 1900, id="ends in a colour of ordinary length"),
        pytest.param(((0, "Red"),), 1100, id="a lone colour"),
        pytest.param(((-5000, None), (700, "Red"), (1200, None)), 1500, id="begins before it"),
        pytest.param(((9000, "Red"), (9500, None)), 9800, id="begins long after it"),
    ],
)
def test_a_sidecar_that_fits_its_video_is_taken(
    flips: tuple[tuple[float, str | None], ...], duration_ms: int
) -> None:
    sidecar(*flips).check_span(duration_ms * MS)


@pytest.mark.parametrize(
    ("flips", "duration_ms", "figures"),
    [
        pytest.param(
            ((0, None), (700, "Red"), (1200, "Green"), (1700, "Blue"), (2200, None)),
            1300,
            "longer than the video: 1200 ms",
            id="most colours never shown",
        ),
        pytest.param(PLAN, 700, "longer than the video", id="half the video"),
        pytest.param((*PLAN, (60_000, None)), 2100, "60000 ms", id="neutral a minute later"),
        pytest.param(PLAN[:2], 2100, "would last 1300 ms", id="only the first colour"),
        pytest.param(PLAN[:3], 2100, "would last 800 ms", id="the closing flip is missing"),
        pytest.param(PLAN, 9000, "to the video's end at 9000 ms", id="another video"),
        pytest.param([(t * 0.3, c) for t, c in PLAN], 3000, "shorter than the video", id="unit"),
    ],
)
def test_a_sidecar_of_another_length_is_refused_with_the_figures(
    flips: tuple[tuple[float, str | None], ...], duration_ms: int, figures: str
) -> None:
    with pytest.raises(SidecarError, match=r"(longer|shorter) than the video") as caught:
        sidecar(*flips).check_span(duration_ms * MS)
    assert figures in str(caught.value)
    assert caught.value.field.startswith("flips[")


@given(st.integers(-(10**13), 10**13))
def test_times_survive_the_way_through_milliseconds(t_ns: int) -> None:
    assert to_ns(json.loads(json.dumps(t_ns / 1e6))) == t_ns


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
near_misses = st.fixed_dictionaries(
    {"latency_ms": json_values | st.just(92.0)},
    optional={
        "flips": json_values
        | st.lists(
            st.fixed_dictionaries(
                {"t_ms": st.integers() | st.floats(), "colour": json_values, "rgb": json_values}
            )
        ),
        "exposure_ms": json_values,
    },
)


def read_or_refuse(path: Path) -> None:
    try:
        read_sidecar(path).timeline()
    except SidecarError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert str(error).isprintable()  # noqa: PT017


@given(st.binary(max_size=200))
def test_no_bytes_bring_the_reader_down(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    read_or_refuse(written(tmp_path_factory.getbasetemp(), content))


@pytest.mark.slow
@given(json_values | near_misses)
def test_no_json_brings_the_reader_down(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    read_or_refuse(written(tmp_path_factory.getbasetemp(), json.dumps(content).encode()))
