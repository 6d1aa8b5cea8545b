"""Fakes for whoever tests against this package: a scripted service and a clock that one turns."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from uploader.http.bad_requests import BAD_REQUESTS


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer of the fake service."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Step = Scripted | Exception | Callable[[httpx.Request], Scripted]


class FakeTransport(httpx.BaseTransport):
    """Answers from a script and remembers every request; the last step repeats for ever."""

    def __init__(self, *steps: Step) -> None:
        self._steps: deque[Step] = deque(steps or (realface(),))
        self.requests: list[httpx.Request] = []

    def script(self, steps: Iterable[Step]) -> None:
        """Replace what is still to come."""
        self._steps = deque(steps)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Play the next step."""
        request.read()
        self.requests.append(request)
        step = self._steps.popleft() if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        answer = step if isinstance(step, Scripted) else step(request)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of all requests so far."""
        return [request.content for request in self.requests]


class FakeClock:
    """Monotonic and wall time that pass only when told to; a sleep passes at once."""

    def __init__(self, start: datetime | None = None) -> None:
        self._monotonic_s = 1000.0
        self._wall = start or datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
        self._boot = 1
        self.sleeps: list[float] = []

    def monotonic_s(self) -> float:
        """Return the fake monotonic time."""
        return self._monotonic_s

    def utc(self) -> datetime:
        """Return the fake wall time."""
        return self._wall

    def boot(self) -> tuple[str, float] | None:
        """Return the fake boot; it begins with the monotonic time."""
        return f"boot-{self._boot}", self._monotonic_s

    def reboot(self, wall_s: float = 0.0) -> None:
        """Begin another boot; ``wall_s`` is what the wall clock says has passed."""
        self._boot += 1
        self.jump(wall_s)

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.sleeps.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._monotonic_s += seconds
        self._wall += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Move the wall clock only, as a time server or a person does."""
        self._wall += timedelta(seconds=seconds)


def as_json(status: int, value: Any, **headers: str) -> Scripted:
    """Return an answer with a JSON body; ``retry_after="3"`` is the header ``Retry-After``."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Scripted(
        status,
        json.dumps(value).encode(),
        {"content-type": "application/json; charset=utf-8", "apim-request-id": "rq-1"} | named,
    )


def realface(decision: str = "realface", **headers: str) -> Scripted:
    """Return a success in the nested shape."""
    target = {
        "faceRectangle": {"top": 1, "left": 2, "width": 3, "height": 4},
        "fileName": "video.webp",
        "timeOffsetWithinFile": 0,
        "imageType": "Color",
    }
    body = {"livenessDecision": decision, "target": target, "modelVersionUsed": "2020-02-15"}
    return as_json(200, body, **headers)


def bad_request(number: int) -> Scripted:
    """Return the documented 400 with that number, 1 to 14."""
    entry = BAD_REQUESTS[number - 1]
    return as_json(400, {"error": {"code": "BadRequest", "message": entry.message}})


def rate_limited(seconds: int = 26) -> Scripted:
    """Return a 429 that names the wait in its text."""
    text = f"Rate limit is exceeded. Try again in {seconds} seconds."
    return as_json(429, {"error": {"statusCode": 429, "message": text}})


def out_of_quota(days: int = 2) -> Scripted:
    """Return a 403 that names the wait in its text."""
    text = f"Out of call volume quota. Quota will be replenished in {days} days."
    return as_json(403, {"error": {"statusCode": 403, "message": text}})


def unauthorized() -> Scripted:
    """Return the documented 401."""
    text = "Access denied due to invalid subscription key."
    return as_json(401, {"error": {"code": "Unspecified", "message": text}})
