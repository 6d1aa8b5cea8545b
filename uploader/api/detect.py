"""The detection call: one attempt, one outcome or one typed error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import httpx

from uploader.api.decision import parse_decision
from uploader.api.submission import Outcome, Submission
from uploader.clock import DeliveryClock
from uploader.errors import (
    ContentTooLargeError,
    CredentialError,
    NotFoundError,
    ProvenanceError,
    ServiceError,
    TokenExpiredError,
    UploaderError,
)
from uploader.http.answers import Answer, error_of
from uploader.http.credentials import BearerToken, Credential
from uploader.http.endpoint import Endpoint, checked_model_version
from uploader.http.exchange import Call, Exchange, HttpOptions


class Detector(Protocol):
    """Whoever can deliver a submission; the worker knows no more."""

    def detect(self, submission: Submission) -> Outcome:
        """Make one attempt; return the outcome of a success, raise `UploaderError` otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """How detection calls are made."""

    http: HttpOptions = field(default_factory=HttpOptions)
    model_version: str | None = None
    """None: the service's latest."""
    allow_simulated: bool = False
    """Simulated sessions may go to services that are not local."""

    def __post_init__(self) -> None:
        if self.model_version is not None:
            checked_model_version(self.model_version)


class DetectClient:
    """Delivers submissions to one endpoint; one thread at a time."""

    def __init__(
        self,
        endpoint: Endpoint,
        credential: Credential | None,
        options: DetectOptions | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: DeliveryClock | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.options = options or DetectOptions()
        self._credential = credential
        self._exchange = Exchange(self.options.http, transport=transport, clock=clock)

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def detect(self, submission: Submission) -> Outcome:
        """Make one attempt.

        A 200 gives a decision, a 204 none: that session keeps its result for the application
        server. Everything else raises; the error says whether another attempt can help.

        Raises
        ------
        ServiceError
            the service answered with an error.
        TransportError, AnswerError
            no answer, or none that can be used.
        CredentialError, ProvenanceError
            nothing was sent.
        """
        self.check(submission)
        call = Call(
            "POST",
            self.endpoint.detect_url(self.options.model_version),
            content=submission.body,
            headers={"Content-Type": submission.content_type},
            client_request_id=submission.client_request_id,
        )
        credential = submission.token or self._credential
        answer = self._exchange.send(call, credential)
        if answer.status == 401 and isinstance(credential, BearerToken):
            refused = error_of(answer)
            raise TokenExpiredError(refused.message, refused.context)
        return self._outcome(submission, answer)

    def try_detect(self, submission: Submission) -> Outcome:
        """Make one attempt; an error becomes the outcome's ``error``."""
        try:
            return self.detect(submission)
        except UploaderError as error:
            return Outcome.of_error(submission, error)

    def check(self, submission: Submission) -> None:
        """Raise when this submission must not or cannot go to this endpoint."""
        simulated = submission.provenance == "simulated"
        if simulated and not (self.endpoint.local or self.options.allow_simulated):
            raise ProvenanceError(
                f"a simulated session is not sent to {self.endpoint.url}, which is no local service"
            )
        if submission.token is None and self._credential is None:
            raise CredentialError("neither a key nor a session token is at hand")

    def _explained(self, error: ServiceError, submission: Submission) -> ServiceError:
        """Add to an error what only the call knows: where it went and how much it sent."""
        if isinstance(error, NotFoundError):
            error.advice = (
                f"check the endpoint {self.endpoint.url}: it has no {self.endpoint.detect_path}"
                " (api_path holds the API version); the submission is kept"
            )
        elif isinstance(error, ContentTooLargeError):
            error.advice = (
                f"{submission.size} bytes were sent: process again with"
                f" --target-bytes {max(1, submission.size // 2)}, or raise the proxy's limit"
            )
        return error

    def _outcome(self, submission: Submission, answer: Answer) -> Outcome:
        facts = (answer.status, answer.request_id, answer.latency_ms)
        if answer.status == 204:
            return replace(Outcome.of_decision(submission, None, facts), date=answer.date)
        if answer.status != 200:
            raise self._explained(error_of(answer, self._exchange.clock.utc()), submission)
        decision = parse_decision(answer.body, answer.context())
        return replace(Outcome.of_decision(submission, decision, facts), date=answer.date)
