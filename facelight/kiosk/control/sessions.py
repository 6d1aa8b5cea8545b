"""Requested sessions, between the threads of the control port and the kiosk's main loop."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from facelight.kiosk.control.errors import ControlRefusal
from facelight.kiosk.control.event_log import EventLog
from facelight.kiosk.control.models import (
    AttemptProblem,
    ControlRequest,
    ErrorCode,
    Health,
    KioskState,
    RequestState,
    SessionStatus,
)
from facelight.kiosk.machine.events import Event, Requested, Withdrawn
from facelight.kiosk.machine.state import SessionTerms

KEPT_SESSIONS = 200
"""Results that can still be read: a program that was restarted finds its session again."""

OnEvent: TypeAlias = Callable[[str, dict[str, Any]], None]

_STEPS = frozenset(
    {"requested", "person_seen", "someone_else", "ready", "position", "settle", "capture"}
    | {"finish", "submitted", "result", "problem", "idle", "refused", "quit"}
)
_TOO_LATE = frozenset({"submitted", "result"})
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Session:
    id: str
    reference: str | None
    state: RequestState = RequestState.ACCEPTED
    step: str = "accepted"
    outcome: str | None = None
    decision: str | None = None
    light: bool | None = None
    sessions: list[str] = field(default_factory=list)
    client_request_ids: list[str] = field(default_factory=list)
    request_id: str | None = None
    problems: list[AttemptProblem] = field(default_factory=list)

    def status(self) -> SessionStatus:
        return SessionStatus(
            **{name: getattr(self, name) for name in self.__slots__}
            | {
                "sessions": list(self.sessions),
                "client_request_ids": list(self.client_request_ids),
                "problems": list(self.problems),
            }
        )


class RequestedSessions:
    """Starts, follows and cancels sessions for programs beside the kiosk; for any thread.

    ``tagged`` must see every event of the kiosk: it is what the state here is made of.

    Parameters
    ----------
    languages : codes that a request may name.
    log : every event is added to it.
    """

    def __init__(self, languages: tuple[str, ...], log: EventLog) -> None:
        self.log = log
        self._languages = languages
        self._lock = threading.RLock()
        self._kept: OrderedDict[str, _Session] = OrderedDict()
        self._active: _Session | None = None
        self._inbox: list[Event] = []
        self._started = False
        self._serving = False
        self._ended = False
        self._lost: set[str] = set()
        self._slow = False
        self._camera: dict[str, Any] = {}

    def start(self, request: ControlRequest) -> SessionStatus:
        """Ask the kiosk for a session.

        Raises
        ------
        ControlRefusal
            another session is under way, a device is lost, or the language is not offered.
        """
        if request.language is not None and request.language not in self._languages:
            offered = ", ".join(self._languages)
            raise ControlRefusal(
                ErrorCode.LANGUAGE, f"language: {request.language!r}, expected one of {offered}"
            )
        limit_ms = None if request.limit_s is None else request.limit_s * 1000
        with self._lock:
            self._ensure_free()
            session = _Session(uuid.uuid4().hex, request.reference)
            self._kept[session.id] = self._active = session
            while len(self._kept) > KEPT_SESSIONS:
                self._kept.popitem(last=False)
            asked = SessionTerms(request.light, limit_ms, request.language)
            self._inbox.append(Requested(asked))
            status = session.status()
        _LOG.info("session requested: %s, reference %s", session.id, request.reference)
        return status

    def cancel(self, session_id: str) -> SessionStatus:
        """Ask for the end of a session; what came of it is told by its status and events.

        Raises
        ------
        ControlRefusal
            unknown, or it has ended or is being delivered.
        """
        with self._lock:
            session = self._of(session_id)
            if session.state is RequestState.ENDED:
                message = f"the session has ended: {session.outcome}"
                raise ControlRefusal(ErrorCode.TOO_LATE, message, session.id)
            if session.step in _TOO_LATE:
                raise ControlRefusal(
                    ErrorCode.TOO_LATE, "the pictures are with the service", session.id
                )
            self._inbox.append(Withdrawn())
            return session.status()

    def status(self, session_id: str) -> SessionStatus:
        """Return how far a session is; raises `ControlRefusal` when it is unknown."""
        with self._lock:
            return self._of(session_id).status()

    def over(self, session_id: str) -> bool:
        """Return whether nothing more will happen to a session."""
        with self._lock:
            session = self._kept.get(session_id)
            return session is None or session.state is RequestState.ENDED

    def health(self) -> Health:
        """Return whether a session can be started now."""
        with self._lock:
            return Health(
                state=self._state(),
                session=None if self._active is None else self._active.id,
                lost=sorted(self._lost),
                host_slow=self._slow,
                camera=self._camera,
            )

    def inbox(self) -> list[Event]:
        """Return what was asked since the last call; for the main loop."""
        with self._lock:
            taken, self._inbox = self._inbox, []
            return taken

    def reference(self) -> str | None:
        """Return the caller's name for the session under way."""
        with self._lock:
            return None if self._active is None else self._active.reference

    def tagged(self, told: OnEvent) -> OnEvent:
        """Return a listener that follows all events and passes them on with their reference."""

        def tell(name: str, values: dict[str, Any]) -> None:
            with self._lock:
                session = self._follow(name, values)
                if session is not None:
                    values = values | {"request": session.id}
                    if session.reference is not None:
                        values = values | {"reference": session.reference}
                self.log.add(name, values, None if session is None else session.id)
            told(name, values)

        return tell

    def _state(self) -> KioskState:
        if not self._started:
            return KioskState.STARTING
        if self._lost or self._ended:
            return KioskState.OUT_OF_ORDER
        busy = self._serving or self._active is not None
        return KioskState.BUSY if busy else KioskState.READY

    def _ensure_free(self) -> None:
        if not self._started:
            raise ControlRefusal(ErrorCode.OUT_OF_ORDER, "the kiosk is starting: try again soon")
        if self._ended:
            raise ControlRefusal(ErrorCode.ENDING, "the kiosk is ending")
        if self._lost:
            devices = ", ".join(sorted(self._lost))
            raise ControlRefusal(
                ErrorCode.OUT_OF_ORDER, f"out of order, lost: {devices}; see health"
            )
        if self._active is not None:
            message = "another session is under way: wait for its end or cancel it"
            raise ControlRefusal(ErrorCode.BUSY, message, self._active.id)
        if self._serving:
            raise ControlRefusal(
                ErrorCode.BUSY, "somebody who stepped up by themselves is being served"
            )

    def _of(self, session_id: str) -> _Session:
        session = self._kept.get(session_id)
        if session is None:
            raise ControlRefusal(
                ErrorCode.UNKNOWN_SESSION, "no such session, or it is no longer kept"
            )
        return session

    def _follow(self, name: str, values: Mapping[str, Any]) -> _Session | None:
        """Take in an event and return the requested session that it belongs to, if any."""
        self._note_kiosk(name, values)
        session = self._active
        if session is None or (session.state is RequestState.ACCEPTED and name not in _ANSWERS):
            return None
        if name in _STEPS:
            session.step = name
            session.state = RequestState.RUNNING
        follow = _FOLLOW.get(name)
        if follow is not None:
            follow(session, values)
        if session.state is RequestState.ENDED:
            self._active = None
        return session

    def _note_kiosk(self, name: str, values: Mapping[str, Any]) -> None:
        if name == "start":
            self._started = True
            self._camera = dict(values["camera"])
        elif name == "device_lost":
            self._lost.add(str(values["device"]))
        elif name == "device_back":
            self._lost.discard(str(values["device"]))
        elif name == "host":
            self._slow = bool(values["slow"])
        elif name in ("person_seen", "requested"):
            self._serving = True
        elif name == "idle":
            self._serving = False
        elif name == "quit":
            self._ended = True


