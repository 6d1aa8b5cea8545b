"""The published SDK as an independent oracle: it works against the service unchanged."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from azure.ai.vision.face import FaceSessionClient
from azure.ai.vision.face.models import CreateLivenessSessionContent, LivenessOperationMode
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest

from capture.clock import VirtualClock
from facelight.service.server import LocalService
from tests.facelight.service.requests import BYTES_TYPE, FACE_BOX, JSON_TYPE, Clip, noise, post

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00")


class Desk:
    """The service, its clock, and the SDK's client."""

    def __init__(self, service: LocalService, clock: VirtualClock) -> None:
        self.url = service.url
        self.clock = clock
        self.sdk = FaceSessionClient(service.url, AzureKeyCredential("local"), retry_total=0)

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now_ns() + round(seconds * 1e9))

    def create(self, **fields: Any) -> tuple[str, str]:
        made = self.sdk.create_liveness_session(
            CreateLivenessSessionContent(
                liveness_operation_mode=LivenessOperationMode.PASSIVE,
                device_correlation_id="kiosk-1",
                **fields,
            )
        )
        assert set(dict(made)) == {"sessionId", "authToken"}
        assert GUID.fullmatch(made.session_id)
        assert isinstance(made.auth_token, str)
        return made.session_id, made.auth_token


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = VirtualClock()
    with LocalService(clock=clock) as service:
        desk = Desk(service, clock)
        with desk.sdk:
            yield desk


def plain(value: Any) -> Any:
    """Return what was on the wire, without the SDK's model classes."""
    if hasattr(value, "as_dict"):
        return {name: plain(value[name]) for name in value}
    return [plain(v) for v in value] if isinstance(value, list) else value


def has_session_fields(row: dict[str, Any]) -> bool:
    return (
        GUID.fullmatch(row["id"]) is not None
        and DATE.fullmatch(row["createdDateTime"]) is not None
        and type(row["authTokenTimeToLiveInSeconds"]) is int
        and row["deviceCorrelationId"] == "kiosk-1"
        and row["sessionExpired"] is False
    )


ITEM = {
    "id",
    "createdDateTime",
    "authTokenTimeToLiveInSeconds",
    "deviceCorrelationId",
    "sessionExpired",
}


def code_of(error: HttpResponseError) -> str | None:
    assert error.error is not None
    return error.error.code


def test_a_session_is_created_shown_listed_and_deleted(desk: Desk) -> None:
    session_id, _ = desk.create(auth_token_time_to_live_in_seconds=60)
    shown = plain(desk.sdk.get_liveness_session_result(session_id))
    assert set(shown) == ITEM | {"status"}
    assert has_session_fields(shown)
    assert (shown["status"], shown["authTokenTimeToLiveInSeconds"]) == ("NotStarted", 60)
    listed = plain(desk.sdk.get_liveness_sessions())
    assert [set(row) for row in listed] == [ITEM]
    assert has_session_fields(listed[0])
    desk.sdk.delete_liveness_session(session_id)
    assert desk.sdk.get_liveness_sessions() == []
    with pytest.raises(ResourceNotFoundError) as error:
        desk.sdk.get_liveness_session_result(session_id)
    assert code_of(error.value) == "SessionNotFound"


def test_the_list_is_paged_upwards(desk: Desk) -> None:
    made = sorted(desk.create()[0] for _ in range(5))
    first = [row.id for row in desk.sdk.get_liveness_sessions(top=3)]
    rest = [row.id for row in desk.sdk.get_liveness_sessions(start=first[-1], top=3)]
    assert first + rest == made


