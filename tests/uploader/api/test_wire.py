"""Metadata: exact names and order when written, forgiving when read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.conftest import SHARED
from tests.effort import examples
from tests.uploader.samples import entry, error_of, metadata
from uploader.api.wire import CropOffsets, FaceRectangle, ImageEntry, Metadata
from uploader.errors import PayloadError

SEED = SHARED / "seeds" / "000_537379be9c4c0411.txt"


def test_the_documented_example_is_read_and_written_alike():
    if not SEED.is_file():
        pytest.skip("the service's documentation is not on this machine")
    text = SEED.read_text(encoding="utf-8")
    start = text.index('{\n  "metadata"')
    example, _ = json.JSONDecoder().raw_decode(text[start:])
    ours = Metadata.parse(json.dumps(example)).to_bytes()
    assert ours == json.dumps(example, separators=(",", ":")).encode()


def test_absent_parts_are_left_out():
    bare = ImageEntry(file_name="a.jpg", frame_number=0, image_creation_time_ms=1)
    assert Metadata.of([bare]).to_bytes() == (
        b'{"metadata":{"imageType":0,"imageData":[{"fileName":"a.jpg","frameNumber":0,'
        b'"imageCreationTimeInMilliSeconds":1}]}}'
    )


RIGHT = {"file_name": "a.webp", "frame_number": 0, "image_creation_time_ms": 1}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("frame_number", -1, id="negative frame"),
        pytest.param("frame_number", 1.0, id="float frame"),
        pytest.param("frame_number", "1", id="text frame"),
        pytest.param("frame_number", True, id="boolean frame"),
        pytest.param("image_creation_time_ms", -1, id="negative time"),
        pytest.param("image_creation_time_ms", 1 << 63, id="time beyond 63 bits"),
        pytest.param("image_creation_time_ms", float("nan"), id="NaN time"),
        pytest.param("file_name", "", id="empty name"),
        pytest.param("file_name", "x" * 256, id="256 characters"),
        pytest.param("file_name", "../a.webp", id="path"),
        pytest.param("file_name", "a/b", id="slash"),
        pytest.param("file_name", "a\\b", id="backslash"),
        pytest.param("file_name", 'a"; filename="b', id="quote"),
        pytest.param("file_name", "a\r\nX: y", id="line break"),
        pytest.param("file_name", "a\x1b[2J", id="escape"),
        pytest.param("file_name", "ä.webp", id="not ASCII"),
        pytest.param("file_name", ".hidden", id="dot first"),
        pytest.param("file_name", "a.", id="dot last"),
        pytest.param("unknown", 1, id="unknown key"),
    ],
)
def test_writing_is_strict(field, value):
    with pytest.raises(ValidationError):
        ImageEntry(**{**RIGHT, field: value})


@pytest.mark.parametrize("name", ["a", "x" * 255, "video 1 (2).webp", "0001.jpg", "A_b-c+d=e.png"])
def test_ordinary_names_pass(name):
    assert ImageEntry(**{**RIGHT, "file_name": name}).file_name == name


@pytest.mark.parametrize(
    ("crop", "face", "inside"),
    [
        pytest.param((0, 0, 200, 100), (100, 0, 100, 100), True, id="touches the edge"),
        pytest.param((0, 0, 200, 100), (101, 0, 100, 100), False, id="one pixel right"),
        pytest.param((0, 1, 200, 100), (0, 0, 100, 100), False, id="one pixel below"),
        pytest.param((199, 99, 200, 100), (0, 0, 1, 1), True, id="last pixel"),
    ],
)
def test_the_face_lies_inside_the_full_frame(crop, face, inside):
    x, y, width, height = crop
    offsets = CropOffsets(
        crop_offset_x=x,
        crop_offset_y=y,
        full_frame_image_width=width,
        full_frame_image_height=height,
    )
    rectangle = FaceRectangle(left=face[0], top=face[1], width=face[2], height=face[3])
    fields: dict[str, Any] = {
        **RIGHT,
        "target_face_rectangle": rectangle,
        "image_crop_offsets": offsets,
    }
    if inside:
        ImageEntry(**fields)
    else:
        with pytest.raises(ValidationError, match="full frame"):
            ImageEntry(**fields)


def test_a_crop_outside_its_frame_is_refused():
    with pytest.raises(ValidationError, match="full frame"):
        CropOffsets(
            crop_offset_x=200,
            crop_offset_y=0,
            full_frame_image_width=200,
            full_frame_image_height=9,
        )


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        pytest.param(entry(0, t_ms=9999), "frameNumber", id="same frame"),
        pytest.param(entry(1, t_ms=1000), "MilliSeconds", id="same time"),
        pytest.param(entry(1, t_ms=999), "MilliSeconds", id="time goes back"),
    ],
)
def test_entries_of_a_file_go_forward(second, problem):
    with pytest.raises(PayloadError, match=problem):
        Metadata.of([entry(0), second])


def test_files_are_named_in_the_order_of_their_first_entry():
    mixed = Metadata.of([entry(0, "b.jpg"), entry(0, "a.jpg"), entry(1, "b.jpg")])
    assert mixed.file_names() == ["b.jpg", "a.jpg"]


def test_no_entries_is_an_error_in_one_line():
    with pytest.raises(PayloadError, match="imageData"):
        Metadata.of([])


def test_reading_ignores_what_it_does_not_know_and_takes_numbers_as_text():
    told = json.loads(metadata().to_bytes())
    told["metadata"]["later"] = {"x": 1}
    told["metadata"]["imageData"][0]["frameNumber"] = "0"
    assert Metadata.parse(json.dumps(told)) == metadata()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["metadata", "imageType", "imageData", "fileName", "x"]), inner
        )
    ),
    max_leaves=12,
)


@pytest.mark.slow
@given(JSON | st.binary(max_size=200))
@settings(max_examples=examples(100))
def test_reading_anything_gives_metadata_or_one_printable_line(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    problem = error_of(lambda: Metadata.parse(data))
    assert problem is None or (str(problem).isprintable() and len(str(problem)) < 600)
