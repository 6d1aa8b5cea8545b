"""``session.json`` of a recording: the format's fields, version 1, strict both ways."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from capture.camera import CameraInfo, Provenance
from capture.files.jsonfile import FieldError, StrictModel, read_json_model
from capture.files.sidecar import Channel, FlipEntry, Milliseconds, in_order, to_ns
from capture.light.illumination import IlluminationPlan, Slot
from capture.light.timeline import Timeline, Timing

FORMAT = "facelight-recording"
VERSION = 1
SESSION = "session.json"
VIDEO = "video.mkv"
SUFFIX = ".flrec"
LIMIT_BYTES = 64_000_000
"""An hour at 60 fps has 4 MB."""

_MAX_TIME_NS = 1 << 62


class CameraEntry(StrictModel):
    """`CameraInfo` as it is written; provenance stands one level up."""

    id: str = ""
    name: str = ""
    size_wh: list[int] | None = Field(default=None, min_length=2, max_length=2)
    fps: float | None = Field(default=None, gt=0)
    details: dict[str, str] = Field(default_factory=dict)


class SlotEntry(StrictModel):
    """A slot of the plan."""

    colour: str | None
    rgb: list[Channel] = Field(min_length=3, max_length=3)
    dwell_ms: float = Field(gt=0)


class PlanEntry(StrictModel):
    """The plan that was asked for; what was shown is in ``flips``."""

    slots: list[SlotEntry] = Field(default_factory=list)
    seed: int | None = None


class SessionDocument(StrictModel):
    """Everything in ``session.json``.

    Times are on the clock of the video's pts: ``t_ms`` of the flips, ``end_ms`` and
    ``frames_t_ns``. The five timing fields and ``end_ms`` are left out where there is no light.
    """

    format: Literal["facelight-recording"]
    version: Literal[1]
    session_id: str = Field(min_length=1, max_length=256)
    reference: str | None = Field(default=None, min_length=1, max_length=128)
    created: str
    provenance: Literal["camera", "simulated", "imported"]
    camera: CameraEntry
    controls: dict[str, JsonValue]
    plan: PlanEntry | None
    flips: list[FlipEntry]
    latency_ms: float | None = Field(ge=-1000, le=1000)
    latency_uncertainty_ms: float | None = Field(default=None, ge=0, le=500)
    exposure_ms: float | None = Field(default=None, ge=0, le=1000)
    readout_ms: float | None = Field(default=None, ge=0, le=1000)
    scanout_ms: float | None = Field(default=None, ge=0, le=100)
    settle_ms: float | None = Field(default=None, ge=0, le=100)
    end_ms: Milliseconds | None = None
    frames_t_ns: list[int] = Field(min_length=1)
    software: str

    @model_validator(mode="before")
    @classmethod
    def _known_version(cls, document: Any) -> Any:
        """Speak of the version first: a later one may differ in every other field."""
        if isinstance(document, dict) and document.get("format") == FORMAT:
            version = document.get("version")
            if isinstance(version, int) and version != VERSION:
                raise FieldError(f"expected {VERSION}, got {version}", "version")
        return document

    @field_validator("created")
    @classmethod
    def _rfc3339(cls, text: str) -> str:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise FieldError("expected an RFC 3339 time with its offset from UTC")
        return text

    @model_validator(mode="after")
    def _consistent(self) -> SessionDocument:
        in_order(self.flips)
        if self.flips and self.latency_ms is None:
            raise FieldError("expected a number where there are flips", "latency_ms")
        if self.flips and self.end_ms is not None and self.end_ms < self.flips[-1].t_ms:
            raise FieldError("expected no earlier than the last flip", "end_ms")
        for index, (before, after) in enumerate(pairwise(self.frames_t_ns), 1):
            if not before < after <= _MAX_TIME_NS:
                problem = f"expected later than the one before ({before} ns), got {after}"
                raise FieldError(problem, "frames_t_ns", index)
        if self.frames_t_ns[0] < -_MAX_TIME_NS:
            raise FieldError("expected a time in ns", "frames_t_ns", 0)
        return self

    def camera_info(self, size_wh: tuple[int, int], fps: float | None) -> CameraInfo:
        """Return the camera that made the recording; size and rate are those of the video."""
        camera = self.camera
        return CameraInfo(
            camera.id,
            camera.name,
            size_wh,
            fps if camera.fps is None else camera.fps,
            Provenance(self.provenance),
            dict(camera.details),
        )

    def illumination_plan(self) -> IlluminationPlan | None:
        """Return the plan that was asked for; None for a session without light."""
        if self.plan is None or not self.plan.slots:
            return None
        slots = (
            Slot(s.colour, (s.rgb[0], s.rgb[1], s.rgb[2]), s.dwell_ms) for s in self.plan.slots
        )
        return IlluminationPlan(tuple(slots), self.plan.seed)

    def timeline(self) -> Timeline | None:
        """Return the light on the clock that is 0 at the first frame; None where there is none."""
        if not self.flips or self.latency_ms is None:
            return None
        origin_ns = -self.frames_t_ns[0]
        guards: dict[str, Any] = {
            f"{name}_ns": to_ns(value)
            for name in ("latency_uncertainty", "exposure", "readout", "scanout", "settle")
            if (value := getattr(self, f"{name}_ms")) is not None
        }
        return Timeline(
            [entry.flip(origin_ns) for entry in self.flips],
            Timing(to_ns(self.latency_ms), **guards),
            None if self.end_ms is None else to_ns(self.end_ms) + origin_ns,
        )


def read_session(folder: Path) -> SessionDocument:
    """Read and check the ``session.json`` of a recording.

    Raises
    ------
    SidecarError
        names the field and what was expected.
    """
    return read_json_model(folder / SESSION, SessionDocument, LIMIT_BYTES)


def light_fields(timeline: Timeline | None, origin_ns: int) -> dict[str, Any]:
    """Return the fields of ``session.json`` that hold the light, times from ``origin_ns`` on."""
    if timeline is None or not timeline.flips:
        return {"flips": [], "latency_ms": None}
    timing = timeline.timing
    fields: dict[str, Any] = {
        "flips": [
            {"t_ms": (f.t_ns - origin_ns) / 1e6, "colour": f.colour, "rgb": list(f.rgb)}
            for f in timeline.flips
        ],
    }
    for name in ("latency", "latency_uncertainty", "exposure", "readout", "scanout", "settle"):
        fields[f"{name}_ms"] = getattr(timing, f"{name}_ns") / 1e6
    if timeline.end_ns is not None:
        fields["end_ms"] = (timeline.end_ns - origin_ns) / 1e6
    return fields


def plan_fields(plan: IlluminationPlan | None) -> dict[str, Any] | None:
    """Return a plan as it is written."""
    if plan is None:
        return None
    slots = [{"colour": s.colour, "rgb": list(s.rgb), "dwell_ms": s.dwell_ms} for s in plan.slots]
    return {"slots": slots, "seed": plan.seed}


def camera_fields(info: CameraInfo) -> dict[str, Any]:
    """Return a camera as it is written."""
    return {
        "id": info.id,
        "name": info.name,
        "size_wh": list(info.size_wh),
        "fps": info.fps,
        "details": dict(info.details),
    }


def session_json(fields: dict[str, Any]) -> bytes:
    """Return the content of ``session.json``; equal fields give equal bytes."""
    return (json.dumps(fields, indent=1, allow_nan=False) + "\n").encode("ascii")
