"""When to try again: a pure policy. What was sent before, what came back, what to do next."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from uploader.api.detect import Detector
from uploader.api.submission import Outcome, Submission
from uploader.clock import DeliveryClock
from uploader.errors import (
    AnswerError,
    ConnectError,
    CredentialError,
    EndpointError,
    ForbiddenError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    RedirectRefusedError,
    ServerError,
    ServiceTimeoutError,
    TokenExpiredError,
    TransportError,
    UnauthorizedError,
    UploaderError,
)
from uploader.options import option, options


@options
class RetryPolicy:
    """How often, how long and how far apart."""

    max_attempts: int = option(
        1000, unit="", low=1, high=1e6, why="one every ten minutes for a week"
    )
    budget_s: float = option(
        604_800.0, unit="s", low=0, high=1e8, why="a week: content is not kept longer either"
    )
    initial_s: float = option(2.0, unit="s", low=0.01, high=3600, why="most faults are blips")
    factor: float = option(2.0, unit="", low=1, high=10, why="exponential back-off")
    max_s: float = option(
        600.0, unit="s", low=0.01, high=86_400, why="back within ten minutes of the network"
    )
    jitter: float = option(
        0.25, unit="", low=0, high=1, why="kiosks that lost one router come back apart"
    )

    def backoff_s(self, failures: int, chance: float) -> float:
        """Return the wait after ``failures`` failures; ``chance`` in [0, 1) spreads it."""
        # 64 doublings exceed any cap; a larger exponent would overflow a float.
        plain = min(self.max_s, self.initial_s * self.factor ** min(max(failures - 1, 0), 64))
        return plain * (1.0 - self.jitter + 2.0 * self.jitter * chance)

    def named_s(self, wait_s: float, chance: float) -> float:
        """Return the wait for a time the service named: never less, a little more."""
        return wait_s + self.jitter * chance * min(wait_s, self.initial_s)


DIRECT = RetryPolicy(max_attempts=5, budget_s=180.0, max_s=30.0)
"""For a caller that waits for the outcome: batch processing, reading an audit."""


class Action(StrEnum):
    """What happens to the submission."""

    WAIT = "wait"
    """Another attempt later."""
    HOLD = "hold"
    """Kept; no further attempt until someone asks for it."""
    REFUSE = "refuse"
    """These bytes can never succeed."""
    STOP = "stop"
    """Kept; no submission can succeed until the operator changes something."""


@dataclass(frozen=True, slots=True)
class History:
    """The attempts made so far, the one that just failed included."""

    attempts: int
    elapsed_s: float
    """Since the first attempt began."""
    own_token: bool = False
    """The submission carries its own session's token, so limits on calls are its own too."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next."""

    action: Action
    item_wait_s: float = 0.0
    """How long this submission steps back; 0 keeps its place at the head."""
    service_wait_s: float = 0.0
    """How long nothing is sent at all."""
    reason: str = ""


def decide(policy: RetryPolicy, error: UploaderError, history: History, chance: float) -> Step:
    """Return what follows from a failed attempt.

    Faults that say nothing about this submission (no connection, rate, quota) pause the service
    and keep the order. Faults that it might itself cause (408, 5xx, a lost answer) make it step
    back, so that a poisonous one never blocks the rest.
    """
    kept = _kept(error, history)
    if kept is not None:
        return kept
    wait_s = _wait_s(policy, error, history, chance)
    if wait_s is None:
        return Step(Action.HOLD, reason=error.code)
    if history.attempts >= policy.max_attempts or history.elapsed_s + wait_s > policy.budget_s:
        return Step(Action.HOLD, reason="given_up")
    own_limit = history.own_token and isinstance(error, RateLimitedError)
    if isinstance(error, OF_SERVICE) and not own_limit:
        return Step(Action.WAIT, service_wait_s=wait_s, reason=error.code)
    asked = error.retry_after_s if isinstance(error, ServerError) else None
    return Step(Action.WAIT, wait_s, asked or 0.0, error.code)


def deliver(
    detector: Detector,
    submission: Submission,
    policy: RetryPolicy,
    clock: DeliveryClock,
    chance: Callable[[], float] = random.random,
) -> Outcome:
    """Deliver now, waiting between attempts; an error that remains is the outcome's ``error``."""
    try:
        return deliver_or_raise(detector, submission, policy, clock, chance)
    except UploaderError as error:
        return Outcome.of_error(submission, error)


def deliver_or_raise(
    detector: Detector,
    submission: Submission,
    policy: RetryPolicy,
    clock: DeliveryClock,
    chance: Callable[[], float] = random.random,
) -> Outcome:
    """Deliver now, waiting between attempts; raises the `UploaderError` that remains."""
    started_s, attempts = clock.monotonic_s(), 0
    while True:
        attempts += 1
        try:
            return detector.detect(submission)
        except UploaderError as error:
            history = History(
                attempts, clock.monotonic_s() - started_s, submission.token is not None
            )
            step = decide(policy, error, history, chance())
            if step.action is not Action.WAIT:
                raise
            clock.sleep(max(step.item_wait_s, step.service_wait_s))


_FOR_OPERATOR = (UnauthorizedError, ForbiddenError, NotFoundError, CredentialError, EndpointError)
OF_SERVICE = (ConnectError, RateLimitedError, QuotaExceededError, RedirectRefusedError)
"""Errors that say nothing of the submission: they hold for all."""
_WORTH_WAITING = (
    TransportError,
    AnswerError,
    ServerError,
    ServiceTimeoutError,
    RateLimitedError,
    QuotaExceededError,
    RedirectRefusedError,
)


def _kept(error: UploaderError, history: History) -> Step | None:
    """Return the step of an error that no waiting cures."""
    if error.final:
        return Step(Action.HOLD if error.status == 415 else Action.REFUSE, reason=error.code)
    if isinstance(error, TokenExpiredError) or (history.own_token and _about_session(error)):
        return Step(Action.HOLD, reason=error.code)
    if isinstance(error, _FOR_OPERATOR):
        return Step(Action.STOP, reason=error.code)
    return None


def _about_session(error: UploaderError) -> bool:
    return isinstance(error, UnauthorizedError | ForbiddenError | NotFoundError)


def _wait_s(
    policy: RetryPolicy, error: UploaderError, history: History, chance: float
) -> float | None:
    if not isinstance(error, _WORTH_WAITING):
        return None
    named_s = error.retry_after_s
    # "Retry-After: 0" from a service that refuses again and again must not become a busy loop.
    if named_s is not None and named_s >= policy.initial_s:
        return policy.named_s(named_s, chance)
    return policy.backoff_s(history.attempts, chance)
