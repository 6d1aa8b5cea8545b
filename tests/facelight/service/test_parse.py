"""The body reader: what it accepts, how it refuses, and that hostile bytes cost only themselves."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facelight.service.errors import ApiError, Refusal, Refused
from facelight.service.options import Limits
from facelight.service.parse import BodyReader, Upload
from facelight.service.wire import header_parameters
from tests.effort import examples
from tests.facelight.service.requests import BOUNDARY, CONTENT_HEAD, METADATA_HEAD, closed, part

TYPE = f"multipart/form-data; boundary={BOUNDARY}"
GOOD = closed(part(METADATA_HEAD, b'{"a": 1}'), part(CONTENT_HEAD, b"\r\n--pixels\r\n"))


def read(body: bytes, content_type: str | None = TYPE, *cuts: int, **limits: int) -> BodyReader:
    async def chunks() -> AsyncIterator[bytes]:
        edges = [0, *sorted(cuts), len(body)]
        for start, end in pairwise(edges):
            yield body[start:end]

    reader = BodyReader(content_type, dataclasses.replace(Limits(), **limits))
    asyncio.run(reader.read(chunks()))
    return reader


def refusal(body: bytes, content_type: str | None = TYPE, **limits: int) -> Refusal:
    with pytest.raises(Refused) as caught:
        read(body, content_type, **limits).upload()
    return caught.value.refusal


def holds(upload: Upload) -> bool:
    content = upload.contents["video.webp"]
    return upload.metadata == b'{"a": 1}' and content.data == b"\r\n--pixels\r\n"


@given(st.lists(st.integers(0, len(GOOD)), max_size=12))
def test_the_parts_do_not_depend_on_how_the_body_arrives(cuts: list[int]) -> None:
    reader = read(GOOD, TYPE, *cuts)
    assert holds(reader.upload())
    assert reader.digest == hashlib.sha256(GOOD).hexdigest().upper()
    assert reader.length == len(GOOD)


SPACED = METADATA_HEAD.replace("charset=", "charset = ").replace(
    'name="Metadata"', "name = Metadata"
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            closed(part(CONTENT_HEAD, b"\r\n--pixels\r\n"), part(METADATA_HEAD, b'{"a": 1}')),
            id="content first",
        ),
        pytest.param(
            closed(part(SPACED, b'{"a": 1}'), part(CONTENT_HEAD, b"\r\n--pixels\r\n")),
            id="spaces around = and no quotes, as the documentation prints them",
        ),
        pytest.param(b"\r\n" + GOOD + b"epilogue", id="bytes around the parts"),
        pytest.param(
            closed(
                part(METADATA_HEAD, b'{"a": 1}'),
                part('Content-Disposition: form-data; name="Other"', b"x" * 100),
                part(CONTENT_HEAD, b"\r\n--pixels\r\n"),
            ),
            id="a part that nobody asked for",
        ),
    ],
)
def test_what_a_server_of_ours_accepts(body: bytes) -> None:
    assert holds(read(body).upload())


@pytest.mark.parametrize("kind", [None, "", "application/json", "multipart/mixed; boundary=x", "a"])
def test_another_media_type_is_415(kind: str | None) -> None:
    with pytest.raises(ApiError) as caught:
        read(GOOD, kind).upload()
    assert (caught.value.status, caught.value.code) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        pytest.param(b"", TYPE, Refusal.NO_METADATA, id="empty body"),
        pytest.param(b"\x00" * 3000, TYPE, Refusal.NO_METADATA, id="no multipart"),
        pytest.param(GOOD, "multipart/form-data", Refusal.NO_METADATA, id="no boundary"),
        pytest.param(
            GOOD, f"multipart/form-data; boundary={'x' * 300}", Refusal.NO_METADATA, id="too long"
        ),
        pytest.param(
            GOOD.replace(b"application/json", b"text/plain"), TYPE, Refusal.NO_METADATA, id="type"
        ),
        pytest.param(
            GOOD.replace(b"charset=utf-8", b"charset=utf-16"),
            TYPE,
            Refusal.NO_METADATA,
            id="utf-16",
        ),
        pytest.param(
            closed(part(METADATA_HEAD, b"{}"), part(METADATA_HEAD, b"{}")),
            TYPE,
            Refusal.NO_METADATA,
            id="metadata twice",
        ),
        pytest.param(
            GOOD.replace(b"--\r\n", b"\r\n").removesuffix(f"--{BOUNDARY}\r\n".encode()),
            TYPE,
            Refusal.NO_CONTENT,
            id="no closing boundary",
        ),
        pytest.param(
            GOOD.replace(b'; filename="video.webp"', b""),
            TYPE,
            Refusal.NO_CONTENT,
            id="no filename",
        ),
        pytest.param(
            GOOD.replace(b"octet-stream", b"json"), TYPE, Refusal.NO_CONTENT, id="content's type"
        ),
        pytest.param(
            closed(part(METADATA_HEAD, b"{}"), *[part(CONTENT_HEAD, b"x")] * 2),
            TYPE,
            Refusal.NO_CONTENT,
            id="one name twice",
        ),
    ],
)
def test_what_is_missing_is_said(body: bytes, content_type: str, message: Refusal) -> None:
    assert refusal(body, content_type) is message


def test_a_body_above_the_limit_is_refused_before_it_is_read_whole() -> None:
    assert refusal(GOOD, max_body_bytes=100) is Refusal.TOO_LARGE


def test_metadata_above_its_limit_is_refused() -> None:
    assert refusal(GOOD, max_metadata_bytes=4) is Refusal.NO_METADATA


def test_a_file_above_the_largest_limit_is_counted_but_not_kept() -> None:
    content = read(GOOD, max_video_bytes=5).upload().contents["video.webp"]
    assert (len(content.data), content.size) == (5, 12)


def test_a_thousand_parts_end_at_the_limit() -> None:
    body = closed(*[part('Content-Disposition: form-data; name="x"', b"")] * 1000)
    assert refusal(body, max_parts=10) is Refusal.NO_METADATA


@settings(max_examples=examples(100))
@given(st.binary(max_size=600), st.booleans())
def test_no_body_breaks_the_reader(noise: bytes, framed: bool) -> None:
    body = f"--{BOUNDARY}\r\n".encode() + noise if framed else noise
    try:
        read(body).upload()
    except ApiError:
        return


@settings(max_examples=examples(100))
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=8))
def test_no_damage_to_a_good_body_breaks_the_reader(place: int, damage: bytes) -> None:
    try:
        read(GOOD[:place] + damage + GOOD[place + len(damage) :]).upload()
    except ApiError:
        return


@given(st.text(max_size=200))
def test_any_header_has_parameters(text: str) -> None:
    head, parameters = header_parameters(text)
    assert isinstance(head, str)
    assert all(isinstance(value, str) for value in parameters.values())


def test_quotes_and_backslashes_of_a_file_name_are_undone() -> None:
    _, found = header_parameters('form-data; name="a;b=c"; filename="x\\"y\\\\z"')
    assert found == {"name": "a;b=c", "filename": 'x"y\\z'}
