"""A recording made by the kiosk gives, offline, what the live session gave."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from capture.files.source import open_source
from facelight.batch.one_input import run_source
from facelight.config.settings import Settings
from preprocess.clip.clip import Clip
from tests.facelight.kiosk.conftest import Recorded

pytestmark = pytest.mark.slow


def stills(clip: Clip) -> list[NDArray[np.uint8]]:
    """Decode a clip; its files may differ by 1 ms of a frame's duration, as clocks' zeros do."""
    with Image.open(io.BytesIO(clip.files[0].content)) as animation:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(animation)]


def test_a_replay_gives_the_same_labels_crops_verdicts_and_clip(accepted: Recorded) -> None:
    live = accepted.run.last
    assert live is not None
    with open_source(accepted.path) as source:
        replay = run_source(source, Settings()).result
        origin_ns = live.result.reports[0].t_frame_ns
    assert len(replay.reports) == len(live.result.reports) > 40
    for mine, theirs in zip(replay.reports, live.result.reports, strict=True):
        assert mine.t_frame_ns == theirs.t_frame_ns - origin_ns
        assert mine.label == theirs.label
        assert mine.crop == theirs.crop
        assert mine.verdict == theirs.verdict
    assert replay.clip is not None
    sent, first = accepted.run.outbox.clips[0], live.result.reports[0].seq
    entries = [(e.seq - first, e.colour, e.target, e.crop, e.frame_number) for e in sent.entries]
    again = [(e.seq, e.colour, e.target, e.crop, e.frame_number) for e in replay.clip.entries]
    assert again == entries
    for offline, shown in zip(stills(replay.clip), stills(sent), strict=True):
        assert np.array_equal(offline, shown)


def test_the_recording_says_whose_session_it_is(accepted: Recorded) -> None:
    (opened,) = accepted.run.all("session")
    (kept,) = accepted.run.all("recording")
    with open_source(accepted.path) as source:
        assert source.session_id == opened["session"]
        assert source.provenance == "simulated"
        assert source.timeline is not None
    assert kept["path"] == str(accepted.path)
