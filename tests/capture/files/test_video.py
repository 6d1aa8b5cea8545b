"""Videos of every kind as frames: their times, their pixels, and every fault."""

from __future__ import annotations

import random
from pathlib import Path

import av
import numpy as np
import pytest

from capture.errors import CaptureError, SourceError
from capture.files.video import VideoCamera
from capture.frame import Frame
from tests.capture.files.made_videos import make_audio, make_video, picture

MS = 1_000_000


def frames_of(path: Path) -> list[Frame]:
    with VideoCamera(path) as camera:
        return list(iter(camera.read, None))


@pytest.mark.parametrize(
    "times_ms",
    [
        pytest.param([0, 33, 67, 100], id="30 fps"),
        pytest.param([5000, 5033, 5067], id="a first pts that is not zero"),
        pytest.param([0, 10, 250, 251, 900], id="variable frame rate"),
        pytest.param([0], id="one frame"),
    ],
)
def test_times_are_those_of_the_file_from_its_first_frame(
    tmp_path: Path, times_ms: list[int]
) -> None:
    frames = frames_of(make_video(tmp_path / "a.mkv", times_ms))
    assert [f.t_frame_ns for f in frames] == [(t - times_ms[0]) * MS for t in times_ms]
    assert [f.t_received_ns for f in frames] == [f.t_frame_ns for f in frames]
    assert [f.seq for f in frames] == list(range(len(times_ms)))


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "size_wh"),
    [
        pytest.param("a.mkv", "ffv1", "bgr0", (64, 48), id="rgb"),
        pytest.param("a.mkv", "ffv1", "gray", (33, 17), id="grey, odd size"),
        pytest.param("a.mkv", "ffv1", "gray16le", (33, 17), id="grey of 16 bits"),
        pytest.param("a.mkv", "ffv1", "yuv420p10le", (64, 48), id="10 bit"),
        pytest.param("a.mkv", "ffv1", "yuva420p", (65, 47), id="transparency, odd size"),
        pytest.param("a.mov", "png", "rgba", (31, 31), id="png with transparency"),
        pytest.param("a.mkv", "mjpeg", "yuvj422p", (64, 48), id="mjpeg"),
        pytest.param("a.mp4", "mpeg4", "yuv420p", (64, 48), id="mp4"),
        pytest.param("a.mov", "mjpeg", "yuvj420p", (64, 48), id="mov"),
        pytest.param("a.avi", "mpeg4", "yuv420p", (64, 48), id="avi"),
        pytest.param("a.webm", "libvpx-vp9", "yuv420p", (64, 48), id="webm"),
        pytest.param("a.mkv", "ffv1", "bgr0", (1, 1), id="one pixel"),
    ],
)
def test_pixels_are_those_of_the_reference_conversion(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, size_wh: tuple[int, int]
) -> None:
    path = make_video(tmp_path / name, codec=codec, pix_fmt=pix_fmt, size_wh=size_wh)
    frames = frames_of(path)
    with av.open(str(path)) as container:
        wanted = [f.to_ndarray(format="bgr24") for f in container.decode(video=0)]
    assert len(frames) == len(wanted) == 10
    for frame, reference in zip(frames, wanted, strict=True):
        assert np.array_equal(frame.pixels, reference)
        assert frame.size_wh == size_wh
        assert frame.pixels.flags.c_contiguous
        assert not frame.pixels.flags.writeable


