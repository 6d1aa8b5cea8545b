from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from capture.camera import Lockable, Provenance, ReportsControls
from capture.clock import VirtualClock
from capture.errors import CameraError
from capture.frame import ImageU8
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, Flip, IlluminationPlan, Slot
from capture.light.timeline import LabelKind
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.scene.simulated_screen import FlipHistory, SimulatedScreen
from capture.simulator.sim_spec import parse_spec
from tests.capture.simulator.shooting import (
    PLAN,
    SMALL,
    camera_of,
    colour_means,
    frames_of,
    session_of,
)

RED, GREEN, BLUE = 2, 1, 0
LIT = f"sim:{SMALL},motion=still,fps=15"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_frames_bit_by_bit() -> None:
    spec = "sim:size=160x90,fps=10,motion=talk,drops=0.1,duplicates=0.1,seed=0,mjpeg=90"
    one, two = frames_of(session_of(spec)), frames_of(session_of(spec))
    assert [f.seq for f in one] == [f.seq for f in two]
    assert [f.t_frame_ns for f in one] == [f.t_frame_ns for f in two]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, two, strict=True))


@pytest.mark.slow
def test_another_seed_gives_other_times_and_pixels() -> None:
    one, two = (camera_of(f"sim:{SMALL},seed={seed}").read() for seed in (0, 1))
    assert one is not None
    assert two is not None
    assert one.t_frame_ns != two.t_frame_ns
    assert not np.array_equal(one.pixels, two.pixels)


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("sim:size=160x90,skin=2", id="usual"),
        pytest.param("sim:size=160x90,latency=150ms,exposure=33ms,readout=30ms", id="slow"),
        pytest.param("sim:size=160x90,fps=15,exposure=60ms,readout=30ms", id="15 fps"),
        pytest.param("sim:size=160x90,drops=0.2,stamp-jitter=2ms", id="drops and jitter"),
        pytest.param("sim:size=160x90,lag=30ms,lcd=6ms,latency=250ms", id="slow screen"),
    ],
)
def test_a_timeline_that_knows_the_latency_never_calls_mixed_light_clean(spec: str) -> None:
    session = session_of(spec)
    sure, found = 0, 0
    for frame in frames_of(session):
        said = session.timeline.label(frame.t_frame_ns)
        true = session.camera.truth(frame.seq).label
        found += true.kind is LabelKind.CLEAN
        if said.kind in {LabelKind.CLEAN, LabelKind.NEUTRAL}:
            assert said == true
            sure += said.kind is LabelKind.CLEAN
    assert sure >= 0.6 * found > 0


@pytest.mark.slow
def test_the_truth_knows_the_latency_of_every_frame() -> None:
    session = session_of("sim:size=160x90,latency=120ms")
    late = [session.camera.truth(f.seq).latency_ns / 1e6 for f in frames_of(session)]
    assert np.mean(late) == pytest.approx(120, abs=0.5)


@pytest.mark.slow
def test_the_face_takes_the_colour_of_the_screen() -> None:
    means = colour_means(session_of(LIT))
    grey = means[None]
    for name, channel in (("Red", RED), ("Green", GREEN), ("Blue", BLUE)):
        change = means[name] - grey
        others = [c for c in (RED, GREEN, BLUE) if c != channel]
        assert change[channel] > 4
        assert all(change[channel] > change[other] + 5 for other in others)


@pytest.mark.slow
def test_a_stronger_room_leaves_less_of_the_screen() -> None:
    def swing(ambient: int) -> float:
        means = colour_means(session_of(f"{LIT},ambient={ambient}"))
        return float(means["Red"][RED] - means["Blue"][RED])

    assert swing(200) > 1.7 * swing(1000) > 0


def test_an_unlit_face_stays_as_it_is() -> None:
    means = colour_means(session_of(f"{LIT},person=unlit"))
    assert max(np.abs(means[name] - means[None]).max() for name in PRIMARIES if name in means) < 1.0


@pytest.mark.slow
def test_a_replay_follows_its_own_sequence() -> None:
    follows = 0
    means = colour_means(session_of(f"{LIT},person=replay"))
    for name, channel in (("Red", RED), ("Green", GREEN), ("Blue", BLUE)):
        change = means[name] - means[None]
        follows += change[channel] > 4 and np.argmax(change) == channel
    assert follows < 2


