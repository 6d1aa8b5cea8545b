"""Everything that can be chosen about a simulated session."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from capture.options import option, options
from capture.simulator.lighting import RoomOptions, SimulatedScreenOptions
from capture.simulator.person.movement import Motion, MotionStep


class PersonKind(StrEnum):
    """Who or what is before the camera."""

    REAL = "real"
    REPLAY = "replay"
    PRINT = "print"
    UNLIT = "unlit"
    LYING_CLOCK = "lying-clock"
    NONE = "none"
    TWO = "two"


class ControlLock(StrEnum):
    """How exposure and white balance behave."""

    LOCKABLE = "yes"
    REFUSED = "refused"
    FROM_START = "start"


@options
class PersonOptions:
    """The person's looks, place and behaviour; angles are the head's own, in the room."""

    kind: PersonKind = PersonKind.REAL
    skin_tone: float = option(4.0, unit="tone", low=1, high=10, why="1 light to 10 dark")
    distance_cm: float = option(55.0, unit="cm", low=20, high=300, why="an arm from a kiosk")
    x_cm: float = option(0.0, unit="cm", low=-100, high=100, why="in front of the camera")
    y_cm: float = option(1.0, unit="cm", low=-60, high=60, why="eyes at the camera's height")
    yaw_deg: float = option(0.0, unit="deg", low=-60, high=60, why="looks at the camera")
    pitch_deg: float = option(0.0, unit="deg", low=-45, high=45, why="looks at the camera")
    roll_deg: float = option(0.0, unit="deg", low=-45, high=45, why="upright")
    eyes_open: float = option(1.0, unit="1", low=0, high=1, why="1 is open; blinks close them")
    mouth_open: float = option(0.0, unit="1", low=0, high=1, why="0 is shut")
    motion: tuple[MotionStep, ...] = option(
        (MotionStep(Motion.SWAY),), unit="script", why="nobody stands quite still"
    )
    portrait: str = option("", unit="path", why="empty: no photograph, a painted face")
    portrait_eyes: tuple[float, float, float, float] | None = option(
        None, unit="px", why="x, y of the left and right eye in the image; None: found by OpenCV"
    )


@options
class CameraOptions:
    """The camera and the way of its frames to us."""

    size_wh: tuple[int, int] = option((1280, 720), unit="px", why="what kiosk webcams deliver")
    fps: float = option(30.0, unit="1/s", low=1, high=120, why="what kiosk webcams deliver")
    fov_deg: float = option(60.0, unit="deg", low=20, high=120, why="horizontal; a usual webcam")
    exposure_ms: float = option(16.0, unit="ms", low=0.1, high=500, why="indoors: 10 to 33")
    readout_ms: float = option(20.0, unit="ms", low=0, high=100, why="rolling shutters: 15 to 30")
    latency_ms: float = option(
        85.0, unit="ms", low=0, high=500, why="flip to stamp; the display's lag is a part of it"
    )
    stamp_jitter_ms: float = option(0.5, unit="ms", low=0, high=20, why="driver stamps: 1 to 3")
    delivery_ms: float = option(30.0, unit="ms", low=0, high=500, why="USB and decoding")
    delivery_jitter_ms: float = option(3.0, unit="ms", low=0, high=100, why="seen: 3 to 10")
    drops: float = option(0.0, unit="1", low=0, high=0.9, why="share of frames that never arrive")
    duplicates: float = option(0.0, unit="1", low=0, high=0.9, why="share that arrives twice")
    clock_ppm: float = option(40.0, unit="ppm", low=-5000, high=5000, why="crystals differ")
    noise: float = option(1.0, unit="1", low=0, high=10, why="1: full well 8000 e-, read 6 e-")
    control: ControlLock = ControlLock.LOCKABLE
    mjpeg_quality: int = option(0, unit="1", low=0, high=100, why="0: frames stay as they are")


@options
class SimulatorOptions:
    """A simulated session; the same options and seed give the same frames, bit by bit."""

    person: PersonOptions = field(default_factory=PersonOptions)
    camera: CameraOptions = field(default_factory=CameraOptions)
    screen: SimulatedScreenOptions = field(default_factory=SimulatedScreenOptions)
    room: RoomOptions = field(default_factory=RoomOptions)
    seed: int = option(0, unit="1", low=0, high=2**32 - 1, why="identity, motion, noise")
    duration_s: float = option(0.0, unit="s", low=0, high=86_400, why="0: the camera never ends")
