"""Where work goes that would hold up the screen: threads when live, nowhere on a virtual clock."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Protocol, TypeAlias

Work: TypeAlias = Callable[[], None]

_LOG = logging.getLogger(__name__)


class BackgroundWork(Protocol):
    """Carries out work beside the main thread."""

    def in_order(self, work: Work) -> None:
        """Do it after all that was given before: locking and unlocking must not overtake."""
        ...

    def apart(self, work: Work) -> None:
        """Do it beside everything else."""
        ...

    def check(self) -> None:
        """Raise what a work has raised."""
        ...

    def close(self, timeout_s: float) -> None:
        """Take no more work and wait for what is under way, not longer than that."""
        ...


class ThreadWorkers:
    """One thread for what has an order, one more for each work without."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._crash: BaseException | None = None
        self._apart: list[threading.Thread] = []
        self._controls_thread = threading.Thread(
            target=self._run, name="facelight-controls", daemon=True
        )
        self._controls_thread.start()

    def in_order(self, work: Work) -> None:
        """Queue it."""
        self._queue.put(work)

    def apart(self, work: Work) -> None:
        """Start a thread for it."""
        self._apart = [thread for thread in self._apart if thread.is_alive()]
        thread = threading.Thread(
            target=self._guarded, args=(work,), name="facelight-deliver", daemon=True
        )
        self._apart.append(thread)
        thread.start()

    def check(self) -> None:
        """Raise what a work has raised."""
        if self._crash is not None:
            raise self._crash

    def close(self, timeout_s: float) -> None:
        """End the thread; what is still under way then ends by itself."""
        self._queue.put(None)
        for thread in (self._controls_thread, *self._apart):
            thread.join(timeout_s)
            if thread.is_alive():
                _LOG.warning("%s is still at work; it ends by itself", thread.name)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            self._guarded(work)

    def _guarded(self, work: Work) -> None:
        try:
            work()
        except BaseException as crash:  # noqa: BLE001 - raised again in the main thread
            self._crash = crash


class NoWorkers:
    """Does everything here and now: with a virtual clock no time passes meanwhile."""

    def in_order(self, work: Work) -> None:
        """Do it."""
        work()

    def apart(self, work: Work) -> None:
        """Do it."""
        work()

    def check(self) -> None:
        """Nothing was put off."""

    def close(self, timeout_s: float) -> None:
        """Nothing is under way."""