@pytest.mark.slow
def test_the_audit_has_every_field_in_its_wire_type(desk: Desk, face: Clip) -> None:
    session_id, token = desk.create(send_results_to_client=True)
    answer = post(desk.url, face.aimed(FACE_BOX), Authorization=f"Bearer {token}")
    (entry,) = (plain(e) for e in desk.sdk.get_liveness_session_audit_entries(session_id))
    assert list(entry) == [
        *("id", "sessionId", "requestId", "receivedDateTime", "request", "response", "digest")
    ]
    assert type(entry["id"]) is int
    assert entry["sessionId"] == session_id
    assert entry["requestId"] == answer.headers["apim-request-id"]
    assert DATE.fullmatch(entry["receivedDateTime"])
    assert {name: type(value) for name, value in entry["request"].items()} == {
        "url": str,
        "method": str,
        "contentLength": int,
        "contentType": str,
        "userAgent": str,
    }
    assert {name: type(value) for name, value in entry["response"].items()} == {
        "body": dict,
        "statusCode": int,
        "latencyInMilliseconds": int,
    }
    assert entry["response"]["body"] == answer.json()
    assert re.fullmatch(r"[0-9A-F]{64}", entry["digest"])
    shown = plain(desk.sdk.get_liveness_session_result(session_id))
    assert set(shown) == ITEM | {"status", "result", "sessionStartDateTime"}
    assert DATE.fullmatch(shown["sessionStartDateTime"])
    assert shown["result"] == entry


@pytest.mark.slow
def test_the_sdk_s_own_types_read_the_result(desk: Desk, face: Clip) -> None:
    session_id, token = desk.create()
    post(desk.url, face.aimed(FACE_BOX), Authorization=f"Bearer {token}")
    shown = desk.sdk.get_liveness_session_result(session_id)
    assert isinstance(shown.created_date_time, datetime)
    assert shown.result is not None
    body = shown.result.response.body
    assert body.liveness_decision == "uncertain"
    assert body.target is not None
    assert dict(body.target.face_rectangle) == FACE_BOX
    assert body.target.image_type == "Color"
    assert body.target.time_offset_within_file % 33 == 0


@pytest.mark.slow
def test_the_audit_is_paged_downwards(desk: Desk) -> None:
    session_id, token = desk.create()
    clip = Clip.of([noise()])
    for _ in range(3):
        post(desk.url, clip, Authorization=f"Bearer {token}")
        desk.wait(5)
    pages = [
        [e.id for e in desk.sdk.get_liveness_session_audit_entries(session_id, **query)]
        for query in ({}, {"top": 1}, {"start": "3", "top": 1}, {"start": "1"})
    ]
    assert pages == [[3, 2, 1], [3], [2], []]


def test_the_sdk_s_multipart_is_accepted(desk: Desk, face: Clip) -> None:
    clip = face.aimed(FACE_BOX)
    request = HttpRequest(
        "POST",
        "/detectLiveness/singleModal",
        files=[
            ("Metadata", (None, clip.metadata, JSON_TYPE)),
            ("Content", ("video.webp", clip.files["video.webp"], BYTES_TYPE)),
        ],
    )
    answer = desk.sdk.send_request(request)
    assert (answer.status_code, answer.json()["livenessDecision"]) == (200, "uncertain")


def test_a_token_s_call_through_the_sdk_has_the_digest_of_its_bytes(desk: Desk) -> None:
    session_id, token = desk.create()
    body = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n--b--\r\n'
    request = HttpRequest(
        "POST",
        f"{desk.url}/face/v1.1-preview.1/detectLiveness/singleModal",
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "multipart/form-data; boundary=b",
        },
        content=body,
    )
    with FaceSessionClient(
        desk.url,
        AzureKeyCredential("local"),
        retry_total=0,
        authentication_policy=SansIOHTTPPolicy(),
    ) as kiosk:
        assert kiosk.send_request(request).status_code == 400
    (entry,) = desk.sdk.get_liveness_session_audit_entries(session_id)
    assert entry.digest == hashlib.sha256(body).hexdigest().upper()
    assert entry.request.content_length == len(body)


def test_errors_reach_the_sdk_with_their_codes(desk: Desk) -> None:
    with (
        FaceSessionClient(desk.url, AzureKeyCredential("wrong"), retry_total=0) as stranger,
        pytest.raises(ClientAuthenticationError) as error,
    ):
        stranger.get_liveness_sessions()
    assert code_of(error.value) == "Unspecified"
