"""Try a camera for a second: what it delivers, against what it says and what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from capture.camera import Camera, CameraInfo, Lockable, ReportsControls
from capture.clock import Clock, SystemClock
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.paced import PacedCamera
from capture.live.reading.stamps import ARRIVAL
from capture.live.spec import open_camera
from capture.live.webcam.discovery import FoundCamera, list_cameras
from capture.simulator.scene.simulated_screen import FlipHistory

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["FoundCamera", "ProbeReport", "list_cameras", "probe"]

SLOW = 0.8
"""Of the rate asked for: below, exposure in dim light has stretched the frames, or USB is full."""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What was measured.

    Attributes
    ----------
    info : as the camera delivers; ``info.fps`` is its claim.
    frames : how many were measured; the other figures are None below two.
    fps : 1 / median interval of the stamps.
    jitter_ms : mean distance of the intervals from their median.
    age_ms : median time from a frame's stamp to the moment it has been read.
    stamp_source : ``driver``, ``sender``, ``arrival``, ``file`` or ``simulator``.
    jpeg : recordings will hold the camera's own bytes.
    dropped : frames that were replaced before they were read.
    locked : exposure and white balance can be locked; None for sources without controls.
    controls : each control, to which value it was locked or why not.
    warnings : what to look at before using the camera.
    """

    info: CameraInfo
    frames: int
    fps: float | None
    jitter_ms: float | None
    age_ms: float | None
    stamp_source: str
    jpeg: bool
    dropped: int
    locked: bool | None
    controls: Mapping[str, JsonValue] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def probe(
    spec: str,
    options: LiveOptions | None = None,
    *,
    seconds: float = 1.0,
    clock: Clock | None = None,
) -> ProbeReport:
    """Open a camera, measure it, lock its controls for a moment and give them back.

    Raises
    ------
    CameraError
        it cannot be opened, or is lost meanwhile.
    SourceError
        a file that is none, or damaged.
    """
    options, clock = options or LiveOptions(), clock or SystemClock()
    options = replace(options, allow_virtual=True, pin="")  # to look at one is no session
    with open_camera(spec, options, clock, FlipHistory()) as camera:
        measured = _measure(camera, clock, seconds)
        locked, controls = _try_lock(camera)
        live = isinstance(camera, LiveCamera)
        stats = camera.stats if isinstance(camera, LiveCamera | PacedCamera) else None
        report = ProbeReport(
            info=camera.info,
            frames=measured.frames,
            fps=measured.fps,
            jitter_ms=measured.jitter_ms,
            age_ms=measured.age_ms,
            stamp_source=stats.stamp_source if stats else "simulator",
            jpeg=isinstance(camera, LiveCamera) and camera.last_jpeg is not None,
            dropped=stats.dropped if stats else 0,
            locked=locked,
            controls=controls,
        )
    return replace(report, warnings=tuple(_warnings(report, options))) if live else report


@dataclass(frozen=True, slots=True)
class _Measured:
    frames: int
    fps: float | None = None
    jitter_ms: float | None = None
    age_ms: float | None = None


def _measure(camera: Camera, clock: Clock, seconds: float) -> _Measured:
    """Read for a while and keep the times, not the frames."""
    times_ns: list[int] = []
    ages_ns: list[int] = []
    until_ns = clock.now_ns() + round(seconds * 1e9)
    while clock.now_ns() < until_ns:
        frame = camera.read()
        if frame is None:
            break
        times_ns.append(frame.t_frame_ns)
        ages_ns.append(clock.now_ns() - frame.t_frame_ns)
    gaps_ns = [after - before for before, after in pairwise(times_ns)]
    if not gaps_ns:
        return _Measured(len(times_ns))
    middle_ns = median(gaps_ns)
    jitter_ns = sum(abs(gap - middle_ns) for gap in gaps_ns) / len(gaps_ns)
    return _Measured(len(times_ns), 1e9 / middle_ns, jitter_ns / 1e6, median(ages_ns) / 1e6)


def _try_lock(camera: Camera) -> tuple[bool | None, Mapping[str, JsonValue]]:
    if not isinstance(camera, Lockable):
        return None, {}
    locked = camera.lock()
    controls = dict(camera.controls) if isinstance(camera, ReportsControls) else {}
    camera.unlock()
    return locked, controls


def _warnings(report: ProbeReport, options: LiveOptions) -> Iterator[str]:
    if report.info.size_wh != options.size_wh:
        asked, got = ("{}x{}".format(*wh) for wh in (options.size_wh, report.info.size_wh))
        yield f"asked for {asked}, delivers {got}"
    fourcc = report.info.details.get("fourcc", "")
    if fourcc and options.fourcc and fourcc != options.fourcc:
        yield f"asked for {options.fourcc}, delivers {fourcc}"
    if report.fps is not None and report.fps < SLOW * options.fps:
        yield (
            f"asked for {options.fps:g} frames a second, delivers {report.fps:.1f}: "
            "more light, another format or another USB port may help"
        )
    if report.stamp_source == ARRIVAL:
        yield "no usable time stamps: arrival counts, labels need wider guards"
    if report.locked is False:
        yield "exposure or white balance cannot be locked: the light response is weaker"