@pytest.mark.parametrize("mirror", [(False, False), (True, False), (False, True)], ids=str)
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_in_the_file_is_undone(
    tmp_path: Path, degrees: int, mirror: tuple[bool, bool]
) -> None:
    """The reference is the definition of the display matrix: rotate, then mirror the result."""
    path = make_video(tmp_path / "a.mp4", codec="png", pix_fmt="rgb24", rotation=(degrees, *mirror))
    turned = np.rot90(picture(0), degrees // 90)
    upright = turned[:: -1 if mirror[1] else 1, :: -1 if mirror[0] else 1]
    with VideoCamera(path) as camera:
        assert camera.info.size_wh == (upright.shape[1], upright.shape[0])
        frame = camera.read()
    assert frame is not None
    assert np.array_equal(frame.pixels, upright)


def test_avi_with_reordered_frames_has_evenly_spaced_times(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", codec="mpeg4", pix_fmt="yuv420p", options={"bf": "2"})
    assert [f.t_frame_ns for f in frames_of(path)] == [i * 40 * MS for i in range(10)]


def test_avi_with_reordered_frames_and_a_gap_gives_each_frame_its_own_time(tmp_path: Path) -> None:
    times = [*range(0, 400, 40), *range(800, 1200, 40)]
    path = make_video(
        tmp_path / "a.avi", times, codec="mpeg4", pix_fmt="yuv420p", encoder_options={"bf": "2"}
    )
    assert [f.t_frame_ns // MS for f in frames_of(path)] == times


def test_what_is_known_of_a_video(tmp_path: Path) -> None:
    with VideoCamera(make_video(tmp_path / "a.mkv")) as camera:
        info = camera.info
        assert camera.duration_ns == 400 * MS
        assert camera.interval_ns == 40 * MS
    assert (info.name, info.size_wh, info.fps) == ("a.mkv", (64, 48), 25.0)
    assert (info.provenance, info.details["codec"]) == ("imported", "ffv1")


def test_a_repeated_stamp_is_left_out_and_counted(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [0, 40, 80, 120], stamps_ms=[0, 40, 40, 120])
    with VideoCamera(path) as camera:
        frames = list(iter(camera.read, None))
        assert camera.repeats == 1
    assert [(f.seq, f.t_frame_ns // MS) for f in frames] == [(0, 0), (1, 40), (3, 120)]


def test_time_that_goes_back_is_an_error(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [0, 40, 80, 120], stamps_ms=[0, 40, 20, 120])
    with VideoCamera(path) as camera, pytest.raises(SourceError, match="time goes back at frame 2"):
        list(iter(camera.read, None))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_sound_alone_is_no_session(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="audio only"):
        VideoCamera(make_audio(tmp_path / name))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_video_without_frames_is_no_session(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"no frames|no video"):
        VideoCamera(make_video(tmp_path / name, [], codec="mpeg4", pix_fmt="yuv420p"))


def test_a_playlist_in_disguise_opens_nothing(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mkv")
    for text in (f"ffconcat version 1.0\nfile {tmp_path}/a.mkv\n", f"#EXTM3U\n{tmp_path}/a.mkv\n"):
        path = tmp_path / "list.mp4"
        path.write_text(text)
        with pytest.raises(SourceError, match="no video"):
            VideoCamera(path)


def test_a_name_that_looks_like_a_protocol_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "http:a.mkv"
    make_video(tmp_path / "a.mkv").rename(tmp_path / name)
    assert len(frames_of(Path(name))) == 10


def test_a_change_of_size_is_an_error(tmp_path: Path) -> None:
    small, large = (
        make_video(tmp_path / f"{w}.mkv", codec="mjpeg", pix_fmt="yuvj420p", size_wh=(w, 48))
        for w in (64, 80)
    )
    mixed = tmp_path / "mixed.mkv"
    with av.open(str(small)) as a, av.open(str(large)) as b, av.open(str(mixed), "w") as out:
        stream = out.add_stream_from_template(a.streams.video[0])
        for source, shift in ((a, 0), (b, 400)):
            for packet in source.demux(video=0):
                if packet.pts is not None:
                    packet.pts = packet.dts = packet.pts + shift
                    packet.stream = stream
                    out.mux(packet)
    with (
        VideoCamera(mixed) as camera,
        pytest.raises(SourceError, match="picture's size changes at frame 10: 80x48, before 64x48"),
    ):
        list(iter(camera.read, None))


def test_an_error_stays_an_error(tmp_path: Path) -> None:
    """A reader that tries again must not take the damage for the end of the session."""
    path = make_video(tmp_path / "a.mkv", [0, 40, 80, 120], stamps_ms=[0, 40, 20, 120])
    with VideoCamera(path) as camera:
        for _ in range(2):
            camera.read()
        for _ in range(3):
            with pytest.raises(SourceError):
                camera.read()


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        pytest.param("a.mkv", "ffv1", "bgr0", id="mkv"),
        pytest.param("a.mp4", "libx264", "yuv420p", id="mp4"),
        pytest.param("a.webm", "libvpx", "yuv420p", id="webm"),
        pytest.param("a.avi", "mjpeg", "yuvj420p", id="avi"),
    ],
)
def test_damage_is_an_error_or_harmless_but_nothing_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, codec: str, pix_fmt: str
) -> None:
    """Neither a crash, nor a foreign exception, nor a line of libav's on the terminal."""
    content = make_video(tmp_path / name, codec=codec, pix_fmt=pix_fmt).read_bytes()
    chance = random.Random(7)
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        try:
            frames_of(path)
        except CaptureError as error:
            assert "\n" not in str(error)  # noqa: PT017
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_zeroed_tail_is_an_error(tmp_path: Path) -> None:
    """What a full disk or an interrupted download leaves: the right length, the end empty."""
    path = make_video(tmp_path / "a.webm", range(0, 4000, 40), codec="libvpx", pix_fmt="yuv420p")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    with pytest.raises(SourceError, match=r"truncated|damaged"):
        frames_of(path)


@pytest.mark.slow
def test_real_footage_is_read_as_the_reference_reads_it(footage: Path) -> None:
    path = footage / "videos" / "s18-lit.mkv"
    with VideoCamera(path) as camera, av.open(str(path)) as container:
        for number, reference in enumerate(container.decode(video=0)):
            frame = camera.read()
            assert frame is not None
            assert frame.seq == number
            assert reference.pts is not None
            assert frame.t_frame_ns == reference.pts * MS
            if number % 20 == 0:
                assert np.array_equal(frame.pixels, reference.to_ndarray(format="bgr24"))
        assert camera.read() is None


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_footage_is_refused(footage: Path, tmp_path: Path, share: float) -> None:
    content = (footage / "videos" / "s18-lit.mkv").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceError, match="truncated"):
        VideoCamera(path)
