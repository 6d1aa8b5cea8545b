"""How this package declares an option: default, unit, range and the reason for the number.

The metadata has the same keys as in the other packages, so the settings read both alike; this
package imports none of them.
"""

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
