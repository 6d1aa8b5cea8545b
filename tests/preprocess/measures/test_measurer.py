"""All measures of a frame together."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import av
import numpy as np
import pytest

from capture.light.timeline import Label, LabelKind
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measurer import Measurer
from preprocess.measures.measures import FIELDS, NO_FACE, Measures
from preprocess.reasons import Reason
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker
from tests.preprocess import faces

RED = (255, 0, 0)


def test_a_frame_without_a_face_has_no_measures() -> None:
    row = Measurer().measure(faces.frame(), None, None)
    assert row == NO_FACE or all(math.isnan(getattr(row, name)) for name in FIELDS)
    assert not row.has_face


def test_a_face_has_every_measure_once_there_are_two_frames() -> None:
    measurer = Measurer()
    measurer.measure(faces.frame(seq=0), faces.frontal(), RED)
    row = measurer.measure(faces.frame(seq=1), faces.frontal(), RED)
    assert not [name for name in FIELDS if math.isnan(getattr(row, name))]
    assert row.speed_ied_s == 0


def test_the_lit_channel_is_measured_in_coloured_light_only() -> None:
    row = Measurer().measure(faces.frame(), faces.frontal(), None)
    assert math.isnan(row.over_lit_share)


def test_columns_are_the_fields_in_order() -> None:
    assert tuple(f.name for f in fields(Measures)) == FIELDS


def test_a_lost_face_begins_motion_anew() -> None:
    measurer = Measurer()
    measurer.measure(faces.frame(seq=0), faces.frontal(), None)
    measurer.measure(faces.frame(seq=1), None, None)
    assert math.isnan(measurer.measure(faces.frame(seq=2), faces.frontal(), None).speed_ied_s)


def test_a_reset_begins_motion_anew() -> None:
    measurer = Measurer()
    measurer.measure(faces.frame(seq=0), faces.frontal(), None)
    measurer.reset()
    assert math.isnan(measurer.measure(faces.frame(seq=1), faces.frontal(), None).speed_ied_s)


@pytest.mark.parametrize("centre", [(0, 0), (1279, 719), (-90, 300), (640, -100)], ids=str)
def test_a_face_at_the_edge_can_be_measured(centre: tuple[int, int]) -> None:
    cut = faces.face(faces.landmarks(centre))
    row = Measurer().measure(faces.frame(), cut, None)
    assert row.cut_share > 0.3
    assert Reason.FACE_CUT in judge(row, None, Thresholds()).reasons


@pytest.mark.parametrize("ied", [4.0, 12.0, 600.0])
def test_a_face_of_any_size_can_be_measured(ied: float) -> None:
    row = Measurer().measure(faces.frame(), faces.face(faces.landmarks(ied_px=ied)), None)
    assert row.has_face


def test_blur_under_pure_blue_light_is_read_where_the_light_is() -> None:
    """Regression: grey weighs blue by .11 and rounds the edges of a dark room away."""
    picture = faces.textured()
    blue = np.zeros_like(picture)
    blue[..., 0] = picture[..., 0]
    lit = Measurer().measure(faces.frame(blue), faces.frontal(), (0, 0, 255))
    plain = Measurer().measure(faces.frame(picture), faces.frontal(), None)
    assert lit.blur_pct == pytest.approx(plain.blur_pct, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["d13", "s18"])
def test_people_who_blink_and_talk_are_accepted_in_most_frames(footage: Path, name: str) -> None:
    import csv

    with (footage / "videos" / f"{name}-lit.truth.csv").open() as rows:
        truth = [row["label"] for row in csv.DictReader(rows)]
    lights = {"Red": RED, "Green": (0, 255, 0), "Blue": (0, 0, 255)}
    measurer, accepted = Measurer(), []
    with (
        av.open(str(footage / "videos" / f"{name}-lit.mkv")) as container,
        FaceMeshTracker() as tracker,
    ):
        for seq, image in enumerate(container.decode(video=0)):
            frame = faces.frame(image.to_ndarray(format="bgr24").astype(np.uint8, copy=False), seq)
            colour = truth[seq].partition(":")[2]
            kind = LabelKind.CLEAN if colour else LabelKind.NEUTRAL
            lit = lights.get(colour)
            row = measurer.measure(frame, tracker.track(frame), lit)
            accepted.append(judge(row, Label(kind, colour or None, lit), Thresholds()).accepted)
    assert np.mean(accepted) > 0.8
