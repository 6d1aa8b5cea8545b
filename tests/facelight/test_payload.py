"""The one mapping from a clip to the wire: what kind of camera took the pictures."""

from __future__ import annotations

import json

import pytest

from facelight.delivery.payload import metadata_of
from preprocess.clip.clip import Clip, ClipEntry, ClipFile, CropOffset, ImageType


@pytest.mark.parametrize(("image_type", "number"), [("color", 0), ("infrared", 1)])
def test_the_metadata_names_the_kind_of_camera(image_type: ImageType, number: int) -> None:
    entry = ClipEntry("video.webp", 0, 5, None, None, CropOffset(0, 0, 64, 48), 0)
    clip = Clip((ClipFile("video.webp", b"x"),), (entry,), (64, 48), None, image_type=image_type)
    told = json.loads(metadata_of(clip).to_bytes())["metadata"]
    assert told["imageType"] == number
    assert "activeIlluminationInformation" not in told["imageData"][0]
