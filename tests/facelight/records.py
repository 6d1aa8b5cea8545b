"""Results as tests need them: whole records of which only what matters is said."""

from __future__ import annotations

from typing import Any

from facelight.result import ResultRecord

COUNTS = {
    "frames": 100, "faces": 100, "accepted": 90, "submitted": 45, "per_colour": {}, "bytes": 1000,
    "quality": 90,
}  # fmt: skip
LIGHT = {
    "state": "ok", "rho": 0.9, "p_value": 0.01, "strength": 0.2, "delay_ms": 100.0,
    "delay_sd_ms": 2.0, "declared_delay_ms": 100.0, "delay_disagrees": False, "exposure_ms": 8.0,
    "exposure_sd_ms": 1.0, "stamps_in_doubt": False, "drift_ms": None, "drift_sd_ms": None,
    "flip_shifts_ms": [], "background_ratio": 0.1, "frames": 100, "colours": {},
}  # fmt: skip


def record(name: str = "s", status: str = "accepted", **changes: Any) -> ResultRecord:
    """Return a result; ``changes`` are as they stand in the file."""
    plain: dict[str, Any] = {
        "name": name, "input": f"{name}.mkv", "session_id": f"id-{name}", "status": status,
        "reasons": [], "digest": None, "counts": COUNTS if status != "error" else None,
        "settings_hash": "0" * 64, "software": "facelight/0", "outcome": None,
    }  # fmt: skip
    if status == "error":
        plain["error"] = {"code": "SourceError", "message": f"{name}.mkv: empty"}
    return ResultRecord.model_validate(plain | changes)


def outcome(**changes: Any) -> dict[str, Any]:
    """Return the outcome of a delivery that the service answered."""
    base = {
        "status": 200, "decision": "realface", "request_id": "r", "client_request_id": "c",
        "model_version": "m", "said": None, "error": None,
    }  # fmt: skip
    return base | changes
