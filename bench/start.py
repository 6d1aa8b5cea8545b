"""How long ``facelight --help`` takes, and a kiosk until its first screen and to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, Section, markdown, spread
from facelight.service.server import LocalService

ROUNDS = 10
COMMAND = Path(sys.executable).with_name("facelight")
PEER = "import cv2, mediapipe"


def run() -> Section:
    """Measure the command as it is installed; beside it the bare import of cv2 and mediapipe."""
    helped, bare = [], []
    prompted, ended = list[float](), list[float]()
    for _ in range(ROUNDS):
        helped.append(_took([str(COMMAND), "--help"]))
        bare.append(_took([sys.executable, "-c", PEER]))
    with LocalService("bench") as service, tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS // 2):
            first_s, end_s = _until_idle_and_ended(service.url, Path(folder))
            prompted.append(first_s)
            ended.append(end_s)
    rows = [
        ("`facelight --help`", spread(helped, 3)),
        (f'`python -c "{PEER}"`, beside it', spread(bare, 3)),
        ("`facelight kiosk` until its first screen (simulated camera, SDL's dummy display)",
         spread(prompted, 2)),
        ("the same kiosk from SIGTERM until it has ended", spread(ended, 2)),
    ]  # fmt: skip
    middle = sorted(helped)[len(helped) // 2]
    return Section(
        markdown(("", "s, median (5 % to 95 %)"), rows),
        (Figure("facelight --help", middle, "< 0.3", "s"),),
    )


def _took(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def _until_idle_and_ended(endpoint: str, folder: Path) -> tuple[float, float]:
    """Start a kiosk; return the seconds until its event ``idle`` and from SIGTERM to its end."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("FACELIGHT_")} | {
        "SDL_VIDEODRIVER": "dummy",
        "FACELIGHT_KEY": "bench",
        "XDG_DATA_HOME": str(folder),
        "XDG_STATE_HOME": str(folder),
    }
    command = [COMMAND, "kiosk", "--events", "--windowed", "--camera", "sim:person=none"]
    start = time.perf_counter()
    with subprocess.Popen(
        [*map(str, command), "--endpoint", endpoint],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env,
    ) as process:  # fmt: skip
        events = (json.loads(line)["event"] for line in process.stdout or ())
        try:
            idle = any(event == "idle" for event in events)
        finally:
            told = time.perf_counter()
            process.terminate()
        process.communicate()
    if not idle:
        raise RuntimeError("the kiosk ended before it was idle")
    return told - start, time.perf_counter() - told
