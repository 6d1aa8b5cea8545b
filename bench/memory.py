"""Memory of a kiosk over many sessions, simulated on a virtual clock, in a process of its own."""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.figures import Figure, Section, markdown
from capture.clock import VirtualClock
from capture.display.virtual import VirtualScreen
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.scene.simulated_screen import FlipHistory
from capture.simulator.sim_spec import parse_spec
from facelight.commands.demo_session import for_simulation
from facelight.config.settings import Settings
from facelight.kiosk.app import Devices, KioskSession
from facelight.kiosk.machine.events import Event
from facelight.kiosk.outbox import answer_of
from preprocess.clip.clip import Clip
from uploader.api.decision import LivenessDecision
from uploader.api.submission import Origin, Outcome

SESSIONS = 300
SPEC = "sim:size=640x360,distance=45,fps=10"
"""Ten frames a second, and pages that nobody has to read, so that a session costs two seconds."""
SECONDS_A_SESSION = 60
"""Of simulated time, at most."""


class Sink:
    """An outbox that says that every person is real and keeps nothing."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None

    def ensure_room(self) -> None:
        """There is always room."""

    def send(self, job: int, clip: Clip, origin: Origin, tell: Callable[[Event], None]) -> None:
        """Answer at once."""
        del clip, origin
        self.outcome = Outcome(200, "0", decision=LivenessDecision.REALFACE)
        tell(answer_of(job, self.outcome))

    def close(self) -> None:
        """Nothing is open."""


def serve(sessions: int) -> list[dict[str, float]]:
    """Serve so many people in one kiosk; return what the process held after each."""
    process = psutil.Process()
    found: list[dict[str, float]] = []

    def told(name: str, values: dict[str, Any]) -> None:
        if name != "idle" or "after" not in values:
            return
        if values["after"] != "real":
            raise RuntimeError(f"session {len(found)} ended as {values['after']}")
        gc.collect()
        found.append(
            {
                "megabytes": process.memory_info().rss / 1e6,
                "threads": threading.active_count(),
                "files": process.num_fds() if sys.platform != "win32" else 0,
                "temporary": sum(1 for _ in Path(tempfile.gettempdir()).rglob("*")),
            }
        )
        print(json.dumps(found[-1]), flush=True)
        if len(found) == sessions:
            kiosk.stop()

    options = replace(parse_spec(SPEC), duration_s=float(sessions * SECONDS_A_SESSION))
    simulated = for_simulation(Settings(), options)
    short = replace(simulated.session, notice_ms=500, result_ms=300, again_ms=500)
    settings = simulated.model_copy(update={"session": short})
    clock, history = VirtualClock(), FlipHistory()
    camera = SimulatedCamera(options, clock, history)
    screen = VirtualScreen(clock, on_flip=history.on_flip)
    devices = Devices(camera, screen, Sink(), clock, stepping=True)
    with KioskSession(settings, devices, told) as kiosk:
        kiosk.run()
    return found


def run(sessions: int = SESSIONS) -> Section:
    """Measure in a new process; growth is the slope over the second half of the sessions."""
    command = [sys.executable, "-m", "bench.memory", "--sessions", str(sessions)]
    with tempfile.TemporaryDirectory() as own:
        environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), own)
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    memory = [one["megabytes"] for one in found]
    second = memory[len(memory) // 2 :]
    slope = float(np.polyfit(range(len(second)), second, 1)[0])
    steady = {(one["threads"], one["files"], one["temporary"]) for one in found[1:]}
    threads, files, temporary = max(steady)
    rows = [
        ("resident after the first session", f"{memory[0]:.0f} MB"),
        (f"after {len(memory) // 2}", f"{memory[len(memory) // 2 - 1]:.0f} MB"),
        (f"after {len(memory)}", f"{memory[-1]:.0f} MB"),
        ("growth over the second half", f"{slope:.4f} MB a session"),
        ("threads, open files, temporary files",
         f"{threads:.0f}, {files:.0f}, {temporary:.0f}; the same after every session: "
         f"{'yes' if len(steady) == 1 else 'NO'}"),
    ]  # fmt: skip
    body = (
        f"{sessions} people, one after another, in one kiosk process; simulated at 640x360, every"
        " stage from tracker to clip is the kiosk's own.\n\n" + markdown(("what", "found"), rows)
    )
    return Section(
        body,
        (
            Figure("growth of a kiosk", slope, "< 0.1", "MB a session"),
            Figure("sets of threads, files and temporary files", len(steady), "== 1"),
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.memory")
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    serve(parser.parse_args().sessions)
