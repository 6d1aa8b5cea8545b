"""One simulated person, built once and rendered at any pose, expression and light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from capture.simulator.person.body import UpperBody, build_body
from capture.simulator.person.canvas import new_canvas
from capture.simulator.person.expression import ExpressivePaint, FaceSheets, Paint, StillPaint
from capture.simulator.person.identity import Identity, draw_identity
from capture.simulator.person.portrait import Eyes, lay_portrait, read_portrait
from capture.simulator.person.shape import build_shape
from capture.simulator.person.skin import paint_static
from capture.simulator.person.views import HeadViews


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Shape, paint and shoulders of one identity."""

    identity: Identity
    views: HeadViews
    paint: Paint
    body: UpperBody


def build_person(
    seed: int, skin_tone: float, portrait: str = "", portrait_eyes: Eyes | None = None
) -> Person:
    """Build a person with a face of their own to move; half a second the first time.

    Raises
    ------
    CameraError
        a portrait that cannot be used.
    """
    if not portrait:
        identity, views, sheets, body = _painted(seed, skin_tone)
        return Person(identity, views, ExpressivePaint(sheets), body)
    photograph = read_portrait(portrait, portrait_eyes)  # first: painting takes a second
    identity = draw_identity(seed, skin_tone)
    shape = build_shape(identity)
    canvas = new_canvas(shape, identity.skin, identity.seed)
    paint_static(canvas, identity)
    skin = lay_portrait(canvas, identity, photograph)
    identity = replace(identity, skin=skin)
    return Person(identity, HeadViews(shape), StillPaint(canvas), build_body(identity))


@lru_cache(maxsize=4)
def _painted(seed: int, skin_tone: float) -> tuple[Identity, HeadViews, FaceSheets, UpperBody]:
    """Build what a person keeps for life; some 25 MB, and 15 more as it is seen from all sides."""
    identity = draw_identity(seed, skin_tone)
    shape = build_shape(identity)
    canvas = new_canvas(shape, identity.skin, identity.seed)
    paint_static(canvas, identity)
    return identity, HeadViews(shape), FaceSheets(canvas, identity), build_body(identity)
