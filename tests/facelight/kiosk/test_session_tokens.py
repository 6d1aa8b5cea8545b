"""Each person's submission goes with the token of a session of the service of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from facelight.config.settings import Settings
from facelight.kiosk.machine.events import Event, NotDelivered, Spooled, WorkFailed
from facelight.kiosk.outbox import SpoolOutbox
from facelight.service.options import DEFAULT_KEY
from facelight.service.server import LocalService
from tests.facelight.kiosk.test_outbox import FACELESS, SIMULATED, faceless
from uploader.api.audit import AuditClient
from uploader.api.sessions import SessionRequest, SessionsClient
from uploader.http.credentials import SubscriptionKey
from uploader.http.endpoint import Endpoint

KEY = SubscriptionKey(DEFAULT_KEY)


def settings_for(url: str, tmp_path: Path, **more: Any) -> Settings:
    return Settings(endpoint=url, spool_dir=tmp_path / "spool", **more)


def sent(outbox: SpoolOutbox) -> list[Event]:
    told: list[Event] = []
    outbox.send(7, faceless(FACELESS), SIMULATED, told.append)
    return told


def test_the_service_finds_the_submission_in_the_sessions_audit(tmp_path: Path) -> None:
    with LocalService() as service:
        where = Endpoint(service.url)
        with SessionsClient(where, KEY) as sessions:
            made = sessions.create(SessionRequest(device_correlation_id="kiosk"))
        answer = {"sessionId": made.session_id, "authToken": made.token.reveal()}
        command = (sys.executable, "-c", f"print('''{json.dumps(answer)}''')")
        with SpoolOutbox(settings_for(service.url, tmp_path, token_command=command)) as outbox:
            told = sent(outbox)
            assert outbox.outcome is not None
            request_id = outbox.outcome.request_id
        with AuditClient(where, KEY) as audit:
            entries = list(audit.entries(made.session_id))
    assert [type(event) for event in told] == [Spooled, NotDelivered]
    assert [entry.request_id for entry in entries] == [request_id]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param((sys.executable, "-c", "raise SystemExit(3)"), id="command fails"),
        pytest.param((sys.executable, "-c", ""), id="no token"),
    ],
)
def test_without_a_token_the_person_is_told_and_nothing_is_sent(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    settings = settings_for("http://127.0.0.1:9", tmp_path, token_command=command)
    with SpoolOutbox(settings) as outbox:
        told = sent(outbox)
        assert outbox.depth()[0] == 0
    assert [type(event) for event in told] == [WorkFailed]
