"""The example page in a real browser: it starts a session, shows its events and its result."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest

from facelight.config.session_options import SessionOptions
from facelight.kiosk.control.port import ControlAddress, ControlPort, ControlSettings
from tests.facelight.kiosk.control.stepped import GOOD, TOKEN, SteppedKiosk
from uploader.http.credentials import BearerToken

PAGES = Path(__file__).parents[4] / "docs" / "examples"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


WATCHER = b"""<script>
new MutationObserver(() => {
  if (field("status").dataset.kind) fetch("/finished");
}).observe(field("status"), { attributes: true });
</script><img src="/wait" alt="">"""
"""The picture keeps the page loading, and so the browser waiting, until the page is finished."""


class _Pages(SimpleHTTPRequestHandler):
    """Serves the example with the watcher, as an operator's own web server would."""

    finished: threading.Event

    def do_GET(self) -> None:
        if self.path == "/finished":
            self.finished.set()
        elif self.path == "/wait":
            self.finished.wait(90)
        else:
            self._send((PAGES / "kiosk_control.html").read_bytes() + WATCHER)
            return
        self._send(b"")

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[str]:
    """Serve the example; yield its origin."""
    finished = threading.Event()
    handler = type("Pages", (_Pages,), {"finished": finished})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    finished.set()
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def moving(kiosk: SteppedKiosk) -> Iterator[None]:
    """Let a person stand before the kiosk, and time pass there, until the block ends."""
    over = threading.Event()

    def move() -> None:
        while not over.wait(0.002):
            kiosk.run(33, GOOD)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def shown(url: str, profile: Path) -> str:
    """Return the page as it is once it is finished."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update"]
    command = [browser, *quiet, "--timeout=90000", f"--user-data-dir={profile}", "--dump-dom", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("allowed", "token", "word"),
    [
        pytest.param(True, TOKEN, "Ended: real, decision: realface", id="right token"),
        pytest.param(True, "wrong-token-of-somebody", "token: Authorization", id="wrong token"),
        pytest.param(False, TOKEN, "Failed to fetch", id="page that was not named"),
    ],
)
def test_a_page_drives_the_kiosk(
    page: str, tmp_path: Path, allowed: bool, token: str, word: str
) -> None:
    kiosk = SteppedKiosk(SessionOptions(start="request"))
    origins = (page,) if allowed else ()
    address = ControlAddress("127.0.0.1")
    settings = ControlSettings(address, BearerToken(TOKEN), origins, False)
    with ControlPort(settings, kiosk.sessions) as port:
        wish = {"address": f"http://{port.address}", "token": token, "reference": "page-1"}
        with moving(kiosk):
            dom = shown(f"{page}/kiosk_control.html#{urlencode(wish | {'go': '1'})}", tmp_path)
    assert word in dom, dom[dom.index("<form") : dom.index("<script")] + str(kiosk.names())
    started = [values["reference"] for name, values in kiosk.events if name == "requested"]
    assert started == (["page-1"] if "Ended" in word else [])
    assert ("result real" in dom) is bool(started)
