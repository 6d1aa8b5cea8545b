"""The judge in a thread of their own, and in step with a virtual clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from capture.clock import SystemClock, VirtualClock
from capture.errors import CameraError
from capture.live.reading.stats import CameraStats
from facelight.config.settings import Settings
from facelight.kiosk.frame_judge import FrameJudge
from facelight.kiosk.machine.events import DeviceBack, DeviceLost, Event, Observed, Quit, WorkFailed
from facelight.kiosk.machine.state import Device
from facelight.kiosk.observing import STEP_LAG_NS, StepObserver, ThreadObserver, unasked
from preprocess.errors import TrackerError
from preprocess.face.face import Face
from tests.facelight.kiosk.cameras import DueCamera, QueueCamera
from tests.preprocess.faces import FakeTracker, frame, textured
from tests.waiting import until

PIXELS = textured((64, 48))


def blind() -> FakeTracker:
    return FakeTracker(lambda _: None)


def judge_of(tracker: type | None = None) -> FrameJudge:
    return FrameJudge(Settings(), blind if tracker is None else tracker, 30.0)


@pytest.fixture
def camera() -> QueueCamera:
    return QueueCamera()


@pytest.fixture
def observer(camera: QueueCamera) -> Iterator[ThreadObserver]:
    observer = ThreadObserver(camera, judge_of(), SystemClock(), unasked)
    yield observer
    observer.close()


def seen_by(observer: ThreadObserver | StepObserver, count: int) -> list[Event]:
    events: list[Event] = []

    def enough() -> bool:
        events.extend(observer.poll())
        return len(events) >= count

    until(enough)
    return events


def test_every_frame_is_looked_at_and_the_newest_is_the_preview(
    camera: QueueCamera, observer: ThreadObserver
) -> None:
    for seq in range(3):
        camera.given.put(frame(PIXELS, seq))
    assert seen_by(observer, 3) == [Observed(0)] * 3
    newest = observer.preview()
    assert newest is not None
    assert (newest.seq, observer.looked) == (2, 3)


def test_a_lost_camera_is_told_once_and_so_is_its_return(
    camera: QueueCamera, observer: ThreadObserver
) -> None:
    for _ in range(3):
        camera.given.put(CameraError("unplugged"))
    camera.given.put(frame(PIXELS, 0))
    assert seen_by(observer, 3) == [
        DeviceLost(Device.CAMERA),
        DeviceBack(Device.CAMERA),
        Observed(0),
    ]


def test_no_old_picture_is_shown_of_a_lost_camera(
    camera: QueueCamera, observer: ThreadObserver
) -> None:
    camera.given.put(frame(PIXELS, 0))
    camera.given.put(CameraError("unplugged"))
    seen_by(observer, 2)
    assert observer.preview() is None


class ArrivalCamera(QueueCamera):
    stats = CameraStats(stamp_source="arrival")


def test_a_frame_that_hung_somewhere_is_left_out_where_stamps_are_arrivals() -> None:
    camera = ArrivalCamera()
    observer = ThreadObserver(camera, judge_of(), SystemClock(), unasked)
    for seq in range(40):
        late_ns = 25_000_000 if seq == 30 else 0
        camera.given.put(frame(PIXELS, seq, t_ns=seq * 33_333_333 + late_ns))
    camera.given.put(None)
    events = seen_by(observer, 40)
    observer.close()
    assert events == [Observed(0)] * 39 + [Quit()]


def test_the_end_of_a_file_ends_the_kiosk_and_commands_still_count(
    camera: QueueCamera, observer: ThreadObserver
) -> None:
    camera.given.put(None)
    assert seen_by(observer, 1) == [Quit()]
    observer.post(lambda judge: (WorkFailed(1, "done"),))
    assert seen_by(observer, 1) == [WorkFailed(1, "done")]


class Broken(FakeTracker):
    """Fails at every second frame."""

    made = 0

    def __init__(self) -> None:
        super().__init__(self.fail)
        Broken.made += 1

    def fail(self, _: object) -> Face | None:
        if Broken.made == 1:
            raise TrackerError("the graph died")
        return None


def test_a_broken_tracker_is_told_replaced_and_told_to_be_back(camera: QueueCamera) -> None:
    Broken.made = 0
    observer = ThreadObserver(camera, judge_of(Broken), SystemClock(), unasked)
    camera.given.put(frame(PIXELS, 0))
    camera.given.put(frame(PIXELS, 1))
    events = seen_by(observer, 3)
    observer.close()
    assert DeviceLost(Device.TRACKER) in events
    assert events[-1] == DeviceBack(Device.TRACKER)
    assert Broken.made == 2


def test_what_ends_the_thread_is_raised_where_it_is_polled(
    camera: QueueCamera, observer: ThreadObserver
) -> None:
    def fault(_: FrameJudge) -> list[Event]:
        raise ZeroDivisionError

    observer.post(fault)
    with pytest.raises(ZeroDivisionError):
        until(lambda: observer.poll() == [WorkFailed(0, "never")])


def test_closing_ends_the_thread_after_a_short_read_and_releases_the_tracker(
    camera: QueueCamera,
) -> None:
    trackers: list[FakeTracker] = []

    def make() -> FakeTracker:
        trackers.append(blind())
        return trackers[-1]

    before = threading.active_count()
    observer = ThreadObserver(camera, FrameJudge(Settings(), make, 30.0), SystemClock(), unasked)
    camera.given.put(frame(PIXELS, 0))
    seen_by(observer, 1)
    observer.close()
    observer.close()
    assert camera.longest_read_s <= 0.5
    assert threading.active_count() == before
    assert not trackers[0]._open
    assert not camera.closed


def test_in_step_frames_are_looked_at_a_little_after_they_came() -> None:
    clock, camera = VirtualClock(), DueCamera()
    observer = StepObserver(camera, judge_of(), clock)
    camera.given.put(frame(PIXELS, 0, t_ns=0))
    assert observer.poll() == []
    assert observer.preview() is not None
    clock.sleep_until(STEP_LAG_NS)
    assert observer.poll() == [Observed(0)]
    camera.given.put(None)
    assert observer.poll() == [Quit()]
    assert observer.poll() == []
    observer.close()


def test_only_a_camera_that_tells_what_is_due_can_step() -> None:
    with pytest.raises(CameraError, match="only a camera that tells what is due"):
        StepObserver(QueueCamera(), judge_of(), VirtualClock())


def test_the_age_of_every_judged_frame_is_told(camera: QueueCamera) -> None:
    clock, ages = VirtualClock(start_ns=50_000_000), list[int]()
    observer = ThreadObserver(camera, judge_of(), clock, ages.append)
    try:
        camera.given.put(frame(PIXELS, 0, 20_000_000))
        until(lambda: len(ages) == 1)
    finally:
        observer.close()
    assert ages == [30_000_000]
