"""Several deliveries at a time, beside the processing: an answer takes longer than a session."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from types import TracebackType
from typing import Final, Self, TypeAlias

from facelight.batch.job import Finished, Job
from facelight.batch.submitting.deliver import Deliverer, undelivered
from facelight.batch.submitting.delivery_gate import DeliveryGate, DeliveryStopped
from facelight.batch.submitting.spool_keeper import SpoolKeeper
from facelight.config.settings import Settings
from facelight.errors import FacelightError
from facelight.result import ResultRecord
from uploader.clock import SystemDeliveryClock
from uploader.errors import UploaderError

AT_A_TIME: Final = 4
"""Connections to the service; its rate limit is far above, answers take one to three seconds."""

WAITING: Final = 2 * AT_A_TIME

Outcome: TypeAlias = "Future[ResultRecord]"


class StoppableClock(SystemDeliveryClock):
    """A clock whose waits end at once when they have to."""

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def sleep(self, seconds: float) -> None:
        """Block for ``seconds`` unless stopped."""
        if self.stopped.wait(max(0.0, seconds)):
            raise DeliveryStopped


class Deliveries:
    """Threads with a client each; a session is sent once its directory is complete.

    Raises
    ------
    uploader.errors.UploaderError
        service or credential are missing or wrong.
    """

    def __init__(self, settings: Settings, clock: StoppableClock | None = None) -> None:
        self._clock = clock or StoppableClock()
        self._gate = DeliveryGate(self._clock.monotonic_s)
        keeper = SpoolKeeper(settings, self._clock)
        self._all = [Deliverer(settings, self._clock, self._gate, keeper) for _ in range(AT_A_TIME)]
        self._free: SimpleQueue[Deliverer] = SimpleQueue()
        for deliverer in self._all:
            self._free.put(deliverer)
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="delivery")
        self._flying: dict[Outcome, tuple[Job, ResultRecord]] = {}

    def put(self, finished: Finished) -> None:
        """Begin to deliver an accepted session."""
        if finished.result is not None:
            future = self._threads.submit(self._deliver, finished.job, finished.result)
            self._flying[future] = (finished.job, finished.result)

    def landed(self, leave: int = WAITING) -> Iterator[Finished]:
        """Yield what is delivered, and wait until at most ``leave`` are under way.

        A delivery that ``stop`` ended comes back as it was put; one that failed by its own
        directory says so in its outcome.
        """
        while self._flying:
            ready = [future for future in self._flying if future.done()]
            if not ready and len(self._flying) <= leave:
                return
            if not ready:
                wait(self._flying, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in ready:
                job, result = self._flying.pop(future)
                try:
                    yield Finished(job, future.result())
                except DeliveryStopped:
                    yield Finished(job, result)
                except (FacelightError, UploaderError, OSError, ValueError, LookupError) as error:
                    yield Finished(job, undelivered(result, error))

    def stop(self) -> None:
        """Let attempts end that have begun, but begin no more."""
        self._clock.stopped.set()
        self._gate.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._threads.shutdown(wait=True)
        for deliverer in self._all:
            deliverer.__exit__(None, None, None)

    def _deliver(self, job: Job, result: ResultRecord) -> ResultRecord:
        if self._clock.stopped.is_set():
            raise DeliveryStopped
        deliverer = self._free.get()
        try:
            return deliverer.deliver(job, result)
        finally:
            self._free.put(deliverer)
