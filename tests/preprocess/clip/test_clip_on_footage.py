"""The clip on real faces: pixels, limits and both decoders."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.frame import ImageU8
from preprocess.clip.clip import Candidate, Clip, CropOffset
from preprocess.clip.clip_builder import ClipBuilder, ClipOptions
from preprocess.face.face import Rect
from preprocess.webp.webp_reader import read_animation
from tests.preprocess.clip.crops import decoded, psnr_db

pytestmark = pytest.mark.slow

SIDE = 480
LEFT, TOP = 120, 90


@pytest.fixture(scope="module")
def session(footage: Path) -> list[tuple[Candidate, ImageU8]]:
    """The cleanly lit frames of a relit recording: real face, real motion, three colours."""
    import av

    with (footage / "videos/d13-lit.truth.csv").open() as rows:
        truth = [row["label"].partition("clean:")[2] for row in csv.DictReader(rows)]
    with av.open(str(footage / "videos/d13-lit.mkv")) as container:
        frames = [
            f.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
            for f in container.decode(video=0)
        ]
    height, width = frames[0].shape[:2]
    return [
        (
            Candidate(
                seq,
                seq * 33_333_333,
                colour,
                Rect(100, 100, 200, 200),
                CropOffset(LEFT, TOP, width, height),
                float(seq * 7 % 5),
            ),
            pixels[TOP : TOP + SIDE, LEFT : LEFT + SIDE],
        )
        for seq, (colour, pixels) in enumerate(zip(truth, frames, strict=True))
        if colour
    ]


def clip_of(session: list[tuple[Candidate, ImageU8]], options: ClipOptions) -> Clip:
    with ClipBuilder(options, ("Red", "Green", "Blue")) as builder:
        for candidate, pixels in session:
            builder.add(candidate, pixels)
        return builder.finish()


def test_every_frame_shows_its_source_in_both_decoders(session, tmp_path):
    clip = clip_of(session, ClipOptions())
    source = {candidate.seq: pixels for candidate, pixels in session}
    content = clip.files[0].content
    path = tmp_path / "video.webp"
    path.write_bytes(content)
    done, animation = cv2.imreadanimation(str(path))
    assert done
    assert len(animation.frames) == len(decoded(content)) == len(clip.entries) == 45
    for entry, pillow, opencv in zip(clip.entries, decoded(content), animation.frames, strict=True):
        assert psnr_db(pillow, source[entry.seq]) >= 38
        assert psnr_db(np.asarray(opencv, np.uint8)[:, :, :3], source[entry.seq]) >= 38
    assert sum(read_animation(content).durations_ms) > 2500


@pytest.mark.parametrize("target", [360_030, 150_000])
def test_a_target_is_met_closely_and_in_balance(session, target):
    options = ClipOptions(target_bytes=target)
    clip = clip_of(session, options)
    assert 0.9 * target <= len(clip.files[0].content) <= target
    counts = Counter(entry.colour for entry in clip.entries)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert min(counts.values()) >= options.min_per_colour
    source = {candidate.seq: pixels for candidate, pixels in session}
    worst = min(
        psnr_db(pixels, source[entry.seq])
        for entry, pixels in zip(clip.entries, decoded(clip.files[0].content), strict=True)
    )
    assert worst >= 33
