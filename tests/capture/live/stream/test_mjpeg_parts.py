from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import CameraError
from capture.live.stream.mjpeg_parts import MAX_HEAD_BYTES, MAX_JUNK_BYTES, StreamParser, StreamPart

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
LIMIT = 100_000


def part(body: bytes, extra: bytes = b"", *, counted: bool = True) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body) if counted else b""
    return b"--frame\r\nContent-Type: image/jpeg\r\n" + length + extra + b"\r\n" + body + b"\r\n"


def parsed(data: bytes, cuts: list[int] | None = None) -> list[StreamPart]:
    parser = StreamParser(LIMIT)
    parts: list[StreamPart] = []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts or []), len(data)]
    for start, end in pairwise(edges):
        parser.feed(data[start:end])
        parts += parser.parts()
    return parts


def bodies(data: bytes, cuts: list[int] | None = None) -> list[bytes]:
    return [item.body for item in parsed(data, cuts)]


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(HEAD + part(b"one") + part(b"two"), id="counted"),
        pytest.param(
            HEAD + part(b"one", counted=False) + part(b"two", counted=False) + b"--frame\r\n",
            id="delimited",
        ),
        pytest.param(
            HEAD.replace(b"=frame", b'="frame"') + part(b"one") + part(b"two"), id="quoted"
        ),
        pytest.param(
            HEAD.replace(b"=frame", b"=--frame") + part(b"one") + part(b"two"), id="dashes"
        ),
        pytest.param(
            HEAD.replace(b"=frame", b"=--frame")
            + (part(b"one") + part(b"two")).replace(b"--frame", b"----frame"),
            id="dashes twice",
        ),
        pytest.param((HEAD + part(b"one") + part(b"two")).replace(b"\r\n", b"\n"), id="line feeds"),
        pytest.param(
            HEAD + b"\r\nhello\r\n" + part(b"one") + b"\r\n\r\n" + part(b"two"), id="junk"
        ),
        pytest.param(HEAD.replace(b"OK", b"") + part(b"one") + part(b"two"), id="no reason"),
        pytest.param(
            HEAD.replace(b"Content", b"Server: cam\r\ncontent") + part(b"one") + part(b"two"),
            id="small letters",
        ),
    ],
)
def test_the_ways_cameras_write_it(stream: bytes) -> None:
    assert bodies(stream) == [b"one", b"two"]


def test_headers_of_parts_are_kept_in_lower_case() -> None:
    assert parsed(HEAD + part(b"x", b"X-TimeStamp:  123 \r\n"))[0].headers["x-timestamp"] == "123"


def test_a_part_without_headers_is_a_part() -> None:
    assert bodies(HEAD + b"--frame\r\n\r\nbody\r\n--frame\r\n") == [b"body"]


def test_a_body_may_hold_what_looks_like_a_boundary_when_it_is_counted() -> None:
    body = b"a\r\n--frame\r\n\r\nb"
    assert bodies(HEAD + part(body) + part(b"next")) == [body, b"next"]


def chunked(data: bytes, size: int) -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=4),
    st.lists(st.integers(0, 2000), max_size=12),
    st.booleans(),
    st.integers(0, 50),
)
def test_how_the_bytes_are_split_changes_nothing(
    contents: list[bytes], cuts: list[int], counted: bool, chunk: int
) -> None:
    if not counted:
        contents = [b"\xff\xd8" + item.replace(b"\n", b"") for item in contents]
        contents = [item.rstrip(b"\r") for item in contents]
    stream = b"".join(part(item, counted=counted) for item in contents) + b"--frame\r\n"
    head = HEAD
    if chunk:
        head = HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        stream = chunked(stream, chunk)
    assert bodies(head + stream, cuts) == contents


