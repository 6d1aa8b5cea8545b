"""Cameras that exist only here: hardware that outlives its handles, and every fault of it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.clock import Clock, SystemClock, VirtualClock
from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.reading.connection import Continuity
from capture.live.reading.feed import FeedFacts, OpenFeed, RawFrame
from capture.live.reading.read_loop import Reader
from capture.live.webcam.controls import CameraControls
from capture.live.webcam.device import DeviceFeed, fourcc_number
from capture.live.webcam.properties import V4L2, Dialect, Property

INTERVAL_NS = 33_333_333
LAG_NS = 40_000_000
START_NS = 1_000_000_000_000


def noise(
    number: int, size_wh: tuple[int, int] = (64, 48), level: float = 120
) -> NDArray[np.uint8]:
    """A picture like no other."""
    grain = np.random.default_rng(number).normal(level, 12, (size_wh[1], size_wh[0], 3))
    return np.clip(grain, 0, 255).astype(np.uint8)


def jpeg(number: int, size_wh: tuple[int, int] = (64, 48), level: float = 120) -> bytes:
    """The same as a camera sends it."""
    return bytes(cv2.imencode(".jpg", noise(number, size_wh, level))[1].tobytes())


@dataclass
class Hardware:
    """A webcam: it keeps its controls when programs come and go.

    ``exposed`` is the exposure in 100 us that makes a mean level of 120; what automatic exposure
    uses. ``reported`` is what it says it uses.
    """

    clock: Clock = field(default_factory=lambda: VirtualClock(START_NS))
    size_wh: tuple[int, int] = (64, 48)
    fourcc: str = "MJPG"
    interval_ns: int = INTERVAL_NS
    plugged: bool = True
    exposed: float = 200
    reported: float | None = None
    refuses: frozenset[Property] = frozenset()
    faults: deque[Callable[[FakeDevice], bool]] = field(default_factory=deque)
    opened: int = 0
    released: int = 0
    wait_for_frame: Callable[[int], None] | None = None
    shape: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = lambda pixels: pixels
    pos_ms: Callable[[float], float] = lambda ms: ms

    def __post_init__(self) -> None:
        reported = self.exposed if self.reported is None else self.reported
        self.properties: dict[int, float] = {
            Property.FRAME_WIDTH: self.size_wh[0],
            Property.FRAME_HEIGHT: self.size_wh[1],
            Property.FPS: 30.0,
            Property.FOURCC: fourcc_number(self.fourcc),
            Property.AUTO_EXPOSURE: 3.0,
            Property.EXPOSURE: reported,
            Property.GAIN: 16.0,
            Property.AUTO_WB: 1.0,
            Property.WB_TEMPERATURE: 4200.0,
            Property.AUTOFOCUS: 1.0,
            Property.FOCUS: 30.0,
        }

    def open(self, options: LiveOptions) -> FakeDevice:
        if not self.plugged:
            raise CameraError("not plugged in")
        self.opened += 1
        return FakeDevice(self)

    def opener(self, options: LiveOptions, dialect: Dialect | None = V4L2) -> OpenFeed:
        def opened() -> DeviceFeed:
            device = self.open(options)
            return DeviceFeed(device, CameraControls(device, dialect, options), self.clock)

        return opened

    @property
    def level(self) -> float:
        """How bright the picture is."""
        if self.properties[Property.AUTO_EXPOSURE] != 1.0:
            return 120.0
        share = self.properties[Property.EXPOSURE] / self.exposed
        return float(min(250.0, 120.0 * share ** (1 / 2.2)))


class FakeDevice:
    """An opened `Hardware`; fails loudly when it is used by two threads or after release."""

    backend = "V4L2"

    def __init__(self, hardware: Hardware) -> None:
        self.hardware = hardware
        self.number = 1000 * hardware.opened
        self.stamp_ns = hardware.clock.now_ns()
        self.repeating = False
        self._busy = threading.Lock()
        self._released = False

    def grab(self) -> bool:
        with self._used():
            hardware = self.hardware
            while hardware.faults:
                fault = hardware.faults.popleft()
                if not fault(self):
                    return False
            if not hardware.plugged:
                return False
            self.tick()
            return True

    def tick(self, interval_ns: int | None = None) -> None:
        hardware = self.hardware
        if hardware.wait_for_frame is not None:
            hardware.wait_for_frame(hardware.interval_ns)
        else:
            hardware.clock.sleep_until(
                hardware.clock.now_ns() + (interval_ns or hardware.interval_ns)
            )
        if not self.repeating:
            self.number += 1
            self.stamp_ns = hardware.clock.now_ns() - LAG_NS

    def retrieve(self) -> NDArray[np.uint8] | None:
        with self._used():
            level = self.hardware.level
            return self.hardware.shape(noise(self.number, self.hardware.size_wh, level))

    def get(self, number: int) -> float:
        with self._used():
            if number == Property.POS_MSEC:
                return self.hardware.pos_ms(self.stamp_ns / 1e6)
            return self.hardware.properties.get(number, -1.0)

    def set(self, number: int, value: float) -> bool:
        with self._used():
            if self.hardware.plugged and number not in self.hardware.refuses:
                self.hardware.properties[number] = value
            return True

    def release(self) -> None:
        with self._used():
            self._released = True
            self.hardware.released += 1

    def _used(self) -> _Exclusive:
        assert not self._released, "used after release"
        return _Exclusive(self._busy)


class _Exclusive:
    def __init__(self, busy: threading.Lock) -> None:
        self._busy = busy

    def __enter__(self) -> None:
        assert self._busy.acquire(blocking=False), "used by two threads at once"

    def __exit__(self, *_: object) -> None:
        self._busy.release()


class Notes:
    """A sink that writes everything down."""

    def __init__(self) -> None:
        self.facts: list[FeedFacts] = []
        self.sizes: list[tuple[int, int]] = []
        self.frames: list[tuple[int, RawFrame]] = []
        self.problems: list[str] = []

    def opened(self, facts: FeedFacts, size_wh: tuple[int, int]) -> None:
        self.facts.append(facts)
        self.sizes.append(size_wh)

    def came(self, raw: RawFrame, t_frame_ns: int) -> None:
        self.frames.append((t_frame_ns, raw))

    def lost(self, problem: CameraError) -> None:
        self.problems.append(str(problem))


@dataclass
class Bench:
    """A reader on a virtual clock, with everything that it tells."""

    hardware: Hardware
    options: LiveOptions = field(default_factory=lambda: LiveOptions(warmup_frames=0))
    dialect: Dialect | None = V4L2
    opener: OpenFeed | None = None

    def __post_init__(self) -> None:
        self.notes = Notes()
        self.kept = Continuity()
        opener = self.opener or self.hardware.opener(self.options, self.dialect)
        self.reader = Reader(opener, self.notes, self.options, self.hardware.clock, self.kept)

    def run(self, seconds: float) -> Bench:
        """Let virtual time pass."""
        clock = self.hardware.clock
        end_ns = clock.now_ns() + round(seconds * 1e9)
        while clock.now_ns() < end_ns:
            wait_s = self.reader.step()
            clock.sleep_until(clock.now_ns() + round(wait_s * 1e9))
        return self

    def frames(self, count: int) -> Bench:
        """Go on for this many new frames."""
        target = len(self.notes.frames) + count
        for _ in range(100 * count + 100):
            if len(self.notes.frames) >= target:
                return self
            self.run(0.001)
        raise AssertionError(f"only {len(self.notes.frames)} frames: {self.notes.problems}")

    @property
    def times_ns(self) -> list[int]:
        return [t_ns for t_ns, _ in self.notes.frames]


def in_real_time(interval_s: float = 0.002) -> Hardware:
    """Hardware for tests with threads: quick, and stopped by nobody."""
    pause = threading.Event()
    return Hardware(
        clock=SystemClock(),
        interval_ns=round(interval_s * 1e9),
        wait_for_frame=lambda interval_ns: (pause.wait(interval_ns / 1e9), None)[1],
        pos_ms=lambda ms: 0.0,
    )
