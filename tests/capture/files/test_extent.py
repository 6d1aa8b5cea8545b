"""Small files that claim much: refused by their headers, before they cost time or memory."""

from __future__ import annotations

import socket
import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from capture.errors import SourceError
from capture.files import extent
from capture.files.container.containers import CheckedContainer, check_container
from capture.files.container.video_index import open_video
from capture.files.pictures.deep_images import deep_values
from capture.files.pictures.images import ImagesCamera
from capture.files.video import VideoCamera
from tests.capture.files.made_videos import make_video
from tests.capture.files.pictures.test_images import png_of_size, save

SEGMENT = bytes.fromhex("18538067")
CLUSTER = bytes.fromhex("1f43b675")
EBML = bytes.fromhex("1a45dfa380")
VOID = b"\xec\x80"


def flat_video(path: Path, size_wh: tuple[int, int], aspect: Fraction = Fraction(1)) -> Path:
    """One grey frame of any size, in a few kilobytes."""
    width, height = size_wh
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        stream.codec_context.options = {"preset": "ultrafast", "crf": "51"}
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def element(kind: bytes, content: bytes) -> bytes:
    return kind + b"\x01" + len(content).to_bytes(7, "big") + content


def nested(kind: bytes, depth: int) -> bytes:
    """Elements in elements, each with the right checksum of all within it."""
    content = VOID
    for _ in range(depth):
        checked = b"\xbf\x84" + zlib.crc32(content).to_bytes(4, "little") + content
        content = element(kind, checked)
    return content


@pytest.mark.parametrize(
    ("name", "size_wh"),
    [
        pytest.param("a.mp4", (7680, 4320), id="8K"),
        pytest.param("a.mkv", (16_384, 1600), id="16K wide"),
    ],
)
def test_a_video_larger_than_any_camera_is_refused_by_its_header(
    tmp_path: Path, name: str, size_wh: tuple[int, int]
) -> None:
    path = flat_video(tmp_path / name, size_wh)
    assert path.stat().st_size < 100_000
    with pytest.raises(SourceError, match=r"its picture is \d+x\d+, expected 25 million pixels"):
        VideoCamera(path)


def test_a_container_that_says_less_than_its_codec_is_refused(tmp_path: Path) -> None:
    path = flat_video(tmp_path / "a.mkv", (7680, 4320))
    content = path.read_bytes()
    lie = content.replace(b"\xb0\x82\x1e\x00", b"\xb0\x82\x00\x40")
    lie = lie.replace(b"\xba\x82\x10\xe0", b"\xba\x82\x00\x30")
    assert lie != content
    path.write_bytes(lie)
    with pytest.raises(SourceError) as refused:
        VideoCamera(path)
    assert "\n" not in str(refused.value)


def test_pixels_of_any_shape_do_not_make_a_picture_of_any_size(tmp_path: Path) -> None:
    path = flat_video(tmp_path / "a.mp4", (1280, 720), Fraction(200, 1))
    with pytest.raises(SourceError, match="16384 pixels at most a side"):
        VideoCamera(path)


def test_more_frames_than_any_session_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extent, "MAX_FRAMES", 8)
    with pytest.raises(SourceError, match="over 8 frames, expected a session of seconds"):
        VideoCamera(make_video(tmp_path / "a.mkv"))
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(9):
        save(folder / f"{number}.png")
    with pytest.raises(SourceError, match="images: over 8 frames"):
        ImagesCamera(folder)
    rows = "".join(f"0.png,{t_ms}\n" for t_ms in range(9))
    (folder / "frames.csv").write_text("file,t_ms\n" + rows)
    with pytest.raises(SourceError, match=r"frames\.csv: over 8 frames"):
        ImagesCamera(folder)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(EBML + element(SEGMENT, VOID * 40), id="Matroska"),
        pytest.param(b"\0\0\0\x08free" * 40, id="MP4"),
        pytest.param(b"RIFF\4\0\0\0AVI " + b"RIFF\4\0\0\0AVIX" * 40, id="AVI"),
    ],
)
def test_a_container_of_countless_pieces_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(extent, "MAX_ELEMENTS", 30)
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(SourceError, match="over 30 blocks or packets"):
        check_container(tmp_path / "a")


@pytest.mark.parametrize("kind", [pytest.param(SEGMENT, id="segments"), pytest.param(CLUSTER)])
def test_matroska_within_itself_is_refused_at_the_first_turn(tmp_path: Path, kind: bytes) -> None:
    inside = nested(kind, 50)
    (tmp_path / "a.mkv").write_bytes(EBML + element(SEGMENT, inside))
    with pytest.raises(SourceError, match=r"damaged at byte \d+$"):
        check_container(tmp_path / "a.mkv")


@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_larger_than_any_cameras_is_refused_by_its_header(
    tmp_path: Path, depth: int
) -> None:
    for number in range(9):
        content = png_of_size(9380, 9380, depth)  # 88 million pixels: Pillow's own limit is above
        (tmp_path / f"{number}.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"0\.png: is 9380x9380, expected 25 million pixels"):
        ImagesCamera(tmp_path)


def test_opencv_decodes_nothing_but_png(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    with Image.open(path) as image, pytest.raises(ValueError, match="no PNG"):
        deep_values(path, image)


def test_libav_reaches_no_network_even_with_a_playlist_in_its_hands(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        path = tmp_path / "a.m3u8"
        path.write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n"
        )
        size = path.stat().st_size
        with pytest.raises(SourceError):
            open_video(path, CheckedContainer("hls", size, size))
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_largest_camera_is_read(tmp_path: Path) -> None:
    path = flat_video(tmp_path / "a.mp4", (5120, 2880))
    assert VideoCamera(path).info.size_wh == (5120, 2880)
