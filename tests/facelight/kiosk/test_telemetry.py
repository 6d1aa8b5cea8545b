"""The metrics file of a kiosk, and what the operator is told of deliveries."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from capture.clock import VirtualClock
from facelight.errors import OutputError
from facelight.kiosk.telemetry import Telemetry
from tests.conftest import ErrorLog
from uploader.errors import UnauthorizedError
from uploader.spool.delivery import Event, EventKind


def test_the_file_is_there_from_the_start_and_holds_what_the_sources_say(tmp_path: Path) -> None:
    path = tmp_path / "facelight.prom"
    telemetry = Telemetry(path, VirtualClock())
    telemetry.watch_camera(SimpleNamespace(stats=SimpleNamespace(dropped=4, reopened=1)))
    telemetry.watch_spool(lambda: (2, 700, 61.0))
    with telemetry:
        text = path.read_text()
    assert "facelight_camera_frames_dropped_total 4.0" in text
    assert "facelight_spool_items 2.0" in text
    assert "facelight_spool_oldest_seconds 61.0" in text


def test_a_camera_without_counts_is_passed_over(tmp_path: Path) -> None:
    telemetry = Telemetry(tmp_path / "x.prom", VirtualClock())
    telemetry.watch_camera(object())  # type: ignore[arg-type]
    telemetry.write()
    assert "facelight_camera_frames_dropped_total 0.0" in (tmp_path / "x.prom").read_text()


def test_without_a_path_nothing_is_written_and_no_thread_starts(tmp_path: Path) -> None:
    with Telemetry(None, VirtualClock()) as telemetry:
        telemetry.on_event("idle", {"after": "real"})
        telemetry.write()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_before_the_kiosk_starts(tmp_path: Path) -> None:
    with pytest.raises(OutputError), Telemetry(tmp_path / "no" / "x.prom", VirtualClock()):
        pass


def test_the_operator_hears_of_a_stopped_delivery(tmp_path: Path, error_log: ErrorLog) -> None:
    telemetry = Telemetry(tmp_path / "x.prom", VirtualClock())
    telemetry.on_delivery(Event(EventKind.STOPPED, error=UnauthorizedError("bad key")))
    (told,) = error_log.taken()
    assert told.startswith("delivery stopped until the operator acts: bad key")
