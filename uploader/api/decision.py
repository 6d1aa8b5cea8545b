"""The service's decision, read from either of the two shapes it is documented in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from uploader.errors import Context, MalformedAnswerError
from uploader.http.json_body import parse_object
from uploader.plain_text import shown

MAX_DECISION_TEXT: Final = 64
MAX_NAME: Final = 255


class LivenessDecision(StrEnum):
    """What the service concludes; anything else it may say counts as ``uncertain``."""

    REALFACE = "realface"
    SPOOFFACE = "spoofface"
    UNCERTAIN = "uncertain"


_DECISIONS = {str(decision): decision for decision in LivenessDecision}


@dataclass(frozen=True, slots=True)
class Target:
    """Which face the decision is about; every field is optional on the wire."""

    rectangle: tuple[int, int, int, int] | None
    """(left, top, width, height) in pixels of the submitted image."""
    file_name: str | None
    frame_number: int | None
    """Of the flat shape."""
    time_offset_within_file: int | None
    """Of the nested shape."""
    image_type: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """One classification."""

    decision: LivenessDecision
    raw_decision: str
    """As the service wrote it, made safe to show."""
    target: Target | None
    model_version: str | None


def parse_decision(body: bytes, context: Context | None = None) -> Decision:
    """Read the body of a 200; raises `MalformedAnswerError` when it holds no decision.

    Only ``livenessDecision`` is needed. What else is malformed is None: a decision is not thrown
    away for its trimmings.
    """
    return decision_of(parse_object(body, context), context)


def decision_of(answer: Mapping[str, Any], context: Context | None = None) -> Decision:
    """Return the decision of a parsed answer."""
    raw = answer.get("livenessDecision")
    if not isinstance(raw, str) or not raw.strip():
        raise MalformedAnswerError("the answer holds no livenessDecision", context)
    word = raw.strip().casefold()
    return Decision(
        decision=_DECISIONS.get(word, LivenessDecision.UNCERTAIN),
        raw_decision=shown(raw, MAX_DECISION_TEXT),
        target=_target(answer),
        model_version=_text(answer.get("modelVersionUsed"), MAX_DECISION_TEXT),
    )


def _target(answer: Mapping[str, Any]) -> Target | None:
    nested = answer.get("target")
    if isinstance(nested, dict):
        return Target(
            rectangle=_rectangle(nested.get("faceRectangle")),
            file_name=_text(nested.get("fileName"), MAX_NAME),
            frame_number=None,
            time_offset_within_file=_integer(nested.get("timeOffsetWithinFile")),
            image_type=_text(nested.get("imageType"), MAX_DECISION_TEXT),
        )
    flat = ("targetFaceRectangle", "targetFileName", "targetFrameNumber")
    if all(answer.get(name) is None for name in flat):
        return None
    return Target(
        rectangle=_rectangle(answer.get("targetFaceRectangle")),
        file_name=_text(answer.get("targetFileName"), MAX_NAME),
        frame_number=_integer(answer.get("targetFrameNumber")),
        time_offset_within_file=None,
        image_type=None,
    )


def _rectangle(value: Any) -> tuple[int, int, int, int] | None:
    if not isinstance(value, dict):
        return None
    left, top = _integer(value.get("left")), _integer(value.get("top"))
    width, height = _integer(value.get("width")), _integer(value.get("height"))
    if left is None or top is None or width is None or height is None:
        return None
    return left, top, width, height


def _integer(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < (1 << 53) and value == int(value) else None


def _text(value: Any, limit: int) -> str | None:
    return shown(value, limit) if isinstance(value, str) and value else None