_ANSWERS = frozenset({"requested", "refused", "quit"})
"""Events that a session which has only been accepted can be meant by."""


def _on_session(session: _Session, values: Mapping[str, Any]) -> None:
    session.sessions.append(str(values["session"]))
    session.light = bool(values["light"])
    _LOG.info(
        "session %s: requested as %s, reference %s",
        values["session"],
        session.id,
        session.reference,
    )


def _on_submitted(session: _Session, values: Mapping[str, Any]) -> None:
    session.client_request_ids.append(str(values["client_request_id"]))
    _LOG.info("reference %s: client request %s", session.reference, values["client_request_id"])


def _on_delivery(session: _Session, values: Mapping[str, Any]) -> None:
    outcome = values.get("outcome") or {}
    session.request_id = outcome.get("request_id")


def _on_result(session: _Session, values: Mapping[str, Any]) -> None:
    session.decision = values.get("decision")


def _on_problem(session: _Session, values: Mapping[str, Any]) -> None:
    reasons = str(values.get("reasons") or "")
    cause = values.get("cause")
    session.problems.append(
        AttemptProblem(
            problem=str(values["problem"]),
            cause=None if cause is None else str(cause),
            reasons=reasons.split(",") if reasons else [],
            retry=bool(values["retry"]),
        )
    )


def _ended(session: _Session, outcome: str) -> None:
    session.state, session.outcome = RequestState.ENDED, outcome


_FOLLOW: Mapping[str, Callable[[_Session, Mapping[str, Any]], None]] = {
    "session": _on_session,
    "submitted": _on_submitted,
    "delivery": _on_delivery,
    "result": _on_result,
    "problem": _on_problem,
    "idle": lambda session, values: _ended(session, str(values.get("after", ""))),
    "refused": lambda session, values: _ended(session, str(values["why"])),
    "quit": lambda session, _: _ended(session, "quit"),
}
