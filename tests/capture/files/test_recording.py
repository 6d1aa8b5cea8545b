"""Recordings: what goes in comes out, whole or not at all, and nothing false is replayed."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from capture.camera import CameraInfo, Provenance
from capture.errors import CaptureError, SidecarError, SourceError
from capture.files.recording import (
    ABANDONED_S,
    RecordingCamera,
    RecordingHead,
    RecordingWriter,
    remove_abandoned,
)
from capture.frame import Frame
from capture.light.illumination import Flip, IlluminationPlan, Slot
from capture.light.timeline import Timeline, Timing
from tests.capture.files.made_videos import picture
from tests.effort import examples

MS = 1_000_000
START_NS = 987_654_321_012_345
CAMERA = CameraInfo("usb-1", "A camera", (64, 48), 30.0, Provenance.CAMERA, {"driver": "uvc"})
PLAN = IlluminationPlan((Slot(None, (128,) * 3, 700.0), Slot("Red", (255, 0, 0), 400.5)), seed=7)
HEAD = RecordingHead("session-1", CAMERA, {"exposure": 3, "locked": ["gain"]}, PLAN)
CREATED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
TIMING = Timing(85_123_457, 3 * MS, 16 * MS, 20 * MS, 8 * MS, 2 * MS)


def frames(count: int = 6, start_ns: int = START_NS) -> list[Frame]:
    times = [start_ns + i * 33_333_333 + (i * 7919) % 1000 for i in range(count)]
    return [Frame(i, t_ns, t_ns + MS, picture(i)) for i, t_ns in enumerate(times)]


def jpeg_of(frame: Frame) -> bytes:
    content = io.BytesIO()
    Image.fromarray(frame.pixels[..., ::-1]).save(content, "JPEG")
    return content.getvalue()


def timeline(end_ns: int | None = None) -> Timeline:
    flips = [
        Flip(START_NS - 300_000_001, None, (128, 128, 128)),
        Flip(START_NS - 20_000_003, "Red", (255, 0, 0)),
        Flip(START_NS + 60_000_007, None, (128, 128, 128)),
    ]
    return Timeline(flips, TIMING, end_ns)


def recorded(path: Path, *, jpeg: bool = False, light: Timeline | None = None) -> Path:
    with RecordingWriter(path, HEAD, CREATED) as writer:
        for frame in frames():
            writer.write(frame, jpeg_of(frame) if jpeg else None)
        return writer.finish(light)


def replayed(path: Path) -> list[Frame]:
    with RecordingCamera(path) as camera:
        return list(iter(camera.read, None))


def test_pixels_and_times_come_back_exactly(tmp_path: Path) -> None:
    for wrote, read in zip(frames(), replayed(recorded(tmp_path / "a.flrec")), strict=True):
        assert np.array_equal(read.pixels, wrote.pixels)
        assert read.t_frame_ns == wrote.t_frame_ns - START_NS
        assert read.t_received_ns == read.t_frame_ns


def test_a_cameras_own_jpegs_are_copied_byte_for_byte(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.flrec", jpeg=True)
    with av.open(str(path / "video.mkv")) as container:
        packets = [bytes(p) for p in container.demux(video=0) if p.size]
    assert packets == [jpeg_of(frame) for frame in frames()]
    assert len(replayed(path)) == len(packets)


@pytest.mark.parametrize("end_ns", [None, START_NS + 150 * MS], ids=["stays on", "ends"])
def test_a_replay_labels_every_frame_as_the_session_did(tmp_path: Path, end_ns: int | None) -> None:
    live = timeline(end_ns)
    path = recorded(tmp_path / "a.flrec", light=live)
    with RecordingCamera(path) as camera:
        replay = camera.timeline()
    assert replay is not None
    assert replay.timing == live.timing
    assert replay.flips == live.shifted(-START_NS).flips
    assert replay.end_ns == live.shifted(-START_NS).end_ns


def test_what_was_known_of_the_session_comes_back(tmp_path: Path) -> None:
    with RecordingCamera(recorded(tmp_path / "a.flrec")) as camera:
        assert camera.info == CAMERA
        assert camera.session.session_id == "session-1"
        assert camera.session.controls == {"exposure": 3, "locked": ["gain"]}
        assert camera.session.illumination_plan() == PLAN
        assert camera.timeline() is None


def test_session_json_has_the_documented_fields_in_order(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.flrec", light=timeline())
    fields = json.loads((path / "session.json").read_text())
    documented = (
        "format version session_id created provenance camera controls plan flips latency_ms"
    )
    assert list(fields)[:10] == documented.split()
    assert list(fields)[-2:] == ["frames_t_ns", "software"]
    assert (fields["format"], fields["version"]) == ("facelight-recording", 1)
    assert fields["created"] == "2024-05-06T07:08:09.000+00:00"
    assert fields["flips"][1] == {"t_ms": -20.000003, "colour": "Red", "rgb": [255, 0, 0]}
    assert fields["frames_t_ns"][:2] == [0, 33_333_333 + 919]
    assert sorted(p.name for p in path.iterdir()) == ["session.json", "video.mkv"]


@pytest.mark.parametrize("jpeg", [False, True], ids=["ffv1", "mjpeg"])
def test_equal_sessions_give_equal_bytes(tmp_path: Path, jpeg: bool) -> None:
    one, two = (recorded(tmp_path / f"{i}.flrec", jpeg=jpeg, light=timeline()) for i in (1, 2))
    for name in ("session.json", "video.mkv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_nothing_stays_of_a_recording_given_up(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), RecordingWriter(tmp_path / "a.flrec", HEAD) as writer:
        writer.write(frames()[0])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    writer.abort()
    with pytest.raises(SourceError, match="finished or given up"):
        writer.write(frames()[1])


def test_what_a_killed_process_left_is_removed_once_nobody_can_still_write_it(
    tmp_path: Path,
) -> None:
    writer = RecordingWriter(tmp_path / "a.flrec", HEAD)
    writer.write(frames()[0])
    other = tmp_path / ".notes.part"
    other.mkdir()
    assert remove_abandoned(tmp_path) == 0
    (left,) = tmp_path.glob(".a.flrec.*.part")
    assert remove_abandoned(tmp_path, time.time() + ABANDONED_S + 60) == 1
    assert not left.exists()
    assert other.exists()
    writer.abort()


def test_a_recording_has_its_name_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.flrec"
    with RecordingWriter(path, HEAD) as writer:
        writer.write(frames()[0])
        assert not path.exists()
        writer.finish()
        assert path.is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ["a.flrec"]


def write_nothing(writer: RecordingWriter) -> None:
    writer.finish()


def write_one_time_twice(writer: RecordingWriter) -> None:
    writer.write(frames()[0])
    writer.write(frames()[0])


def write_another_size(writer: RecordingWriter) -> None:
    writer.write(frames()[0])
    writer.write(Frame(1, START_NS * 2, 0, picture(1, (66, 48))))


def write_what_the_camera_does_not_deliver(writer: RecordingWriter) -> None:
    writer.write(Frame(0, START_NS, 0, picture(0, (66, 48))))


def write_a_jpeg_late(writer: RecordingWriter) -> None:
    writer.write(frames()[0])
    writer.write(frames()[1], jpeg_of(frames()[1]))


def write_no_jpeg(writer: RecordingWriter) -> None:
    writer.write(frames()[0], b"pixels")


@pytest.mark.parametrize(
    ("misuse", "problem"),
    [
        (write_nothing, "no frames"),
        (write_one_time_twice, "not later than"),
        (write_another_size, "expected 64x48"),
        (write_what_the_camera_does_not_deliver, "expected 64x48"),
        (write_a_jpeg_late, "pixels only"),
        (write_no_jpeg, "expected JPEG bytes"),
    ],
)
def test_frames_that_cannot_be_one_recording_are_refused(
    tmp_path: Path, misuse: Callable[[RecordingWriter], None], problem: str
) -> None:
    path = tmp_path / "a.flrec"
    with RecordingWriter(path, HEAD) as writer, pytest.raises(SourceError, match=problem):
        misuse(writer)
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_wrong_or_taken_are_refused(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.flrec")
    with pytest.raises(SourceError, match="exists already"):
        RecordingWriter(path, HEAD)
    with pytest.raises(SourceError, match=r"ends in \.flrec"):
        RecordingWriter(tmp_path / "a", HEAD)
    with pytest.raises(SourceError, match="cannot be written"):
        RecordingWriter(tmp_path / "nowhere" / "a.flrec", HEAD)
    with pytest.raises(SidecarError, match="session_id"):
        RecordingWriter(tmp_path / "b.flrec", RecordingHead("", CAMERA))


def test_a_name_taken_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.flrec"
    with RecordingWriter(path, HEAD) as writer:
        writer.write(frames()[0])
        recorded(path)
        with pytest.raises(SourceError, match="exists already"):
            writer.finish()
    assert [p.name for p in tmp_path.iterdir()] == ["a.flrec"]
    assert len(replayed(path)) == 6


@pytest.mark.parametrize("jpeg", [False, True], ids=["ffv1", "mjpeg"])
def test_a_disk_that_takes_no_more_leaves_nothing_behind(tmp_path: Path, jpeg: bool) -> None:
    """The limit on the size of a file stands in for a full disk: both fail in ``write``."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        with pytest.raises(SourceError, match=r"a\.flrec: cannot be written"):
            write_many(tmp_path / "a.flrec", jpeg=jpeg)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def write_many(path: Path, *, jpeg: bool) -> None:
    with RecordingWriter(path, HEAD) as writer:
        for frame in frames(60):
            writer.write(frame, jpeg_of(frame) if jpeg else None)
        writer.finish()


