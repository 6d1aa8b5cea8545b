"""The guard before the service's guard."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.uploader.samples import CREATED, JPEG, WEBP, entry, metadata, submission
from uploader.api.decision import LivenessDecision
from uploader.api.submission import (
    MAX_IMAGE_BYTES,
    MAX_VIDEO_BYTES,
    MIN_FILE_BYTES,
    Origin,
    Outcome,
    build_submission,
    file_kind,
)
from uploader.api.wire import Metadata
from uploader.errors import BadRequestError, Context, EndpointError, PayloadError
from uploader.http.bad_requests import BY_CODE
from uploader.http.credentials import BearerToken
from uploader.http.multipart import ContentFile, digest


def padded(start: bytes, size: int) -> bytes:
    return start + bytes(size - len(start))


def test_a_submission_holds_the_exact_bytes_and_their_digest():
    made = submission()
    assert made.body.startswith(b"--" + made.content_type.partition("boundary=")[2].encode())
    assert WEBP in made.body
    assert made.digest == digest(made.body)
    assert made.digest_scheme == "body-sha256"
    assert made.size == len(made.body)
    assert uuid.UUID(made.client_request_id).version == 4


def test_the_same_input_gives_the_same_bytes_under_another_id():
    one, two = submission(), submission()
    assert one.body == two.body
    assert one.client_request_id != two.client_request_id


@pytest.mark.parametrize(
    ("files", "code"),
    [
        pytest.param({}, "content_missing", id="3: no file"),
        pytest.param({"other.webp": WEBP}, "file_name_not_found", id="4: not given"),
        pytest.param({"video.webp": WEBP, "b.webp": WEBP}, "file_name_not_found", id="4: unnamed"),
        pytest.param({"video.webp": b""}, "image_too_small", id="8: empty"),
        pytest.param(
            {"video.webp": padded(WEBP[:16], MIN_FILE_BYTES - 1)}, "image_too_small", id="8: 1023"
        ),
        pytest.param(
            {"video.webp": padded(WEBP[:16], MAX_VIDEO_BYTES + 1)}, "image_too_large", id="7: video"
        ),
        pytest.param(
            {"video.webp": padded(JPEG[:16], MAX_IMAGE_BYTES + 1)}, "image_too_large", id="7: image"
        ),
        pytest.param({"video.webp": b"x" * 2000}, "decoding_error", id="6: unknown format"),
    ],
)
def test_what_the_service_would_refuse_is_refused_here_with_its_code_and_advice(files, code):
    with pytest.raises(PayloadError) as caught:
        build_submission(metadata(), files)
    assert caught.value.code == code
    assert caught.value.advice == BY_CODE[code].advice
    assert caught.value.final


def test_no_metadata_is_message_two():
    with pytest.raises(PayloadError) as caught:
        build_submission(None, {"video.webp": WEBP})
    assert caught.value.code == "metadata_missing"


@pytest.mark.parametrize(
    ("start", "size"),
    [
        pytest.param(WEBP[:16], MIN_FILE_BYTES, id="video 1024"),
        pytest.param(WEBP[:16], MAX_VIDEO_BYTES, id="video 25 MB"),
        pytest.param(JPEG[:16], MAX_IMAGE_BYTES, id="image 6 MB"),
    ],
)
def test_the_limits_themselves_are_allowed(start, size):
    assert build_submission(metadata(), {"video.webp": padded(start, size)}).size > size


def test_parts_follow_the_metadata_whatever_the_order_given():
    described = Metadata.of([entry(0, "b.jpg"), entry(0, "a.jpg")])
    made = build_submission(described, {"a.jpg": JPEG, "b.jpg": JPEG + b"b"})
    assert made.body.index(b'filename="b.jpg"') < made.body.index(b'filename="a.jpg"')


def test_a_video_stands_alone():
    described = Metadata.of([entry(0, "a.webp"), entry(0, "b.jpg")])
    with pytest.raises(PayloadError, match="one video or only images"):
        build_submission(described, {"a.webp": WEBP, "b.jpg": JPEG})
    described = Metadata.of([entry(0, "a.webp"), entry(0, "b.webp")])
    with pytest.raises(PayloadError, match="one video or only images"):
        build_submission(described, {"a.webp": WEBP, "b.webp": WEBP})


@pytest.mark.parametrize("name", ["", 'x"y', "a\r\nb", "../x", "é"])
def test_a_hostile_file_name_never_becomes_a_header(name):
    with pytest.raises(PayloadError) as caught:
        build_submission(metadata(), {name: WEBP})
    assert str(caught.value).isprintable()


def test_a_name_given_twice_is_refused():
    twice = [ContentFile("video.webp", WEBP)] * 2
    with pytest.raises(PayloadError, match="twice"):
        build_submission(metadata(), twice)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"RIFF\0\0\0\0WEBP", "video"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"GIF87a", "image"),
        (b"GIF89a", "image"),
        (b"BM", "image"),
        (b"", None),
        (b"RIFF", None),
    ],
)
def test_kinds_are_told_by_their_first_bytes(data, kind):
    assert file_kind(data) == kind


def test_ids_are_checked():
    with pytest.raises(PayloadError, match="GUID"):
        submission(origin=Origin(client_request_id="x\r\ny"))
    with pytest.raises(EndpointError, match="session id"):
        submission(origin=Origin(session_id="../x"))
    with pytest.raises(PayloadError, match="provenance"):
        submission(origin=Origin(provenance="forged"))  # type: ignore[arg-type]


def test_dates_are_kept_in_utc():
    east = datetime(2026, 1, 5, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert submission(origin=Origin(created=east)).created == CREATED
    assert submission(origin=Origin(created=east)).created.tzinfo is UTC


def test_a_submission_shows_neither_its_token_nor_its_pictures():
    made = submission(origin=Origin(token=BearerToken("canary-token")))
    assert "canary-token" not in repr(made)
    assert "WEBP" not in repr(made)


def test_an_outcome_is_written_as_results_are():
    error = BadRequestError("no", Context(400, "rq"), code="face_blurred", advice="hold still")
    made = submission()
    assert Outcome.of_error(made, error).to_json() == {
        "status": 400,
        "decision": None,
        "request_id": "rq",
        "client_request_id": made.client_request_id,
        "model_version": None,
        "said": None,
        "error": {"code": "face_blurred", "message": "no", "advice": "hold still"},
    }
    good = Outcome(200, "c", "rq", LivenessDecision.REALFACE, "realface", "v")
    assert good.delivered
    assert good.to_json()["decision"] == "realface"
    assert type(good.to_json()["decision"]) is str
