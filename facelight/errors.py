"""The application's own errors and the exit codes of the command line."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command ends with; scripts rely on these."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REJECTED = 3
    NOT_DELIVERED = 4
    NOT_REAL = 5


class FacelightError(Exception):
    """Root of the application's errors; printed as one line, without a traceback."""

    exit_code = Exit.FAILED


class SettingsError(FacelightError):
    """A setting is unknown, out of range or contradicts another; names where it came from."""

    exit_code = Exit.USAGE


class OutputError(FacelightError):
    """A result cannot be written; nothing half-written is left."""
