"""The server's own reading of the metadata."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facelight.service.errors import Refusal, Refused
from facelight.service.wire import read_metadata
from tests.effort import examples

EXAMPLE: dict[str, Any] = {
    "activeIlluminationInformation": {"illuminatedColor": "Red"},
    "fileName": "video.webp",
    "frameNumber": 0,
    "imageCreationTimeInMilliSeconds": 2309856,
    "targetFaceRectangle": {"top": 50, "left": 50, "width": 100, "height": 100},
    "imageCropOffsets": {
        "cropOffsetX": 100,
        "cropOffsetY": 100,
        "fullFrameImageWidth": 1920,
        "fullFrameImageHeight": 1080,
    },
}


def text(*changes: dict[str, Any], image_type: Any = 0) -> bytes:
    entries = [EXAMPLE | change for change in changes]
    return json.dumps({"metadata": {"imageType": image_type, "imageData": entries}}).encode()


def cause(body: bytes, most: int = 100) -> str:
    with pytest.raises(Refused) as caught:
        read_metadata(body, most)
    assert caught.value.refusal is Refusal.NO_METADATA
    return str(caught.value.cause)


def test_the_documented_example_is_read() -> None:
    payload = read_metadata(
        text({}, {"frameNumber": 1, "imageCreationTimeInMilliSeconds": 2309891}), 100
    )
    assert [entry.colour for entry in payload.imageData] == ["Red", "Red"]
    assert payload.image_type == "Color"


def test_optional_properties_may_be_missing_or_null() -> None:
    bare = {"fileName": "a.jpg", "imageCreationTimeInMilliSeconds": 0, "imageCropOffsets": None}
    body = json.dumps({"metadata": {"imageType": 2, "imageData": [bare], "extra": 1}}).encode()
    payload = read_metadata(body, 100)
    assert payload.imageData[0].colour is None
    assert payload.image_type == "Depth"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        pytest.param(b"", "Metadata", id="empty"),
        pytest.param(b"[]", "Metadata", id="an array"),
        pytest.param(b"{}", "metadata", id="nothing inside"),
        pytest.param(b"\xff\xfe{}", "Metadata", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "Metadata", id="deep nesting"),
        pytest.param(text(image_type=0), "imageData", id="no entry"),
        pytest.param(text({}, image_type=3), "imageType", id="unknown modality"),
        pytest.param(text({}, image_type="0"), "imageType", id="modality as text"),
        pytest.param(text({"fileName": ""}), "fileName", id="empty name"),
        pytest.param(text({"fileName": "x" * 256}), "fileName", id="long name"),
        pytest.param(text({"frameNumber": "1"}), "frameNumber", id="number as text"),
        pytest.param(text({"frameNumber": 1.0}), "frameNumber", id="number as float"),
        pytest.param(text({"frameNumber": True}), "frameNumber", id="number as bool"),
        pytest.param(text({"frameNumber": -1}), "frameNumber", id="negative number"),
        pytest.param(
            text({"imageCreationTimeInMilliSeconds": None}), "imageCreationTime", id="no time"
        ),
        pytest.param(
            text({"targetFaceRectangle": {"top": 1}}), "targetFaceRectangle.left", id="half a box"
        ),
        pytest.param(
            text({}, {"imageCreationTimeInMilliSeconds": 2309891}), "frameNumber", id="frame twice"
        ),
        pytest.param(
            text({}, {"frameNumber": 1}), "imageCreationTimeInMilliSeconds", id="time stands still"
        ),
    ],
)
def test_what_is_wrong_is_named(body: bytes, names: str) -> None:
    assert names in cause(body)


def test_more_entries_than_the_limit_are_refused() -> None:
    entries = [{"frameNumber": n, "imageCreationTimeInMilliSeconds": n} for n in range(101)]
    assert "101 entries" in cause(text(*entries))


def test_two_files_have_clocks_of_their_own() -> None:
    payload = read_metadata(text({"fileName": "a"}, {"fileName": "b"}), 100)
    assert len(payload.imageData) == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(80))
@given(st.sampled_from([*EXAMPLE, "metadata", "imageType", "imageData"]), json_values)
def test_no_value_breaks_the_reader(name: str, value: Any) -> None:
    body: Any = {"metadata": {"imageType": 0, "imageData": [dict(EXAMPLE)]}}
    place = body if name == "metadata" else body["metadata"]
    place = place["imageData"][0] if name in EXAMPLE else place
    place[name] = value
    try:
        read_metadata(json.dumps(body).encode("utf-8", "surrogatepass"), 100)
    except Refused:
        return
