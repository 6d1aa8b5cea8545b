from __future__ import annotations

import cv2
import numpy as np
import pytest

from capture.frame import ImageU8
from capture.simulator.person.expression import LEVELS, Expression, ExpressivePaint
from capture.simulator.person.person import Person, build_person
from capture.simulator.raster import resized


@pytest.fixture(scope="module")
def person() -> Person:
    return build_person(0, 4.0)


def texture(person: Person, expression: Expression, level: int = 0) -> ImageU8:
    painted = person.paint.texture(expression, level)
    return np.dstack([painted.colour, painted.gloss])


def test_a_blink_repaints_the_eyes_only(person: Person) -> None:
    changed = texture(person, Expression()) != texture(person, Expression(eyes_open=0.0))
    rows, columns = np.nonzero(changed.any(axis=2))
    size = changed.shape[0]
    assert len(rows) > 2000
    assert rows.max() < 0.52 * size
    assert 0.25 * size < columns.min() < columns.max() < 0.75 * size


def test_an_open_mouth_is_dark_inside(person: Person) -> None:
    shut, wide = (texture(person, Expression(mouth_open=m))[..., :3] for m in (0.0, 1.0))
    darker = shut.astype(int).sum(axis=2) - wide.astype(int).sum(axis=2) > 150
    assert darker.sum() > 500


def test_painting_back_leaves_no_trace(person: Person) -> None:
    before = texture(person, Expression())
    texture(person, Expression(0.3, 0.7, 10.0, -5.0))
    assert np.array_equal(texture(person, Expression()), before)


@pytest.mark.parametrize("level", range(1, LEVELS))
def test_smaller_textures_show_the_same_face(person: Person, level: int) -> None:
    """Painted at their own size, so that only the thinnest lines differ."""
    squint, still = Expression(0.4, 0.5, -8.0), Expression(1.0)
    full, before = texture(person, squint), texture(person, still)
    size = full.shape[0] >> level
    small, small_before = (resized(image, (size, size), cv2.INTER_AREA) for image in (full, before))
    off = np.abs(texture(person, squint, level).astype(int) - small)
    repainted = np.abs(small.astype(int) - small_before).max(axis=2) > 8
    assert repainted.sum() > 200
    assert off[repainted].mean() < 6
    assert off[~repainted].mean() < 0.1


def test_people_of_one_identity_share_what_has_been_painted() -> None:
    one, two = build_person(0, 4.0), build_person(0, 4.0)
    look = Expression(0.5, 0.25, 3.0)
    assert np.array_equal(texture(one, look, 1), texture(two, look, 1))
    assert one.paint.texture(look, 1) is not two.paint.texture(look, 1)


def test_repainting_is_skipped_while_nothing_shows(person: Person) -> None:
    assert isinstance(person.paint, ExpressivePaint)
    first = person.paint.texture(Expression(1.0))
    assert person.paint.texture(Expression(0.99)) is first
    assert Expression(1.0).quantised() == Expression(0.99).quantised()
