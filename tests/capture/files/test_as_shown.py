"""What a viewer sees is what is read: square pixels, SDR, the marked stream, every frame's time."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from capture.errors import SourceError
from capture.files.pictures.hdr import HdrCurve, ToneMapper
from capture.files.pictures.images import ImagesCamera
from capture.files.video import VideoCamera
from capture.frame import ImageU8
from tests.capture.files.made_videos import make_video, picture


def frames_of(camera: VideoCamera | ImagesCamera) -> list[tuple[float, ImageU8]]:
    with camera:
        return [(f.t_frame_ns / 1e6, f.pixels) for f in iter(camera.read, None)]


@pytest.mark.parametrize(
    ("aspect", "size_wh"),
    [
        pytest.param(Fraction(4, 3), (85, 48), id="wide pixels"),
        pytest.param(Fraction(8, 9), (64, 54), id="tall pixels"),
        pytest.param(Fraction(1, 1), (64, 48), id="square pixels"),
    ],
)
def test_pixels_that_are_not_square_are_drawn_out(
    aspect: Fraction, size_wh: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        stream.codec_context.sample_aspect_ratio = aspect
        stream.codec_context.options = {"qp": "0"}
        frame = av.VideoFrame.from_ndarray(picture(1), format="bgr24").reformat(format="yuv444p")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    camera = VideoCamera(path)
    assert camera.info.size_wh == size_wh
    assert [f"made square: 64x48 to {size_wh[0]}x{size_wh[1]}" in n for n in camera.notes] == [
        True
    ] * (aspect != 1)
    expected = cv2.resize(picture(1), size_wh, interpolation=cv2.INTER_CUBIC)
    assert np.abs(frames_of(camera)[0][1].astype(int) - expected).max() <= 6


def hlg(light: float) -> float:
    e = 0.265 * light
    above = 0.17883277 * math.log(max(12 * e - 0.28466892, 1e-6)) + 0.55991073
    return float((3 * e) ** 0.5) if e <= 1 / 12 else above


def pq(light: float) -> float:
    y = (203 * light / 10000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)


@pytest.mark.parametrize(
    ("curve", "signal"),
    [pytest.param(HdrCurve.HLG, hlg, id="HLG"), pytest.param(HdrCurve.PQ, pq, id="PQ")],
)
@pytest.mark.parametrize("code", [0, 20, 60, 118, 180, 220])
def test_a_grey_below_the_shoulder_keeps_its_code(
    curve: HdrCurve, signal: Callable[[float], float], code: int
) -> None:
    c = code / 255
    light = c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
    assert mapped(curve, signal(light)) == pytest.approx(code, abs=1)


@pytest.mark.parametrize("curve", [HdrCurve.HLG, HdrCurve.PQ])
def test_highlights_rise_towards_white_and_never_turn_back(curve: HdrCurve) -> None:
    codes = [mapped(curve, signal) for signal in np.linspace(0, 1, 60)]
    assert codes == sorted(codes)
    assert codes[-1] == 255


def mapped(curve: HdrCurve, signal: float) -> int:
    """Return the SDR code of a grey of that signal, 0 to 1."""
    frame = av.VideoFrame(16, 16, "yuv420p10le")
    for plane, value in zip(frame.planes, (64 + 876 * signal, 512, 512), strict=True):
        lines = np.full((plane.height, plane.line_size // 2), round(value), "<u2")
        plane.update(lines.tobytes())
    pixels = ToneMapper(curve).bgr(frame)
    assert np.ptp(pixels) <= 1
    return int(pixels[8, 8, 1])


def test_hdr_is_told_of_a_video_that_is_tagged_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 18, 9
        frame = av.VideoFrame.from_ndarray(picture(1), format="bgr24")
        frame = frame.reformat(format="yuv420p10le")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoCamera(path) as camera:
        assert camera.notes == ("HDR (HLG) was mapped to SDR",)


def test_of_two_video_streams_the_one_marked_default_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in range(2)]
        streams[0].disposition = av.stream.Disposition(0)
        streams[1].disposition = av.stream.Disposition.default
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        for number, stream in enumerate(streams):
            frame = av.VideoFrame.from_ndarray(picture(5 + number), format="bgr24")
            frame = frame.reformat(format="bgr0")
            frame.pts, frame.time_base = 0, Fraction(1, 25)
            container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    camera = VideoCamera(path)
    assert camera.notes == ("2 video streams: number 2 is taken",)
    assert np.array_equal(frames_of(camera)[0][1], picture(6))


@pytest.mark.parametrize("rest", ["another video", "junk"])
@pytest.mark.parametrize(
    ("ending", "codec", "pix_fmt"),
    [
        pytest.param("mkv", "ffv1", "bgr0", id="mkv"),
        pytest.param("mp4", "libx264", "yuv420p", id="mp4"),
        pytest.param("avi", "ffv1", "bgr0", id="avi"),
    ],
)
def test_what_is_glued_behind_a_video_is_told_and_not_read(
    ending: str, codec: str, pix_fmt: str, rest: str, tmp_path: Path
) -> None:
    path = make_video(tmp_path / f"a.{ending}", codec=codec, pix_fmt=pix_fmt)
    whole = path.read_bytes()
    alone = [t for t, _ in frames_of(VideoCamera(path))]
    path.write_bytes(whole + (whole if rest == "another video" else bytes(500) + b"end"))
    camera = VideoCamera(path)
    (note,) = camera.notes
    assert f"from byte {len(whole)} on" in note
    assert ("a second video is glued" in note) is (rest == "another video")
    assert [t for t, _ in frames_of(camera)] == alone


@pytest.mark.parametrize("before_ms", [0, 1, 100, 390])
def test_matroska_blocks_before_time_zero_keep_their_own_time(
    before_ms: int, tmp_path: Path
) -> None:
    times = [t - before_ms for t in (0, 41, 80, 119, 160, 203, 240, 281, 320, 361)]
    path = make_video(
        tmp_path / "a.mkv", times, codec="libx264", pix_fmt="yuv420p",
        options={"avoid_negative_ts": "disabled"}, encoder_options={"bf": "0"},
    )  # fmt: skip
    found = [t for t, _ in frames_of(VideoCamera(path))]
    assert found == [t + before_ms for t in times]


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_pictures_are_scaled_by_the_bits_they_use(
    bits: int, channels: int, tmp_path: Path
) -> None:
    ramp = np.tile(np.linspace(0, (1 << bits) - 1, 64).astype(np.uint16), (48, 1))
    values = ramp if channels == 1 else np.repeat(ramp[..., None], 3, axis=2)
    cv2.imwrite(str(tmp_path / "1.png"), values // 8)  # a dark one first
    cv2.imwrite(str(tmp_path / "2.png"), values)
    camera = ImagesCamera(tmp_path)
    assert any(f"use {bits} of them" in note for note in camera.notes) is (bits < 16)
    dark, full = (pixels for _, pixels in frames_of(camera))
    assert np.array_equal(full[..., 1], (ramp >> (bits - 8)).astype(np.uint8))
    assert dark.max() == full.max() // 8


def test_transparency_is_dropped_and_what_it_hides_is_shown(tmp_path: Path) -> None:
    rgba = np.dstack([picture(3), np.zeros((48, 64), np.uint8)])
    cv2.imwrite(str(tmp_path / "1.png"), rgba)
    assert np.array_equal(frames_of(ImagesCamera(tmp_path))[0][1], picture(3))


def test_pictures_of_kinds_that_are_not_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "1.heic").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"1 files \.heic are not read: convert them"):
        ImagesCamera(tmp_path)
    cv2.imwrite(str(tmp_path / "1.png"), picture(1))
    assert "1 files .heic are not read" in ImagesCamera(tmp_path).notes[0]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        pytest.param(b"FLV\x01" + bytes(600), "Flash Video", id="flv"),
        pytest.param((b"\x47" + bytes(187)) * 4, "MPEG transport stream", id="ts"),
        pytest.param((bytes(4) + b"\x47" + bytes(187)) * 4, "MPEG transport stream", id="m2ts"),
        pytest.param(bytes.fromhex("3026b2758e66cf11") + bytes(600), "Windows Media", id="wmv"),
        pytest.param(b"\0\0\x01\xba" + bytes(600), "MPEG program stream", id="mpg"),
    ],
)
def test_videos_of_kinds_that_are_not_read_are_named_with_the_cure(
    head: bytes, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "a.video").write_bytes(head)
    with pytest.raises(SourceError, match=rf"{kind}.*which is not read.*ffmpeg -i"):
        VideoCamera(tmp_path / "a.video")
