"""A simulated camera that a machine can carry beside the kiosk: measured when it is opened.

A real camera exposes by itself; this one is rendered on the machine that also tracks, judges and
lights. Where that does not get done in time, frames are lost and sessions starve, which would say
something of the machine only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from capture.clock import Clock
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.options import CameraOptions, SimulatorOptions
from capture.simulator.scene.simulated_screen import LightSource

RENDER_SHARE = 0.45
"""Of each frame's interval: tracking and judging take about as much in the same thread."""

_MEASURED, _WARM_UP = 7, 2
_SCALES = (0.8, 0.625)
"""A face at 55 cm has 79 px between the eyes in the smallest frame, and 64 are asked for."""
_LEAST_WIDTH_PX = 800
_RATES = (20.0, 15.0)

_LOG = logging.getLogger(__name__)


def open_sustained(options: SimulatorOptions, clock: Clock, light: LightSource) -> SimulatedCamera:
    """Open the camera of ``options``, smaller or slower where ``clock`` shows it must be; told.

    On a virtual clock rendering takes no time, and nothing is changed.
    """
    camera = SimulatedCamera(options, clock, light)
    first_ms = cost_ms = _cost_ms(camera, clock)
    for cheaper in _cheaper(options.camera):
        if cost_ms <= RENDER_SHARE * 1000 / camera.options.camera.fps:
            break
        camera = SimulatedCamera(replace(options, camera=cheaper), clock, light)
        cost_ms = _cost_ms(camera, clock)
    if camera.options.camera != options.camera:
        _LOG.warning("%s", _reduced(options.camera, camera.options.camera, first_ms))
    return camera


def _cheaper(asked: CameraOptions) -> Iterator[CameraOptions]:
    """Return what costs less and less: smaller frames first, then fewer of them."""
    smallest = asked
    for scale in _SCALES:
        width, height = (2 * round(side * scale / 2) for side in asked.size_wh)
        if width >= _LEAST_WIDTH_PX:
            smallest = replace(asked, size_wh=(width, height))
            yield smallest
    for fps in _RATES:
        if fps < asked.fps:
            yield replace(smallest, fps=fps)


def _cost_ms(camera: SimulatedCamera, clock: Clock) -> float:
    """Return the median time in ms that rendering a frame takes here and now."""
    spent_ns = []
    for index in range(_WARM_UP + _MEASURED):
        begun_ns = clock.now_ns()
        camera.rehearse(index)
        spent_ns.append(clock.now_ns() - begun_ns)
    return median(spent_ns[_WARM_UP:]) / 1e6


def _reduced(asked: CameraOptions, taken: CameraOptions, cost_ms: float) -> str:
    """Say what was changed and why, for who asked for another camera."""
    width, height = asked.size_wh
    return (
        f"sim: rendering a frame of {width}x{height} takes {cost_ms:.0f} ms on this machine now, "
        f"{RENDER_SHARE * 1000 / asked.fps:.0f} ms are left for it at {asked.fps:g} frames a "
        f"second: simulating {taken.size_wh[0]}x{taken.size_wh[1]} at {taken.fps:g} instead"
    )
