"""What other programs import: light to load, complete, and every block of its page runs."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

import facelight
from capture.light.plan import make_plan
from capture.simulator.planned_session import simulate
from capture.simulator.sim_spec import parse_spec
from facelight.service.server import LocalService
from preprocess.errors import EncodeError, GeometryError
from preprocess.reasons import Reason

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "api.md"
PROGRAMS = sorted((ROOT / "tests" / "typing").glob("*_client.py"))
SPEC = "sim:size=640x360,distance=45cm,seed=2,fps=15"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two seconds of a simulated person, and a picture of it."""
    folder = tmp_path_factory.mktemp("api")
    made = simulate(make_plan(seed=5), parse_spec(SPEC))
    with made.camera as camera, av.open(str(folder / "session.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=15)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "bgr0"
        for _ in range(30):
            frame = camera.read()
            assert frame is not None
            last = frame.pixels
            container.mux(stream.encode(av.VideoFrame.from_ndarray(last, "bgr24")))
        container.mux(stream.encode())
    cv2.imwrite(str(folder / "face.png"), last)
    return folder


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with LocalService() as running:
        yield running.url


def test_importing_it_loads_no_library_and_changes_no_variable() -> None:
    program = (
        "import json, os, sys; before = dict(os.environ); import facelight;"
        "print(json.dumps([sorted({m.partition('.')[0] for m in sys.modules}),"
        "before == dict(os.environ)]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded, unchanged = json.loads(done.stdout)
    assert unchanged
    assert not {"cv2", "mediapipe", "numpy", "pydantic", "pygame", "httpx"} & set(loaded)


def test_every_public_name_is_there_and_no_other_is_listed() -> None:
    named = re.findall(r" as (\w+)$", (ROOT / "facelight" / "__init__.pyi").read_text(), re.M)
    assert sorted(facelight.__all__) == sorted(named)
    for name in named:
        assert getattr(facelight, name) is not None
    with pytest.raises(AttributeError):
        facelight.judge_pictures  # type: ignore[attr-defined]  # noqa: B018


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.slow
def test_every_block_of_the_page_runs(
    material: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(material)
    names: dict[str, Any] = {"service_url": service, "__name__": "client"}
    said = io.StringIO()
    with redirect_stdout(said):
        for number, block in enumerate(blocks(), 1):
            exec(compile(block, f"api.md, block {number}", "exec"), names)
    assert len(blocks()) >= 7
    assert names["picture"].face is not None
    assert names["session"].accepted, names["session"].reasons
    assert names["outcome"].status in {200, 400}, names["outcome"].error
    assert names["again"].status == "accepted"
    assert callable(names["main"])


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_client_program_of_forty_lines_runs(
    program: Path, material: Path, service: str, tmp_path: Path
) -> None:
    assert len(program.read_text(encoding="utf-8").splitlines()) <= 45
    imports = re.findall(r"^(?:from|import) (\w+)", program.read_text(encoding="utf-8"), re.M)
    assert not {"capture", "preprocess", "uploader", "calibration"} & set(imports)
    done = subprocess.run(
        [sys.executable, str(program), str(material), service],
        cwd=tmp_path,
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_picture_without_a_face_says_so_and_what_to_do() -> None:
    empty = np.full((240, 320, 3), 127, np.uint8)
    empty[::7] = 90
    verdict = facelight.judge_picture(empty)
    assert not verdict.accepted
    assert verdict.reasons[0] is Reason.NO_FACE
    assert verdict.face is None
    assert verdict.what
    assert verdict.advice


@pytest.mark.parametrize("shape", [(240, 320), (240, 320, 4)], ids=["grey", "with alpha"])
def test_pixels_of_another_shape_are_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(GeometryError, match=r"pixels: expected \(H, W, 3\) uint8 in BGR"):
        facelight.judge_picture(np.zeros(shape, np.uint8))


def test_a_clip_without_a_crop_is_refused() -> None:
    with pytest.raises(EncodeError, match="no crop"):
        facelight.pack_clip([])


def crops(colours: list[str | None]) -> list[facelight.Crop]:
    noise = np.random.default_rng(7).integers(0, 255, (len(colours), 128, 128, 3), np.uint8)
    place = facelight.CropOffset(10, 20, 640, 360)
    face = facelight.Rect(30, 30, 60, 60)
    return [
        facelight.Crop(pixels, 40 * index, face, place, colour)
        for index, (pixels, colour) in enumerate(zip(noise, colours, strict=True))
    ]


@pytest.mark.parametrize(
    "colours",
    [
        pytest.param([None] * 60, id="more than the gate would take"),
        pytest.param([None], id="one"),
        pytest.param(["Red"] * 9 + ["Green"] * 2 + ["Blue"], id="uneven colours"),
    ],
)
def test_every_crop_is_in_the_clip_in_its_order(colours: list[str | None]) -> None:
    clip = facelight.pack_clip(crops(colours))
    assert [entry.colour for entry in clip.entries] == colours
    assert [entry.t_ms for entry in clip.entries] == [40 * index for index in range(len(colours))]
    assert facelight.submission_of(clip, facelight.Origin(provenance="imported")).digest


def test_every_root_of_our_errors_is_caught() -> None:
    with pytest.raises(facelight.ERRORS, match="no such camera"):
        facelight.open_camera("no-such-file.mkv")
