"""Proxy, authorities, client certificate and slow names, each against real sockets."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading

import pytest
import trustme

from tests.uploader import socket_service as net
from tests.uploader.samples import KEY, error_of, submission
from tests.uploader.socket_service import serving
from uploader.api.detect import DetectClient, DetectOptions
from uploader.errors import (
    ConnectError,
    ConnectTimeoutError,
    CredentialError,
    EndpointError,
    ProxyRefusedError,
)
from uploader.http.endpoint import Endpoint
from uploader.http.exchange import HttpOptions, Timeouts
from uploader.http.network_options import NetworkOptions, first_hop, proxy_for, tls_context

HTTP_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n"
    b'{"livenessDecision":"realface"}'
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A private authority and what it has issued, as files."""
    folder = tmp_path_factory.mktemp("ca")
    made = trustme.CA()
    made.cert_pem.write_to_path(folder / "ca.pem")
    client = made.issue_cert("kiosk@example.org")
    client.private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
    client.private_key_pem.write_to_path(folder / "client.key")
    client.cert_chain_pems[0].write_to_path(folder / "client.crt")
    (folder / "garbage.pem").write_text("no certificate")
    return made, folder


@pytest.fixture(scope="module")
def tls_service(authority):
    """A TLS service on localhost that wants a client's certificate; gives its port."""
    made, _ = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("localhost").configure_cert(context)
    made.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    listening = socket.create_server(("127.0.0.1", 0))

    def one(connection):
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                data = b""
                while b"--\r\n" not in data[-10:]:
                    data += secured.recv(65536)
                secured.sendall(HTTP_ANSWER)
        except OSError:
            connection.close()  # no certificate of ours: that is what some tests want

    def accept():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listening.getsockname()[1]
    listening.close()


@pytest.fixture(scope="module")
def signed_in_proxy(tmp_path_factory):
    """A proxy of its own process that wants credentials; gives its URL."""
    port_file = tmp_path_factory.mktemp("proxy") / "port"
    command = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0"]
    command += ["--port-file", str(port_file), "--basic-auth", "kiosk:p:w"]
    command += ["--num-workers", "1", "--num-acceptors", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while not (port_file.exists() and port_file.read_text().strip()):
            assert running.poll() is None
        yield f"http://127.0.0.1:{port_file.read_text().strip()}"
        running.terminate()


def attempt(url, **more):
    options = DetectOptions(http=HttpOptions(Timeouts(connect_s=10, total_s=20), **more))
    with DetectClient(Endpoint(url), KEY, options) as client:
        return client.detect(submission())


@pytest.mark.slow
def test_by_a_proxy_with_credentials_a_private_authority_and_a_client_certificate(
    authority, tls_service, signed_in_proxy, tmp_path
):
    _, folder = authority
    (tmp_path / "proxy").write_text("kiosk:p:w\n")
    network = {
        "proxy": signed_in_proxy,
        "proxy_credentials_file": tmp_path / "proxy",
        "ca_file": folder / "ca.pem",
        "client_certificate": folder / "client.crt",
        "client_key": folder / "client.key",
    }
    url = f"https://localhost:{tls_service}"
    assert attempt(url, **network).decision == "realface"
    (tmp_path / "proxy").write_text("kiosk:wrong\n")
    refused = error_of(lambda: attempt(url, **network))
    assert isinstance(refused, ProxyRefusedError)
    assert "407" in str(refused)
    assert "wrong" not in str(refused)


def test_a_plain_service_is_reached_by_the_proxy_too(signed_in_proxy, monkeypatch):
    monkeypatch.setenv("FACELIGHT_PROXY_CREDENTIALS", "kiosk:p:w")
    with serving(net.answer()) as service:
        assert attempt(service.endpoint.url, proxy=signed_in_proxy).decision == "realface"


def test_key_and_certificate_may_be_one_file(authority, tls_service):
    _, folder = authority
    outcome = attempt(
        f"https://localhost:{tls_service}",
        ca_file=folder / "ca.pem",
        client_certificate=folder / "client.pem",
    )
    assert outcome.decision == "realface"


def test_the_machines_own_store_is_trusted(authority, tls_service, monkeypatch):
    _, folder = authority
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    outcome = attempt(f"https://localhost:{tls_service}", client_certificate=folder / "client.pem")
    assert outcome.decision == "realface"


def test_an_authority_nobody_named_is_refused(authority, tls_service):
    _, folder = authority
    refused = error_of(
        lambda: attempt(
            f"https://localhost:{tls_service}", client_certificate=folder / "client.pem"
        )
    )
    assert isinstance(refused, ConnectError)
    assert "certificate" in str(refused)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({"ca_file": "garbage.pem"}, "http.ca_file", id="authority, garbage"),
        pytest.param({"ca_file": "client.key"}, "http.ca_file", id="authority, a key"),
        pytest.param({"ca_file": "none.pem"}, "no such file", id="authority, missing"),
        pytest.param({"ca_file": "."}, "no such file", id="authority, a folder"),
        pytest.param({"client_certificate": "garbage.pem"}, "client_certificate", id="garbage"),
        pytest.param({"client_certificate": "client.crt"}, "client_certificate", id="no key"),
        pytest.param({"client_key": "client.key"}, "client_key", id="a key alone"),
        pytest.param({"client_certificate": "none"}, "no such file", id="missing"),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(authority, changes, named):
    _, folder = authority
    files = {name: folder / value for name, value in changes.items()}
    with pytest.raises(EndpointError, match=named) as refused:
        tls_context(NetworkOptions(**files))
    assert "\n" not in str(refused.value)


def test_an_encrypted_key_is_an_error_and_asks_nobody(authority, tmp_path):
    from cryptography.hazmat.primitives import serialization as form

    _, folder = authority
    key = form.load_pem_private_key((folder / "client.key").read_bytes(), None)
    sealed = key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"secret")
    )
    (tmp_path / "sealed.key").write_bytes(sealed)
    with pytest.raises(EndpointError, match="unencrypted key"):
        tls_context(
            NetworkOptions(
                client_certificate=folder / "client.crt", client_key=tmp_path / "sealed.key"
            )
        )


