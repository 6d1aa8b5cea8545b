"""One figure with its target, and the table they make."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass

_HOLDS = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Figure:
    """What was measured; ``target`` such as ``<= 0.02``, empty for a figure without one."""

    name: str
    value: float
    target: str = ""
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the value meets the target; one without a target always does."""
        if not self.target:
            return True
        sign, limit = self.target.split()
        return bool(_HOLDS[sign](self.value, float(limit)))


def table(title: str, figures: Iterable[Figure]) -> str:
    """Return the figures as lines of text."""
    lines = [title]
    for f in figures:
        verdict = "" if not f.target else ("met" if f.met else "MISSED")
        lines.append(f"  {f.name:<58} {f.value:>8.3f} {f.unit:<6} {f.target:<9} {verdict}")
    return "\n".join(lines)
