"""Small, fast simulated sessions for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.camera import Camera
from capture.clock import VirtualClock
from capture.frame import Frame
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, IlluminationPlan, Slot
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.planned_session import SimulatedSession, simulate
from capture.simulator.scene.simulated_screen import SimulatedScreen
from capture.simulator.sim_spec import parse_spec

SMALL = "size=480x270,distance=40"
PLAN = IlluminationPlan(
    (
        Slot(None, NEUTRAL_RGB, 300.0),
        *(Slot(name, PRIMARIES[name], 400.0) for name in ("Red", "Green", "Blue")),
        Slot(None, NEUTRAL_RGB, 200.0),
    )
)


def camera_of(spec: str = f"sim:{SMALL}") -> SimulatedCamera:
    """Open a simulated camera before a grey screen, on a clock of its own."""
    clock = VirtualClock()
    options = parse_spec(spec)
    return SimulatedCamera(options, clock, SimulatedScreen(clock, options.screen))


def conforming(_: Path) -> Camera:
    """Open a short session for the conformance suite."""
    return camera_of("sim:size=160x90,duration=0.5s")


def session_of(spec: str, plan: IlluminationPlan = PLAN) -> SimulatedSession:
    """Simulate a plan."""
    return simulate(plan, parse_spec(spec))


def frames_of(session: SimulatedSession) -> list[Frame]:
    """Read a session to its end."""
    frames = []
    while (frame := session.camera.read()) is not None:
        frames.append(frame)
    return frames


def face_mean(session: SimulatedSession, frame: Frame) -> NDArray[np.float64]:
    """Return the mean B, G, R of the skin between and below the eyes."""
    eyes = session.camera.truth(frame.seq).eyes_px
    assert eyes is not None
    (x0, y0), (x1, _) = eyes
    gap = x1 - x0
    part = frame.pixels[int(y0 + 0.3 * gap) : int(y0 + 0.8 * gap), int(x0) : int(x1)]
    return np.asarray(part.reshape(-1, 3).mean(axis=0), np.float64)


def colour_means(session: SimulatedSession) -> dict[str | None, NDArray[np.float64]]:
    """Return the face's mean B, G, R under each colour that was truly and only on, None neutral."""
    sums: dict[str | None, list[NDArray[np.float64]]] = {}
    for frame in frames_of(session):
        label = session.camera.truth(frame.seq).label
        if label.rgb is not None:
            sums.setdefault(label.colour, []).append(face_mean(session, frame))
    return {colour: np.mean(means, axis=0) for colour, means in sums.items()}
