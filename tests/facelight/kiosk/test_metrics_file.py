"""The kiosk's counts as a Prometheus text file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facelight.errors import OutputError
from facelight.kiosk.host import HostLoad
from facelight.kiosk.metrics_file import Metrics


def served() -> Metrics:
    metrics = Metrics()
    second = 1_000_000_000
    events: list[tuple[str, dict[str, Any]]] = [
        ("person_seen", {}),
        ("position", {"attempt": 1}),
        ("problem", {"problem": "moved", "retry": True}),
        ("capture", {"light": True}),
        ("clip", {"accepted": False, "reasons": "blurred,too_few_frames"}),
        ("result", {"result": "real", "decision": "realface"}),
        ("idle", {"after": "real"}),
    ]
    for at, (name, values) in enumerate(events):
        metrics.on_event(name, values, at * second)
    return metrics


def test_a_session_is_counted_by_outcome_problem_reason_and_decision(tmp_path: Path) -> None:
    metrics = served()
    metrics.service_answered(200)
    metrics.service_answered(None)
    metrics.spool(3, 1000, 12.5)
    metrics.camera(7, 1)
    metrics.frame_judged(0.04)
    metrics.host(HostLoad(7.5, 12.0, 100, 30, slow=True))
    metrics.host(HostLoad(8.5, 12.0, 100, 20, slow=True))
    metrics.write(tmp_path / "facelight.prom")
    text = (tmp_path / "facelight.prom").read_text()
    for line in (
        'facelight_sessions_total{outcome="real"} 1.0',
        'facelight_problems_total{problem="moved"} 1.0',
        'facelight_rejections_total{reason="blurred"} 1.0',
        'facelight_decisions_total{decision="realface"} 1.0',
        'facelight_service_responses_total{status="200"} 1.0',
        'facelight_service_responses_total{status="none"} 1.0',
        "facelight_spool_items 3.0",
        'facelight_flips_total{late="yes"} 50.0',
        'facelight_flips_total{late="no"} 150.0',
        "facelight_frames_judged_per_second 8.5",
        "facelight_host_slow 1.0",
        "facelight_spool_oldest_seconds 12.5",
        "facelight_camera_frames_dropped_total 7.0",
        'facelight_frame_age_seconds_bucket{le="0.0333"} 0.0',
        'facelight_frame_age_seconds_bucket{le="0.05"} 1.0',
        'facelight_stage_seconds_sum{stage="capture"} 1.0',
    ):
        assert line in text
    assert [p.name for p in tmp_path.iterdir()] == ["facelight.prom"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"facelight\.prom: cannot be written"):
        served().write(tmp_path / "gone" / "facelight.prom")


def test_what_counts_is_a_counter_and_when_it_began_is_left_out(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.on_event("idle", {"after": "real"}, 0)
    metrics.frame_judged(0.02)
    for dropped, reopened in ((3, 0), (7, 1), (2, 0)):  # the last: another camera was opened
        metrics.camera(dropped, reopened)
    metrics.write(tmp_path / "kiosk.prom")
    text = (tmp_path / "kiosk.prom").read_text()
    assert "_created" not in text
    assert "facelight_camera_frames_dropped_total 9.0" in text
    assert "facelight_camera_reopened_total 1.0" in text
    kinds = dict(line.split()[2:4] for line in text.splitlines() if line.startswith("# TYPE"))
    for name, kind in kinds.items():
        assert (kind == "counter") is name.endswith("_total")
