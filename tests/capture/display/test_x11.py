"""The X server may die: the program puts things in order and ends with its own code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

SCRIPT = """
import sys, threading
import pygame
from capture.display.x11 import when_x_server_dies

def in_order():
    print("in order", flush=True)
    if "raise" in sys.argv:
        raise RuntimeError("no")

pygame.display.init()
surface = pygame.display.set_mode((64, 48))
assert when_x_server_dies(in_order)
threading.Thread(target=threading.Event().wait, daemon=True).start()
print("ready", flush=True)
while True:
    pygame.display.flip()
    pygame.event.get()
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
@pytest.mark.parametrize("way", ["return", "raise"])
def test_the_last_words_are_said_and_the_exit_code_is_ours(way: str) -> None:
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "320x240x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            display = pipe.readline().strip()
        client = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, way],
            env={**os.environ, "DISPLAY": f":{display}", "SDL_VIDEODRIVER": "x11"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert client.stdout is not None
        while client.stdout.readline().strip() != "ready":
            assert client.poll() is None
    finally:
        server.kill()
        server.wait()
    out, _ = client.communicate(timeout=300)
    assert out.strip() == "in order"
    assert client.returncode == 1


def test_without_an_x_server_there_is_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    import pygame

    from capture.display.x11 import when_x_server_dies

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    try:
        assert not when_x_server_dies(lambda: None)
    finally:
        pygame.display.quit()
