"""Runs the program as its user would, against a local service in this process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from facelight.cli import main
from facelight.service.server import LocalService

Run: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


def is_pace(line: str) -> bool:
    """Return whether a line says how far a batch is, which only a slow machine comes to say."""
    return re.match(r"\d+ of \d+(,|$)", line) is not None


@pytest.fixture(scope="session")
def run() -> Run:
    """Run ``facelight`` with arguments in a fresh process, without the caller's settings."""

    def call(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("FACELIGHT_")}
        command = [sys.executable, "-m", "facelight", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env=env, cwd=cwd, timeout=300, check=False
        )

    return call


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``facelight`` with arguments in this process, where a fresh one is not the point."""

    def called(*arguments: object) -> subprocess.CompletedProcess[str]:
        given = [*map(str, arguments)]
        monkeypatch.setattr(sys, "argv", ["facelight", *given])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        return subprocess.CompletedProcess(given, int(ended.value.code or 0), told.out, told.err)

    return called


@pytest.fixture(scope="session")
def service() -> Iterator[LocalService]:
    """A local service for the whole test run."""
    with LocalService() as running:
        yield running


def write_video(path: Path, frames: Sequence[NDArray[np.uint8]]) -> Path:
    """Write BGR frames losslessly at 30 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "bgr0"
        stream.time_base = Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, pixels in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="bgr24")
            picture = picture.reformat(format="bgr0")
            picture.pts, picture.time_base = round(index * 1000 / 30), Fraction(1, 1000)
            for packet in stream.encode(picture):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def read_video(path: Path, count: int) -> list[NDArray[np.uint8]]:
    """Return the first frames of a video, BGR."""
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [
            frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
            for frame in islice(frames, count)
        ]
