"""Folders of images: order, times, formats, and the file that spoils it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from capture.errors import SourceError
from capture.files.pictures.images import ImagesCamera, natural_key
from capture.frame import Frame
from tests.capture.files.made_videos import picture

MS = 1_000_000


def save(path: Path, number: int = 0, size_wh: tuple[int, int] = (64, 48)) -> Path:
    Image.fromarray(picture(number, size_wh)[..., ::-1]).save(path)
    return path


def frames_of(folder: Path) -> list[Frame]:
    with ImagesCamera(folder) as camera:
        return list(iter(camera.read, None))


def test_images_come_in_the_order_in_which_people_number_them(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        save(tmp_path / f"shot {number}.png", number)
    frames = frames_of(tmp_path)
    assert [f.pixels[-1, -1, 2] // 7 for f in frames] == [1, 2, 10]
    assert [f.t_frame_ns for f in frames] == [0, 33_333_333, 66_666_666]
    assert not frames[0].pixels.flags.writeable


@pytest.mark.slow
@given(st.lists(st.text(min_size=1, max_size=12), max_size=8), st.randoms())
def test_any_names_have_one_order(names: list[str], chance: Random) -> None:
    shuffled = names.copy()
    chance.shuffle(shuffled)
    keys = [
        [natural_key(name) for name in sorted(some, key=natural_key)] for some in (names, shuffled)
    ]
    assert keys[0] == keys[1]


def test_times_and_order_come_from_the_list_where_there_is_one(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "left out.png"):
        save(tmp_path / name, ord(name[0]))
    (tmp_path / "frames.csv").write_text("t_ms,file,note\n1000,b.png,x\n1033.5,a.png,\n")
    frames = frames_of(tmp_path)
    assert [f.t_frame_ns for f in frames] == [0, 33_500_000]
    assert [f.pixels[-1, -1, 2] for f in frames] == [ord("b") * 7 % 256, ord("a") * 7 % 256]
    with ImagesCamera(tmp_path) as camera:
        assert (camera.timed, camera.duration_ns) == (True, 67 * MS)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("file,t_ms\n", "lists no images", id="no rows"),
        pytest.param("name,t_ms\na.png,0\n", "columns file,t_ms", id="another column"),
        pytest.param("file,t_ms\na.png\n", "columns file,t_ms", id="a short row"),
        pytest.param("file,t_ms\na.png,soon\n", "row 1: t_ms", id="no number"),
        pytest.param("file,t_ms\na.png,nan\n", "row 1: t_ms", id="NaN"),
        pytest.param("file,t_ms\na.png,1e30\n", "row 1: t_ms", id="another unit"),
        pytest.param("file,t_ms\na.png,5\nb.png,5\n", "row 2: t_ms", id="two at once"),
        pytest.param("file,t_ms\nc.png,0\n", "row 1: file", id="no such image"),
        pytest.param("file,t_ms\n../a.png,0\n", "row 1: file", id="outside the folder"),
        pytest.param("file,t_ms\nframes.csv,0\n", "row 1: file", id="no image"),
        pytest.param(b"\xff\xfe\x00", "cannot be read", id="no text"),
        pytest.param('file,t_ms\n"a.png,0\n', "cannot be read", id="an open quote"),
    ],
)
def test_a_list_that_cannot_be_is_refused(
    tmp_path: Path, content: str | bytes, problem: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (tmp_path / "a.png", folder / "a.png", folder / "b.png"):
        save(path)
    (folder / "frames.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError, match=problem):
        ImagesCamera(folder)


@pytest.mark.parametrize("ending", ["png", "bmp", "webp", "jpg", "JPEG", "gif"])
def test_every_format_is_read(tmp_path: Path, ending: str) -> None:
    save(tmp_path / f"a.{ending}", 9)
    (frame,) = frames_of(tmp_path)
    difference = np.abs(frame.pixels.astype(int) - picture(9))
    assert difference.mean() < {"png": 0.01, "bmp": 0.01}.get(ending, 12)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        pytest.param("L", 90, (90, 90, 90), id="grey"),
        pytest.param("RGBA", (10, 20, 30, 0), (30, 20, 10), id="transparency is dropped"),
        pytest.param("P", 0, (0, 0, 0), id="palette"),
        pytest.param("1", 1, (255, 255, 255), id="one bit"),
        pytest.param("I;16", 0x5A12, (0x5A,) * 3, id="16 bit"),
    ],
)
def test_every_mode_becomes_bgr(
    tmp_path: Path, mode: str, value: int | tuple[int, ...], expected: tuple[int, int, int]
) -> None:
    Image.new(mode, (5, 3), value).save(tmp_path / "a.png")
    (frame,) = frames_of(tmp_path)
    assert frame.pixels.shape == (3, 5, 3)
    assert tuple(frame.pixels[1, 1]) == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(picture(0)[..., ::-1])
    image.save(tmp_path / "a.png", exif=exif)
    (frame,) = frames_of(tmp_path)
    assert frame.size_wh == ((64, 48) if orientation < 5 else (48, 64))
    corners = [(0, 0), (0, -1), (-1, -1), (-1, 0), (0, 0), (0, -1), (-1, -1), (-1, 0)]
    assert tuple(frame.pixels[corners[orientation - 1]]) == (255, 255, 255)


def test_the_first_picture_of_an_animation_counts(tmp_path: Path) -> None:
    red, blue = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    red.save(tmp_path / "a.gif", save_all=True, append_images=[blue])
    (frame,) = frames_of(tmp_path)
    assert tuple(frame.pixels[4, 4]) == (0, 0, 255)


def test_another_size_is_refused_by_the_files_name(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    save(tmp_path / "2.png", size_wh=(64, 50))
    with ImagesCamera(tmp_path) as camera:
        assert camera.read() is not None
        for _ in range(2):
            with pytest.raises(SourceError, match=r"2\.png: is 64x50, expected 64x48"):
                camera.read()


def png_of_size(width: int, height: int, depth: int = 8) -> bytes:
    """A PNG that claims a size and ends where its pixels should begin."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\r"
        + header
        + struct.pack(">I", zlib.crc32(header))
        + b"\0\0\0\x10IDAT"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "no image", id="empty"),
        pytest.param(b"no picture at all", "no image", id="text"),
        pytest.param(png_of_size(64, 48), "damaged image", id="header only"),
        pytest.param(png_of_size(30_000, 2), "16384 pixels at most a side", id="too wide"),
        pytest.param(png_of_size(12_000, 12_000), "more pixels", id="a bomb"),
        pytest.param(png_of_size(60_000, 60_000), "more pixels", id="a bigger bomb"),
    ],
)
def test_an_unreadable_image_is_refused_by_its_name(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(content)
    with ImagesCamera(tmp_path) as camera:
        camera.read()
        with pytest.raises(SourceError, match=problem) as caught:
            camera.read()
    assert caught.value.path == str(tmp_path / "2.png")


def test_a_truncated_photograph_is_refused(tmp_path: Path) -> None:
    photograph = save(tmp_path / "1.jpg", size_wh=(640, 480))
    photograph.write_bytes(photograph.read_bytes()[:-400])
    with pytest.raises(SourceError, match="damaged image"):
        ImagesCamera(tmp_path)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / ".hidden.png").write_text("none")
    with pytest.raises(SourceError, match="no images"):
        ImagesCamera(tmp_path)
    with pytest.raises(SourceError, match="no such folder"):
        ImagesCamera(tmp_path / "nowhere")


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"\xff\xd8\xff"]),
)
def test_no_bytes_bring_the_reader_down(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, magic: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    folder.mkdir(exist_ok=True)
    (folder / "a.png").write_bytes(magic + content)
    try:
        frames_of(folder)
    except SourceError as error:
        assert "\n" not in str(error)  # noqa: PT017
