"""The builder as the pipeline uses it: frame by frame, then the clip."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from preprocess.clip import clip_builder
from preprocess.clip.clip import Clip, CropOffset
from preprocess.clip.clip_builder import ClipBuilder, ClipOptions, ClipRejected
from preprocess.errors import EncodeError, GeometryError, OptionError
from preprocess.face.face import Rect
from preprocess.reasons import Reason
from preprocess.webp.webp_reader import read_animation
from tests.preprocess.clip.crops import candidate, decoded, flat, noisy, psnr_db

PLAN = ("Red", "Green", "Blue")
FEW = ClipOptions(min_frames=1, min_per_colour=1, min_bytes=0)
"""As many frames as there are, in crops that are small for the sake of speed."""


def lit(count: int, pictures=noisy, badness=lambda seq: float(seq * 7 % 5)):
    """``count`` frames in slots of five, through the plan again and again."""
    return [
        (candidate(seq, PLAN[seq // 5 % 3], badness(seq)), pictures(seq)) for seq in range(count)
    ]


def built(frames, options=FEW, colours=PLAN, expected=None) -> Clip:
    with ClipBuilder(options, colours, expected) as builder:
        for frame, pixels in frames:
            builder.add(frame, pixels)
        return builder.finish()


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("still-encoder")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not threads()


def test_frame_n_of_the_file_is_entry_n():
    frames = lit(30)
    clip = built(frames)
    pictures = {frame.seq: pixels for frame, pixels in frames}
    shown = decoded(clip.files[0].content)
    assert len(shown) == len(clip.entries) == 30
    assert [entry.frame_number for entry in clip.entries] == list(range(30))
    for entry, pixels in zip(clip.entries, shown, strict=True):
        others = [psnr_db(pixels, other) for seq, other in pictures.items() if seq != entry.seq]
        assert psnr_db(pixels, pictures[entry.seq]) > max(others)


def test_forty_identical_frames_are_forty_frames():
    frames = [(candidate(seq, "Red"), flat(90)) for seq in range(40)]
    clip = built(frames, replace(FEW, frames_per_colour=40), ("Red",))
    assert len(decoded(clip.files[0].content)) == len(clip.entries) == 40


def test_times_are_whole_ms_that_increase_and_durations_follow_them():
    frames = [(candidate(seq, None, t_ns=seq**2 * 7_654_321), noisy(seq)) for seq in range(12)]
    clip = built(frames, colours=None)
    times = [entry.t_ms for entry in clip.entries]
    assert times == [seq**2 * 7_654_321 // 1_000_000 for seq in range(12)]
    gaps = [b - a for a, b in pairwise(times)]
    durations = read_animation(clip.files[0].content).durations_ms
    assert durations == (*gaps, sorted(gaps)[5])


@pytest.mark.slow
@pytest.mark.parametrize("container", ["webp", "jpeg", "png"])
def test_the_number_of_workers_changes_no_byte(container):
    options = replace(FEW, container=container, target_bytes=40_000)
    clips = [
        built(lit(45), replace(options, workers=workers, pending_crops=pending))
        for workers, pending in ((1, 1), (2, 8), (5, 3))
    ]
    assert clips[0] == clips[1] == clips[2]


@pytest.mark.slow
@pytest.mark.parametrize("hold_back", [0, 1, 20])
def test_holding_back_saves_stills_and_changes_nothing(hold_back):
    frames = [(candidate(seq, None, float(-seq)), noisy(seq)) for seq in range(60)]
    options = replace(FEW, max_frames=6)
    reference = built(frames, options, None)
    assert built(frames, replace(options, hold_back=hold_back), None) == reference
    with_light = built(lit(45), FEW)
    assert built(lit(45), replace(FEW, hold_back_lit=hold_back)) == with_light


def test_frames_that_are_known_to_lose_are_not_encoded(monkeypatch):
    encoded = []

    def counting(*args):
        encoded.append(1)
        return ladder(*args)

    ladder = clip_builder._ladder
    monkeypatch.setattr(clip_builder, "_ladder", counting)
    frames = [(candidate(seq, "Red", float(seq)), noisy(seq)) for seq in range(60)]
    with ClipBuilder(replace(FEW, frames_per_colour=4), ("Red",)) as builder:
        for frame, pixels in frames:
            builder.add(frame, pixels)
        builder.finish()
    assert len(encoded) == 4
    assert builder.report.lost == 56


@pytest.mark.parametrize(
    ("focus", "with_target"),
    [
        pytest.param("every", [True] * 6, id="every"),
        pytest.param("first", [True, *[False] * 5], id="first"),
        pytest.param("none", [False] * 6, id="none"),
    ],
)
def test_focus_says_which_images_carry_the_face(focus, with_target):
    clip = built(lit(6), replace(FEW, focus=focus), ("Red", "Green"))
    assert [entry.target is not None for entry in clip.entries] == with_target
    assert {entry.crop for entry in clip.entries} == {CropOffset(6, 8, 1920, 1080)}


@pytest.mark.parametrize("container", ["jpeg", "png"])
def test_image_files_are_one_frame_each(container):
    clip = built(lit(9), replace(FEW, container=container, min_bytes=1024), PLAN[:2])
    assert [entry.file_name for entry in clip.entries] == [file.name for file in clip.files]
    assert {entry.frame_number for entry in clip.entries} == {0}
    assert clip.files[8].name == {"jpeg": "frame-008.jpg", "png": "frame-008.png"}[container]
    assert all(1024 <= len(file.content) <= 6_000_000 for file in clip.files)


# The budget.


@pytest.mark.slow
@pytest.mark.parametrize("target", [90_000, 50_000, 20_000, 12_000])
def test_the_target_is_met_from_below_and_filled(target):
    clip = built(lit(45), replace(FEW, target_bytes=target))
    assert 0.9 * target <= len(clip.files[0].content) <= target
    counts = Counter(entry.colour for entry in clip.entries)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.slow
def test_quality_falls_before_frames_do():
    roomy = built(lit(45))
    tight = built(lit(45), replace(FEW, target_bytes=60_000))
    tighter = built(lit(45), replace(FEW, target_bytes=12_000))
    assert (roomy.quality, roomy.dropped) == (90, 0)
    assert tight.dropped == 0
    assert 40 <= (tight.quality or 0) < 90
    assert tighter.quality == 40
    assert len(tighter.entries) == 45 - tighter.dropped < 45


@pytest.mark.parametrize("expected", [None, 12])
def test_a_clip_shorter_than_expected_fills_its_target_too(expected):
    options = replace(FEW, target_bytes=25_000, quality_min=5)
    clip = built(lit(12), options, expected=expected)
    assert len(clip.entries) == 12
    assert 0.9 * 25_000 <= len(clip.files[0].content) <= 25_000


def test_one_costly_frame_makes_the_others_give_way_before_any_is_dropped():
    frames = lit(20, lambda seq: noisy(seq, sd=40.0 if seq == 7 else 2.0))
    whole = len(built(frames).files[0].content)
    clip = built(frames, replace(FEW, target_bytes=int(whole * 0.6)))
    assert (len(clip.entries), clip.dropped) == (20, 0)
    assert 0.54 * whole <= len(clip.files[0].content) <= 0.6 * whole


def test_a_target_that_the_fewest_frames_exceed_rejects_the_session():
    options = replace(FEW, target_bytes=2000, min_per_colour=3)
    with pytest.raises(ClipRejected, match="9 frames at quality 40 are above 2000") as caught:
        built(lit(45), options)
    assert caught.value.reasons == (Reason.TOO_LARGE_FILE,)


def test_a_plain_clip_is_raised_in_quality_to_reach_1_kb():
    frames = [(candidate(seq, None), flat(0, 160, 160)) for seq in range(6)]
    with ClipBuilder(replace(FEW, min_bytes=1024)) as builder:
        for frame, pixels in frames:
            builder.add(frame, pixels)
        clip = builder.finish()
    assert clip.quality == 100
    assert len(clip.files[0].content) >= 1024
    assert "were too few" in builder.report.fallbacks[0]


def test_a_clip_that_cannot_reach_1_kb_is_rejected():
    frames = [(candidate(seq, None), flat(0, 16, 16)) for seq in range(3)]
    with pytest.raises(ClipRejected, match="at least 1024") as caught:
        built(frames, replace(FEW, min_bytes=1024), colours=None)
    assert caught.value.reasons == (Reason.TOO_SMALL_FILE,)


# Sessions that are none.


@pytest.mark.parametrize(
    ("frames", "colours", "reason", "told"),
    [
        pytest.param([], None, Reason.TOO_FEW_FRAMES, "0 accepted frames, at least 8", id="none"),
        pytest.param(
            [(candidate(seq), flat(9)) for seq in range(7)],
            None,
            Reason.TOO_FEW_FRAMES,
            "7 accepted",
            id="seven",
        ),
        pytest.param([], PLAN, Reason.TOO_FEW_FRAMES, "no frame was accepted", id="none-lit"),
        pytest.param(
            lit(12, flat),
            PLAN,
            Reason.TOO_FEW_PER_COLOUR,
            "Red 5, Green 5, Blue 2; at least 3",
            id="too-little-blue",
        ),
    ],
)
def test_too_little_is_rejected_with_the_figures(frames, colours, reason, told):
    with pytest.raises(ClipRejected, match=told) as caught:
        built(frames, ClipOptions(), colours)
    assert caught.value.reasons == (reason,)


@pytest.mark.parametrize(
    ("frame", "pixels", "error", "told"),
    [
        pytest.param(candidate(3), flat(1, 98, 80), EncodeError, "98x80 after", id="other-size"),
        pytest.param(candidate(3), flat(1)[:, :, 0], EncodeError, "expected .H, W, 3", id="grey"),
        pytest.param(candidate(3), flat(1) / 2, EncodeError, "float64", id="float"),
        pytest.param(candidate(1), flat(1), EncodeError, "time order", id="out-of-order"),
        pytest.param(candidate(3, "Teal"), flat(1), EncodeError, "'Teal'", id="colour"),
        pytest.param(
            replace(candidate(3), target=Rect(90, 4, 8, 8)),
            flat(1),
            GeometryError,
            "leaves the crop of 96x80",
            id="target",
        ),
        pytest.param(
            replace(candidate(3), crop=CropOffset(1900, 0, 1920, 1080)),
            flat(1),
            GeometryError,
            "leaves the full frame",
            id="crop",
        ),
    ],
)
def test_a_frame_that_cannot_be_is_refused_by_name(frame, pixels, error, told):
    with ClipBuilder(FEW, ("Red",)) as builder:
        builder.add(candidate(2, "Red"), flat(1))
        with pytest.raises(error, match=f"frame {frame.seq}.*{told}"):
            builder.add(frame if frame.colour else replace(frame, colour="Red"), pixels)
        builder.add(candidate(4, "Red"), flat(1))
        assert len(builder.finish().entries) == 2


def test_a_crop_wider_than_webp_is_refused_at_once():
    crop = CropOffset(0, 0, 20_000, 4)
    with ClipBuilder(FEW) as builder, pytest.raises(EncodeError, match="1 to 16383"):
        builder.add(replace(candidate(0), crop=crop, target=Rect(0, 0, 1, 1)), flat(1, 16_384, 2))


def test_a_cap_below_the_number_of_colours_is_refused():
    with pytest.raises(OptionError, match=r"max_frames: .*each of 3 colours, got 2"):
        ClipBuilder(ClipOptions(max_frames=2), PLAN)


# Threads.


def test_the_caller_may_reuse_its_pixels():
    pixels, frames = flat(0), []
    with ClipBuilder(FEW) as builder:
        for seq in range(6):
            pixels[:] = 40 * seq
            builder.add(candidate(seq), pixels)
        frames = decoded(builder.finish().files[0].content)
    assert [int(frame.mean()) for frame in frames] == pytest.approx(
        [40 * seq for seq in range(6)], abs=2
    )


def test_what_an_encoder_raises_reaches_the_caller(monkeypatch):
    def broken(*args):
        raise MemoryError("no room for a picture")

    monkeypatch.setattr(clip_builder, "_ladder", broken)
    with ClipBuilder(FEW, PLAN) as builder, pytest.raises(MemoryError):
        for frame, pixels in lit(45):
            builder.add(frame, pixels)
        builder.finish()


def test_a_stalled_encoder_is_reported_and_does_not_block_for_ever(monkeypatch):
    release = threading.Event()
    ladder = clip_builder._ladder

    def slow(*args):
        assert release.wait(600)
        return ladder(*args)

    monkeypatch.setattr(clip_builder, "_ladder", slow)
    builder = ClipBuilder(replace(FEW, stall_s=0.05, pending_crops=2), PLAN)
    with pytest.raises(EncodeError, match="stalled"):
        for frame, pixels in lit(9):
            builder.add(frame, pixels)
    release.set()
    builder.close()


def test_live_a_slow_machine_lowers_effort_then_passes_frames_over(monkeypatch):
    release = threading.Event()
    ladder = clip_builder._ladder

    def slow(*args):
        assert release.wait(600)
        return ladder(*args)

    monkeypatch.setattr(clip_builder, "_ladder", slow)
    with ClipBuilder(replace(FEW, live=True, pending_crops=6), PLAN) as builder:
        for frame, pixels in lit(15):
            builder.add(frame, pixels)
        release.set()
        clip = builder.finish() if builder.report.skipped < 5 else None
        assert clip is None
        report = builder.report
    assert (report.offered, report.skipped, report.method) == (6, 9, 0)
    assert report.fallbacks == ("encoders behind: method 2 lowered to 0",)
    assert report.as_dict()["fallbacks"] == ["encoders behind: method 2 lowered to 0"]


def test_live_on_a_machine_that_keeps_up_is_the_same_clip():
    frames = lit(30)
    options = replace(FEW, pending_crops=64)
    assert built(frames, replace(options, live=True, live_method=2)) == built(frames, options)


@pytest.mark.parametrize("after", ["close", "finish"])
def test_a_builder_that_is_done_says_so_and_closes_again(after):
    builder = ClipBuilder(FEW)
    for seq in range(9):
        builder.add(candidate(seq), noisy(seq))
    getattr(builder, after)()
    with pytest.raises(EncodeError, match="finished or closed"):
        builder.add(candidate(9), noisy(9))
    with pytest.raises(EncodeError, match="finished or closed"):
        builder.finish()
    builder.close()


@pytest.mark.slow
def test_raw_crops_in_memory_are_bounded(monkeypatch):
    """300 frames of 2.8 MB: 12 places for raw crops, so that nothing like 830 MB is ever held."""
    import tracemalloc

    picture = np.zeros((720, 1280, 3), np.uint8)
    crop = CropOffset(0, 0, 1920, 1080)
    options = replace(FEW, max_frames=300, container="jpeg")
    monkeypatch.setattr(clip_builder, "encode_image", lambda pixels, options: None)
    tracemalloc.start()
    with ClipBuilder(options) as builder:
        for seq in range(300):
            builder.add(replace(candidate(seq), crop=crop), picture)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * picture.nbytes
