"""The detection call against a real socket that breaks in every way, and over a fake."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
import logging
import socket
import ssl
from dataclasses import replace

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.uploader import socket_service as net
from tests.uploader.samples import KEY, error_of, submission
from tests.uploader.socket_service import serving
from uploader.api.decision import LivenessDecision
from uploader.api.detect import DetectClient, DetectOptions
from uploader.api.submission import Origin
from uploader.errors import (
    ConnectError,
    ConnectionLostError,
    ContentTooLargeError,
    CredentialError,
    EndpointError,
    MalformedAnswerError,
    OversizedAnswerError,
    ProvenanceError,
    ReadTimeoutError,
    RedirectRefusedError,
    TokenExpiredError,
    TotalTimeoutError,
    UnauthorizedError,
    UploaderError,
    WriteTimeoutError,
)
from uploader.http.bad_requests import BAD_REQUESTS
from uploader.http.credentials import BearerToken
from uploader.http.endpoint import Endpoint
from uploader.http.exchange import HttpOptions, Timeouts
from uploader.testing import FakeTransport, Scripted, bad_request, realface, unauthorized

FAR = Endpoint.of_region("westus")
QUICK = DetectOptions(HttpOptions(Timeouts(connect_s=60.0, write_s=60.0, read_s=60.0)))
IMPATIENT = DetectOptions(HttpOptions(Timeouts(connect_s=60.0, write_s=0.3, read_s=0.3)))
STALLS = {net.stall, net.stall_in_body, net.never_read}


def client(service, options=QUICK):
    return DetectClient(service.endpoint, KEY, options)


def fake(*steps, endpoint=FAR, credential=KEY, **options):
    transport = FakeTransport(*steps)
    made = DetectClient(endpoint, credential, DetectOptions(**options), transport=transport)
    return made, transport


def test_what_arrives_is_what_was_built():
    sent = submission()
    with serving(net.answer()) as service, client(service) as ours:
        outcome = ours.detect(sent)
    (talk,) = service.talks
    assert talk.head.startswith(
        b"POST /face/v1.1-preview.1/detectLiveness/singleModal HTTP/1.1\r\n"
    )
    assert talk.body == sent.body
    assert talk.headers["content-type"] == sent.content_type
    assert talk.headers["content-length"] == str(sent.size)
    assert talk.headers["ocp-apim-subscription-key"] == KEY.reveal()
    assert talk.headers["client-request-id"] == sent.client_request_id
    assert talk.headers["x-ms-client-request-id"] == sent.client_request_id
    assert talk.headers["accept-encoding"] == "identity"
    assert talk.headers["user-agent"].startswith("facelight/")
    assert "authorization" not in talk.headers
    assert "cookie" not in talk.headers
    assert outcome.decision is LivenessDecision.REALFACE
    assert (outcome.status, outcome.request_id) == (200, "rq")
    assert outcome.client_request_id == sent.client_request_id


def test_a_large_body_arrives_whole():
    sent = submission(bytes(3_000_000))
    with serving(net.answer()) as service, client(service) as ours:
        ours.detect(sent)
    assert service.bodies == [sent.body]


FAULTS = [
    pytest.param(net.close_during, ConnectionLostError, id="closed during the body"),
    pytest.param(net.close_after, ConnectionLostError, id="closed after the body"),
    pytest.param(net.half_head, ConnectionLostError, id="half a head"),
    pytest.param(net.half_answer, ConnectionLostError, id="half an answer"),
    pytest.param(net.stall, ReadTimeoutError, id="stalls before the answer"),
    pytest.param(net.stall_in_body, ReadTimeoutError, id="stalls within the answer"),
    pytest.param(net.never_read, WriteTimeoutError, id="does not take the body"),
    pytest.param(net.announce_huge, OversizedAnswerError, id="announces gigabytes"),
    pytest.param(net.endless, OversizedAnswerError, id="never ends"),
    pytest.param(net.bomb, OversizedAnswerError, id="gzip bomb"),
    pytest.param(net.huge_head, MalformedAnswerError, id="huge header"),
    pytest.param(net.garbage, MalformedAnswerError, id="other protocol"),
    pytest.param(net.early, ContentTooLargeError, id="413 before the body was read"),
    pytest.param(net.answer(200, b""), MalformedAnswerError, id="200 without a body"),
    pytest.param(net.answer(200, b"{oops"), MalformedAnswerError, id="invalid JSON"),
    pytest.param(
        net.answer(200, b"x", content_encoding="br"), MalformedAnswerError, id="unknown encoding"
    ),
    pytest.param(
        net.answer(200, b"xx", content_encoding="gzip"), MalformedAnswerError, id="not gzip at all"
    ),
    pytest.param(
        net.answer(200, gzip.compress(net.GOOD)[:-9], content_encoding="gzip"),
        MalformedAnswerError,
        id="gzip cut off",
    ),
]


@pytest.mark.parametrize(("play", "kind"), FAULTS)
def test_each_fault_of_the_wire_has_its_error(play, kind):
    sent = submission(bytes(8_000_000) if play in {net.never_read, net.early} else b"")
    options = IMPATIENT if play in STALLS else QUICK
    with serving(play) as service, client(service, options) as ours:
        caught = error_of(lambda: ours.detect(sent))
    assert type(caught) is kind
    assert caught is not None
    assert caught.client_request_id == sent.client_request_id
    assert str(caught).isprintable()
    assert len(service.talks) == 1


def test_a_reset_before_the_request_is_lost_or_never_was_a_connection():
    with serving(net.close_before) as service, client(service) as ours:
        caught = error_of(lambda: ours.detect(submission()))
    assert type(caught) in {ConnectionLostError, ConnectError}


def test_an_answer_that_is_compressed_against_our_wish_is_read():
    packed = gzip.compress(net.GOOD)
    with serving(net.answer(200, packed, content_encoding="gzip")) as service:
        assert client(service).detect(submission()).decision is LivenessDecision.REALFACE


def test_a_trickle_ends_at_the_deadline_of_the_whole_attempt():
    options = DetectOptions(HttpOptions(Timeouts(read_s=60.0, total_s=0.4)))
    with serving(net.trickle) as service, pytest.raises(TotalTimeoutError, match=r"0\.4 s"):
        client(service, options).detect(submission())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_ever_followed(status):
    with serving(net.answer()) as other:
        where = f"{other.endpoint.url}/elsewhere"
        redirect = net.answer(status, b"", Location=where)
        with serving(redirect) as service, pytest.raises(RedirectRefusedError):
            client(service).detect(submission())
        assert other.talks == []


def test_the_environment_decides_nothing(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    with serving(net.answer()) as service:
        assert client(service).detect(submission()).delivered


def test_nobody_listening_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ConnectError, match="cannot be reached"):
        DetectClient(Endpoint(url), KEY).detect(submission())


def test_an_unknown_name_is_unreachable(monkeypatch):
    def unknown(*_args, **_kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConnectError, match="Name or service"):
        DetectClient(FAR, KEY).detect(submission())


def test_a_plain_server_behind_https_is_unreachable():
    with serving(net.garbage_at_once) as service:
        tls = Endpoint(service.endpoint.url.replace("http:", "https:"))
        with pytest.raises(ConnectError):
            DetectClient(tls, KEY, QUICK).detect(submission())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("known", [True, False], ids=["known authority", "unknown authority"])
def test_tls_is_verified_and_an_own_authority_can_be_added(certificate, known):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def play(talk):
        talk.connection = context.wrap_socket(talk.connection, server_side=True)
        net.answer()(talk)
        talk.connection.close()

    options = DetectOptions(replace(QUICK.http, ca_file=certificate if known else None))
    with serving(play) as service:
        where = Endpoint(service.endpoint.url.replace("http:", "https:"))
        with DetectClient(where, KEY, options) as ours:
            if known:
                assert ours.detect(submission()).delivered
            else:
                with pytest.raises(ConnectError, match=r"(?i)certificate"):
                    ours.detect(submission())


def test_a_missing_authority_file_is_named(tmp_path):
    options = DetectOptions(HttpOptions(ca_file=tmp_path / "none.pem"))
    with pytest.raises(EndpointError, match=r"none\.pem"):
        DetectClient(FAR, KEY, options)


def test_connections_are_reused_and_a_dead_one_is_replaced():
    good = net.raw(200, {"Content-Length": str(len(net.GOOD))}, net.GOOD)

    def twice_then_close(talk):
        for _ in range(2):
            talk.read()
            talk.send(good)

    with serving(twice_then_close) as service, client(service) as ours:
        for _ in range(3):
            assert ours.detect(submission()).delivered
    assert len(service.talks) == 2


def test_a_204_is_success_without_a_decision():
    ours, _ = fake(Scripted(204, b"", {"apim-request-id": "rq"}))
    outcome = ours.detect(submission())
    assert (outcome.status, outcome.decision, outcome.error) == (204, None, None)
    assert outcome.delivered


@pytest.mark.parametrize("number", range(1, 15))
def test_try_detect_tells_the_advice_of_each_400(number):
    ours, _ = fake(bad_request(number))
    outcome = ours.try_detect(submission())
    entry = BAD_REQUESTS[number - 1]
    assert (outcome.error.code, outcome.error.advice) == (entry.code, entry.advice)
    assert (outcome.status, outcome.error.final, outcome.delivered) == (400, True, False)


def test_a_token_goes_alone_and_its_401_is_told_as_its_end():
    token = BearerToken("tok")
    ours, transport = fake(unauthorized())
    with pytest.raises(TokenExpiredError) as caught:
        ours.detect(submission(origin=Origin(token=token)))
    assert caught.value.status == 401
    headers = transport.requests[0].headers
    assert headers["authorization"] == "Bearer tok"
    assert "ocp-apim-subscription-key" not in headers


def test_a_refused_key_is_unauthorized():
    with pytest.raises(UnauthorizedError):
        fake(unauthorized())[0].detect(submission())


def test_without_any_credential_nothing_is_sent():
    ours, transport = fake(realface(), credential=None)
    with pytest.raises(CredentialError):
        ours.detect(submission())
    assert ours.detect(submission(origin=Origin(token=BearerToken("t")))).delivered
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("endpoint", "allowed", "sent"),
    [
        pytest.param(FAR, False, False, id="real service"),
        pytest.param(FAR, True, True, id="real service, allowed"),
        pytest.param(Endpoint("http://127.0.0.1:1"), False, True, id="local service"),
    ],
)
def test_a_simulated_session_goes_to_a_local_service_only(endpoint, allowed, sent):
    ours, transport = fake(realface(), endpoint=endpoint, allow_simulated=allowed)
    made = submission(origin=Origin(provenance="simulated"))
    if sent:
        assert ours.detect(made).delivered
    else:
        with pytest.raises(ProvenanceError):
            ours.detect(made)
    assert len(transport.requests) == int(sent)


def test_the_model_version_goes_along_and_one_with_other_signs_is_refused():
    ours, transport = fake(realface(), model_version="latest")
    ours.detect(submission())
    assert transport.requests[0].url.params["model-version"] == "latest"
    with pytest.raises(EndpointError):
        DetectOptions(model_version="1999&x")


def test_the_same_submission_is_the_same_bytes_each_time():
    ours, transport = fake(realface())
    sent = submission()
    for _ in range(3):
        ours.detect(sent)
    assert set(transport.bodies) == {sent.body}
    assert len({r.headers["client-request-id"] for r in transport.requests}) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadTimeout("x"),
        httpx.ConnectError("x"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.CloseError("x"),
        httpx.NetworkError("x"),
        httpx.ProtocolError("x"),
        httpx.LocalProtocolError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.ProxyError("x"),
        httpx.UnsupportedProtocol("x"),
        httpx.DecodingError("x"),
        httpx.TooManyRedirects("x"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_no_foreign_exception_gets_through(error):
    with pytest.raises(UploaderError):
        fake(error)[0].detect(submission())


def test_nothing_secret_and_no_url_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with serving(net.answer()) as service, client(service) as ours:
        ours.detect(submission())
    assert KEY.reveal() not in caplog.text
    assert "singleModal" not in caplog.text
    assert "WEBP" not in caplog.text
