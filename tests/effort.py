"""How long generated tests search: ``FACELIGHT_EFFORT=10`` tries ten times as many examples."""

from __future__ import annotations

import os

EFFORT = float(os.environ.get("FACELIGHT_EFFORT", "1"))


def examples(count: int) -> int:
    """Return how many examples to try where ``count`` are enough for every day."""
    return max(1, round(count * EFFORT))
