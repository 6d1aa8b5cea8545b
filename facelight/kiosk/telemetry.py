"""What an operator sees of a running kiosk: logs, and the metrics file written beside it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from capture.camera import Camera
from capture.clock import Clock
from capture.live.reading.stats import KeepsStats
from facelight.errors import OutputError
from facelight.kiosk.host import HostLoad
from facelight.kiosk.metrics_file import Metrics
from uploader.spool.delivery import Event, EventKind

WRITE_EVERY_S = 15.0
JOIN_S = 1.0
_LOG = logging.getLogger(__name__)


class Telemetry:
    """Counts a kiosk's events and deliveries, and keeps the metrics file fresh.

    Without a path it only counts; ``with`` starts and ends the thread that writes.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self.metrics = Metrics()
        self._path = path
        self._clock = clock
        self._sources: list[Callable[[], None]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def on_event(self, name: str, values: dict[str, Any]) -> None:
        """Take in an event of the kiosk."""
        self.metrics.on_event(name, values, self._clock.now_ns())

    def on_delivery(self, event: Event) -> None:
        """Take in what the delivery thread did; what only an operator can cure is logged."""
        if event.outcome is not None:
            self.metrics.service_answered(event.outcome.status)
        elif event.error is not None:
            self.metrics.service_answered(event.error.status)
        if event.kind is EventKind.STOPPED:
            _LOG.error("delivery stopped until the operator acts: %s", event.error)

    def on_age(self, age_ns: int) -> None:
        """Take in how old a frame was when it had been judged."""
        self.metrics.frame_judged(age_ns / 1e9)

    def on_load(self, load: HostLoad) -> None:
        """Take in what the machine got done in the last seconds."""
        self.metrics.host(load)

    def watch_camera(self, camera: Camera) -> None:
        """Note the counts of a camera that keeps some."""
        if isinstance(camera, KeepsStats):
            self._sources.append(lambda: self._camera(camera))

    def watch_spool(self, depth: Callable[[], tuple[int, int, float]]) -> None:
        """Note how many items and bytes wait, and the age of the oldest in s."""
        self._sources.append(lambda: self.metrics.spool(*depth()))

    def write(self) -> None:
        """Ask every source and replace the file.

        Raises
        ------
        OutputError
            the file cannot be written.
        """
        if self._path is None:
            return
        for source in self._sources:
            source()
        self.metrics.write(self._path)

    def __enter__(self) -> Self:
        if self._path is not None:
            self.write()
            self._thread = threading.Thread(target=self._run, name="facelight-metrics", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._stop.wait(WRITE_EVERY_S):
            try:
                self.write()
            except OutputError as error:
                _LOG.warning("metrics: %s", error)

    def _camera(self, camera: KeepsStats) -> None:
        stats = camera.stats
        self.metrics.camera(stats.dropped, stats.reopened)
