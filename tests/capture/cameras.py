"""All that claims to be a `Camera`: a line here puts an implementation under the conformance suite.

``make`` gets an empty folder and returns a freshly opened camera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from capture.camera import Camera, CameraInfo, Provenance
from capture.clock import SystemClock, VirtualClock
from capture.files.pictures.images import ImagesCamera
from capture.files.read_ahead import ReadAhead
from capture.files.recording import RecordingCamera, RecordingHead, RecordingWriter
from capture.files.video import VideoCamera
from capture.frame import Frame
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.paced import PacedCamera
from capture.live.reading.arrivals import CameraIdentity
from capture.live.stream.mjpeg_http import open_http
from tests.capture.files.made_videos import make_video, picture
from tests.capture.live.fakes import in_real_time
from tests.capture.live.streams import StreamServer
from tests.capture.simulator.shooting import conforming


@dataclass(frozen=True)
class CameraCase:
    """One implementation; ``endless`` sources never return None."""

    id: str
    make: Callable[[Path], Camera]
    endless: bool = False


def video(folder: Path) -> Camera:
    return VideoCamera(make_video(folder / "a.mkv", [0, 33, 67, 140, 141]))


def avi(folder: Path) -> Camera:
    return VideoCamera(make_video(folder / "a.avi", codec="mpeg4", pix_fmt="yuv420p"))


def turned_video(folder: Path) -> Camera:
    path = folder / "a.mp4"
    return VideoCamera(make_video(path, codec="png", pix_fmt="rgb24", rotation=(90, False, False)))


def recording(folder: Path) -> Camera:
    info = CameraInfo("test", "test", (64, 48), None, Provenance.SIMULATED)
    with RecordingWriter(folder / "a.flrec", RecordingHead("test", info)) as writer:
        for i in range(5):
            writer.write(Frame(i * 2, 10**12 + i * 33_333_333, 10**12, picture(i)))
        return RecordingCamera(writer.finish())


def images(folder: Path) -> Camera:
    for i in range(5):
        Image.fromarray(picture(i)[..., ::-1]).save(folder / f"{i}.png")
    return ImagesCamera(folder)


PATIENT = LiveOptions(warmup_frames=0, open_timeout_s=120, first_frame_s=60, stall_s=60)


def webcam(folder: Path) -> Camera:
    options = replace(PATIENT, warmup_frames=2)
    return LiveCamera(in_real_time().opener(options), CameraIdentity("fake", "fake"), options)


class ServedCamera(LiveCamera):
    """A stream with its server, which ends with it."""

    def __init__(self) -> None:
        self._server = StreamServer()
        options, clock = PATIENT, SystemClock()
        url = self._server.url
        super().__init__(
            lambda: open_http(url, options, clock), CameraIdentity(url, url), options, clock
        )

    def close(self) -> None:
        super().close()
        self._server.close()


def stream(folder: Path) -> Camera:
    return ServedCamera()


def paced_video(folder: Path) -> Camera:
    stored = VideoCamera(make_video(folder / "a.mkv", [0, 33, 67, 140, 141]))
    return PacedCamera(stored, VirtualClock(10**12))


CASES = [
    CameraCase("video", video),
    CameraCase("avi", avi),
    CameraCase("turned video", turned_video),
    CameraCase("recording", recording),
    CameraCase("images", images),
    CameraCase("webcam", webcam, endless=True),
    CameraCase("stream", stream, endless=True),
    CameraCase("paced video", paced_video),
    CameraCase("video read ahead", lambda folder: ReadAhead(video(folder))),
    CameraCase("simulator", conforming),
]
