"""Runs the frame judge: in a thread beside a live camera, or in step with a virtual clock."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from capture.camera import Camera, KeepsJpeg, Paced
from capture.clock import Clock
from capture.errors import CameraError, SourceError
from capture.frame import Frame
from capture.live.reading.beat import Beat
from capture.live.reading.stamps import ARRIVAL
from capture.live.reading.stats import KeepsStats
from facelight.kiosk.frame_judge import FrameJudge
from facelight.kiosk.machine.events import DeviceBack, DeviceLost, Event, Quit
from facelight.kiosk.machine.state import Device
from preprocess.errors import PreprocessError

_LOG = logging.getLogger(__name__)

READ_TIMEOUT_S = 0.5
"""Commands wait for at most one read; a lost camera is told within half a second."""
PAUSE_S = 0.05
"""After a lost camera or an ended one: commands are still carried out."""
BROKEN_PAUSE_S = 0.5
"""After a tracker that failed: a new one is made, but not thirty a second."""
JOIN_S = 1.2
STEP_LAG_NS = 40_000_000
"""With a virtual clock a frame is looked at this long after it came: what tracking takes live."""

OnAge: TypeAlias = Callable[[int], None]
Command: TypeAlias = Callable[[FrameJudge], Sequence[Event]]


def unasked(age_ns: int) -> None:
    """Nobody wants to know ages."""
    del age_ns


class Observer(Protocol):
    """Where frames become events."""

    @property
    def looked(self) -> int:
        """How many frames were judged so far; stands still when camera or tracker do."""
        ...

    def post(self, command: Command) -> None:
        """Let the frame judge do something before the next frame; its events come with ``poll``."""
        ...

    def poll(self) -> list[Event]:
        """Return what was seen since the last call; never waits.

        Raises whatever ended the observer: without it nobody watches.
        """
        ...

    def preview(self) -> Frame | None:
        """Return the newest frame; None while there is none to show."""
        ...

    def close(self) -> None:
        """End; idempotent. The camera stays open."""
        ...


class _Watch:
    """What both observers do with a frame; tells each change of a device once."""

    def __init__(self, camera: Camera, judge: FrameJudge) -> None:
        self.camera = camera
        self.judge = judge
        self.events: deque[Event] = deque()
        self.newest: Frame | None = None
        self.looked = 0
        self.ended = False
        self._beat = Beat()
        self._lost: set[Device] = set()

    def take(self) -> list[Event]:
        events = []
        while self.events:
            events.append(self.events.popleft())
        return events

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame; None when there is none, which is told."""
        try:
            self.newest = self.camera.read(timeout_s)
        except (CameraError, SourceError) as error:
            self.newest = None
            if self.told(Device.CAMERA, lost=True):
                _LOG.warning("the camera is lost: %s", error)
            return None
        if self.newest is None:
            self.ended = True
            self.events.append(Quit())
            return None
        self.told(Device.CAMERA, lost=False)
        return self.newest

    def look(self, frame: Frame, jpeg: bytes | None) -> bool:
        """Judge a frame; False when tracker or clip have failed and were thrown away.

        One whose time cannot be believed is left out: nobody knows which light it saw.
        """
        if self._stamped_on_arrival() and not self._beat.fits(frame.seq, frame.t_frame_ns):
            return True
        try:
            self.events.append(self.judge.look(frame, jpeg))
        except PreprocessError as error:
            if self.told(Device.TRACKER, lost=True):
                _LOG.warning("the tracker failed: %s", error)
            self.judge.restart()
            return False
        self.looked += 1
        self.told(Device.TRACKER, lost=False)
        return True

    def told(self, device: Device, *, lost: bool) -> bool:
        """Tell a change of a device; return whether it is one."""
        if lost == (device in self._lost):
            return False
        (self._lost.add if lost else self._lost.remove)(device)
        self.events.append(DeviceLost(device) if lost else DeviceBack(device))
        return True

    def _stamped_on_arrival(self) -> bool:
        return isinstance(self.camera, KeepsStats) and self.camera.stats.stamp_source == ARRIVAL

    def jpeg(self) -> bytes | None:
        """Return the camera's own bytes of the frame that was read last."""
        return self.camera.last_jpeg if isinstance(self.camera, KeepsJpeg) else None


class ThreadObserver:
    """Reads and looks in one thread; a slow look makes the camera drop, never the queue grow.

    Parameters
    ----------
    on_age : called with the age of each frame in ns, from its stamp to its verdict.
    """

    def __init__(self, camera: Camera, judge: FrameJudge, clock: Clock, on_age: OnAge) -> None:
        self._watch = _Watch(camera, judge)
        self._clock = clock
        self._on_age = on_age
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._crash: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="facelight-observer", daemon=True)
        self._thread.start()

    @property
    def looked(self) -> int:
        """How many frames were judged so far."""
        return self._watch.looked

    def post(self, command: Command) -> None:
        """Let the frame judge do something before the next frame."""
        self._commands.put(command)

    def poll(self) -> list[Event]:
        """Return what was seen since the last call."""
        if self._crash is not None:
            raise self._crash
        return self._watch.take()

    def preview(self) -> Frame | None:
        """Return the newest frame."""
        return self._watch.newest

    def close(self) -> None:
        """End the thread; it is bounded by one read and one look."""
        self._stop.set()
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            _LOG.warning("the observer is still at work; it ends by itself")

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._carry_out()
                self._observe()
        except BaseException as crash:  # noqa: BLE001 - raised again in the thread that polls
            self._crash = crash
        finally:
            self._watch.judge.close()

    def _carry_out(self) -> None:
        while not self._commands.empty():
            self._watch.events.extend(self._commands.get()(self._watch.judge))

    def _observe(self) -> None:
        watch = self._watch
        frame = None if watch.ended else watch.read(READ_TIMEOUT_S)
        if frame is None:
            self._stop.wait(PAUSE_S)
        elif not watch.look(frame, watch.jpeg()):
            self._stop.wait(BROKEN_PAUSE_S)
        else:
            self._on_age(self._clock.now_ns() - frame.t_frame_ns)


class StepObserver:
    """Looks at every frame that is due when it is asked: for cameras on a virtual clock."""

    def __init__(self, camera: Camera, judge: FrameJudge, clock: Clock) -> None:
        if not isinstance(camera, Paced):
            raise CameraError(f"{camera.info.name}: only a camera that tells what is due can step")
        self._watch = _Watch(camera, judge)
        self._paced: Paced = camera
        self._clock = clock
        self._waiting: deque[tuple[Frame, bytes | None]] = deque()

    @property
    def looked(self) -> int:
        """How many frames were judged so far."""
        return self._watch.looked

    def post(self, command: Command) -> None:
        """Let the frame judge do something now."""
        self._watch.events.extend(command(self._watch.judge))

    def poll(self) -> list[Event]:
        """Look at what is due, and return what was seen."""
        watch = self._watch
        while not watch.ended and self._paced.ready():
            frame = watch.read(READ_TIMEOUT_S)
            if frame is None:
                break
            self._waiting.append((frame, watch.jpeg()))
        now_ns = self._clock.now_ns()
        while self._waiting and self._waiting[0][0].t_received_ns + STEP_LAG_NS <= now_ns:
            watch.look(*self._waiting.popleft())
        return watch.take()

    def preview(self) -> Frame | None:
        """Return the newest frame."""
        return self._watch.newest

    def close(self) -> None:
        """Release the tracker."""
        self._waiting.clear()
        self._watch.judge.close()
