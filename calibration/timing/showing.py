"""Shows a plan on a screen while a camera looks on; in one thread, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calibration.errors import MeasurementError
from capture.camera import Camera, Lockable
from capture.clock import Clock
from capture.display.flip_log import FlipLog
from capture.display.port import InputKind, Screen
from capture.display.scene import Scene, SceneKind
from capture.frame import Frame
from capture.light.illumination import Flip, IlluminationPlan, Rgb

TAIL_NS = 600_000_000
"""Frames are read for so long after the last slot: longer than any lag."""

AHEAD_NS = 70_000_000
"""No frame is waited for so shortly before a flip: two frames at 30 a second."""

READ_S = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class CameraAndScreen:
    """Screen, camera and their clock; the caller opens and closes them."""

    screen: Screen
    camera: Camera
    clock: Clock


@dataclass(frozen=True, slots=True)
class Shown:
    """What was on the screen, until when, and whether the camera stood still meanwhile."""

    flips: tuple[Flip, ...]
    end_ns: int
    locked: bool
    late_flips: int


def show_plan(
    stage: CameraAndScreen,
    plan: IlluminationPlan,
    on_frame: Callable[[Frame], None],
    *,
    settle_rgb: Rgb,
    settle_ms: float = 1500.0,
) -> Shown:
    """Light the room by ``settle_rgb`` until the camera has settled, lock it, and play the plan.

    Each frame goes to ``on_frame``. The camera is unlocked again in any case.

    Raises
    ------
    MeasurementError
        somebody closed the window, or the camera ended before the plan.
    CameraError, DisplayError
        the camera or the screen is lost.
    """
    camera = stage.camera
    _settle(stage, settle_rgb, settle_ms)
    locked = camera.lock() if isinstance(camera, Lockable) else False
    try:
        return _play(stage, plan, on_frame, locked=locked)
    finally:
        if isinstance(camera, Lockable):
            camera.unlock()


def _settle(stage: CameraAndScreen, rgb: Rgb, settle_ms: float) -> None:
    stage.screen.show(Scene(SceneKind.LIGHT, rgb))
    until_ns = stage.clock.now_ns() + round(settle_ms * 1e6)
    while stage.clock.now_ns() < until_ns:
        _read(stage)


def _play(
    stage: CameraAndScreen,
    plan: IlluminationPlan,
    on_frame: Callable[[Frame], None],
    *,
    locked: bool,
) -> Shown:
    clock, log = stage.clock, FlipLog()
    half_refresh_ns = round(5e8 / stage.screen.refresh.hz)
    due_ns = clock.now_ns()
    for slot in plan.slots:
        # a flip right after each frame would put every edge at one phase of the exposure
        while clock.now_ns() < due_ns - AHEAD_NS:
            on_frame(_read(stage))
        clock.sleep_until(due_ns - half_refresh_ns)
        record = stage.screen.show(Scene(SceneKind.LIGHT, slot.rgb))
        log.record(record, slot.colour, slot.rgb)
        due_ns = record.flipped_ns + round(slot.dwell_ms * 1e6)
    while clock.now_ns() < due_ns + TAIL_NS:
        on_frame(_read(stage))
    return Shown(log.flips(), clock.now_ns(), locked, log.late)


def _read(stage: CameraAndScreen) -> Frame:
    for event in stage.screen.poll():
        if event.kind is InputKind.QUIT or event.key == "escape":
            raise MeasurementError("stopped by the operator")
    frame = stage.camera.read(READ_S)
    if frame is None:
        raise MeasurementError("the camera ended before the light did: give it more time")
    return frame