@pytest.mark.slow
def test_a_print_follows_the_colours_without_relief() -> None:
    means = colour_means(session_of(f"{LIT},person=print"))
    assert means["Red"][RED] - means[None][RED] > 4
    assert means["Blue"][BLUE] - means[None][BLUE] > 4


def test_lying_stamps_put_colours_into_the_wrong_slots() -> None:
    session = session_of(f"{LIT},person=lying-clock")
    wrong = 0
    for frame in frames_of(session):
        said, true = session.timeline.label(frame.t_frame_ns), session.camera.truth(frame.seq).label
        wrong += said.kind is LabelKind.CLEAN and said != true
    assert wrong > 5


@pytest.mark.slow
def test_a_flip_leaves_a_band_behind() -> None:
    """Rows above were read before the change, rows below after it."""
    plan = IlluminationPlan(
        (Slot("Red", PRIMARIES["Red"], 600.0), Slot("Blue", PRIMARIES["Blue"], 600.0))
    )
    spec = f"sim:{SMALL},motion=still,noise=0,flicker=0,readout=30ms,exposure=4ms,scan=0,lcd=0"
    session = session_of(spec, plan)
    red, blue, mixed = None, None, []
    for frame in frames_of(session):
        label = session.camera.truth(frame.seq).label
        if label.kind is LabelKind.TRANSITION and red is not None:
            mixed.append(frame.pixels)
        red = frame.pixels if label.colour == "Red" else red
        blue = frame.pixels if label.colour == "Blue" and blue is None else blue
    assert red is not None
    assert blue is not None
    shares = []
    for pixels in mixed:
        face = (slice(70, 240), slice(190, 290), RED)
        now, full, none = (image[face].mean(axis=1) for image in (pixels, red, blue))
        shares.append((now - none) / np.maximum(full - none, 1.0))
    band = [share for share in shares if share[:10].mean() > 0.9 and share[-10:].mean() < 0.1]
    assert band, [share[::40] for share in shares]


def test_frames_arrive_after_their_light_and_move_the_clock() -> None:
    clock = VirtualClock(5_000)
    camera = SimulatedCamera(parse_spec("sim:size=160x90"), clock, SimulatedScreen(clock))
    for _ in range(5):
        frame = camera.read()
        assert frame is not None
        truth = camera.truth(frame.seq)
        assert clock.now_ns() == frame.t_received_ns
        assert frame.t_received_ns > truth.exposed_ns + 36_000_000
        assert truth.exposed_ns > 5_000


def test_a_flip_after_the_exposure_does_not_change_the_frame() -> None:
    def first(flips: list[Flip]) -> ImageU8:
        camera = SimulatedCamera(parse_spec("sim:size=160x90"), VirtualClock(), FlipHistory(flips))
        frame = camera.read()
        assert frame is not None
        return frame.pixels

    grey = Flip(0, None, NEUTRAL_RGB)
    late = Flip(90_000_000, "Red", PRIMARIES["Red"])
    early = Flip(1_000_000, "Red", PRIMARIES["Red"])
    assert np.array_equal(first([grey]), first([grey, late]))
    assert not np.array_equal(first([grey]), first([grey, early]))


@pytest.mark.slow
def test_dropped_frames_leave_gaps_and_repeats_show_old_pixels() -> None:
    session = session_of("sim:size=160x90,drops=0.3,duplicates=0.3")
    frames = frames_of(session)
    assert any(after.seq - before.seq > 1 for before, after in pairwise(frames))
    repeats = [
        (before, after)
        for before, after in pairwise(frames)
        if session.camera.truth(after.seq).repeats
    ]
    assert repeats
    for before, after in repeats:
        assert np.array_equal(before.pixels, after.pixels)
        assert after.t_frame_ns > before.t_frame_ns
        truth = session.camera.truth(after.seq)
        assert truth.exposed_ns == session.camera.truth(before.seq).exposed_ns
        assert truth.latency_ns > 100_000_000


