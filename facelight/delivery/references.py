"""Which request is whose: the references of a kiosk's control port, from its event lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from facelight.errors import FacelightError


def references_of(files: Iterable[Path]) -> dict[str, str]:
    """Return client request id and request id -> reference, of ``kiosk --events`` lines.

    Raises
    ------
    FacelightError
        a file cannot be read, or a line is no event; names both.
    """
    found: dict[str, str] = {}
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise FacelightError(f"--events {path}: cannot be read: {error}") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                found |= _of_event(_event(path, number, line))
    return found


def _of_event(event: dict[str, Any]) -> dict[str, str]:
    reference = event.get("reference")
    if not isinstance(reference, str) or event.get("event") not in ("submitted", "delivery"):
        return {}
    outcome = event.get("outcome")
    named = event | (outcome if isinstance(outcome, dict) else {})
    ids = (named.get("client_request_id"), named.get("request_id"))
    return {one: reference for one in ids if isinstance(one, str)}


def _event(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError as error:
        raise FacelightError(
            f"--events {path}, line {number}: expected a JSON object of `kiosk --events`"
        ) from error
    if not isinstance(event, dict):
        raise FacelightError(f"--events {path}, line {number}: expected a JSON object")
    return event
