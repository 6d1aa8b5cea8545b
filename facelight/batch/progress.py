"""Tells how far a batch is: a bar on a terminal, plain lines elsewhere; results go to stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from facelight.batch.pace import Pace
from facelight.result import ResultRecord
from facelight.terminal import one_line

TELL_EVERY_S = 30.0
"""Where there is no terminal, a line with rate and time left comes this often."""


class Progress:
    """One line a result on stdout; on stderr a bar with rate and time left, or now and then a line.

    Parameters
    ----------
    total : how many results are to come.
    now_s : a monotonic clock in seconds.
    """

    def __init__(self, total: int, now_s: Callable[[], float] = time.monotonic) -> None:
        console = Console(stderr=True)
        self._now_s = now_s
        self._pace = Pace(total, now_s())
        self._told_s = now_s()
        self._on_terminal = console.is_terminal
        self._bar = Bar(
            BarColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal or total < 2,
        )
        self._task = self._bar.add_task(self._pace.told(), total=total)

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

    def show(self, result: ResultRecord) -> None:
        """Print what became of a session; errors go to stderr."""
        now_s = self._now_s()
        self._pace.add(now_s)
        self._bar.update(self._task, advance=1, description=self._pace.told())
        failed = result.status == "error"
        stream = sys.stderr if failed else sys.stdout
        print(line_of(result), file=stream, flush=True)
        if not self._on_terminal and now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            sys.stderr.write(self._pace.told() + "\n")


def line_of(result: ResultRecord) -> str:
    """Return the result as one line: name, status, reasons or frames, decision or error."""
    if result.error is not None:
        return f"error: {one_line(result.error.message)}"
    notes = "; ".join(result.notes)
    return one_line(_outcome_of(result) + (f" [{notes}]" if notes else ""))


def _outcome_of(result: ResultRecord) -> str:
    counts = result.counts
    if result.status == "rejected" or counts is None:
        line = f"{result.name}: {result.status}: {' '.join(result.reasons)}"
        return f"{line} ({result.detail})" if result.detail else line
    line = f"{result.name}: accepted: {counts.submitted} frames, {counts.bytes} bytes"
    if light := _light_words(result):
        line += f", {light}"
    outcome = result.outcome
    if outcome is None:
        return line
    if outcome.error is not None:
        return f"{line}: not delivered: {outcome.error.message} ({outcome.error.advice})"
    return f"{line}: {outcome.status} {outcome.decision or 'no result for clients'}"


def _light_words(result: ResultRecord) -> str:
    """Return the light's state, and the delay where the session's own light had to give it."""
    light = result.light
    if light is None:
        return ""
    words = f"light: {light.state}"
    if result.delay_origin == "measured" and light.delay_ms is not None:
        words += f", delay measured: {light.delay_ms:.0f} ms"
    return words
