"""Our clients and the published SDK read the same pages alike."""

from __future__ import annotations

import pytest
from azure.ai.vision.face import FaceSessionClient
from azure.core.credentials import AzureKeyCredential

from capture.clock import VirtualClock
from facelight.service.server import LocalService
from tests.uploader.samples import KEY, submission
from uploader.api.audit import AuditClient, Sent, verify
from uploader.api.detect import DetectClient
from uploader.api.sessions import SessionRequest, SessionsClient
from uploader.api.submission import Origin
from uploader.http.endpoint import Endpoint


def plain(value):
    if hasattr(value, "as_dict"):
        return {name: plain(value[name]) for name in value}
    return [plain(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def desk():
    clock = VirtualClock()
    with LocalService(KEY.reveal(), clock=clock) as service:
        where = Endpoint(service.url)
        credential = AzureKeyCredential(KEY.reveal())
        with (
            FaceSessionClient(service.url, credential, retry_total=0) as sdk,
            SessionsClient(where, KEY) as sessions,
            AuditClient(where, KEY) as audit,
        ):
            yield where, clock, sdk, sessions, audit


@pytest.mark.slow
def test_sessions_and_audits_are_the_same_in_both(desk):
    where, clock, sdk, sessions, audit = desk
    made = sessions.create(SessionRequest(device_correlation_id="d"))
    sent = []
    with DetectClient(where, None) as client:
        for number in range(3):
            origin = Origin(session_id=made.session_id, token=made.token)
            one = submission(bytes([number]), origin)
            outcome = client.try_detect(one)
            sent.append(
                Sent(
                    one.client_request_id,
                    one.digest,
                    one.digest_scheme,
                    one.size,
                    outcome.request_id,
                )
            )
            clock.sleep_until(clock.now_ns() + 6_000_000_000)
    theirs = [plain(e) for e in sdk.get_liveness_session_audit_entries(made.session_id)]
    for size in (1, 2, 1000):
        ours = [entry.to_json() for entry in audit.entries(made.session_id, size)]
        assert ours == [{**entry, "id": str(entry["id"])} for entry in theirs]
    checks = verify(audit.entries(made.session_id), sent, audit.digest_scheme)
    assert [check.verdict for check in checks] == ["match"] * 3
    shown = plain(sdk.get_liveness_session_result(made.session_id))
    told = sessions.get(made.session_id).to_json()
    assert told == {**shown, "result": {**shown["result"], "id": str(shown["result"]["id"])}}
    assert [s.to_json() for s in sessions.list_all()] == [
        plain(s) for s in sdk.get_liveness_sessions()
    ]
