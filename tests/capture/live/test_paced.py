from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from capture.camera import CameraInfo, Provenance
from capture.clock import VirtualClock
from capture.errors import CameraError
from capture.files.recording import RecordingCamera, RecordingHead, RecordingWriter
from capture.files.video import VideoCamera
from capture.frame import Frame
from capture.live.paced import PacedCamera
from tests.capture.files.made_videos import make_video, picture

START = 77_000_000_000
MS = 1_000_000


class SlowCamera(VideoCamera):
    """Takes longer to decode than a frame lasts."""

    clock: VirtualClock

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        self.clock.sleep_until(self.clock.now_ns() + 100 * MS)
        return super().read(timeout_s)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "a.mkv", [0, 33, 67, 140, 200])


def test_frames_come_when_they_are_due(clock: VirtualClock, video: Path) -> None:
    with PacedCamera(VideoCamera(video), clock) as camera:
        clock.sleep_until(START + 500 * MS)
        start_ns = START + 500 * MS
        for due_ms in (0, 33, 67, 140, 200):
            frame = camera.read()
            assert frame is not None
            assert frame.t_frame_ns == frame.t_received_ns == start_ns + due_ms * MS
            assert clock.now_ns() == frame.t_frame_ns
        assert camera.read() is None
        assert camera.read() is None
        assert camera.stats.dropped == 0


def test_the_newest_frame_that_is_due_wins(clock: VirtualClock, video: Path) -> None:
    with PacedCamera(VideoCamera(video), clock) as camera:
        camera.read()
        clock.sleep_until(START + 100 * MS)
        frame = camera.read()
        assert frame is not None
        assert frame.seq == 2
        assert (frame.t_frame_ns, frame.t_received_ns) == (START + 67 * MS, START + 100 * MS)
        assert (camera.stats.dropped, camera.stats.delivered) == (1, 2)


def test_a_frame_due_later_than_one_waits_is_an_error_and_comes_then(
    clock: VirtualClock, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "a.mkv", [0, 5000])
    with PacedCamera(VideoCamera(video), clock) as camera:
        camera.read()
        with pytest.raises(CameraError, match="no frame is due within 2 s"):
            camera.read(2.0)
        assert clock.now_ns() == START + 2000 * MS
        frame = camera.read(4.0)
        assert frame is not None
        assert frame.t_frame_ns == START + 5000 * MS


def test_a_machine_that_decodes_too_slowly_still_shows_frames(
    clock: VirtualClock, tmp_path: Path
) -> None:
    stored = SlowCamera(make_video(tmp_path / "a.mkv", list(range(0, 4000, 40))))
    stored.clock = clock
    with PacedCamera(stored, clock) as camera:
        frames = []
        while (frame := camera.read()) is not None:
            frames.append(frame)
        assert len(frames) >= 3
        assert all(a.t_frame_ns < b.t_frame_ns for a, b in pairwise(frames))


@pytest.mark.parametrize(
    ("made", "played"),
    [
        (Provenance.CAMERA, Provenance.IMPORTED),
        (Provenance.SIMULATED, Provenance.SIMULATED),
        (Provenance.IMPORTED, Provenance.IMPORTED),
    ],
)
def test_a_played_recording_is_never_passed_off_as_live(
    tmp_path: Path, clock: VirtualClock, made: Provenance, played: Provenance
) -> None:
    info = CameraInfo("test", "test", (64, 48), None, made)
    with RecordingWriter(tmp_path / "a.flrec", RecordingHead("test", info)) as writer:
        for i in range(2):
            writer.write(Frame(i, 10**9 + i * 40 * MS, 0, picture(i)))
        path = writer.finish()
    with PacedCamera(RecordingCamera(path), clock) as camera:
        assert camera.info.provenance is played
        times = [frame.t_frame_ns for _ in range(2) if (frame := camera.read())]
        assert times == [START, START + 40 * MS]
