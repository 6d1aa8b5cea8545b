"""The kiosk as a process: signals end it cleanly, whatever it is doing."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from facelight.service.server import LocalService
from tests.e2e.kiosks import kiosk

DUMMY = {"SDL_VIDEODRIVER": "dummy"}
PERSON = "sim:size=640x360,distance=45,fps=15"

pytestmark = pytest.mark.slow


def test_a_signal_ends_the_kiosk_and_leaves_nothing_half_done(
    tmp_path: Path, service: LocalService
) -> None:
    records, spool = tmp_path / "records", tmp_path / "spool"
    more = ["--record", records, "--set", f"spool_dir={spool}"]
    for number, moment in (  # in the colours, then at the notice
        (signal.SIGTERM, "capture"),
        (signal.SIGINT, "person_seen"),
    ):
        with kiosk(DUMMY, PERSON, service, *more) as running:
            running.until(moment, 300)
            running.process.send_signal(number)
            assert running.process.wait(120) == 0
            running.until("quit", 60)
        assert list(records.iterdir()) == []
    with kiosk(DUMMY, PERSON, service, *more) as again:  # neither camera nor spool is held
        again.until("start", 300)
