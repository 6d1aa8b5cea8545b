"""The audit: three shapes, paging, comparison with what was sent, export."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SHARED
from tests.effort import examples
from tests.uploader.mutations import damaged
from tests.uploader.samples import KEY, error_of
from uploader.api.audit import CSV_COLUMNS, AuditClient, AuditVerdict, Sent, to_csv, verify
from uploader.api.audit_entry import AuditEntry, parse_entries
from uploader.errors import (
    CredentialError,
    EndpointError,
    MalformedAnswerError,
    NotFoundError,
    UploaderError,
)
from uploader.http.answers import Answer
from uploader.http.credentials import BearerToken
from uploader.http.endpoint import Endpoint
from uploader.testing import FakeTransport, as_json

SEED = SHARED / "seeds" / "001_988dc183ccef45f0.txt"
LOCAL, FAR = Endpoint("http://127.0.0.1:1"), Endpoint.of_region("westus")
DIGEST = "1CC98BA83EAF1D0FF7F566FAEFCCCC787819FFA01251E2D9299143F7AD6651DB"
BODY = {"livenessDecision": "spoofface", "modelVersionUsed": "2022-10-15-preview.04"}
URL = "/face/v1.1-preview.1/detectLiveness/singleModal"

REQUEST = {
    "url": URL,
    "method": "POST",
    "contentLength": 360030,
    "contentType": "multipart/form-data; boundary=x",
    "userAgent": "VisionSDK/1",
}
TABLE = {
    "id": "1",
    "sessionId": "s-1",
    "requestId": "rq-1",
    "clientRequestId": "cl-1",
    "receivedDateTime": "2023-10-20T23:09:59.4533078+00:00",
    "digest": DIGEST,
    "request": {k: REQUEST[k] for k in ("url", "method", "contentLength")},
    "result": {k: REQUEST[k] for k in ("contentType", "userAgent")},
    "response": {"statusCode": "200", "latencyInMilliseconds": "2037", "body": BODY},
}
EXAMPLE = {
    "id": "1",
    "sessionId": "s-1",
    "requestId": "rq-1",
    "dateReceived": "2023-10-20T23:09:59.4533078+00:00",
    "request": REQUEST,
    "response": {"body": BODY, "statusCode": 200, "latencyInMS": 2037},
    "digest": DIGEST,
}
WIRE = {
    "id": 1,
    "sessionId": "s-1",
    "requestId": "rq-1",
    "receivedDateTime": "2023-10-20T23:09:59.4533078+00:00",
    "request": REQUEST,
    "response": {"body": BODY, "statusCode": 200, "latencyInMilliseconds": 2037},
    "digest": DIGEST,
}
SHAPES = [
    pytest.param(TABLE, id="table"),
    pytest.param(EXAMPLE, id="example"),
    pytest.param(WIRE, id="wire"),
]


def read(listed):
    return parse_entries(Answer(200, {}, json.dumps(listed).encode()))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_three_shapes_say_the_same(shape):
    (entry,) = read([shape])
    (wire,) = read([WIRE])
    assert entry.model_copy(update={"client_request_id": None}) == wire
    assert (entry.id, entry.status, entry.latency_ms) == ("1", 200, 2037)
    assert entry.content_length == 360030
    assert entry.user_agent == "VisionSDK/1"
    assert entry.decision.decision == "spoofface"
    assert entry.is_detection


def test_the_documented_example_is_read():
    if not SEED.is_file():
        pytest.skip("the service's documentation is not on this machine")
    text = SEED.read_text(encoding="utf-8")
    example, _ = json.JSONDecoder().raw_decode(text[text.index("[{") :])
    (entry,) = read(example)
    assert entry.digest == DIGEST
    assert entry.decision.target.rectangle == (260, 782, 858, 984)


def test_written_again_it_has_the_wire_shape():
    (entry,) = read([TABLE])
    assert entry.to_json() == {**WIRE, "id": "1", "clientRequestId": "cl-1"}


@pytest.mark.parametrize("absent", [*WIRE][1:])
def test_only_the_id_must_be_there(absent):
    assert read([{k: v for k, v in WIRE.items() if k != absent}])[0].id == "1"


@pytest.mark.parametrize(
    "listed",
    [{}, None, "x", [1], [None], [{}], [{"id": None}], [{"id": []}], [{**WIRE, "digest": {}}]],
)
def test_what_is_no_audit_is_malformed_and_the_place_is_named(listed):
    with pytest.raises(MalformedAnswerError, match="audit") as caught:
        read(listed)
    assert str(caught.value).isprintable()


def test_hostile_texts_are_made_safe():
    nasty = "\x1b[2J\r\n" + "A" * 100_000
    (entry,) = read([{**WIRE, "requestId": nasty, "request": {**REQUEST, "userAgent": nasty}}])
    for text in (entry.request_id, entry.user_agent):
        assert text.isprintable()
        assert len(text) <= 1024


KEYS = ["id", "digest", "request", "response", "result", "body", "statusCode", "contentLength"]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@pytest.mark.slow
@given(st.lists(ANY, max_size=3) | ANY)
@settings(max_examples=examples(100))
def test_any_audit_is_read_or_malformed(value):
    problem = error_of(lambda: read(value))
    assert problem is None or isinstance(problem, MalformedAnswerError)


@pytest.mark.slow
def test_ten_thousand_damaged_audits_are_read_exported_or_malformed():
    seeds = [json.dumps([shape]).encode() for shape in (TABLE, EXAMPLE, WIRE)]
    good = 0
    for body in damaged(seeds):
        try:
            entries = parse_entries(Answer(200, {}, body))
        except MalformedAnswerError:
            continue
        good += 1
        checks = verify(entries, [SENT], "body-sha256")
        json.dumps([entry.to_json() for entry in entries])
        json.dumps([check.to_json() for check in checks])
        assert to_csv(entries, checks).startswith("id,")
    assert good > 1000


SENT = Sent("cl-1", DIGEST, "body-sha256", 360030, "rq-1")
OTHER = "0" * 64


def one(**changes):
    return AuditEntry.model_validate({**WIRE, **changes})


def sent(**changes):
    return Sent(**{**{f: getattr(SENT, f) for f in SENT.__slots__}, **changes})


@pytest.mark.parametrize(
    ("entry", "ours", "scheme", "verdict"),
    [
        pytest.param(one(), sent(), "body-sha256", "match", id="equal"),
        pytest.param(one(digest=DIGEST.lower()), sent(), "body-sha256", "match", id="lower case"),
        pytest.param(one(digest=OTHER), sent(), "body-sha256", "mismatch", id="digest"),
        pytest.param(
            one(request={**REQUEST, "contentLength": 1}),
            sent(),
            "body-sha256",
            "mismatch",
            id="length",
        ),
        pytest.param(one(), sent(), None, "unverifiable", id="unknown scheme, even when equal"),
        pytest.param(one(digest=OTHER), sent(), None, "unverifiable", id="unknown scheme"),
        pytest.param(
            one(request={**REQUEST, "contentLength": 1}),
            sent(),
            None,
            "mismatch",
            id="unknown scheme, other length",
        ),
        pytest.param(one(), sent(), "salted", "unverifiable", id="other scheme"),
        pytest.param(one(digest=None), sent(), "body-sha256", "unverifiable", id="no digest"),
        pytest.param(
            one(requestId=None, clientRequestId="CL-1"),
            sent(request_id=None),
            "body-sha256",
            "match",
            id="by client request id",
        ),
        pytest.param(
            one(requestId="rq-9"), sent(request_id=None), "body-sha256", "match", id="by digest"
        ),
        pytest.param(
            one(requestId="rq-9", digest=OTHER),
            sent(),
            "body-sha256",
            "mismatch",
            id="altered with its ids",
        ),
        pytest.param(
            one(request={"url": URL, "method": "POST"}),
            sent(),
            "body-sha256",
            "match",
            id="no length",
        ),
    ],
)
def test_an_entry_is_compared_with_what_was_sent(entry, ours, scheme, verdict):
    (check,) = verify([entry], [ours], scheme)
    assert check.verdict == verdict
    assert check.detail


def test_what_is_on_one_side_only_is_unknown_or_missing():
    unknown = verify([one()], [], "body-sha256")
    assert [(c.verdict, c.sent) for c in unknown] == [(AuditVerdict.UNKNOWN, None)]
    unlisted = verify([], [SENT], "body-sha256")
    assert [(c.verdict, c.entry) for c in unlisted] == [(AuditVerdict.MISSING, None)]
    two = verify(
        [one(requestId="a", digest=OTHER), one(id=2, requestId="b", digest=OTHER)], [SENT], None
    )
    assert [c.verdict for c in two] == ["unknown", "unknown", "missing"]
    assert [c.alarming for c in two] == [True, True, SENT.request_id is not None]


def test_two_requests_whose_ids_differ_are_not_taken_for_one():
    stranger = one(requestId="rq-stranger", digest=OTHER, request={"url": URL, "method": "POST"})
    assert [c.verdict for c in verify([stranger], [SENT], None)] == ["unknown", "missing"]
    lost = sent(request_id=None)
    assert [c.verdict for c in verify([stranger], [lost], None)] == ["unverifiable"]


def test_several_attempts_of_one_submission_all_match():
    again = one(id=2, requestId="rq-lost")
    assert [c.verdict for c in verify([again, one()], [SENT], "body-sha256")] == ["match"] * 2


def test_entries_about_other_calls_are_not_compared():
    other = one(request={**REQUEST, "url": "/face/v1.1-preview.1/detect"})
    reading = one(request={**REQUEST, "method": "GET"})
    assert verify([other, reading], [], "body-sha256") == []


def paged(entries, size, header=True):
    """Return a service that pages as the real one: newest first, ids less than start."""

    def answer(request):
        start, top = request.url.params.get("start"), int(request.url.params["top"])
        left = [e for e in entries if start is None or int(e["id"]) < int(start)]
        mark = {"x_facelight_stand_in": "yes"} if header else {}
        return as_json(200, left[: min(top, size)], **mark)

    return FakeTransport(answer)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("count", [0, 1, 6, 7])
def test_all_entries_are_read_whatever_the_size_of_a_page(size, count):
    transport = paged([{**WIRE, "id": n} for n in range(count, 0, -1)], size)
    client = AuditClient(LOCAL, KEY, transport=transport)
    assert [e.id for e in client.entries("s-1")] == [str(n) for n in range(count, 0, -1)]
    assert transport.requests[0].headers["ocp-apim-subscription-key"] == KEY.reveal()


def test_a_listing_that_does_not_advance_is_ended():
    client = AuditClient(LOCAL, KEY, transport=FakeTransport(as_json(200, [WIRE])))
    with pytest.raises(MalformedAnswerError, match="advance"):
        list(client.entries("s-1"))


@pytest.mark.parametrize(
    ("endpoint", "header", "scheme"),
    [
        pytest.param(LOCAL, True, "body-sha256", id="the local service"),
        pytest.param(LOCAL, False, None, id="something local"),
        pytest.param(FAR, True, None, id="a stranger that claims to be it"),
    ],
)
def test_only_the_local_service_is_known_for_its_digests(endpoint, header, scheme):
    client = AuditClient(endpoint, KEY, transport=paged([WIRE], 10, header))
    list(client.entries("s-1"))
    assert client.digest_scheme == scheme


def test_errors_of_the_service_and_of_the_caller_are_typed():
    gone = as_json(404, {"error": {"code": "SessionNotFound", "message": "gone"}})
    with pytest.raises(NotFoundError):
        list(AuditClient(LOCAL, KEY, transport=FakeTransport(gone)).entries("s-1"))
    with pytest.raises(EndpointError):
        list(AuditClient(LOCAL, KEY, transport=FakeTransport()).entries("../s"))
    with pytest.raises(CredentialError):
        AuditClient(LOCAL, BearerToken("t"))  # type: ignore[arg-type]  # as a caller without types
    assert issubclass(NotFoundError, UploaderError)


def test_the_csv_holds_every_entry_and_what_is_missing():
    entries = [one(), one(id=2, requestId="=cmd|' /C calc'!A0", digest=OTHER)]
    checks = verify(entries, [SENT, sent(client_request_id="cl-2", request_id=None)], "body-sha256")
    rows = list(csv.DictReader(io.StringIO(to_csv(entries, checks))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert rows[0]["decision"] == "spoofface"
    assert rows[0]["verdict"] == "match"
    assert rows[1]["request_id"].startswith("'=")
    assert [row["verdict"] for row in rows] == ["match", "mismatch"]


def test_the_csv_lists_what_the_audit_lacks():
    (row,) = csv.DictReader(io.StringIO(to_csv([], verify([], [SENT], None))))
    assert (row["verdict"], row["client_request_id"], row["id"]) == ("missing", "cl-1", "")
