"""Whether the service is worth a call: what one answer says of the service holds for a whole batch.

Until the service has answered one delivery the others wait for it, so that a wrong key, a used-up
quota or a dead network costs one request and one wait. What says something of one submission only
(400, 413) bars nobody.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Final

from uploader.errors import (
    CredentialError,
    EndpointError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
    UploaderError,
)
from uploader.retry import OF_SERVICE

PROBE_AFTER_S: Final = 60.0
"""A network that is back is noticed within a minute; a batch goes on for hours."""

SUSPECT_FAILURES: Final = 2
"""So many different submissions failing in a row: then it is not their fault."""

_FOR_GOOD: Final = (
    UnauthorizedError,
    ForbiddenError,
    NotFoundError,
    CredentialError,
    EndpointError,
    UnsupportedMediaTypeError,
)
"""Nothing but the operator cures these."""


class DeliveryStopped(Exception):
    """The batch ends: no further attempt begins."""


class DeliveryGate:
    """Shared by the threads that deliver; each enters before an attempt and leaves after it.

    Parameters
    ----------
    now_s : a monotonic clock in seconds.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._changed = threading.Condition()
        self._barred: UploaderError | None = None
        self._until_s = 0.0
        self._answers = False
        self._probing = False
        self._failures = 0
        self._stopped = False

    def enter(self) -> UploaderError | None:
        """Return None when an attempt may be made, else the error that bars all for now.

        Waits while another thread finds out whether the service answers. `leave` has to follow
        where None was returned.

        Raises
        ------
        DeliveryStopped
            `stop` was called.
        """
        with self._changed:
            while True:
                if self._stopped:
                    raise DeliveryStopped
                if self._barred is not None and self._now_s() < self._until_s:
                    return self._barred
                if self._answers:
                    return None
                if not self._probing:
                    self._probing = True
                    return None
                self._changed.wait()

    def leave(self, error: UploaderError | None = None) -> None:
        """Note what came of the attempt; ``error`` None: the service took it."""
        with self._changed:
            self._probing = False
            if error is None or (error.final and not isinstance(error, _FOR_GOOD)):
                self._answers, self._barred, self._failures = True, None, 0
            else:
                self._failed(error)
            self._changed.notify_all()

    def give_up(self) -> None:
        """Note that the attempt was not made after all."""
        with self._changed:
            self._probing = False
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody begin any more; who waits is sent away."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _failed(self, error: UploaderError) -> None:
        self._failures += 1
        if isinstance(error, _FOR_GOOD):
            self._bar(error, math.inf)
        elif isinstance(error, OF_SERVICE) or self._failures >= SUSPECT_FAILURES:
            self._bar(error, self._now_s() + max(error.retry_after_s or 0.0, PROBE_AFTER_S))

    def _bar(self, error: UploaderError, until_s: float) -> None:
        self._barred, self._until_s, self._answers = error, until_s, False
