"""Truncation and damage that the demuxers themselves pass over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import SourceError
from capture.files.container.containers import check_container
from tests.capture.files.made_videos import make_video

MAKERS = [
    pytest.param("a.mkv", {}, "matroska", id="mkv"),
    pytest.param("a.webm", {"codec": "libvpx", "pix_fmt": "yuv420p"}, "matroska", id="webm"),
    pytest.param(
        "live.webm",
        {"codec": "libvpx", "pix_fmt": "yuv420p", "options": {"live": "1"}},
        "matroska",
        id="live webm, no lengths",
    ),
    pytest.param("a.mp4", {"codec": "mpeg4", "pix_fmt": "yuv420p"}, "mov", id="mp4"),
    pytest.param(
        "fast.mp4",
        {"codec": "mpeg4", "pix_fmt": "yuv420p", "options": {"movflags": "faststart"}},
        "mov",
        id="mp4, index first",
    ),
    pytest.param(
        "parts.mp4",
        {
            "codec": "mpeg4",
            "pix_fmt": "yuv420p",
            "options": {"movflags": "frag_keyframe+empty_moov"},
        },
        "mov",
        id="fragmented mp4",
    ),
    pytest.param("a.mov", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}, "mov", id="mov"),
    pytest.param("a.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}, "avi", id="avi"),
]


@pytest.mark.parametrize(("name", "options", "demuxer"), MAKERS)
def test_a_whole_file_is_known_by_its_bytes(
    tmp_path: Path, name: str, options: dict[str, object], demuxer: str
) -> None:
    video = make_video(tmp_path / name, **options)  # type: ignore[arg-type]
    checked = check_container(video.rename(tmp_path / "anything"))
    assert (checked.demuxer, checked.note) == (demuxer, "")


@pytest.mark.parametrize(("name", "options", "demuxer"), MAKERS)
def test_a_file_cut_anywhere_is_refused(
    tmp_path: Path, name: str, options: dict[str, object], demuxer: str
) -> None:
    content = make_video(tmp_path / name, **options).read_bytes()  # type: ignore[arg-type]
    cut = tmp_path / "cut"
    for length in {1, 11, 40, len(content) // 3, len(content) * 9 // 10, len(content) - 1}:
        cut.write_bytes(content[:length])
        with pytest.raises(SourceError):
            check_container(cut)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_bytes_behind_the_last_box_are_nobodys(tmp_path: Path, name: str) -> None:
    codec = {"codec": "mjpeg", "pix_fmt": "yuvj420p"}
    video = make_video(tmp_path / name, **codec)  # type: ignore[arg-type]
    video.write_bytes(video.read_bytes() + bytes(64))
    check_container(video)


def test_one_flipped_bit_of_a_picture_is_noticed_by_the_clusters_checksum(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mkv")
    content = bytearray(video.read_bytes())
    content[len(content) // 2] ^= 1
    video.write_bytes(content)
    with pytest.raises(SourceError, match="checksum"):
        check_container(video)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "empty file", id="empty"),
        pytest.param(b"Dear diary, today I pretended to be a video.", "no video", id="text"),
        pytest.param(b"#EXTM3U\nhttp://example.org/a.ts\n", "no video", id="playlist"),
        pytest.param(b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00", "no index", id="mp4, no moov"),
        pytest.param(b"\x00\x00\x00\x02ftypisom", "damaged at byte 0", id="box of two bytes"),
        pytest.param(b"RIFF\x00\x00\x00\x00AVI LIST", "never finished", id="avi, no length"),
        pytest.param(b"\x1a\x45\xdf\xa3\x00", "damaged at byte 0", id="ebml, length of nine bytes"),
    ],
)
def test_what_is_no_video_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=problem):
        check_container(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        check_container(tmp_path / "nowhere.mp4")
    with pytest.raises(SourceError, match="not a file"):
        check_container(tmp_path)


magic = st.sampled_from(
    [b"", b"\x1a\x45\xdf\xa3", b"RIFF\x20\x00\x00\x00AVI ", b"\x00\x00\x00\x08ftyp"]
)


@given(magic, st.binary(max_size=80))
def test_no_bytes_bring_the_walk_down(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "walk"
    path.write_bytes(start + rest)
    try:
        assert check_container(path).demuxer in {"matroska", "mov", "avi"}
    except SourceError as error:
        assert "\n" not in str(error)  # noqa: PT017
