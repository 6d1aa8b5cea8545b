"""Tells how far a batch is: a bar on a terminal, plain lines elsewhere; results go to stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from facelight.batch.pace import Pace
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

    def show(self, result: dict[str, Any]) -> None:
        """Print what became of a session; errors go to stderr."""
        now_s = self._now_s()
        self._pace.add(now_s)
        self._bar.update(self._task, advance=1, description=self._pace.told())
        failed = result["status"] == "error"
        stream = sys.stderr if failed else sys.stdout
        print(line_of(result), file=stream, flush=True)
        if not self._on_terminal and now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            sys.stderr.write(self._pace.told() + "\n")


def line_of(result: dict[str, Any]) -> str:
    """Return the result as one line: name, status, reasons or frames, decision or error."""
    if result["status"] == "error":
        return f"error: {one_line(result['error']['message'])}"
    notes = "; ".join(result.get("notes") or ())
    return one_line(_outcome_of(result) + (f" [{notes}]" if notes else ""))


def _outcome_of(result: dict[str, Any]) -> str:
    name = result["name"]
    if result["status"] == "rejected":
        told = f"{name}: rejected: {' '.join(result['reasons'])}"
        return f"{told} ({result['detail']})" if result["detail"] else told
    counts = result["counts"]
    told = f"{name}: accepted: {counts['submitted']} frames, {counts['bytes']} bytes"
    if light := _light_told(result):
        told += f", {light}"
    outcome = result["outcome"]
    if outcome is None:
        return told
    if outcome["error"]:
        error = outcome["error"]
        return f"{told}: not delivered: {error['message']} ({error['advice']})"
    return f"{told}: {outcome['status']} {outcome['decision'] or 'no result for clients'}"


def _light_told(result: dict[str, Any]) -> str:
    """Return the light's state, and the delay where the session's own light had to tell it."""
    light = result.get("light")
    if not light:
        return ""
    told = f"light: {light['state']}"
    if result.get("delay_origin") == "measured":
        told += f", delay measured: {light['delay_ms']:.0f} ms"
    return told
