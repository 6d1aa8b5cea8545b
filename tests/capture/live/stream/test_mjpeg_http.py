from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from capture.camera import Provenance
from capture.clock import VirtualClock
from capture.errors import CameraError
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.spec import open_camera
from capture.live.stream import mjpeg_http
from capture.live.stream.mjpeg_http import parse_url
from tests.capture.live.fakes import jpeg
from tests.capture.live.streams import HEAD, StreamServer, numbered, part
from tests.waiting import until

OPTIONS = LiveOptions(
    warmup_frames=0,
    stall_s=60,
    first_frame_s=60,
    backoff_s=0.05,
    backoff_max_s=0.05,
    open_timeout_s=120,
)
IMPATIENT = replace(OPTIONS, stall_s=0.5, first_frame_s=0.5)
"""For senders that say nothing: for all others a busy machine would be a fault."""


@pytest.fixture
def server() -> Iterator[StreamServer]:
    with StreamServer() as server:
        yield server


def opened(server: StreamServer, options: LiveOptions = OPTIONS) -> LiveCamera:
    camera = open_camera(server.url, options)
    assert isinstance(camera, LiveCamera)
    return camera


def lost(camera: LiveCamera) -> bool:
    try:
        camera.read(0.01)
    except CameraError:
        return camera.lost
    return False


def test_frames_carry_the_senders_time_where_it_is_of_our_clock(
    server: StreamServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mjpeg_http, "STAMP_LIMIT_NS", 600 * 10**9)
    before_ns = time.monotonic_ns()
    with opened(server) as camera:
        frames = [camera.read(60) for _ in range(10)]
        assert camera.stats.stamp_source == "sender"
    assert all(f is not None and before_ns < f.t_frame_ns < f.t_received_ns for f in frames)


@pytest.mark.parametrize(
    "stamp",
    [
        pytest.param(None, id="none"),
        pytest.param("1717171717.123456", id="seconds of the wall clock"),
        pytest.param("1717171717123456789", id="ns of the wall clock"),
        pytest.param("-5", id="negative"),
        pytest.param("9" * 400, id="too long"),
        pytest.param("abc", id="no number"),
    ],
)
def test_any_other_stamp_gives_way_to_the_arrival(server: StreamServer, stamp: str | None) -> None:
    def say() -> Iterator[bytes]:
        yield HEAD
        for number in range(10**6):
            yield part(jpeg(number), stamp)

    server.say = say
    with opened(server) as camera:
        for _ in range(10):
            frame = camera.read(60)
            assert frame is not None
            assert frame.t_received_ns == pytest.approx(frame.t_frame_ns, abs=1e6)
        assert camera.stats.stamp_source == "arrival"


def test_the_request_is_plain_and_names_path_and_host(server: StreamServer) -> None:
    opened(server).close()
    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /stream.mjpg?a=1 HTTP/1.0"
    assert lines[1].startswith("Host: 127.0.0.1:")


def test_the_senders_own_bytes_are_kept(server: StreamServer) -> None:
    with opened(server) as camera:
        camera.read(60)
        assert camera.last_jpeg in {jpeg(i) for i in range(50)}


@pytest.mark.parametrize(
    ("header", "provenance"),
    [
        pytest.param("", Provenance.CAMERA, id="nothing said"),
        pytest.param("X-Provenance: simulated\r\n", Provenance.SIMULATED, id="simulated"),
        pytest.param("X-Provenance: Imported\r\n", Provenance.IMPORTED, id="imported"),
        pytest.param("X-Provenance: other\r\n", Provenance.CAMERA, id="unknown"),
    ],
)
def test_a_sender_can_say_that_no_camera_made_its_frames(
    server: StreamServer, header: str, provenance: Provenance
) -> None:
    head = HEAD[:-2] + header.encode() + b"\r\n"
    server.say = lambda: numbered(head=head)
    with opened(server) as camera:
        assert camera.info.provenance is provenance


def test_a_broken_connection_is_made_again(server: StreamServer) -> None:
    with opened(server) as camera:
        first = camera.read(60)
        server.hang_up()
        until(lambda: camera.stats.reopened == 1)
        second = camera.read(60)
    assert first is not None
    assert second is not None
    assert second.t_frame_ns > first.t_frame_ns
    assert second.seq > first.seq