@given(st.lists(st.integers(1, 3 * MS) | st.integers(1, 10**9), max_size=12))
@settings(max_examples=examples(12))
def test_any_increasing_times_are_kept(
    tmp_path_factory: pytest.TempPathFactory, distances: list[int]
) -> None:
    """Frames less than a millisecond apart too: a camera may deliver what it held back at once."""
    path = tmp_path_factory.getbasetemp() / "times.flrec"
    shutil.rmtree(path, ignore_errors=True)
    times = [sum(distances[:i]) for i in range(len(distances) + 1)]
    head = RecordingHead("times", replace(CAMERA, size_wh=(8, 8)))
    with RecordingWriter(path, head) as writer:
        for i, t_ns in enumerate(times):
            writer.write(Frame(i, START_NS + t_ns, 0, picture(i, (8, 8))))
        writer.finish()
    assert [f.t_frame_ns for f in replayed(path)] == times


def edited(path: Path, **fields: Any) -> Path:
    content = json.loads((path / "session.json").read_text())
    (path / "session.json").write_text(json.dumps(content | fields))
    return path


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"format": "other"}, "format", id="another format"),
        pytest.param({"version": 2, "colour_space": "P3"}, "version", id="a later version"),
        pytest.param({"version": "1"}, "version", id="version as text"),
        pytest.param({"speed": 1}, "speed", id="unknown key"),
        pytest.param({"session_id": ""}, "session_id", id="no id"),
        pytest.param({"created": "yesterday"}, "created", id="no date"),
        pytest.param({"created": "2024-01-01T00:00:00"}, "created", id="date without offset"),
        pytest.param({"provenance": "found"}, "provenance", id="unknown provenance"),
        pytest.param({"camera": {"brand": "x"}}, "camera.brand", id="unknown key of the camera"),
        pytest.param({"camera": {"size_wh": [63, 48]}}, "camera.size_wh", id="another size"),
        pytest.param({"plan": {"slots": [{}]}}, "plan.slots[0].colour", id="a slot of nothing"),
        pytest.param({"latency_ms": None}, "latency_ms", id="flips without latency"),
        pytest.param({"end_ms": -500.0}, "end_ms", id="ends before its flips"),
        pytest.param({"frames_t_ns": []}, "frames_t_ns", id="no frames"),
        pytest.param({"frames_t_ns": [0]}, "frames_t_ns", id="frames are missing"),
        pytest.param({"frames_t_ns": [0, 5, 5]}, "frames_t_ns[2]", id="two at once"),
        pytest.param({"frames_t_ns": [0, 1 << 70]}, "frames_t_ns[1]", id="beyond any clock"),
        pytest.param(
            {"frames_t_ns": [i * 40 * MS for i in range(6)]}, "frames_t_ns[1]", id="other times"
        ),
        pytest.param({"flips": [{"t_ms": 0}]}, "flips[0].colour", id="a flip without colour"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(
    tmp_path: Path, fields: dict[str, Any], field: str
) -> None:
    path = edited(recorded(tmp_path / "a.flrec", light=timeline()), **fields)
    with pytest.raises(SidecarError) as caught:
        RecordingCamera(path)
    assert caught.value.field == field
    assert caught.value.path == str(path / "session.json")


def test_times_on_another_clock_are_brought_to_zero_with_the_light(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.flrec", light=timeline())
    fields = json.loads((path / "session.json").read_text())
    later = [flip | {"t_ms": flip["t_ms"] + 5000} for flip in fields["flips"]]
    edited(path, flips=later, frames_t_ns=[t + 5000 * MS for t in fields["frames_t_ns"]])
    assert replayed(path)[0].t_frame_ns == 0
    with RecordingCamera(path) as camera:
        replay = camera.timeline()
    assert replay is not None
    assert replay.flips == timeline().shifted(-START_NS).flips


def cut_video(path: Path) -> None:
    (path / "video.mkv").write_bytes((path / "video.mkv").read_bytes()[:-200])


def flip_a_bit(path: Path) -> None:
    content = bytearray((path / "video.mkv").read_bytes())
    content[len(content) // 2] ^= 4
    (path / "video.mkv").write_bytes(content)


def remove_video(path: Path) -> None:
    (path / "video.mkv").unlink()


def remove_session(path: Path) -> None:
    (path / "session.json").unlink()


def empty_session(path: Path) -> None:
    (path / "session.json").write_bytes(b"")


@pytest.mark.parametrize(
    "damage", [cut_video, flip_a_bit, remove_video, remove_session, empty_session]
)
@pytest.mark.parametrize("jpeg", [False, True], ids=["ffv1", "mjpeg"])
def test_a_damaged_recording_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], jpeg: bool
) -> None:
    path = recorded(tmp_path / "a.flrec", jpeg=jpeg)
    damage(path)
    with pytest.raises(CaptureError):
        RecordingCamera(path)


def test_a_file_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "a.flrec").write_bytes(b"")
    with pytest.raises(SourceError, match="expected a folder"):
        RecordingCamera(tmp_path / "a.flrec")


@given(st.binary(max_size=120))
def test_no_bytes_bring_the_reader_of_session_json_down(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    refused_or_read(tmp_path_factory, content)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(st.data())
def test_no_changed_field_brings_the_reader_down(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    fields = json.loads(example(tmp_path_factory))
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = data.draw(
        values
        | st.lists(values, max_size=3)
        | st.dictionaries(st.text(max_size=5), values, max_size=3)
    )
    refused_or_read(tmp_path_factory, json.dumps(fields).encode())


def example(factory: pytest.TempPathFactory) -> str:
    path = factory.getbasetemp() / "example.flrec"
    if not path.exists():
        recorded(path, light=timeline())
        shutil.copytree(path, path.with_name("fuzzed.flrec"))
    return (path / "session.json").read_text()


def refused_or_read(factory: pytest.TempPathFactory, content: bytes) -> None:
    example(factory)
    path = factory.getbasetemp() / "fuzzed.flrec"
    (path / "session.json").write_bytes(content)
    try:
        replayed(path)
    except SourceError as error:
        assert "\n" not in str(error)  # noqa: PT017
