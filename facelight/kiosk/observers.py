"""Runs the eyes: in a thread of their own beside a live camera, or in step with a virtual clock."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from capture.camera import Camera
from capture.errors import CameraError, SourceError
from capture.frame import Frame
from facelight.kiosk.eyes import Eyes
from facelight.session_events import DeviceBack, DeviceLost, Event, Quit
from facelight.session_types import Device
from preprocess.errors import TrackerError

READ_TIMEOUT_S = 0.5
"""Commands wait for at most one read; a lost camera is told within half a second."""
JOIN_S = 1.5

Command: TypeAlias = Callable[[Eyes], Sequence[Event]]


class Observer(Protocol):
    """Where frames become events."""

    def post(self, command: Command) -> None:
        """Let the eyes do something before the next frame; its events come with ``poll``."""
        ...

    def poll(self) -> list[Event]:
        """Return what was seen since the last call; never waits."""
        ...

    def preview(self) -> Frame | None:
        """Return the newest frame."""
        ...

    def close(self) -> None:
        """End; idempotent. The camera stays open."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A camera that can tell whether a frame is due without waiting for it."""

    def ready(self) -> bool:
        """Return whether ``read`` would return at once."""
        ...


class ThreadObserver:
    """Reads and looks in one thread; a slow look makes the camera drop, never the queue grow."""

    def __init__(self, camera: Camera, eyes: Eyes) -> None:
        self._camera = camera
        self._eyes = eyes
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._events: deque[Event] = deque()
        self._newest: Frame | None = None
        self._lost: set[Device] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="facelight-observer", daemon=True)
        self._thread.start()

    def post(self, command: Command) -> None:
        """Let the eyes do something before the next frame."""
        self._commands.put(command)

    def poll(self) -> list[Event]:
        """Return what was seen since the last call."""
        events = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def preview(self) -> Frame | None:
        """Return the newest frame."""
        return self._newest

    def close(self) -> None:
        """End the thread; it is bounded by one read."""
        self._stop.set()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._carry_out()
                self._observe()
        finally:
            self._eyes.close()

    def _carry_out(self) -> None:
        while not self._commands.empty():
            self._events.extend(self._commands.get()(self._eyes))

    def _observe(self) -> None:
        try:
            frame = self._camera.read(READ_TIMEOUT_S)
        except (CameraError, SourceError):
            self._newest = None
            self._told(Device.CAMERA, lost=True)
            self._stop.wait(0.05)
            return
        if frame is None:
            self._events.append(Quit())
            self._stop.wait()
            return
        self._told(Device.CAMERA, lost=False)
        self._newest = frame
        try:
            self._events.append(self._eyes.look(frame))
        except TrackerError:
            self._told(Device.TRACKER, lost=True)
            self._eyes.open_person()
        else:
            self._told(Device.TRACKER, lost=False)

    def _told(self, device: Device, *, lost: bool) -> None:
        """Tell a change once."""
        if lost and device not in self._lost:
            self._lost.add(device)
            self._events.append(DeviceLost(device))
        elif not lost and device in self._lost:
            self._lost.remove(device)
            self._events.append(DeviceBack(device))


class StepObserver:
    """Looks at every frame that is due when it is asked: for cameras on a virtual clock."""

    def __init__(self, camera: Camera, eyes: Eyes) -> None:
        if not isinstance(camera, Paced):
            raise CameraError(f"{camera.info.name}: only a camera that tells what is due can step")
        self._camera = camera
        self._paced: Paced = camera
        self._eyes = eyes
        self._events: list[Event] = []
        self._newest: Frame | None = None

    def post(self, command: Command) -> None:
        """Let the eyes do something now."""
        self._events.extend(command(self._eyes))

    def poll(self) -> list[Event]:
        """Look at what is due, and return what was seen."""
        while self._paced.ready():
            frame = self._camera.read()
            if frame is None:
                self._events.append(Quit())
                break
            self._newest = frame
            self._events.append(self._eyes.look(frame))
        events, self._events = self._events, []
        return events

    def preview(self) -> Frame | None:
        """Return the newest frame."""
        return self._newest

    def close(self) -> None:
        """Release the tracker."""
        self._eyes.close()
