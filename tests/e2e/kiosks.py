"""A kiosk as a process of its own, told apart by its events."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from facelight.service.options import DEFAULT_KEY
from tests.waiting import ctrl_c_reaches_children


class HasUrl(Protocol):
    """Any service that a kiosk can be sent to."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...


@contextmanager
def running(command: Sequence[object], **more: Any) -> Iterator[subprocess.Popen[str]]:
    words = [str(word) for word in command]
    with ctrl_c_reaches_children():
        process = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, **more)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


@dataclass
class Kiosk:
    """A kiosk process and the events it has told."""

    process: subprocess.Popen[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    _lines: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def until(self, name: str, timeout_s: float, **values: Any) -> dict[str, Any]:
        """Return the next event of that name and values; what comes before it is kept too."""
        end_s = time.monotonic() + timeout_s
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left_s)
            except queue.Empty:
                break
            if line is None:
                break
            event: dict[str, Any] = json.loads(line)
            self.events.append(event)
            if event["event"] == name and values.items() <= event.items():
                return event
        raise AssertionError(f"no event {name} {values}; seen: {self.events[-8:]}")

    def all(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]


@contextmanager
def kiosk(
    display: Mapping[str, str], camera: str, service: HasUrl, *more: object
) -> Iterator[Kiosk]:
    """Run ``facelight kiosk`` with these variables for the display, quick to go on by itself."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FACELIGHT_", "SDL_"))}
    env = kept | {"FACELIGHT_KEY": DEFAULT_KEY, **display}
    command = [sys.executable, "-m", "facelight", "kiosk", "--events", "--camera", camera]
    patient = ["--set", "session.notice_ms=2000", "--set", "session.result_ms=1500"]
    with running([*command, "--endpoint", service.url, *patient, *more], env=env) as process:
        yield Kiosk(process)
