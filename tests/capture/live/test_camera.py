"""`LiveCamera` with its thread: what a kiosk sees of a camera and its faults."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from capture.camera import Camera, Lockable, ReportsControls
from capture.errors import CameraError
from capture.frame import Frame
from capture.live import camera as live_camera
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.reading.arrivals import CameraIdentity
from capture.live.webcam.properties import Property
from tests.capture.live.fakes import FakeDevice, Hardware, in_real_time, jpeg
from tests.conftest import ErrorLog
from tests.waiting import until

OPTIONS = LiveOptions(
    warmup_frames=2, stall_s=0.3, first_frame_s=60, backoff_s=0.05, backoff_max_s=0.05
)
WHO = CameraIdentity("usb-fake-index0", "fake camera")


@pytest.fixture(autouse=True)
def time_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no limit of seconds end what only a busy machine holds up."""
    for name in ("CLOSE_S", "LOCK_S", "UNLOCK_S", "STUCK_S"):
        monkeypatch.setattr(live_camera, name, 600.0)


@pytest.fixture
def hardware() -> Hardware:
    return in_real_time()


@pytest.fixture
def camera(hardware: Hardware) -> Iterator[LiveCamera]:
    with LiveCamera(hardware.opener(OPTIONS), WHO, OPTIONS) as camera:
        yield camera


