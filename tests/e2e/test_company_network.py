"""A kiosk in a company's network: authenticating proxy, private authority, client certificate."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from tests.e2e.kiosks import kiosk, running
from tests.uploader.samples import submission
from tests.waiting import until
from uploader.spool.item import ItemState
from uploader.spool.opening import observe_spool, open_spool

DUMMY = {"SDL_VIDEODRIVER": "dummy"}
PERSON = "sim:size=640x360,distance=45,fps=15"
SERVICE = Path(__file__).with_name("tls_service.py")

pytestmark = pytest.mark.slow


class Address(NamedTuple):
    """What a kiosk needs to know of a service."""

    url: str


def test_a_kiosk_delivers_only_by_proxy_authority_and_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("localhost", "kiosk@example.org"):
        issued = authority.issue_cert(name).private_key_and_cert_chain_pem
        issued.write_to_path(str(tmp_path / f"{name.partition('@')[0]}.pem"))
    (tmp_path / "proxy").write_text("kiosk:secret")
    sent = submission()
    with open_spool(tmp_path / "spool", environment={}) as spool:
        item = spool.put(sent)

    serve = [sys.executable, SERVICE, tmp_path / "localhost.pem", tmp_path / "ca.pem"]
    port_file, log = tmp_path / "port", tmp_path / "proxy.log"
    gate = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0"]
    gate += ["--port-file", str(port_file), "--log-file", str(log), "--num-workers", "1"]
    gate += ["--num-acceptors", "1", "--basic-auth", "kiosk:secret"]
    with running(serve) as service, running(gate):
        assert service.stdout is not None
        port = int(service.stdout.readline())
        until(lambda: port_file.exists() and port_file.read_text().strip())
        network = {
            "spool_dir": tmp_path / "spool",
            "http.proxy": f"http://127.0.0.1:{port_file.read_text().strip()}",
            "http.proxy_credentials_file": tmp_path / "proxy",
            "http.ca_file": tmp_path / "ca.pem",
            "http.client_certificate": tmp_path / "kiosk.pem",
        }
        flags = [word for name, value in network.items() for word in ("--set", f"{name}={value}")]
        with kiosk(DUMMY, PERSON, Address(f"https://localhost:{port}"), *flags) as there:
            there.until("start", 120)
            received = json.loads(service.stdout.readline())
            until(lambda: state(tmp_path, item.id) is not ItemState.QUEUED)
    assert received["id"] == sent.client_request_id
    assert (received["certified"], received["bytes"]) == (True, sent.size)
    assert state(tmp_path, item.id) is ItemState.DELIVERED
    assert f"CONNECT localhost:{port}" in log.read_text()


def state(folder: Path, item_id: str) -> ItemState:
    with observe_spool(folder / "spool") as spool:
        return spool.item(item_id).state
