"""Recordings beside a session: whole or not at all, and never in its way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from capture.camera import CameraInfo, Provenance
from capture.errors import SourceError
from capture.files.recording import RecordingCamera, RecordingHead, RecordingWriter
from capture.frame import Frame
from facelight.kiosk.recorder import QUEUE_FRAMES, Recorder
from tests.capture.files.made_videos import picture
from tests.waiting import until

INFO = CameraInfo("test", "test", (64, 48), None, Provenance.SIMULATED)
HEAD = RecordingHead("session", INFO)
WAIT_S = 30.0


def shot(seq: int) -> Frame:
    return Frame(seq, 10**12 + seq * 33_333_333, 10**12, picture(seq))


class SlowWriter(RecordingWriter):
    """A disk that does not answer until it is told to."""

    answers = threading.Event()

    def write(self, frame: Frame, jpeg: bytes | None = None) -> None:
        self.answers.wait(WAIT_S)
        super().write(frame, jpeg)


class FullWriter(RecordingWriter):
    """A disk that is full after two frames."""

    def write(self, frame: Frame, jpeg: bytes | None = None) -> None:
        if frame.seq == 2:
            raise SourceError(self.path, "cannot be written: No space left on device")
        super().write(frame, jpeg)


def test_what_was_written_can_be_replayed(tmp_path: Path) -> None:
    ended: list[Recorder] = []
    recorder = Recorder(tmp_path / "a.flrec", HEAD, ended.append)
    for seq in range(5):
        recorder.write(shot(seq))
    recorder.finish(None)
    assert recorder.join(WAIT_S)
    assert (recorder.kept, recorder.problem, ended) == (True, "", [recorder])
    with RecordingCamera(tmp_path / "a.flrec") as replayed:
        times = []
        while (frame := replayed.read()) is not None:
            times.append(frame.t_frame_ns)
    assert times == [seq * 33_333_333 for seq in range(5)]


@pytest.mark.parametrize("finished", [False, True])
def test_a_recording_that_is_too_slow_for_the_end_is_deleted_at_once(
    tmp_path: Path, finished: bool
) -> None:
    SlowWriter.answers.clear()
    recorder = Recorder(tmp_path / "a.flrec", HEAD, open_writer=SlowWriter)
    recorder.write(shot(0))
    until(lambda: any(tmp_path.iterdir()))
    if finished:
        recorder.finish(None)
    recorder.discard()
    assert list(tmp_path.iterdir()) == []
    SlowWriter.answers.set()
    assert recorder.join(WAIT_S)
    assert (recorder.kept, list(tmp_path.iterdir())) == (False, [])


def test_an_aborted_recording_leaves_nothing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.flrec", HEAD)
    recorder.write(shot(0))
    recorder.abort()
    recorder.finish(None)
    recorder.write(shot(1))
    assert recorder.join(WAIT_S)
    assert not recorder.kept
    assert list(tmp_path.iterdir()) == []


def test_a_slow_disk_ends_the_recording_and_holds_nobody_up(tmp_path: Path) -> None:
    SlowWriter.answers.clear()
    recorder = Recorder(tmp_path / "a.flrec", HEAD, open_writer=SlowWriter)
    frame = shot(0)
    for seq in range(QUEUE_FRAMES + 5):
        recorder.write(Frame(seq, frame.t_frame_ns + seq, 0, frame.pixels))
    recorder.finish(None)
    assert "does not keep up" in recorder.problem
    SlowWriter.answers.set()
    assert recorder.join(WAIT_S)
    assert not recorder.kept
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    recorder = Recorder(
        tmp_path / "a.flrec", HEAD, lambda r: told.append(r.problem), open_writer=FullWriter
    )
    for seq in range(5):
        recorder.write(shot(seq))
    recorder.finish(None)
    assert recorder.join(WAIT_S)
    assert len(told) == 1
    assert "No space left on device" in told[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mkv", "missing/a.flrec"])
def test_a_place_that_cannot_be_written_is_a_problem_of_the_recording_alone(
    tmp_path: Path, name: str
) -> None:
    recorder = Recorder(tmp_path / name, HEAD)
    recorder.write(shot(0))
    recorder.finish(None)
    assert recorder.join(WAIT_S)
    assert name.rpartition("/")[2] in recorder.problem
    assert not recorder.kept
