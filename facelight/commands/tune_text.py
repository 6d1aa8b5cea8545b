"""What ``facelight tune`` prints: the numbers of the report, and what was written."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from calibration.report.tune_page import percent, rate_text
from calibration.tuning.evaluation import SESSION_FRAMES
from calibration.tuning.tuner import Tuning


def lines(tuning: Tuning) -> Iterator[str]:
    """Yield the result as text: every limit, then the gate as a whole on the held-out subjects."""
    m = tuning.material
    held = len(set(m.subject[tuning.held_out].tolist()))
    yield (
        f"{len(m.subjects)} subjects ({held} held out), {len(m)} frames ({int(m.good.sum())} good)"
    )
    for one in tuning.chosen.levels:
        limit, found = one.limit, tuning.holdout
        rates = (
            f"good rejected {percent(found.rejects_of[limit.key].value)}, "
            f"bad accepted {percent(found.accepts_of[limit.key].value)}"
        )
        yield f"{limit.key}: {one.status} {one.level:g} (default {limit.default:g}); {rates}"
        yield f"  {one.why}"
    yield f"joint: {tuning.chosen.note}"
    for name, found in (("defaults", tuning.before), ("tuned", tuning.holdout)):
        yield (
            f"held out, {name}: good rejected {rate_text(found.false_rejects)}, "
            f"bad accepted {rate_text(found.false_accepts)}"
        )
    for reason, rate in tuning.holdout.by_reason.items():
        yield f"held out, {reason} accepted: {rate_text(rate)}"
    s = tuning.holdout.sessions
    if s.count:
        yield (
            f"held out, good inputs: {s.failed} of {s.count} never have {SESSION_FRAMES} accepted "
            f"frames; the others after {s.median_ms:.0f} ms (95 %: {s.p95_ms:.0f} ms)"
        )
    for group in tuning.groups:
        told = "" if group.accepted else ": more than chance and 5 points from the others"
        yield f"group {group.group}: good rejected {rate_text(group.rate)}{told}"


class TuningBar:
    """How many inputs are measured, on a terminal's stderr; nothing elsewhere."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("measuring"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("measuring", total=None)

    def __call__(self, done: int, total: int) -> None:
        """Show so many inputs of all."""
        self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
