"""Every fault that cameras are known for, without a thread and without time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from capture.camera import Provenance
from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.reading.feed import Feed
from capture.live.reading.freshness import LOOP_FRAMES
from capture.live.webcam.device import DeviceFeed
from capture.live.webcam.properties import Property
from tests.capture.live.fakes import (
    INTERVAL_NS,
    LAG_NS,
    START_NS,
    Bench,
    FakeDevice,
    Hardware,
    jpeg,
    noise,
)


def block(seconds: float, then: bool = True):
    """``grab`` does not come back for a while."""

    def fault(device: FakeDevice) -> bool:
        clock = device.hardware.clock
        clock.sleep_until(clock.now_ns() + round(seconds * 1e9))
        return then

    return fault


def unplug(device: FakeDevice) -> bool:
    device.hardware.plugged = False
    return False


def freeze(device: FakeDevice) -> bool:
    device.repeating = True
    return True


def test_a_sound_camera_gives_every_frame_with_the_drivers_stamp() -> None:
    bench = Bench(Hardware()).frames(30)
    assert [after - before for before, after in pairwise(bench.times_ns)] == [INTERVAL_NS] * 29
    assert all(raw.t_received_ns - t_ns == LAG_NS for t_ns, raw in bench.notes.frames[1:])
    stats = bench.kept.stats.snapshot()
    assert stats.received == 30
    assert stats.stamp_source == "driver"
    assert stats.fps == pytest.approx(30, abs=0.01)
    assert not bench.notes.problems


def test_the_first_frames_are_left_out() -> None:
    bench = Bench(Hardware(), LiveOptions(warmup_frames=10)).frames(1)
    assert bench.times_ns[0] == START_NS + 11 * INTERVAL_NS - LAG_NS


def test_the_true_size_counts_not_the_claimed_one() -> None:
    hardware = Hardware(size_wh=(32, 24))
    hardware.properties[Property.FRAME_WIDTH] = 1280
    hardware.properties[Property.FRAME_HEIGHT] = 720
    bench = Bench(hardware).frames(1)
    assert bench.notes.sizes == [(32, 24)]
    assert bench.notes.facts[0].details["claimed_size"] == "1280x720"


def test_a_wrong_format_is_told_not_refused() -> None:
    bench = Bench(Hardware(fourcc="YUYV")).frames(3)
    assert bench.notes.facts[0].details["fourcc"] == "YUYV"


def test_a_change_of_size_opens_it_anew() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.size_wh = (32, 24)
    bench.run(0.1)
    assert "the size of its frames changed from 64x48 to 32x24" in bench.notes.problems[0]
    bench.frames(5)
    assert bench.notes.sizes == [(64, 48), (32, 24)]


def test_a_frame_repeated_for_ever_is_a_lost_camera() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.faults.append(freeze)
    bench.run(2.2)
    assert len(bench.notes.frames) == 5
    assert bench.notes.problems == ["no new frame for 2.0 s"]
    assert bench.kept.stats.snapshot().repeated >= 50
    assert hardware.released == 1


def test_a_frozen_picture_with_running_stamps_is_a_lost_camera() -> None:
    """Firmware can hang with the stream running; noise would have changed the picture."""
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    still = jpeg(7)
    hardware.shape = lambda _: np.frombuffer(still, np.uint8).reshape(1, -1)
    bench.run(4.5)
    assert bench.notes.problems[0].startswith("no new frame")


def test_a_covered_lens_is_not_a_lost_camera() -> None:
    hardware = Hardware(shape=np.zeros_like)
    bench = Bench(hardware).run(10)
    assert not bench.notes.problems
    assert len(bench.notes.frames) > 290


def test_true_after_unplug_is_a_lost_camera_that_comes_back_when_plugged_in() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.faults.append(freeze)
    bench.run(2.1)
    hardware.plugged = False
    bench.run(30)
    assert set(bench.notes.problems[1:]) == {"not plugged in"}
    hardware.plugged = True
    bench.run(11)
    assert bench.notes.frames[-1][0] > hardware.clock.now_ns() - 2 * INTERVAL_NS - LAG_NS
    assert bench.kept.stats.snapshot().reopened == 1


def test_unplugging_is_noticed_within_the_stall_time() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.faults.append(unplug)
    bench.run(2.1)
    assert bench.notes.problems == ["no new frame for 2.0 s"]


def test_a_camera_may_take_its_time_to_start() -> None:
    hardware = Hardware()
    hardware.faults.append(block(4, then=False))
    bench = Bench(hardware).frames(5)
    assert not bench.notes.problems
    hardware = Hardware()
    hardware.faults.append(block(5, then=False))
    assert Bench(hardware).run(5).notes.problems == ["no new frame for 5.0 s"]


def test_attempts_to_reopen_become_rarer_up_to_a_limit() -> None:
    hardware = Hardware(plugged=False)
    tries: list[int] = []

    def opener() -> Feed:
        tries.append(hardware.clock.now_ns())
        raise CameraError("not plugged in")

    Bench(hardware, LiveOptions(backoff_s=0.5, backoff_max_s=4), opener=opener).run(20)
    gaps = [(after - before) / 1e9 for before, after in pairwise(tries)]
    assert gaps[:6] == pytest.approx([0.5, 1, 2, 4, 4, 4])


def test_a_block_of_ten_seconds_is_noticed_when_it_ends() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.faults.append(block(10, then=False))
    bench.run(10)
    assert bench.notes.problems == ["no new frame for 10.0 s"]
    bench.run(3).frames(5)


def test_a_block_that_ends_with_a_frame_loses_nothing_else() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.faults.append(block(10))
    bench.frames(5)
    assert not bench.notes.problems


def test_a_frame_missed_now_and_then_is_no_fault() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.faults.extend([lambda _: False] * 3)
    bench.frames(20)
    assert not bench.notes.problems


@pytest.mark.parametrize(
    "pos_ms",
    [
        pytest.param(lambda ms: 0.0, id="always 0"),
        pytest.param(lambda ms: -1.0, id="always -1"),
        pytest.param(lambda ms: float("nan"), id="no number"),
        pytest.param(lambda ms: float("inf"), id="infinite"),
        pytest.param(lambda ms: ms - 999_000, id="its own zero"),
        pytest.param(lambda ms: ms + 5000, id="the future"),
        pytest.param(lambda ms: 2e6 - ms, id="backwards"),
    ],
)
def test_stamps_that_cannot_be_true_give_way_to_the_arrival(pos_ms) -> None:
    bench = Bench(Hardware(pos_ms=pos_ms), LiveOptions()).frames(30)
    assert all(t_ns == raw.t_received_ns for t_ns, raw in bench.notes.frames)
    assert bench.kept.stats.snapshot().stamp_source == "arrival"


def test_stamps_that_go_back_in_the_middle_keep_the_time_base_and_then_give_way() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(10)
    hardware.pos_ms = lambda ms: ms - 100_000
    bench.frames(10)
    lags = [raw.t_received_ns - t_ns for t_ns, raw in bench.notes.frames[10:]]
    assert lags == [LAG_NS] * 4 + [0] * 6
    assert all(before < after for before, after in pairwise(bench.times_ns))


def test_half_the_frame_rate_shows_in_the_measured_one() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(31)
    hardware.interval_ns *= 2
    bench.frames(31)
    assert bench.kept.stats.snapshot().fps == pytest.approx(15, abs=0.01)
    assert not bench.notes.problems


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(lambda p: p[..., 0], id="grey"),
        pytest.param(lambda p: p[..., :1], id="grey, one channel"),
        pytest.param(lambda p: np.dstack([p, p[..., 0]]), id="four channels"),
        pytest.param(lambda p: p[:, ::-1], id="not contiguous"),
        pytest.param(lambda p: np.frombuffer(jpeg(1, (64, 48)), np.uint8)[None], id="JPEG bytes"),
    ],
)
def test_other_forms_of_frames_become_colour(shape) -> None:
    bench = Bench(Hardware(shape=shape)).frames(1)
    assert bench.notes.sizes == [(64, 48)]
    pixels = bench.notes.frames[0][1].pixels
    assert pixels is None or (pixels.shape == (48, 64, 3) and pixels.flags.c_contiguous)


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(lambda p: None, id="nothing"),
        pytest.param(lambda p: p[:0], id="empty"),
        pytest.param(lambda p: p[..., :2], id="two channels"),
        pytest.param(lambda p: p.astype(np.float32), id="floating point"),
        pytest.param(lambda p: np.zeros((1, 5000), np.uint8), id="bytes that are no JPEG"),
        pytest.param(lambda p: np.frombuffer(jpeg(1)[:-2], np.uint8)[None], id="cut off JPEG"),
    ],
)
def test_frames_of_no_use_are_counted_and_then_a_lost_camera(shape) -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.shape = shape
    bench.run(2.2)
    assert bench.kept.stats.snapshot().damaged >= 50
    assert [p.split(":")[0] for p in bench.notes.problems] == ["no new frame for 2.0 s"]
    hardware.shape = lambda p: p
    bench.frames(5)


def test_time_goes_on_after_a_reconnection() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(5)
    hardware.faults.append(unplug)
    bench.run(2.1)
    hardware.plugged = True
    hardware.pos_ms = lambda ms: ms - 280  # older than the last frame before, yet sane
    bench.frames(5)
    assert all(before < after for before, after in pairwise(bench.times_ns))


def test_closing_releases_the_device_once() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(2)
    bench.reader.close()
    bench.reader.close()
    assert (hardware.opened, hardware.released) == (1, 1)


def test_a_complaint_makes_a_new_connection() -> None:
    hardware = Hardware()
    bench = Bench(hardware).frames(2)
    bench.reader.complain("only damaged frames")
    bench.run(1)
    assert bench.notes.problems == ["only damaged frames"]
    assert hardware.opened == 2


@pytest.mark.slow
@pytest.mark.parametrize("length", [30, 600], ids=["1 s", "20 s"])
def test_a_loop_of_recorded_frames_is_a_lost_camera_also_after_it_was_opened_again(
    length: int,
) -> None:
    hardware = Hardware()
    shown = iter(range(10**9))
    hardware.shape = lambda _pixels: noise(next(shown) % length, hardware.size_wh)
    bench = Bench(hardware).run(length / 30 + 0.9 * LOOP_FRAMES / 30 + 12)
    assert any("sends again what it sent before" in problem for problem in bench.notes.problems)
    assert hardware.opened >= 2
    came = len(bench.notes.frames)
    bench.run(20)
    assert len(bench.notes.frames) - came < 20 * 30 / 4


@pytest.mark.slow
def test_a_loop_whose_maker_declares_it_is_left_alone() -> None:
    hardware = Hardware()
    feed = hardware.opener(LiveOptions())

    def declared() -> Feed:
        opened = feed()
        assert isinstance(opened, DeviceFeed)
        opened._facts = replace(opened.facts, provenance=Provenance.SIMULATED)
        return opened

    hardware.shape = lambda _pixels: noise(hardware.clock.now_ns() // INTERVAL_NS % 30)
    bench = Bench(hardware, opener=declared).run(20)
    assert not bench.notes.problems
