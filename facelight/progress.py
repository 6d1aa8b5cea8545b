"""Tells how far a batch is: a bar on a terminal, plain lines elsewhere; results go to stdout."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from facelight.terminal import one_line


class Progress:
    """One line a result on stdout; the bar, with rate and time left, on a terminal's stderr."""

    def __init__(self, total: int) -> None:
        console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal or total < 2,
        )
        self._task = self._bar.add_task("sessions", total=total)

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

    def show(self, result: dict[str, Any]) -> None:
        """Print what became of a session; errors go to stderr."""
        self._bar.advance(self._task)
        failed = result["status"] == "error"
        stream = sys.stderr if failed else sys.stdout
        print(line_of(result), file=stream, flush=True)


def line_of(result: dict[str, Any]) -> str:
    """Return the result as one line: name, status, reasons or frames, decision or error."""
    name = result["name"]
    if result["status"] == "error":
        return f"error: {one_line(result['error']['message'])}"
    if result["status"] == "rejected":
        told = f"{name}: rejected: {' '.join(result['reasons'])}"
        return one_line(f"{told} ({result['detail']})" if result["detail"] else told)
    counts = result["counts"]
    told = f"{name}: accepted: {counts['submitted']} frames, {counts['bytes']} bytes"
    outcome = result["outcome"]
    if outcome is None:
        return one_line(told)
    if outcome["error"]:
        error = outcome["error"]
        return one_line(f"{told}: not delivered: {error['message']} ({error['advice']})")
    return one_line(f"{told}: {outcome['status']} {outcome['decision'] or 'no result for clients'}")
