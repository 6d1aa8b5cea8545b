"""A camera or tracker that fails in the middle of the colours: told, stopped, and idle again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from capture.frame import Frame
from facelight.config.session_options import SessionOptions
from facelight.config.settings import Settings
from facelight.kiosk.app import Extras, KioskSession
from tests.facelight.kiosk.simulated import SPEC, FaultyCamera, Run, run_simulated

pytestmark = pytest.mark.slow

Fault = Callable[[Frame], Frame | None]


def unplugged(_: Frame) -> None:
    return None


def back_in_time(frame: Frame) -> Frame:
    return replace(frame, t_frame_ns=frame.t_frame_ns - frame.seq % 2 * 10**9)


def frozen() -> Fault:
    """Return what a driver does that repeats its last buffer: stamps stand still."""
    held: list[Frame] = []

    def repeat(frame: Frame) -> Frame:
        held.append(frame)
        return held[0]

    return repeat


def with_fault(fault: Fault) -> Run:
    """Let the fault begin with the colours and end with the session, then serve once more."""
    cameras: list[FaultyCamera] = []

    def made(*arguments: Any) -> FaultyCamera:
        cameras.append(FaultyCamera(*arguments))
        return cameras[-1]

    ended: list[str] = []

    def told(kiosk: KioskSession, name: str, values: dict[str, Any]) -> None:
        if name == "capture" and not ended:
            cameras[0].fault = fault
        if name == "idle" and "after" in values:
            cameras[0].fault = None
            ended.append(values["after"])
            if len(ended) == 2:
                kiosk.stop()

    settings = Settings(session=SessionOptions(again_ms=1000, attempts=1))
    return run_simulated(
        SPEC, settings, Extras(seed=0), once=False, on_event=told, make_camera=made
    )


@pytest.mark.parametrize(
    ("fault", "device"),
    [
        pytest.param(unplugged, "camera", id="unplugged, then plugged in again"),
        pytest.param(back_in_time, "tracker", id="stamps that go back"),
        pytest.param(frozen(), "tracker", id="the same frame for ever", marks=pytest.mark.soak),
    ],
)
def test_a_fault_in_the_colours_stops_them_and_the_next_session_works(
    fault: Fault, device: str
) -> None:
    run = with_fault(fault)
    assert run.all("device_lost")[0] == {"device": device}
    assert {"device": device} in run.all("device_back")
    assert run.all("problem")[0]["problem"] == "device"
    assert [values["after"] for values in run.all("idle") if values] == ["device", "real"]
    assert run.camera.asked.count("lock") == run.camera.asked.count("unlock") == 2


def test_a_camera_that_refuses_to_be_locked_serves_all_the_same() -> None:
    run = run_simulated(f"{SPEC},lock=refused")
    assert run.all("camera") == [{"locked": False}]
    assert run.ending.outcome == "real"
