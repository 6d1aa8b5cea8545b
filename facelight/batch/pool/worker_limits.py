"""What the kernel lets a worker use, whatever a hostile input makes its decoders do.

The memory watch of the pool looks five times a second and says why it ended a worker; these limits
hold in between, and also when nobody looks.
"""

from __future__ import annotations

import importlib
import logging
import sys
from dataclasses import dataclass
from typing import Any, Final

FILE_BYTES: Final = 4_000_000_000
"""The largest file that a worker may write: a copy of an input; results have some 30 MB."""

MEMORY_SLACK: Final = 1.25
"""Memory that is reserved over what is used, so that the watch, which gives the cause, is first."""

CPU_SLACK_S: Final = 10.0
CPU_THREADS: Final = 4
"""A decoder's slices are worked on by so many threads."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Limits of one worker process; nothing is limited on Windows.

    Attributes
    ----------
    memory_bytes : writable private memory (``RLIMIT_DATA``): beyond it allocations fail.
    cpu_s : of one input, over all threads (``RLIMIT_CPU``): beyond it the worker is ended.
    file_bytes : of one file (``RLIMIT_FSIZE``): beyond it writing fails.
    """

    memory_bytes: int
    cpu_s: float
    file_bytes: int = FILE_BYTES

    @classmethod
    def of(cls, memory_mb: int, timeout_s: float) -> WorkerLimits:
        """Return the limits that belong to those of ``process``."""
        cpu_s = CPU_THREADS * timeout_s + CPU_SLACK_S
        return cls(round(memory_mb * 1_000_000 * MEMORY_SLACK), cpu_s)

    def apply(self) -> None:
        """Limit memory and files of this process for good."""
        _limit("RLIMIT_DATA", self.memory_bytes)
        _limit("RLIMIT_FSIZE", self.file_bytes)

    def begin(self) -> None:
        """Let this process use so much time from now on."""
        if sys.platform == "win32":
            return
        system: Any = importlib.import_module("resource")
        used = system.getrusage(system.RUSAGE_SELF)
        _limit("RLIMIT_CPU", int(used.ru_utime + used.ru_stime + self.cpu_s) + 1)


def _limit(name: str, value: int) -> None:
    """Lower a soft limit to ``value``; one that the operator has set lower stays."""
    if sys.platform == "win32":
        return
    system: Any = importlib.import_module("resource")
    which = getattr(system, name)
    _, hard = system.getrlimit(which)
    if hard != system.RLIM_INFINITY:
        value = min(value, hard)
    try:
        system.setrlimit(which, (value, hard))
    except (ValueError, OSError) as error:
        _LOG.warning("%s cannot be set to %d: %s", name, value, error)
