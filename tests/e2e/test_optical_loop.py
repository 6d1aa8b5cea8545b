"""The optical loop, closed through a real screen: what the kiosk shows lights what it films.

Another process (``optical_stream``) reads the Xvfb's own framebuffer, lights a simulated head with
it and serves the frames with a known lag.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from capture.files.recording_format import VIDEO, read_session
from capture.light.timeline import LabelKind
from facelight.service.server import LocalService
from tests.e2e.kiosks import kiosk, running

LATENCY_MS = 85.0
PURE = 0.97
"""The stream looks at the screen some 400 times a second: an edge is known to 1 or 2 ms."""

pytestmark = pytest.mark.skipif(
    shutil.which("Xvfb") is None, reason="Xvfb is not on PATH: no framebuffer to film"
)


@contextmanager
def xvfb(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield display and framebuffer file of a screen of 960x540."""
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", write_end, "-screen", "0", "960x540x24", "-nolisten", "tcp"]
    with running([*command, "-fbdir", folder], pass_fds=[write_end], stderr=subprocess.DEVNULL):
        os.close(write_end)
        number = b""
        while not number.endswith(b"\n"):  # closed earlier, its SIGPIPE would end Xvfb
            ready, _, _ = select.select([read_end], [], [], 30)
            assert ready, "Xvfb did not start"
            number += os.read(read_end, 16)
        os.close(read_end)
        yield f":{number.decode().strip()}", folder / "Xvfb_screen0"


@contextmanager
def stream(framebuffer: Path, truth: Path, *more: object) -> Iterator[str]:
    """Yield the URL of a stream that films a head lit by the framebuffer."""
    command = [sys.executable, "-m", "tests.e2e.optical_stream", framebuffer, "--truth", truth]
    root = Path(__file__).parents[2]
    with running([*command, "--latency-ms", LATENCY_MS, *more], cwd=root) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.search(r"http://\S+", line)
        assert url, f"the stream did not start: {line!r}"
        yield url.group()


def wrong_labels(recording: Path, truth: Path) -> tuple[list[str], dict[str, int]]:
    """Compare a recording's labels with the light that each frame really saw, and count them."""
    told = {}
    for line in truth.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        told[entry["seq"]] = entry["least"]
    session = read_session(recording)
    timeline = session.timeline()
    assert timeline is not None
    wrong, counts = [], dict[str, int]()
    for t_ns, seq in zip(session.frames_t_ns, sequence_numbers(recording), strict=True):
        label = timeline.label(t_ns)
        counts[label.colour or label.kind] = counts.get(label.colour or label.kind, 0) + 1
        name = label.colour if label.kind is LabelKind.CLEAN else str(label.kind)
        certain = label.kind in (LabelKind.CLEAN, LabelKind.NEUTRAL)
        if certain and told[seq].get(name, 0.0) < PURE:
            wrong.append(f"frame {seq} is called {name} and saw {told[seq]}")
    return wrong, counts


def sequence_numbers(recording: Path) -> list[int]:
    """Return the numbers that the stream wrote into the comments of its JPEGs."""
    with av.open(str(recording / VIDEO)) as container:
        packets = [bytes(p) for p in container.demux(video=0) if p.size]
    found = [re.search(rb"seq=(\d+)", packet[:64]) for packet in packets]
    assert all(found), "the recording does not hold the camera's own bytes"
    return [int(match.group(1)) for match in found if match]


@pytest.mark.slow
def test_one_session_through_a_real_screen_is_labelled_as_it_was_lit(
    tmp_path: Path, service: LocalService
) -> None:
    truth, records = tmp_path / "truth.jsonl", tmp_path / "records"
    with (
        xvfb(tmp_path) as (display, framebuffer),
        stream(framebuffer, truth) as url,
        kiosk({"DISPLAY": display}, url, service, "--once", "--record", records) as running_kiosk,
    ):
        running_kiosk.until("quit", 300)
        assert running_kiosk.process.wait(120) == 0
    assert running_kiosk.all("result")[-1]["decision"] == "realface"
    light = running_kiosk.all("light")[-1]
    assert light["delay_ms"] == pytest.approx(LATENCY_MS, abs=8)
    recordings = sorted(records.glob("*.flrec"))
    assert recordings
    for recording in recordings:
        wrong, counts = wrong_labels(recording, truth)
        assert wrong == []
        assert min(counts.get(colour, 0) for colour in ("Red", "Green", "Blue")) >= 4


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("stamps", [True, False], ids=["stamped", "by arrival"])
def test_twenty_sessions_in_a_row_have_no_wrong_label(
    tmp_path: Path, service: LocalService, stamps: bool
) -> None:
    truth, records = tmp_path / "truth.jsonl", tmp_path / "records"
    arrival = [] if stamps else ["--no-stamps"]
    again = ["--set", "session.again_ms=1000", "--record", records]
    with (
        xvfb(tmp_path) as (display, framebuffer),
        stream(framebuffer, truth, *arrival) as url,
        kiosk({"DISPLAY": display}, url, service, *again) as running_kiosk,
    ):
        for _ in range(20):
            running_kiosk.until("idle", 120, after="real")
        asked_s = time.monotonic()
        running_kiosk.process.send_signal(signal.SIGTERM)
        assert running_kiosk.process.wait(120) == 0
        ended_s = time.monotonic() - asked_s
    delays = [event["delay_ms"] for event in running_kiosk.all("light")]
    found = [wrong_labels(recording, truth) for recording in sorted(records.glob("*.flrec"))]
    figures = {"delays_ms": delays, "sigterm_s": ended_s, "labels": [n for _, n in found]}
    (tmp_path / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    assert [wrong for wrong, _ in found if wrong] == []
    assert len(found) >= 20
    late = 0.0 if stamps else 8.0  # sending and waking up come on top, nobody knows how much
    assert all(abs(delay - LATENCY_MS - late) <= 8 + late for delay in delays)
    assert ended_s < 2
