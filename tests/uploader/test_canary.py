"""Canaries: no secret and no picture in logs, crash messages, the process list or readable files.

A process of its own keeps, fails, delivers and crashes, with everything that logs set to DEBUG.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.uploader import socket_service as net
from tests.uploader.socket_service import serving

KEY, TOKEN = "canary-key-0123456789", "canary-token-0123456789"
PICTURE = "canary-picture-bytes"
SECRETS = [KEY, TOKEN, PICTURE, "targetFaceRectangle", "illuminatedColor", "WEBPVP8X"]

SCRIPT = """
import logging, os, sys
from pathlib import Path
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
from tests.uploader.samples import submission
from uploader.api.detect import DetectClient
from uploader.http.credentials import BearerToken, read_key_file
from uploader.http.endpoint import Endpoint
from uploader.spool.opening import open_spool
from uploader.spool.limits import SpoolLimits
from uploader.api.submission import Origin
from uploader.spool.delivery import DeliveryWorker
base, url, picture = Path(sys.argv[1]), sys.argv[2], os.environ["PICTURE"].encode()
key = read_key_file(base / "key")
token = BearerToken((base / "token").read_text().strip())
print(Path("/proc/self/cmdline").read_bytes() if os.path.exists("/proc/self/cmdline") else b"")
client = DetectClient(Endpoint(url), key)
with open_spool(base / "spool", SpoolLimits(min_free_bytes=0)) as spool:
    worker = DeliveryWorker(spool, client, listener=lambda event: print(event))
    worker.submit(submission(picture))
    worker.submit(submission(picture + b"2", Origin(session_id="s", token=token)))
    for _ in range(4):
        worker.step()
    print(list(spool.items()), client.__dict__, worker.__dict__.keys(), token, key)
    sent = submission(picture, Origin(token=token))
    def crash(sent, key, token):
        raise RuntimeError(f"{sent} {key} {token}")
    crash(sent, key, token)
"""


def echo(talk):
    """Repeat the secrets of the request, as proxies in a debugging mood do."""
    talk.read()
    names = ("ocp-apim-subscription-key", "authorization")
    told = " ".join(talk.headers.get(name, "") for name in names)
    headers = {"apim-request-id": told, "Location": f"http://x/{told}"}
    talk.send(net.raw(500, headers, f"you sent {told}".encode()))


STEPS = {
    "delivered": net.answer(),
    "refused": net.message(400, "Face is too blurred and cannot be clearly seen."),
    "unauthorized": net.message(401, "Access denied."),
    "failing": net.message(500, "oops"),
    "lost": net.half_answer,
    "echoing": echo,
}


@pytest.mark.parametrize("step", STEPS)
def test_nothing_secret_leaves_the_process(tmp_path, step):
    for name, secret in (("key", KEY), ("token", TOKEN)):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    with serving(STEPS[step]) as service:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path), service.endpoint.url],
            capture_output=True,
            check=False,
            env={**os.environ, "PICTURE": PICTURE},
            cwd=Path(__file__).parents[2],
            timeout=300,
        )
    told = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert "RuntimeError" in told
    assert "item " in told
    for secret in SECRETS:
        assert secret not in told, secret
    for path in (tmp_path / "spool").rglob("*"):
        if path.is_file():
            assert not any(secret.encode() in path.read_bytes() for secret in SECRETS), path
            assert os.name == "nt" or not stat.S_IMODE(path.stat().st_mode) & 0o077, path