class Gate:
    """A driver that does not come back until it is let."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, device: FakeDevice) -> bool:
        self.entered.set()
        self.open.wait(600)
        return True


def frame_of(camera: LiveCamera) -> Frame:
    frame = camera.read(60)
    assert frame is not None
    return frame


def lost(camera: LiveCamera) -> bool:
    try:
        camera.read(0.01)
    except CameraError:
        return camera.lost
    return False


def test_it_is_a_camera_that_can_be_locked(camera: LiveCamera) -> None:
    as_camera: Camera = camera
    assert isinstance(as_camera, Lockable)
    assert isinstance(as_camera, ReportsControls)


def test_it_says_who_it_is(camera: LiveCamera) -> None:
    info = camera.info
    assert (info.id, info.name, info.size_wh, info.fps) == (WHO.id, WHO.name, (64, 48), 30.0)
    assert info.details["backend"] == "V4L2"


def test_the_newest_frame_wins_and_the_others_are_counted(
    camera: LiveCamera, hardware: Hardware
) -> None:
    first = frame_of(camera)
    before = camera.stats
    until(lambda: camera.stats.received >= before.received + 20)
    gate = Gate()
    hardware.faults.append(gate)
    assert gate.entered.wait(60)
    newest = frame_of(camera)
    stats = camera.stats
    gate.open.set()
    assert newest.seq == stats.received - 1
    assert newest.seq >= first.seq + 20
    assert stats.dropped == stats.received - 2
    assert stats.delivered == 2


def test_no_frame_comes_twice(camera: LiveCamera) -> None:
    seqs = [frame_of(camera).seq for _ in range(50)]
    assert seqs == sorted(set(seqs))


def test_without_a_frame_in_time_it_is_an_error_and_the_next_read_works(
    camera: LiveCamera, hardware: Hardware
) -> None:
    gate = Gate()
    hardware.faults.append(gate)
    assert gate.entered.wait(60)
    with pytest.raises(CameraError, match=r"camera usb-fake-index0: no new frame within 0\.01 s"):
        for _ in range(2):
            camera.read(0.01)
    gate.open.set()
    frame_of(camera)


def test_after_unplug_and_replug_reading_works_again(
    camera: LiveCamera, hardware: Hardware
) -> None:
    before = frame_of(camera)
    hardware.plugged = False
    until(lambda: lost(camera))
    with pytest.raises(CameraError, match="usb-fake-index0"):
        camera.read(0.01)
    hardware.plugged = True
    until(lambda: not lost(camera))
    after = frame_of(camera)
    assert after.seq > before.seq
    assert after.t_frame_ns > before.t_frame_ns
    assert camera.stats.reopened == 1
    assert not camera.lost


def test_a_frame_from_before_the_loss_is_not_shown_after_it(
    camera: LiveCamera, hardware: Hardware
) -> None:
    frame_of(camera)
    hardware.plugged = False
    until(lambda: camera.lost)
    with pytest.raises(CameraError):
        camera.read(0.01)


def test_another_camera_in_its_place_announces_its_own_size(
    camera: LiveCamera, hardware: Hardware
) -> None:
    hardware.plugged = False
    until(lambda: lost(camera))
    hardware.size_wh, hardware.plugged = (32, 24), True
    until(lambda: not lost(camera))
    assert camera.info.size_wh == (32, 24)
    assert frame_of(camera).size_wh == (32, 24)


def test_closing_is_quick_while_the_driver_blocks_and_the_thread_ends_with_the_block(
    hardware: Hardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_camera, "CLOSE_S", 0.05)
    camera = LiveCamera(hardware.opener(OPTIONS), WHO, OPTIONS)
    gate = Gate()
    hardware.faults.append(gate)
    assert gate.entered.wait(60)
    camera.close()  # would it wait for the driver, it waited for the test's own time limit
    assert hardware.released == 0, "released under the driver's feet"
    gate.open.set()
    until(lambda: hardware.released == 1)
    until(lambda: not any(t.name == "facelight-camera" for t in threading.enumerate()))


def test_closing_wakes_a_waiting_read(camera: LiveCamera, hardware: Hardware) -> None:
    gate = Gate()
    hardware.faults.append(gate)
    assert gate.entered.wait(60)
    told: list[str] = []

    def read() -> None:
        for _ in range(2):  # the first may still find a frame
            try:
                camera.read(600)
            except CameraError as error:
                told.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    gate.open.set()
    camera.close()
    reader.join(60)
    assert not reader.is_alive()
    assert told[-1] == "camera usb-fake-index0: the camera is closed"


def test_a_driver_that_never_comes_back_is_left_behind(
    hardware: Hardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_camera, "MAX_STUCK", 1)
    gate = Gate()
    with LiveCamera(hardware.opener(OPTIONS), WHO, OPTIONS) as camera:
        before = frame_of(camera)
        hardware.faults.append(gate)
        assert gate.entered.wait(60)
        monkeypatch.setattr(live_camera, "STUCK_S", 0.1)
        until(lambda: hardware.opened == 2 or lost(camera))
        until(lambda: not lost(camera))
        after = frame_of(camera)
        assert after.seq > before.seq
        assert after.t_frame_ns > before.t_frame_ns
        gate.open.set()
        until(lambda: hardware.released == 1)
    assert hardware.released == 2


@pytest.mark.parametrize(
    ("opener", "expected"),
    [
        pytest.param("unplugged", "camera usb-fake-index0: not plugged in", id="no camera"),
        pytest.param("silent", "no frame within 0.5 s of opening", id="no frames"),
        pytest.param("broken", "camera usb-fake-index0: oops", id="a fault of ours"),
    ],
)
def test_a_camera_that_does_not_start_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch,
    hardware: Hardware,
    error_log: ErrorLog,
    opener: str,
    expected: str,
) -> None:
    options = LiveOptions(open_timeout_s=0.5 if opener == "silent" else 120, first_frame_s=60)
    hardware.plugged = opener != "unplugged"
    if opener == "silent":
        hardware.faults.extend([lambda _: False] * 100_000)

    def broken(_: LiveOptions) -> FakeDevice:
        raise RuntimeError("oops")

    if opener == "broken":
        monkeypatch.setattr(hardware, "open", broken)
    with pytest.raises(CameraError, match=expected):
        LiveCamera(hardware.opener(options), WHO, options)
    faults = ["the camera reader has a fault of its own"] if opener == "broken" else []
    assert error_log.taken() == faults
    assert hardware.released == hardware.opened
    assert not any(t.name == "facelight-camera" for t in threading.enumerate())


def as_jpeg(make: object):
    numbers = iter(range(10_000_000))
    return lambda _: np.frombuffer(make(next(numbers)), np.uint8)[None]  # type: ignore[operator]


def test_a_jpeg_camera_hands_out_its_own_bytes(hardware: Hardware) -> None:
    made: dict[bytes, int] = {}

    def make(number: int) -> bytes:
        data = jpeg(number % 50)
        made[data] = number
        return data

    hardware.shape = as_jpeg(make)
    with LiveCamera(hardware.opener(OPTIONS), WHO, OPTIONS) as camera:
        assert camera.last_jpeg is None
        frame = frame_of(camera)
        assert camera.last_jpeg in made
        assert frame.pixels.shape == (48, 64, 3)


def test_frames_that_are_all_damaged_inside_make_a_new_connection(hardware: Hardware) -> None:
    """Only the decoder sees such damage, and it works for whoever reads, not in the thread."""
    hardware.shape = as_jpeg(lambda number: jpeg(number % 50))
    with LiveCamera(hardware.opener(OPTIONS), WHO, OPTIONS) as camera:
        frame_of(camera)

        def torn(number: int) -> bytes:
            whole = jpeg(number % 50)
            return whole[: len(whole) // 2] + bytes([number % 255]) + b"\xff\xd9"

        hardware.shape = as_jpeg(torn)
        until(lambda: lost(camera))
        assert camera.stats.damaged > 0
        hardware.shape = as_jpeg(lambda number: jpeg(number % 50))
        until(lambda: not lost(camera))
        frame_of(camera)


def test_locking_works_from_another_thread_while_frames_come(
    camera: LiveCamera, hardware: Hardware
) -> None:
    assert camera.controls == {}
    assert camera.lock()
    assert hardware.properties[Property.AUTO_EXPOSURE] == 1.0
    assert hardware.properties[Property.AUTO_WB] == 0.0
    assert camera.controls["exposure"] == {"locked": True, "exposure_ms": 20.0, "gain": 16.0}
    camera.unlock()
    assert hardware.properties[Property.AUTO_EXPOSURE] == 3.0
    assert camera.controls == {}


def test_a_refused_lock_is_false_and_nothing_else(hardware: Hardware) -> None:
    hardware.refuses = frozenset({Property.AUTO_EXPOSURE, Property.AUTO_WB})
    with LiveCamera(hardware.opener(OPTIONS), WHO, OPTIONS) as camera:
        assert not camera.lock()
        frame_of(camera)
        assert camera.controls["exposure"] == {
            "locked": False,
            "problem": "the camera keeps automatic exposure",
        }


def test_a_lock_on_a_blocked_driver_gives_up(
    camera: LiveCamera, hardware: Hardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_camera, "LOCK_S", 0.05)
    gate = Gate()
    hardware.faults.append(gate)
    assert gate.entered.wait(60)
    assert not camera.lock()
    gate.open.set()
    until(lambda: hardware.properties[Property.AUTO_EXPOSURE] == 3.0)


def test_a_lost_or_closed_camera_is_not_locked(camera: LiveCamera, hardware: Hardware) -> None:
    hardware.plugged = False
    until(lambda: lost(camera))
    assert not camera.lock()
    camera.unlock()
    camera.close()
    assert not camera.lock()
    camera.unlock()


def test_closing_restores_the_controls(camera: LiveCamera, hardware: Hardware) -> None:
    camera.lock()
    camera.close()
    assert hardware.properties[Property.AUTO_EXPOSURE] == 3.0
    assert hardware.properties[Property.AUTO_WB] == 1.0
    assert hardware.properties[Property.AUTOFOCUS] == 1.0


@pytest.mark.slow
def test_a_program_that_forgets_to_close_restores_the_controls_too() -> None:
    script = """
