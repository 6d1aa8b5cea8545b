"""A plan on a screen without glass, before a camera without a lens."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pytest

from calibration.errors import MeasurementError
from calibration.timing.screen_delay import step_plan
from calibration.timing.showing import CameraAndScreen, show_plan
from capture.camera import CameraInfo, Provenance
from capture.clock import VirtualClock
from capture.display.virtual import VirtualScreen
from capture.frame import Frame
from capture.light.illumination import PRIMARIES

WHITE = PRIMARIES["White"]


class TickingCamera:
    """A lockable camera of 30 frames a second on a virtual clock."""

    def __init__(self, clock: VirtualClock, ends_ns: int = 1 << 60, lockable: bool = True) -> None:
        self.info = CameraInfo("tick", "tick", (32, 18), 30.0, Provenance.SIMULATED)
        self.clock, self.ends_ns, self.lockable = clock, ends_ns, lockable
        self.seq, self.calls = 0, list[str]()

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        self.clock.sleep_until(self.clock.now_ns() + 33_000_000)
        if self.clock.now_ns() > self.ends_ns:
            return None
        self.seq += 1
        pixels = np.zeros((18, 32, 3), np.uint8)
        return Frame(self.seq, self.clock.now_ns(), self.clock.now_ns(), pixels)

    def lock(self) -> bool:
        self.calls.append("lock")
        return self.lockable

    def unlock(self) -> None:
        self.calls.append("unlock")

    def close(self) -> None:
        self.calls.append("close")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def staged(**camera: Any) -> tuple[CameraAndScreen, TickingCamera]:
    clock = VirtualClock()
    screen = VirtualScreen(clock)
    screen.open()
    ticking = TickingCamera(clock, **camera)
    return CameraAndScreen(screen, ticking, clock), ticking


def test_the_plan_is_shown_and_its_flips_are_logged() -> None:
    stage, camera = staged()
    plan, frames = step_plan(4), list[Frame]()
    shown = show_plan(stage, plan, frames.append, settle_rgb=WHITE)
    assert [flip.rgb for flip in shown.flips] == [slot.rgb for slot in plan.slots[:-1]]
    for flip, after, slot in zip(shown.flips, shown.flips[1:], plan.slots, strict=False):
        assert (after.t_ns - flip.t_ns) / 1e6 == pytest.approx(slot.dwell_ms, abs=50)
    assert frames[0].t_frame_ns >= shown.flips[0].t_ns
    assert frames[-1].t_frame_ns >= shown.flips[-1].t_ns + 600_000_000
    assert shown.end_ns >= frames[-1].t_frame_ns
    assert camera.calls == ["lock", "unlock"]


@pytest.mark.parametrize("lockable", [True, False])
def test_it_tells_whether_the_camera_stood_still(lockable: bool) -> None:
    stage, _ = staged(lockable=lockable)
    shown = show_plan(stage, step_plan(4), lambda frame: None, settle_rgb=WHITE)
    assert shown.locked is lockable


def test_a_camera_that_ends_too_early_is_an_error_and_is_unlocked() -> None:
    stage, camera = staged(ends_ns=5_000_000_000)
    with pytest.raises(MeasurementError, match="ended before the light"):
        show_plan(stage, step_plan(4), lambda frame: None, settle_rgb=WHITE)
    assert camera.calls == ["lock", "unlock"]


def test_closing_the_window_stops_it() -> None:
    stage, camera = staged()
    frames, screen = list[Frame](), stage.screen
    assert isinstance(screen, VirtualScreen)

    def on_frame(frame: Frame) -> None:
        frames.append(frame)
        if len(frames) == 5:
            screen.quit()

    with pytest.raises(MeasurementError, match="stopped by the operator"):
        show_plan(stage, step_plan(4), on_frame, settle_rgb=WHITE)
    assert len(frames) == 5
    assert camera.calls[-1] == "unlock"
