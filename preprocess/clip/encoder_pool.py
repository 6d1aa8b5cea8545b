"""A few threads that encode crops while the capture goes on, with bounded raw memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

from capture.frame import ImageU8
from preprocess.errors import EncodeError

T = TypeVar("T")
S = TypeVar("S")


class EncodeTask(Generic[T]):
    """One crop on its way through the pool; holds the pixels only until they are encoded."""

    def __init__(self, pixels: ImageU8, encode: Callable[[ImageU8], T], room: RawMemory) -> None:
        self._pixels: ImageU8 | None = pixels
        self._encode = encode
        self._room = room
        self._lock = threading.Lock()
        self.future: Future[T | None] | None = None

    def run(self) -> T | None:
        """Encode, or return None where the frame has lost meanwhile."""
        with self._lock:
            pixels, self._pixels = self._pixels, None
        if pixels is None:
            return None
        try:
            return self._encode(pixels)
        finally:
            del pixels
            self._room.leave()

    def cancel(self) -> None:
        """Let go of the pixels if nobody has begun with them."""
        with self._lock:
            waiting, self._pixels = self._pixels is not None, None
        if waiting:
            self._room.leave()


class RawMemory:
    """Counts the raw crops that are held; waits for a place, but never for ever."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._held = 0
        self._changed = threading.Condition()

    @property
    def fullness(self) -> float:
        """Share of the places that are taken."""
        with self._changed:
            return self._held / self._places

    def enter(self, timeout_s: float) -> bool:
        """Take a place within the time; False where none came free."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._held < self._places, timeout_s):
                return False
            self._held += 1
            return True

    def leave(self) -> None:
        """Give the place back."""
        with self._changed:
            self._held -= 1
            self._changed.notify()


class EncoderPool(Generic[T]):
    """Threads with room for ``places`` raw crops, those in work included.

    ``stall_s`` bounds every wait: an encoder that is silent for longer is reported as such.
    """

    def __init__(self, workers: int, places: int, stall_s: float) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="still-encoder")
        self._room = RawMemory(max(places, workers))
        self._stall_s = stall_s
        self._failure: BaseException | None = None

    @property
    def fullness(self) -> float:
        """Share of the room for raw crops that is taken; 1 means that the next has to wait."""
        return self._room.fullness

    def reserve(self, *, wait: bool) -> bool:
        """Take room for a crop; without ``wait`` return False where there is none.

        Raises
        ------
        EncodeError
            when no room came free for ``stall_s``; what a thread raised is raised here too.
        """
        self.check()
        if self._room.enter(self._stall_s if wait else 0.0):
            return True
        self.check()
        if wait:
            raise EncodeError(f"no still was finished for {self._stall_s:g} s: encoders stalled")
        return False

    def release(self) -> None:
        """Give back room that was taken for a crop which is not encoded after all."""
        self._room.leave()

    def hold(self, pixels: ImageU8, encode: Callable[[ImageU8], T]) -> EncodeTask[T]:
        """Return the job for ``pixels``, for which room has been taken; they are the pool's now."""
        return EncodeTask(pixels, encode, self._room)

    def start(self, job: EncodeTask[T]) -> None:
        """Encode the job's crop as soon as a thread is free."""
        job.future = self._executor.submit(job.run)
        job.future.add_done_callback(self._note)

    def result(self, job: EncodeTask[T]) -> T:
        """Wait for ``job``, which has been started and not cancelled.

        Raises
        ------
        EncodeError
            after ``stall_s``; what the thread raised is raised here too.
        """
        value = self._wait(job.future) if job.future is not None else None
        if value is None:
            raise EncodeError("a still that was not started, or cancelled, is not waited for")
        return value

    def map(self, work: Callable[[S], None], items: Sequence[S]) -> None:
        """Do ``work`` for all items in the threads and wait for the last."""
        for future in [self._executor.submit(work, item) for item in items]:
            self._wait(future)

    def check(self) -> None:
        """Raise what a thread has raised."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Forget what waits, finish what is in work, end the threads; idempotent."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _wait(self, future: Future[S]) -> S:
        try:
            return future.result(self._stall_s)
        except FutureTimeoutError as error:
            raise EncodeError(f"a still took more than {self._stall_s:g} s") from error

    def _note(self, future: Future[T | None]) -> None:
        if not future.cancelled() and future.exception() is not None:
            self._failure = self._failure or future.exception()