def test_a_sender_that_falls_silent_is_lost(server: StreamServer) -> None:
    def say() -> Iterator[bytes]:
        yield HEAD
        yield part(jpeg(1))

    server.say = say
    with opened(server, IMPATIENT) as camera:
        until(lambda: lost(camera))


def test_a_sender_that_repeats_itself_is_lost(server: StreamServer) -> None:
    def say() -> Iterator[bytes]:
        yield HEAD
        while True:
            yield part(jpeg(1))

    server.say = say
    with opened(server, IMPATIENT) as camera:
        until(lambda: lost(camera))
        until(lambda: camera.stats.repeated > 5)


def test_the_same_picture_with_a_new_stamp_is_a_new_frame(server: StreamServer) -> None:
    def say() -> Iterator[bytes]:
        yield HEAD
        while True:
            yield part(jpeg(1), str(time.monotonic_ns()))

    server.say = say
    with opened(server) as camera:
        for _ in range(20):
            assert camera.read(60) is not None
        assert camera.stats.repeated == 0


@pytest.mark.parametrize(
    ("pieces", "problem"),
    [
        pytest.param(
            [b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"], "redirects", id="redirect"
        ),
        pytest.param([b"HTTP/1.1 404 Not Found\r\n\r\n"], "HTTP 404, expected 200", id="missing"),
        pytest.param([b"SSH-2.0-OpenSSH_9\r\n\r\n"], "expected an HTTP answer", id="no HTTP"),
        pytest.param(
            [HEAD, b"--frame\r\nContent-Length: 99999999999\r\n\r\n"], "at most", id="huge"
        ),
    ],
)
def test_a_stream_that_is_none_is_a_clear_error(pieces: list[bytes], problem: str) -> None:
    with StreamServer(lambda: iter(pieces)) as server:
        with pytest.raises(CameraError, match=problem) as caught:
            opened(server)
        assert server.url in str(caught.value)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"HTTP/1.0 200 OK\r\n"] + [b"a"] * 10**6, id="drip"),
        pytest.param([], id="silence"),
    ],
)
def test_a_sender_without_a_frame_is_a_clear_error(pieces: list[bytes]) -> None:
    with StreamServer(lambda: iter(pieces)) as server:
        with pytest.raises(CameraError, match="no new frame") as caught:
            opened(server, IMPATIENT)
        assert server.url in str(caught.value)


def test_parts_that_are_no_pictures_are_a_clear_error() -> None:
    clock = VirtualClock()

    def say() -> Iterator[bytes]:
        yield HEAD
        while True:  # time passes with the parts alone
            clock.sleep_until(clock.now_ns() + 10_000_000)
            yield part(b"no picture")

    with (
        StreamServer(say) as server,
        pytest.raises(CameraError, match="got 10 bytes of something else"),
    ):
        open_camera(server.url, IMPATIENT, clock=clock)


def test_a_frame_larger_than_allowed_is_refused(server: StreamServer) -> None:
    server.say = lambda: iter([HEAD, part(jpeg(1, (640, 480)) + bytes(200_000))])
    with pytest.raises(CameraError, match="expected frames of at most 100000 bytes, got"):
        opened(server, LiveOptions(max_frame_mb=0.1))


def test_nobody_there_is_a_clear_error() -> None:
    with pytest.raises(CameraError, match="cannot be reached"):
        open_camera("http://127.0.0.1:9/stream.mjpg", OPTIONS)


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("http://cam/", "cam", 80, "/"),
        ("http://cam", "cam", 80, "/"),
        ("http://10.0.0.2:8080/a/b?x=1&y", "10.0.0.2", 8080, "/a/b?x=1&y"),
        ("http://[::1]:81/v", "::1", 81, "/v"),
    ],
)
def test_addresses(url: str, host: str, port: int, target: str) -> None:
    address = parse_url(url)
    assert (address.host, address.port, address.target) == (host, port, target)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///path",
        "http://host:port/",
        "http://host:99999/",
        "https://host/",
        "http://host/a b",
        "http://host/\r\nX: y",
        "http://häuser/",
        "http://[::1/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(CameraError, match="expected http://HOST"):
        parse_url(url)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(CameraError, match="without user and password") as caught:
        parse_url("http://me:hunter2@host/")
    assert "hunter2" not in str(caught.value)


def test_it_is_also_read_by_a_dual_stack_name() -> None:
    with StreamServer() as server:
        url = server.url.replace("127.0.0.1", "localhost")
        with open_camera(url, OPTIONS) as camera:
            assert camera.read(60) is not None
