"""The kiosk as a process: signals end it cleanly, whatever it is doing."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from facelight.service.server import LocalService
from tests.e2e.kiosks import kiosk

DUMMY = {"SDL_VIDEODRIVER": "dummy"}
PERSON = "sim:size=640x360,distance=45"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        pytest.param(signal.SIGTERM, "capture", id="SIGTERM in the colours"),
        pytest.param(signal.SIGINT, "person_seen", id="Ctrl-C at the notice"),
    ],
)
def test_a_signal_ends_the_kiosk_and_leaves_nothing_half_done(
    tmp_path: Path, service: LocalService, number: signal.Signals, moment: str
) -> None:
    records, spool = tmp_path / "records", tmp_path / "spool"
    more = ["--record", records, "--set", f"spool_dir={spool}"]
    with kiosk(DUMMY, PERSON, service, *more) as running:
        running.until(moment, 120)
        running.process.send_signal(number)
        assert running.process.wait(120) == 0
        running.until("quit", 5)
    assert list(records.iterdir()) == []
    with kiosk(DUMMY, PERSON, service, *more) as again:  # neither camera nor spool is held
        again.until("start", 120)
