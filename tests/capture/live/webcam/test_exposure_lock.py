"""Locking against a camera whose picture answers to its exposure."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from capture.live.options import LiveOptions
from capture.live.webcam.controls import CameraControls
from capture.live.webcam.exposure_lock import steady_exposure_ms
from capture.live.webcam.properties import MSMF, V4L2, Dialect, Property
from tests.capture.live.fakes import FakeDevice, Hardware

AE, EXP, GAIN = Property.AUTO_EXPOSURE, Property.EXPOSURE, Property.GAIN
WB, KELVIN, AF, FOCUS = (
    Property.AUTO_WB,
    Property.WB_TEMPERATURE,
    Property.AUTOFOCUS,
    Property.FOCUS,
)


def controls(
    hardware: Hardware, options: LiveOptions | None = None, dialect: Dialect | None = V4L2
) -> CameraControls:
    made = CameraControls(FakeDevice(hardware), dialect, options or LiveOptions())
    made.prepare()
    return made


def lock(hardware: Hardware, made: CameraControls, most: int = 60) -> Mapping[str, object]:
    """Send the level of frames that are two frames late, as USB and buffers make them."""
    work = made.lock()
    next(work)
    late = [hardware.level] * 3
    try:
        for _ in range(most):
            late.append(hardware.level)
            work.send(late.pop(0))
    except StopIteration as done:
        return dict(done.value)
    raise AssertionError(f"not done after {most} frames")


@pytest.mark.parametrize(
    ("auto_ms", "mains_hz", "steady_ms"),
    [
        pytest.param(19.5, 50, 20, id="a little longer"),
        pytest.param(18.0, 50, 10, id="next below"),
        pytest.param(33.3, 50, 30, id="three half periods"),
        pytest.param(9.2, 50, 10, id="nearly one"),
        pytest.param(5.0, 50, 5.0, id="bright light stays"),
        pytest.param(16.7, 60, 1000 / 60, id="60 Hz"),
        pytest.param(17.3, 0, 17.3, id="no mains"),
    ],
)
def test_exposures_are_whole_half_periods_where_that_does_not_overexpose(
    auto_ms: float, mains_hz: int, steady_ms: float
) -> None:
    assert steady_exposure_ms(auto_ms, mains_hz) == pytest.approx(steady_ms)


def test_an_honest_camera_is_locked_as_it_is() -> None:
    hardware = Hardware(exposed=200)
    report = lock(hardware, controls(hardware))
    assert report == {
        "exposure": {"locked": True, "exposure_ms": 20.0, "gain": 16.0},
        "white_balance": {"locked": True, "kelvin": 4200.0},
        "focus": {"locked": True, "position": 30.0},
    }
    assert hardware.properties[AE] == 1.0
    assert hardware.properties[WB] == 0.0
    assert hardware.properties[AF] == 0.0


def test_no_value_is_written_that_means_something_else_to_v4l2() -> None:
    """0.75 rounds to 1, which is manual; 0.25 to 0, which most cameras refuse."""
    hardware = Hardware()
    written: set[float] = set()

    class Watched(FakeDevice):
        def set(self, number: int, value: float) -> bool:
            if number == AE:
                written.add(value)
            return super().set(number, value)

    made = CameraControls(Watched(hardware), V4L2, LiveOptions())
    made.prepare()
    lock(hardware, made)
    made.restore()
    assert written <= {1.0, 3.0}


def test_the_shortened_exposure_may_be_darker_by_as_much() -> None:
    hardware = Hardware(exposed=180)
    report = lock(hardware, controls(hardware))
    assert report["exposure"] == {"locked": True, "exposure_ms": 10.0, "gain": 16.0}


@pytest.mark.parametrize(
    "reported",
    [pytest.param(600.0, id="three times too long"), pytest.param(50.0, id="four times too short")],
)
def test_a_camera_that_reports_an_old_exposure_is_corrected_by_its_picture(reported: float) -> None:
    hardware = Hardware(exposed=200, reported=reported)
    report = lock(hardware, controls(hardware, LiveOptions(mains_hz=0, fps=15)))
    exposure = report["exposure"]
    assert isinstance(exposure, dict)
    assert exposure["locked"]
    assert hardware.level == pytest.approx(120, rel=0.07)


def test_an_exposure_that_cannot_be_made_right_is_given_back() -> None:
    """It reports 200 times too little and takes nothing above: the session would be dark."""
    hardware = Hardware(exposed=300, reported=1.0)
    device = FakeDevice(hardware)
    plain = device.set
    device.set = lambda number, value: plain(number, min(value, 1.0) if number == EXP else value)  # type: ignore[method-assign]
    made = CameraControls(device, V4L2, LiveOptions())
    made.prepare()
    exposure = lock(hardware, made)["exposure"]
    assert isinstance(exposure, dict)
    assert not exposure["locked"]
    assert "times as bright" in exposure["problem"]
    assert hardware.properties[AE] == 3.0
    assert hardware.properties[WB] == 0.0, "what could be locked stays locked"


def test_the_operators_exposure_is_not_judged() -> None:
    hardware = Hardware(exposed=200)
    options = LiveOptions(exposure_ms=5.0, white_balance_k=5000)
    report = lock(hardware, controls(hardware, options))
    assert report["exposure"] == {"locked": True, "exposure_ms": 5.0, "gain": 16.0}
    assert report["white_balance"] == {"locked": True, "kelvin": 5000.0}


def test_a_dark_room_has_no_level_to_compare() -> None:
    hardware = Hardware(exposed=200)
    work = controls(hardware).lock()
    next(work)
    with pytest.raises(StopIteration) as done:
        for _ in range(60):
            work.send(0.0)
    assert done.value.value["exposure"]["locked"]


def test_cameras_that_must_be_told_automatic_first_are_locked() -> None:
    hardware = Hardware()
    hardware.properties[AE] = 0.0
    device = FakeDevice(hardware)
    plain = device.set

    def stubborn(number: int, value: float) -> bool:
        if number == AE and value == 1.0 and hardware.properties[AE] != 3.0:
            return True
        return plain(number, value)

    device.set = stubborn  # type: ignore[method-assign]
    made = CameraControls(device, V4L2, LiveOptions())
    made.prepare()
    exposure = lock(hardware, made)["exposure"]
    assert isinstance(exposure, dict)
    assert exposure["locked"]
    made.restore()
    assert hardware.properties[AE] == 0.0


@pytest.mark.parametrize(
    ("refused", "name", "problem"),
    [
        (AE, "exposure", "the camera keeps automatic exposure"),
        (EXP, "exposure", "the camera answers 100 with 156"),
        (WB, "white_balance", "the camera keeps automatic white balance"),
        (AF, "focus", "the camera keeps automatic focus"),
    ],
)
def test_a_refusal_is_found_by_reading_back_and_leaves_the_control_automatic(
    refused: Property, name: str, problem: str
) -> None:
    hardware = Hardware(exposed=156, refuses=frozenset({refused}))
    report = lock(hardware, controls(hardware))
    assert report[name] == {"locked": False, "problem": problem}
    if refused in {AE, EXP}:
        assert hardware.properties[AE] == 3.0


def test_what_is_not_to_be_locked_is_not_touched() -> None:
    hardware = Hardware(refuses=frozenset())
    hardware.properties |= {AE: 1.0, WB: 0.0, AF: 0.0, EXP: 77.0}
    before = dict(hardware.properties)
    options = LiveOptions(lock_exposure=False, lock_white_balance=False, lock_focus=False)
    made = controls(hardware, options)
    report = lock(hardware, made)
    made.unlock()
    made.restore()
    assert hardware.properties == before
    assert all(e == {"locked": False, "problem": "not asked for"} for e in report.values())


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({}, id="all automatic"),
        pytest.param({AE: 1.0, EXP: 55.0, GAIN: 3.0, WB: 0.0, KELVIN: 3100.0}, id="all manual"),
        pytest.param({AE: 0.0, AF: 0.0, FOCUS: 12.0}, id="some"),
    ],
)
def test_the_camera_is_left_as_it_was_found(found: dict[int, float]) -> None:
    hardware = Hardware()
    hardware.properties |= found
    before = dict(hardware.properties)
    made = controls(hardware)
    if AE in found:
        assert hardware.properties[AE] != 1.0, "automatic for the settle phase"
    lock(hardware, made)
    made.restore()
    automatic = {AE: EXP, WB: KELVIN, AF: FOCUS}
    free = {value for switch, value in automatic.items() if before[switch] not in {0.0, 1.0}}
    free |= {KELVIN} if before[WB] == 1.0 else set()
    free |= {FOCUS} if before[AF] == 1.0 else set()
    free |= {EXP} if before[AE] != 1.0 else set()
    for number, value in before.items():
        assert number in free or hardware.properties[number] == value, Property(number)


def test_a_lock_given_up_in_the_middle_leaves_everything_automatic() -> None:
    hardware = Hardware()
    made = controls(hardware)
    work = made.lock()
    next(work)
    for _ in range(4):
        work.send(120.0)
    assert hardware.properties[AE] == 1.0
    work.close()
    assert hardware.properties[AE] == 3.0
    assert hardware.properties[WB] == 1.0


def test_media_foundation_is_switched_by_the_exposure_itself() -> None:
    """AUTO_EXPOSURE 0 would write an exposure of 2**0 s there."""
    hardware = Hardware(exposed=-6)
    hardware.properties |= {AE: -1.0, EXP: -6.0, WB: -1.0, AF: -1.0}
    hardware.__class__ = type("Steady", (Hardware,), {"level": 120.0})
    report = lock(hardware, controls(hardware, LiveOptions(mains_hz=0), MSMF))
    assert report["exposure"] == {"locked": True, "exposure_ms": 15.625, "gain": 16.0}
    assert report["white_balance"] == {
        "locked": False,
        "problem": "not offered by this camera or backend",
    }
    assert hardware.properties[AE] == 1.0


def test_a_backend_without_controls_says_so() -> None:
    hardware = Hardware()
    before = dict(hardware.properties)
    made = controls(hardware, None, None)
    with pytest.raises(StopIteration) as done:
        next(made.lock())
    assert not done.value.value["exposure"]["locked"]
    made.unlock()
    made.restore()
    assert hardware.properties == before


class Side:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def prepare(self) -> dict[str, object]:
        self.calls.append("prepare")
        return {"dynamic_framerate": 0}

    def restore(self) -> None:
        self.calls.append("restore")


def test_what_opencv_cannot_reach_is_set_recorded_and_restored_too() -> None:
    hardware, side = Hardware(), Side()
    made = CameraControls(FakeDevice(hardware), V4L2, LiveOptions(), side)  # type: ignore[arg-type]
    made.prepare()
    assert lock(hardware, made)["dynamic_framerate"] == 0
    made.restore()
    assert side.calls == ["prepare", "restore"]
