"""What tests share about other threads and processes: to wait for them, to interrupt them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def until(condition: Callable[[], object], timeout_s: float = 300.0) -> None:
    """Wait for what another thread or process does; the limit is for one that never does it."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.005)


@contextmanager
def ctrl_c_reaches_children() -> Iterator[None]:
    """Let a process that is started here hear SIGINT, whoever started the tests.

    A shell gives its background jobs an ignored SIGINT, and a program leaves it ignored unless it
    was told otherwise, as Python does: Ctrl-C at the terminal is not meant for them. Such a test
    is about somebody's foreground batch, so its process starts as one: a signal that has a handler
    here is the default one after exec.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