@pytest.mark.parametrize(
    "address",
    ["proxy:3128", "ftp://proxy", "http://", "http://proxy:99999", "http://proxy/x", "socks5://p"],
)
def test_a_malformed_proxy_is_refused(address):
    with pytest.raises(EndpointError, match=r"http\.proxy"):
        attempt("http://127.0.0.1:9", proxy=address)


def test_credentials_do_not_stand_in_a_setting():
    with pytest.raises(EndpointError, match="settings are shown") as refused:
        proxy_for(NetworkOptions(proxy="http://me:CANARY@proxy:1"), "https", "a.example")
    assert "CANARY" not in str(refused.value)


def test_credentials_are_a_user_and_a_password():
    network = NetworkOptions(proxy="http://proxy:1")
    with pytest.raises(CredentialError, match="USER:PASSWORD") as refused:
        proxy_for(network, "https", "a", {"FACELIGHT_PROXY_CREDENTIALS": "CANARY"})
    assert "CANARY" not in str(refused.value)
    made = proxy_for(network, "https", "a", {"FACELIGHT_PROXY_CREDENTIALS": "me:CANARY"})
    assert "CANARY" not in repr(made)


def test_the_environments_proxy_counts_only_when_asked_for(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://me:p%40w@gate:3128")
    monkeypatch.setenv("NO_PROXY", "intern.example")
    assert proxy_for(NetworkOptions(), "https", "a.example") is None
    network = NetworkOptions(use_environment_proxy=True)
    found = proxy_for(network, "https", "a.example")
    assert found is not None
    assert (found.url, found.credentials) == ("http://gate:3128", ("me", "p@w"))
    assert proxy_for(network, "https", "intern.example") is None
    assert first_hop(network, "https://a.example") == ("gate", 3128)
    assert first_hop(network, "https://intern.example") == ("intern.example", 443)


def test_a_name_that_is_not_resolved_ends_with_the_connect_timeout(monkeypatch):
    never, looked_up = threading.Event(), []

    def look_up(*_a, **_m):
        never.wait()
        looked_up.append(True)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    options = DetectOptions(http=HttpOptions(Timeouts(connect_s=0.2, total_s=500)))
    client = DetectClient(Endpoint("https://slow.example"), KEY, options)
    failed = error_of(lambda: client.detect(submission()))
    assert isinstance(failed, ConnectTimeoutError)
    assert not looked_up, "it ended before the lookup did"
    never.set()


@pytest.mark.slow
def test_every_address_of_a_name_is_tried(monkeypatch):
    with serving(net.answer()) as service:
        port = int(service.endpoint.url.rpartition(":")[2])
        entries = [(2, 1, 6, "", (address, port)) for address in ("127.0.0.3", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_m: entries)
        assert attempt(f"http://localhost:{port}").decision == "realface"
