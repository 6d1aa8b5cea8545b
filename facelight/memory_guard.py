"""Nobody else reads this process's memory: faces and keys are in it."""

from __future__ import annotations

import ctypes
import importlib
import logging
import sys
from typing import Any, Final

_PR_SET_DUMPABLE: Final = 4
"""Linux, ``prctl(2)``: no core dump, and ``/proc/PID`` (environment, memory) is root's alone."""
_LOG = logging.getLogger(__name__)


def forbid_core_dumps() -> None:
    """Let a crash write no core dump, whatever the system is set to; children inherit the limit.

    Windows has no such limit; its crash reports are switched off by policy.
    """
    if sys.platform == "win32":
        return
    limits: Any = importlib.import_module("resource")
    limits.setrlimit(limits.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    # A core_pattern that pipes to a program ignores the limit; this it does not.
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _LOG.warning("core dumps cannot be forbidden: errno %d", ctypes.get_errno())
