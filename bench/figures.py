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
    """What was measured; ``target`` such as ``<= 0.02``, empty for a figure without one.

    Attributes
    ----------
    interval : 95 % confidence interval of a rate, None for what is none.
    """

    name: str
    value: float
    target: str = ""
    unit: str = ""
    interval: tuple[float, float] | None = None

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
        reach = "({:.3f} to {:.3f})".format(*f.interval) if f.interval else ""
        number = f"{f.value:>8.3f} {reach:<16} {f.unit:<6}"
        lines.append(f"  {f.name:<58} {number} {f.target:<9} {verdict}".rstrip())
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
