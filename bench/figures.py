"""One figure with its target, the table they make, and a section of the results."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class Section:
    """What one bench found: a Markdown text, and the figures that have a target."""

    body: str
    figures: tuple[Figure, ...] = ()


def table(title: str, figures: Iterable[Figure]) -> str:
    """Return the figures as lines of text."""
    lines = [title]
    for f in figures:
        verdict = "" if not f.target else ("met" if f.met else "MISSED")
        lines.append(f"  {f.name:<58} {f.value:>8.3f} {f.unit:<6} {f.target:<9} {verdict}")
    return "\n".join(lines)


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [" | ".join(head), "|".join("---" for _ in head)]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return median and 5th to 95th percentile as text."""
    low, middle, high = np.percentile(values, (5, 50, 95))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
