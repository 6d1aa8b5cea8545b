"""How every stage declares an option: default, unit, range and the reason for the number."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def option(
    default: Any,
    *,
    unit: str,
    why: str,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Return a dataclass field whose metadata the settings turn into checks and documentation."""
    return field(default=default, metadata={"unit": unit, "why": why, "low": low, "high": high})
