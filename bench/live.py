"""A whole live kiosk on an MJPEG stream: how old frames are at their verdict, drops, processor.

Another process serves a person, who moves, over loopback; the kiosk works as in the field: reader
thread, tracker, all measures, screen (SDL's dummy display), plan, clip, and at once the next one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.camera import serve
from bench.figures import Figure, Section, markdown
from bench.memory import Sink
from capture.clock import SystemClock
from capture.display.pygame_screen import PygameScreen, ScreenOptions
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.spec import open_camera
from facelight.config.session_options import SessionOptions
from facelight.config.settings import Settings
from facelight.kiosk.app import Devices, Extras, KioskSession, live
from facelight.kiosk.screens.wording import Words

STREAMS = (((1280, 720), 30.0), ((1920, 1080), 30.0), ((1280, 720), 60.0))
SECONDS = 60.0
WARM_UP_S = 3.0
MOST_MEMORY_MB = 700


def run(seconds: float = SECONDS) -> Section:
    """Measure every stream, each with a kiosk process of its own."""
    rows, figures, told = [], [], ""
    for size_wh, fps in STREAMS:
        found = _measured(size_wh, fps, seconds)
        told = found["told"]
        name = f"{size_wh[1]}p{fps:g}"
        middle, high, last = found["age_ms"]
        rows.append(
            (
                name,
                f"{middle:.1f} / {high:.1f} / {last:.1f}",
                f"{found['judged']} of {found['received']} ({found['dropped']})",
                f"{found['cpu_pct']:.0f} %",
                f"{found['peak_mb']:.0f} MB",
                f"{found['sessions']}",
                f"{found['load']:.1f}",
            )
        )
        limit_ms = 2000 / fps
        figures.append(Figure(f"{name}: age, 99th percentile", last, f"<= {limit_ms:.1f}", "ms"))
        figures.append(
            Figure(f"{name}: peak memory", found["peak_mb"], f"< {MOST_MEMORY_MB}", "MB")
        )
    head = (
        "stream", "age at the verdict, median / p95 / p99 ms", "judged of received (dropped)",
        "one core", "peak memory", "sessions", "load after",
    )  # fmt: skip
    body = (
        f"{seconds:g} s each, {told}; the server's work is in the load, not in the percentage."
        "\n\n" + markdown(head, rows)
    )
    return Section(body, tuple(figures))


def _measured(size_wh: tuple[int, int], fps: float, seconds: float) -> dict[str, Any]:
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    sender = context.Process(target=serve, args=(size_wh, fps, theirs, True), daemon=True)
    sender.start()
    try:
        port, _, told = ours.recv()
        url = f"http://127.0.0.1:{port}/stream.mjpg"
        command = [sys.executable, "-m", "bench.live", url, "--seconds", str(seconds)]
        env = os.environ | {"SDL_VIDEODRIVER": "dummy"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found | {"told": told}
    finally:
        sender.terminate()
        sender.join(10)


def kiosk(url: str, seconds: float) -> dict[str, Any]:
    """Serve for a while and return what was seen; the first seconds do not count."""
    settings = live(
        Settings(session=SessionOptions(again_ms=1000, notice_ms=2000, problem_ms=1500))
    )
    clock, process = SystemClock(), psutil.Process()
    ages_ms: list[float] = []
    told: Counter[str] = Counter()

    def on_event(name: str, _values: dict[str, Any]) -> None:
        told[name] += 1

    screen = PygameScreen(
        Words(settings.kiosk, settings.plan, light=True).wording.theme,
        ScreenOptions(windowed=True),
        clock,
    )
    camera = open_camera(url, LiveOptions(), clock)
    extras = Extras(on_age=lambda age_ns: ages_ms.append(age_ns / 1e6))
    with KioskSession(settings, Devices(camera, screen, Sink(), clock), on_event, extras) as served:
        begun: list[Any] = []

        def begin() -> None:
            ages_ms.clear()
            assert isinstance(camera, LiveCamera)
            begun[:] = [camera.stats, process.cpu_times(), time.monotonic()]

        timers = [threading.Timer(WARM_UP_S, begin)]
        timers.append(threading.Timer(WARM_UP_S + seconds, served.stop))
        for timer in timers:
            timer.start()
        served.run()
        assert isinstance(camera, LiveCamera)
        stats, cpu, first = camera.stats, process.cpu_times(), begun[0]
        spent_s = cpu.user + cpu.system - begun[1].user - begun[1].system
        return {
            "age_ms": [float(v) for v in np.percentile(ages_ms, (50, 95, 99))],
            "judged": len(ages_ms),
            "received": stats.received - first.received,
            "dropped": stats.dropped - first.dropped,
            "cpu_pct": 100 * spent_s / (time.monotonic() - begun[2]),
            "peak_mb": _peak_mb(process),
            "sessions": told["result"],
            "events": [*told.items()],
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan"),
        }


def _peak_mb(process: psutil.Process) -> float:
    """Return the largest resident set so far, on Linux; elsewhere the present one.

    ``getrusage`` would tell that of the process that started this one, too.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return int(found.group(1)) * 1024 / 1e6
    return float(process.memory_info().rss) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.live")
    parser.add_argument("url", help="of an MJPEG stream")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    print(json.dumps(kiosk(given.url, given.seconds)))
