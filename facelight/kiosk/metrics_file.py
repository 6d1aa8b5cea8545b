"""Prometheus text file of a kiosk, for the node exporter's textfile collector.

The kiosk opens no port for it: the file is replaced whole, so a scrape never reads half of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    write_to_textfile,
)

from facelight.errors import OutputError
from facelight.kiosk.host import HostLoad

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_AGES_S = (0.0167, 0.025, 0.0333, 0.05, 0.0667, 0.1, 0.2, 0.5)
"""One interval and two, of 60 and of 30 frames a second, among them."""


class Metrics:
    """Counts what a kiosk does; labels hold words of ours, never anything about a person."""

    def __init__(self) -> None:
        # a series more for each counter, which nobody asks for
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._sessions = self._counter("sessions", "Sessions by outcome.", "outcome")
        self._problems = self._counter("problems", "Attempts that ended early.", "problem")
        self._rejections = self._counter("rejections", "Reasons of rejected clips.", "reason")
        self._decisions = self._counter("decisions", "Answers of the service.", "decision")
        self._statuses = self._counter("service_responses", "HTTP statuses.", "status")
        self._drops = self._plain_counter("camera_frames_dropped", "Frames dropped.")
        self._reopened = self._plain_counter("camera_reopened", "Times the camera was reopened.")
        self._camera = (0, 0)
        self._items = self._gauge("spool_items", "Submissions that wait.")
        self._bytes = self._gauge("spool_bytes", "Their size.")
        self._age = self._gauge("spool_oldest_seconds", "Age of the oldest one.")
        self._stages = Histogram(
            "facelight_stage_seconds",
            "Time of each stage of a session.",
            ("stage",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._ages = Histogram(
            "facelight_frame_age_seconds",
            "Age of a frame when it has been judged, from its stamp.",
            buckets=_AGES_S,
            registry=self._registry,
        )
        self._flips = Counter(
            "facelight_flips", "Pictures shown.", ("late",), registry=self._registry
        )
        self._rate = self._gauge("frames_judged_per_second", "In the last 3 s.")
        self._slow = self._gauge("host_slow", "1 while this machine is too slow for a kiosk.")
        self._entered: tuple[str, int] | None = None

    def on_event(self, name: str, values: Mapping[str, Any], now_ns: int) -> None:
        """Take in an event of the kiosk (``docs/kiosk.md``)."""
        if name in _STAGES:
            self._stage(name, now_ns)
        if name == "idle" and "after" in values:
            self._sessions.labels(str(values["after"])).inc()
        elif name == "problem":
            self._problems.labels(str(values.get("problem"))).inc()
        elif name == "clip" and not values.get("accepted"):
            for reason in str(values.get("reasons", "")).split(","):
                self._rejections.labels(reason or "none").inc()
        elif name == "result":
            self._decisions.labels(str(values.get("decision") or "none")).inc()

    def service_answered(self, status: int | None) -> None:
        """Count an answer; None is no answer at all."""
        self._statuses.labels("none" if status is None else str(status)).inc()

    def camera(self, dropped: int, reopened: int) -> None:
        """Note the camera's own counts since it was opened; those of a new one begin at 0."""
        counters = (self._drops, self._reopened)
        now = (dropped, reopened)
        for counter, count, before in zip(counters, now, self._camera, strict=True):
            counter.inc(count - before if count >= before else count)
        self._camera = now

    def frame_judged(self, age_s: float) -> None:
        """Note how old a frame was at its verdict."""
        self._ages.observe(age_s)

    def host(self, load: HostLoad) -> None:
        """Count a window's flips and note its rate."""
        self._flips.labels("no").inc(load.flips - load.late_flips)
        self._flips.labels("yes").inc(load.late_flips)
        self._rate.set(load.frames_per_s)
        self._slow.set(load.slow)

    def spool(self, items: int, size: int, oldest_s: float) -> None:
        """Note how much waits, and for how long."""
        self._items.set(items)
        self._bytes.set(size)
        self._age.set(oldest_s)

    def write(self, path: Path) -> None:
        """Replace the file.

        Raises
        ------
        OutputError
            the folder is missing or not writable.
        """
        try:
            write_to_textfile(str(path), self._registry)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error

    def _stage(self, name: str, now_ns: int) -> None:
        before, self._entered = self._entered, (name, now_ns)
        if before is not None and before[0] != "idle":
            self._stages.labels(before[0]).observe((now_ns - before[1]) / 1e9)

    def _counter(self, name: str, told: str, label: str) -> Counter:
        return Counter(f"facelight_{name}", told, (label,), registry=self._registry)

    def _plain_counter(self, name: str, told: str) -> Counter:
        return Counter(f"facelight_{name}", told, registry=self._registry)

    def _gauge(self, name: str, told: str) -> Gauge:
        return Gauge(f"facelight_{name}", told, registry=self._registry)


_STAGES = frozenset(
    {"idle", "person_seen", "position", "settle", "capture", "finish", "clip", "result", "problem"}
)
