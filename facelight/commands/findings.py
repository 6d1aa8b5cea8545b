"""What one check of ``facelight check`` has found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How a check ended; only ``RED`` changes the exit code."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``cure`` is empty where nothing is to be done."""

    name: str
    state: CheckState
    detail: str
    cure: str = ""