from tests.capture.live.fakes import in_real_time
from capture.live.reading.arrivals import CameraIdentity
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
import atexit
hardware = in_real_time()
atexit.register(lambda: print(hardware.properties[21], hardware.released))
options = LiveOptions(warmup_frames=0)
camera = LiveCamera(hardware.opener(options), CameraIdentity("x", "x"), options)
assert camera.lock()
print(hardware.properties[21], hardware.released)
raise SystemExit(3)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.split("\n")[:2] == ["1.0 0", "3.0 1"]


def test_on_macos_the_calling_thread_opens_the_camera(
    hardware: Hardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AVFoundation hangs when another thread does (opencv/opencv#7519)."""
    monkeypatch.setattr(sys, "platform", "darwin")
    threads = []
    plain = hardware.open

    def noting(options: LiveOptions) -> FakeDevice:
        threads.append(threading.current_thread())
        return plain(options)

    hardware.open = noting  # type: ignore[method-assign]
    with LiveCamera(hardware.opener(OPTIONS), WHO, OPTIONS) as camera:
        frame_of(camera)
    assert threads == [threading.current_thread()]


def test_a_hundred_openings_leave_no_thread_and_no_device(hardware: Hardware) -> None:
    options = LiveOptions(warmup_frames=0)
    for _ in range(100):
        with LiveCamera(hardware.opener(options), WHO, options) as camera:
            frame_of(camera)
    assert hardware.opened == hardware.released == 100
    assert not any(t.name == "facelight-camera" for t in threading.enumerate())