def test_what_nobody_fetched_is_overwritten() -> None:
    clock = VirtualClock()
    camera = SimulatedCamera(parse_spec("sim:size=160x90"), clock, SimulatedScreen(clock))
    camera.read()
    clock.sleep_until(2_000_000_000)
    frame = camera.read()
    assert frame is not None
    assert frame.seq > 50
    assert 2_000_000_000 - frame.t_received_ns < 70_000_000


def test_a_frame_that_is_not_due_is_an_error_and_comes_later() -> None:
    camera = camera_of("sim:size=160x90,fps=5,delivery=300ms")
    with pytest.raises(CameraError, match=r"no frame within 0\.05 s"):
        camera.read(timeout_s=0.05)
    frame = camera.read()
    assert frame is not None
    assert frame.seq == 0


@pytest.mark.slow
def test_the_lock_holds_where_it_is_granted() -> None:
    camera = camera_of("sim:size=160x90,ambient=100")
    assert isinstance(camera, Lockable)
    assert isinstance(camera, ReportsControls)
    start = camera.read()
    assert start is not None
    assert camera.controls == {}
    assert camera.lock()
    assert {"exposure", "white_balance"} == set(camera.controls)
    held = [camera.read() for _ in range(6)]
    assert abs(held[-1].pixels.mean() - held[0].pixels.mean()) < 1.0  # type: ignore[union-attr]
    camera.unlock()
    free = [camera.read() for _ in range(15)]
    assert free[-1].pixels.mean() > held[0].pixels.mean() + 10  # type: ignore[union-attr]


def test_a_camera_may_refuse_the_lock_or_come_locked() -> None:
    refusing = camera_of("sim:size=160x90,lock=refused")
    assert not refusing.lock()
    assert "'locked': False" in str(refusing.controls["exposure"])
    locked = camera_of("sim:size=160x90,lock=start,ambient=100")
    frames = [locked.read() for _ in range(10)]
    assert abs(frames[-1].pixels.mean() - frames[0].pixels.mean()) < 1.0  # type: ignore[union-attr]
    assert 70 < frames[0].pixels.mean() < 170  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        pytest.param("sim:size=160x90,fps=10,person=none", {0}, id="nobody"),
        pytest.param("sim:size=160x90,fps=10,person=two", {2}, id="two"),
        pytest.param("sim:size=160x90,fps=10,motion=leave@0.3s", {0, 1}, id="leaving"),
        pytest.param("sim:size=160x90,fps=10,motion=walk-in@0.3s", {0, 1}, id="coming"),
        pytest.param("sim:size=160x90,fps=10,motion=second@0.5s", {1, 2}, id="a second one comes"),
        pytest.param("sim:size=160x90,fps=10,person=print", {1}, id="a print"),
    ],
)
def test_the_truth_counts_the_people(spec: str, counts: set[int]) -> None:
    session = session_of(spec)
    truths = [session.camera.truth(frame.seq) for frame in frames_of(session)]
    assert {truth.people for truth in truths} == counts
    assert all((truth.pose is None) == (truth.inter_eye_px is None) for truth in truths)


def test_the_session_ends_with_its_plan_and_stays_ended() -> None:
    session = session_of("sim:size=160x90")
    frames = frames_of(session)
    assert len(frames) == pytest.approx(PLAN.duration_ms / 1e3 * 30, abs=2)
    assert session.camera.read() is None


def test_a_simulated_camera_says_so() -> None:
    info = camera_of("sim:size=160x90,person=none,seed=7").info
    assert info.provenance is Provenance.SIMULATED
    assert (info.id, info.size_wh, info.fps) == ("sim:none:7", (160, 90), 30.0)


def test_there_is_no_truth_for_a_frame_that_was_never_delivered() -> None:
    with pytest.raises(CameraError, match="no truth for frame 3"):
        camera_of("sim:size=160x90").truth(3)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sim:latency=10ms", "latency: expected at least the display's lag"),
        ("sim:fps=60,exposure=20ms", "exposure: expected at most one frame interval"),
        ("sim:size=161x90", "size: expected even sides"),
        ("sim:size=9000x90", "size: expected even sides"),
    ],
)
def test_impossible_cameras_are_refused(spec: str, message: str) -> None:
    with pytest.raises(CameraError, match=message):
        camera_of(spec)
