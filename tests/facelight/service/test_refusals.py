"""Each of the fourteen messages, provoked by its real cause and by nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from capture.frame import ImageU8
from facelight.service.errors import Refusal
from facelight.service.server import LocalService
from tests.facelight.service.requests import (
    FACE_BOX,
    Clip,
    image_file,
    noise,
    portrait,
    post,
)

SEED = Path(__file__).parents[4] / "shared" / "seeds" / "000_537379be9c4c0411.txt"


def says(response: httpx.Response, refusal: Refusal) -> None:
    assert response.status_code == 400
    assert response.json() == {"error": {"code": "BadRequest", "message": refusal.value}}


def blank(**files: bytes) -> Clip:
    clip = Clip.of([noise()] * 2)
    return Clip({"video.webp": clip.files["video.webp"]} | files, clip.entries)


def renamed(clip: Clip, name: str, data: bytes) -> Clip:
    entry = clip.entries[0] | {"fileName": name, "frameNumber": 0}
    return Clip({name: data}, [entry])


@pytest.mark.skipif(not SEED.is_file(), reason="the seed documents are not on this machine")
def test_the_messages_are_those_of_the_seed_in_its_order() -> None:
    printed = re.sub(r"\s+", " ", SEED.read_text(encoding="utf-8"))
    section = printed.partition("Response 400 ")[2].partition(" apim-face")[0]
    assert section == " ".join(refusal.value for refusal in Refusal)


def test_unknown_model_version(service: LocalService) -> None:
    says(post(service.url, blank(), "?model-version=2022-01-01"), Refusal.MODEL_VERSION)


@pytest.mark.parametrize("version", ["latest", "2020-02-15-preview.01"])
def test_both_known_model_versions_are_taken(service: LocalService, version: str) -> None:
    response = post(service.url, blank(), f"?model-version={version}")
    says(response, Refusal.TOO_FEW_FACES)


def test_no_metadata(service: LocalService) -> None:
    response = httpx.post(
        service.url + "/face/v1.1-preview.1/detectLiveness/singleModal",
        headers={"Ocp-Apim-Subscription-Key": "local"},
        files=blank().parts()[1:],
    )
    says(response, Refusal.NO_METADATA)


def test_no_content(service: LocalService) -> None:
    says(post(service.url, Clip({}, blank().entries)), Refusal.NO_CONTENT)


def test_a_file_that_the_content_does_not_hold(service: LocalService) -> None:
    clip = blank().changed(lambda e: e.update(fileName="other.webp"), only=1)
    says(post(service.url, clip), Refusal.FILE_NOT_FOUND)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param({"left": -1, "top": 0, "width": 50, "height": 50}, id="left of the image"),
        pytest.param({"left": 0, "top": 271, "width": 50, "height": 50}, id="a row too low"),
        pytest.param({"left": 0, "top": 0, "width": 321, "height": 50}, id="a column too wide"),
        pytest.param({"left": 0, "top": 0, "width": 0, "height": 50}, id="empty"),
        pytest.param({"left": 0, "top": 0, "width": -5, "height": 50}, id="negative"),
        pytest.param({"left": 2**70, "top": 0, "width": 5, "height": 5}, id="huge"),
    ],
)
def test_a_rectangle_outside_the_image(service: LocalService, box: dict[str, int]) -> None:
    says(post(service.url, blank().aimed(box, only=1)), Refusal.RECTANGLE_OUTSIDE)


def test_a_crop_outside_the_full_frame(service: LocalService) -> None:
    offsets = {
        "cropOffsetX": 1700,
        "cropOffsetY": 0,
        "fullFrameImageWidth": 1920,
        "fullFrameImageHeight": 1080,
    }
    clip = blank().changed(lambda e: e.update(imageCropOffsets=offsets))
    response = post(service.url, clip)
    says(response, Refusal.RECTANGLE_OUTSIDE)
    assert "imageCropOffsets" in response.headers["x-facelight-cause"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"no picture at all " * 200, id="text"),
        pytest.param(image_file(noise(), "JPEG")[:5000], id="truncated JPEG"),
        pytest.param(blank().files["video.webp"][:-100], id="truncated WebP"),
        pytest.param(image_file(noise(64, 64), "TIFF"), id="a format outside the contract"),
    ],
)
def test_content_that_cannot_be_decoded(service: LocalService, data: bytes) -> None:
    says(post(service.url, renamed(blank(), "video.webp", data)), Refusal.NOT_DECODABLE)


def test_a_frame_number_beyond_the_file(service: LocalService) -> None:
    clip = blank().changed(lambda e: e.update(frameNumber=2), only=1)
    says(post(service.url, clip), Refusal.NOT_DECODABLE)


def test_a_damaged_frame_inside_an_intact_container(service: LocalService) -> None:
    data = bytearray(blank().files["video.webp"])
    data[-4000:-100] = bytes(3900)
    response = post(service.url, renamed(blank(), "video.webp", bytes(data)))
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("head", "size"),
    [
        pytest.param(b"\xff\xd8\xff", 6_000_001, id="image"),
        pytest.param(b"RIFF\0\0\0\0WEBP", 25_000_001, id="video"),
    ],
)
def test_a_file_above_its_limit(service: LocalService, head: bytes, size: int) -> None:
    data = head + bytes(size - len(head))
    says(post(service.url, renamed(blank(), "big", data)), Refusal.TOO_LARGE)


@pytest.mark.parametrize("size", [0, 1, 1000, 1023])
def test_a_file_below_a_kilobyte(service: LocalService, size: int) -> None:
    data = image_file(noise(64, 64), "PNG")[:size]
    says(post(service.url, renamed(blank(), "small.png", data)), Refusal.TOO_SMALL)


def test_no_face_at_all(service: LocalService) -> None:
    says(post(service.url, blank()), Refusal.TOO_FEW_FACES)


def test_a_rectangle_without_a_face(service: LocalService) -> None:
    box = {"left": 10, "top": 10, "width": 200, "height": 200}
    says(post(service.url, blank().aimed(box)), Refusal.FACE_NOT_IN_RECTANGLE)


@pytest.mark.slow
def test_a_rectangle_beside_the_face(service: LocalService, face: Clip) -> None:
    box = {"left": 0, "top": 0, "width": 110, "height": 110}
    says(post(service.url, face.aimed(box)), Refusal.FACE_NOT_IN_RECTANGLE)


@pytest.mark.slow
def test_a_face_in_too_few_frames(service: LocalService, footage: Path) -> None:
    shown = portrait(footage / "portraits" / "obama-1080p.jpg")
    empty = noise(560, 560)
    clip = Clip.of([shown, empty, empty, empty]).aimed(FACE_BOX)
    says(post(service.url, clip), Refusal.TOO_FEW_FACES)


def test_a_face_below_the_smallest_size(service: LocalService, footage: Path) -> None:
    shown = portrait(footage / "portraits" / "obama-1080p.jpg")
    small = cv2.resize(shown, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    box = {name: round(value * 0.4) for name, value in FACE_BOX.items()}
    says(
        post(service.url, Clip.of([small.astype(np.uint8)] * 3).aimed(box)),
        Refusal.FACE_NOT_IN_RECTANGLE,
    )


def _blurred(picture: ImageU8) -> ImageU8:
    return cv2.GaussianBlur(picture, (0, 0), 6).astype(np.uint8, copy=False)


def _over_exposed(picture: ImageU8) -> ImageU8:
    return cv2.convertScaleAbs(picture, alpha=2.2).astype(np.uint8, copy=False)


def _under_exposed(picture: ImageU8) -> ImageU8:
    return cv2.convertScaleAbs(picture, alpha=0.18).astype(np.uint8, copy=False)


def _tilted(picture: ImageU8) -> ImageU8:
    side = picture.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), 40, 1.0)
    tilted = cv2.warpAffine(picture, turn, (side, side), borderMode=cv2.BORDER_REFLECT)
    return tilted.astype(np.uint8, copy=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        pytest.param(_blurred, Refusal.BLURRED, id="blurred"),
        pytest.param(_over_exposed, Refusal.OVER_EXPOSED, id="over exposed"),
        pytest.param(_under_exposed, Refusal.UNDER_EXPOSED, id="under exposed"),
        pytest.param(_tilted, Refusal.NOT_FRONTAL, id="not frontal"),
    ],
)
def test_a_face_that_is_not_clearly_seen(
    service: LocalService, footage: Path, spoil: Callable[[ImageU8], ImageU8], refusal: Refusal
) -> None:
    picture = portrait(footage / "portraits" / "obama-1080p.jpg")
    says(post(service.url, Clip.of([spoil(picture)] * 3)), refusal)


@pytest.mark.slow
def test_the_unspoilt_face_passes(service: LocalService, face: Clip) -> None:
    response = post(service.url, face.aimed(FACE_BOX))
    assert response.status_code == 200
    assert response.json()["livenessDecision"] == "uncertain"


def test_a_canvas_that_would_fill_the_memory_is_refused_unseen(service: LocalService) -> None:
    picture = bytearray(blank().files["video.webp"])
    picture[24:30] = (16382).to_bytes(3, "little") * 2
    says(post(service.url, renamed(blank(), "video.webp", bytes(picture))), Refusal.TOO_LARGE)