@given(st.binary(max_size=400), st.integers(0, 200), st.lists(st.integers(0, 500), max_size=5))
def test_no_bytes_do_worse_than_a_camera_error(junk: bytes, at: int, cuts: list[int]) -> None:
    good = HEAD + part(b"one") + part(b"two")
    for stream in (junk, HEAD + junk, good[:at] + junk + good[at:]):
        try:
            parsed(stream, cuts)
        except CameraError:
            continue


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        pytest.param(b"ICY 200 OK\r\n\r\n", "expected an HTTP answer, got b'ICY 200", id="no HTTP"),
        pytest.param(b"x" * MAX_HEAD_BYTES, "no HTTP answer within", id="endless head"),
        pytest.param(
            HEAD.replace(b"200 OK", b"302 Found"), "302: redirects are not followed", id="redirect"
        ),
        pytest.param(HEAD.replace(b"200", b"401"), "asks for a password", id="password"),
        pytest.param(HEAD.replace(b"200", b"503"), "HTTP 503, expected 200", id="status"),
        pytest.param(
            HEAD.replace(b"multipart/x-mixed-replace; boundary=frame", b"image/jpeg"),
            "expected content of type multipart/x-mixed-replace, got 'image/jpeg'",
            id="one image",
        ),
        pytest.param(
            HEAD.replace(b"; boundary=frame", b""), "expected a boundary", id="no boundary"
        ),
        pytest.param(HEAD.replace(b"=frame", b"=----"), "expected a boundary", id="only dashes"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\n" + b"a: b\r\n" * 65 + b"\r\n",
            "at most 64 header lines",
            id="lines",
        ),
        pytest.param(
            HEAD + b"--frame\r\nnonsense\r\n\r\n", "expected a header line", id="no colon"
        ),
        pytest.param(HEAD + b"x" * (MAX_JUNK_BYTES + 1), "no boundary", id="endless junk"),
        pytest.param(HEAD + b"x\n" * MAX_JUNK_BYTES, "no boundary", id="endless lines"),
        pytest.param(
            HEAD + b"--frame\r\na: " + b"x" * MAX_HEAD_BYTES,
            "header of a part",
            id="endless header",
        ),
        pytest.param(HEAD + part(b"").replace(b": 0", b": -1"), "expected a number", id="negative"),
        pytest.param(
            HEAD + part(b"").replace(b": 0", b": 9e9"), "expected a number", id="no number"
        ),
        pytest.param(
            HEAD + part(b"").replace(b": 0", b": 100001"),
            "at most 100000 bytes, got 100001",
            id="long",
        ),
        pytest.param(
            HEAD + part(b"", counted=False) + b"x" * (LIMIT + MAX_HEAD_BYTES),
            "at most 100000 bytes",
            id="never ending",
        ),
        pytest.param(
            HEAD + part(b"x" * (LIMIT + 1), counted=False) + b"--frame", "at most", id="too long"
        ),
        pytest.param(HEAD + part(b"a") + b"--frame--\r\n", "the sender ended the stream", id="end"),
        pytest.param(
            HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n") + b"zz\r\n",
            "expected the length of a chunk",
            id="no chunk",
        ),
        pytest.param(
            HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n") + b"0\r\n\r\n",
            "the sender ended the stream",
            id="last chunk",
        ),
    ],
)
def test_what_is_no_stream_or_breaks_its_rules_is_a_clear_error(
    stream: bytes, problem: str
) -> None:
    with pytest.raises(CameraError, match=problem):
        parsed(stream)


def test_what_came_whole_before_an_error_is_not_lost() -> None:
    parser = StreamParser(LIMIT)
    parser.feed(HEAD + part(b"good") + b"--frame--\r\n")
    parts = parser.parts()
    assert next(parts).body == b"good"
    with pytest.raises(CameraError):
        next(parts)


def test_it_knows_whether_it_is_inside_a_frame() -> None:
    parser = StreamParser(LIMIT)
    parser.feed(HEAD)
    assert parser.started
    list(parser.parts())
    assert not parser.inside
    parser.feed(part(b"12345")[:-4])
    list(parser.parts())
    assert parser.inside
