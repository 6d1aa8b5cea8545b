from __future__ import annotations

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
    return person.paint.texture(expression, level).copy()


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
def test_smaller_textures_follow_every_repaint(person: Person, level: int) -> None:
    squint = Expression(0.4, 0.5, -8.0)
    full = texture(person, squint)
    size = full.shape[0] >> level
    small = resized(full, (size, size), 3)
    assert np.array_equal(texture(person, squint, level), small)


def test_repainting_is_skipped_while_nothing_shows(person: Person) -> None:
    assert isinstance(person.paint, ExpressivePaint)
    first = person.paint.texture(Expression(1.0))
    assert person.paint.texture(Expression(0.99)) is first
    assert Expression(1.0).quantised() == Expression(0.99).quantised()
