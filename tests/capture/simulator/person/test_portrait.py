from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.errors import CameraError
from capture.simulator.person.portrait import find_eyes
from tests.capture.simulator.shooting import camera_of

SIZE = "size=640x360,distance=40,motion=still"


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[float, ...]]:
    """A picture of somebody, made here: a simulated person photographed."""
    camera = camera_of("sim:size=960x540,distance=32,skin=2,seed=1,lock=start,motion=still")
    frame = camera.read()
    assert frame is not None
    path = tmp_path_factory.mktemp("portrait") / "face.png"
    cv2.imwrite(str(path), frame.pixels)
    eyes = camera.truth(frame.seq).eyes_px
    assert eyes is not None
    return path, (*eyes[0], *eyes[1])


@pytest.mark.slow
def test_haar_finds_the_eyes(portrait: tuple[Path, tuple[float, ...]]) -> None:
    path, eyes = portrait
    found = find_eyes(cv2.imread(str(path)), str(path))  # type: ignore[arg-type]
    gap = eyes[2] - eyes[0]
    assert np.abs(np.subtract(found, eyes)).max() < 0.15 * gap


@pytest.mark.slow
def test_the_head_wears_the_portrait(portrait: tuple[Path, tuple[float, ...]]) -> None:
    path, eyes = portrait
    told = "/".join(f"{value:.0f}" for value in eyes)
    found = camera_of(f"sim:{SIZE},portrait={path}").read()
    given = camera_of(f"sim:{SIZE},portrait={path},portrait-eyes={told}").read()
    painted = camera_of(f"sim:{SIZE}").read()
    assert found is not None
    assert given is not None
    assert painted is not None
    assert np.abs(found.pixels.astype(int) - given.pixels).mean() < 4
    face = (slice(140, 260), slice(260, 380))
    assert np.abs(given.pixels[face].astype(int) - painted.pixels[face]).mean() > 6


@pytest.mark.parametrize(
    ("content", "extra", "message"),
    [
        pytest.param(None, "", "portrait: .*: No such file", id="missing"),
        pytest.param(b"", "", "expected an image", id="empty"),
        pytest.param(b"not an image", "", "expected an image", id="no image"),
        pytest.param("grey", "", "no face found; give portrait-eyes", id="no face"),
        pytest.param("grey", ",portrait-eyes=90/10/20/10", "the left eye, then", id="swapped"),
        pytest.param("grey", ",portrait-eyes=1/1/500/1", "inside .*100x80", id="outside"),
    ],
)
def test_a_portrait_that_cannot_be_used_is_refused(
    tmp_path: Path, content: bytes | str | None, extra: str, message: str
) -> None:
    path = tmp_path / "p.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        cv2.imwrite(str(path), np.full((80, 100, 3), 128, np.uint8))
    with pytest.raises(CameraError, match=message):
        camera_of(f"sim:{SIZE},portrait={path}{extra}")


@pytest.mark.slow
def test_real_portraits_can_be_worn(footage: Path) -> None:
    for path in sorted((footage / "portraits").glob("*.jpg"))[:1]:
        assert camera_of(f"sim:size=160x90,portrait={path}").read() is not None
