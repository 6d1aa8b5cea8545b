"""Everything on the head's canvas that does not move: skin, brows, nose, hair, ears."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import ArrayF
from capture.simulator.person.canvas import WHOLE, Canvas, encode, grain, hill, ramp
from capture.simulator.person.identity import Identity
from capture.simulator.person.shape import hair_mask
from capture.simulator.raster import blurred, draw_dot, draw_lines, resized


def paint_static(canvas: Canvas, person: Identity) -> None:
    """Paint the head but for eyes and mouth."""
    _skin(canvas, person)
    _marks(canvas, person)
    _nose(canvas)
    _sockets(canvas, person)
    _hair(canvas, person)
    _brows(canvas, person)


def _skin(canvas: Canvas, person: Identity) -> None:
    rng = canvas.rng
    size = canvas.pixels.shape[:2]
    x, y = canvas.x_cm, canvas.y_cm
    blotch = 0.018 * grain(rng, size, 14) + 0.014 * grain(rng, size, 45)
    pores = 0.020 * grain(rng, size, 420) + 0.014 * rng.standard_normal(size, dtype=np.float32)
    canvas.pixels[..., :3] *= (1 + blotch + pores)[..., None]
    red = 0.8 * (hill(x, y, (-4.3, 0.0), (1.9, 1.6)) + hill(x, y, (4.3, 0.0), (1.9, 1.6)))
    red += 0.7 * hill(x, y, (0.0, -0.8), (1.2, 1.0)) + 0.4 * hill(x, y, (0.0, -7.0), (1.6, 1.0))
    red += 0.3 * ramp(np.abs(x) - 7.4, 0.8)
    red *= 1 + 0.10 * grain(rng, size, 60)
    canvas.tint(WHOLE, np.clip(red, 0, 1.4), (1.02, 0.90, 0.91))
    if person.stubble > 0:
        beard = ramp(-0.9 - y - 0.25 * np.abs(x) * (np.abs(x) < 2.4), 2.0) * ramp(
            np.abs(x) * 0.5 - y - 2.2, 1.5
        )
        dots = (rng.random(size, dtype=np.float32) < 0.22).astype(np.float32)
        shade = beard * person.stubble * (0.25 + 0.75 * blurred(dots, 0.7))
        canvas.tint(WHOLE, np.clip(shade, 0, 1), (0.68, 0.70, 0.73))


def _marks(canvas: Canvas, person: Identity) -> None:
    """Moles and freckles: small sharp detail, and what tells two identities apart."""
    rng = canvas.rng
    spots = np.zeros(canvas.pixels.shape[:2], np.uint8)
    count = int(rng.integers(60, 160))
    x = rng.normal(0, 3.2, count)
    y = np.where(rng.random(count) < 0.7, rng.normal(0.6, 1.6, count), rng.uniform(-6, 7, count))
    keep = np.abs(x) < 5.2
    for column, row in canvas.locate(x[keep], y[keep]):
        draw_dot(spots, (column, row), rng.uniform(0.75, 1.6), int(rng.integers(35, 110)))
    for column, row in canvas.locate(rng.uniform(-5.5, 5.5, 4), rng.uniform(-6.5, 6.5, 4)):
        draw_dot(spots, (column, row), rng.uniform(1.9, 3.2), 220)
    strength = spots.astype(np.float32) / 255.0
    depth = 0.62 if sum(person.skin) > 0.5 else 0.75
    canvas.tint(WHOLE, strength, (depth, depth * 0.88, depth * 0.85))


def _nose(canvas: Canvas) -> None:
    at = canvas.window((-2.6, 2.6), (-3.2, 1.0))
    x, y = canvas.x_cm[at], canvas.y_cm[at]
    wide = np.abs(x)
    fold = np.abs(np.hypot((wide - 1.18) / 0.62, (y + 1.05) / 0.72) - 1.0)
    behind = ramp(wide - 1.0, 0.5) * ramp(y + 2.0, 0.5) * ramp(0.0 - y, 0.9)
    canvas.tint(at, ramp(0.15 - fold, 0.26) * behind * 0.55, (0.74, 0.63, 0.61))
    under = hill(x, y, (0.0, -1.85), (1.35, 0.32))
    canvas.tint(at, under * 0.55, (0.74, 0.63, 0.62))
    tilt = (wide - 0.66) * 0.9 + (y + 1.66) * 0.35, (y + 1.66) * 0.95 - (wide - 0.66) * 0.35
    hole = ramp(1.0 - np.hypot(tilt[0] / 0.36, tilt[1] / 0.19), 0.30)
    canvas.blend(at, hole * 0.92, encode((0.018, 0.009, 0.007)), gloss=0.1)


def _sockets(canvas: Canvas, person: Identity) -> None:
    """Shade around the eyes, under them, and the crease of the upper lid."""
    gap = person.eye_half_gap_cm
    at = canvas.window((-6.5, 6.5), (-0.5, 5.0))
    x, y = np.abs(canvas.x_cm[at]), canvas.y_cm[at]
    shade = 0.8 * hill(x, y, (1.75, 2.85), (0.7, 0.9)) + 0.45 * hill(x, y, (gap, 3.45), (1.6, 0.45))
    shade += 0.40 * hill(x, y, (gap - 0.3, 1.62), (1.25, 0.34))
    canvas.tint(at, np.clip(shade, 0, 1), (0.80, 0.73, 0.74))
    bag = np.abs(y - (1.50 + 0.16 * (x - gap) ** 2))
    canvas.tint(
        at, ramp(0.05 - bag, 0.12) * ramp(1.3 - np.abs(x - gap), 0.9) * 0.45, (0.8, 0.72, 0.7)
    )


def _strokes(
    shape: tuple[int, ...], starts: NDArray[np.float64], ends: NDArray[np.float64], bend: float
) -> NDArray[np.uint8]:
    """Draw curved hairs from ``starts`` to ``ends`` ((n, 2) texels); return their coverage."""
    sheet = np.zeros(shape, np.uint8)
    along = ends - starts
    middle = (starts + ends) / 2 + bend * np.stack([-along[:, 1], along[:, 0]], axis=1)
    steps = np.linspace(0, 1, 6)[None, :, None]
    curve = (
        (1 - steps) ** 2 * starts[:, None]
        + 2 * steps * (1 - steps) * middle[:, None]
        + steps**2 * ends[:, None]
    )
    draw_lines(sheet, curve)
    return sheet


def _brows(canvas: Canvas, person: Identity) -> None:
    rng = canvas.rng
    lift = person.brow_lift_cm
    colour = np.minimum(encode(person.hair), encode(person.skin) * 0.55)
    count = int(260 * person.brow_weight)
    for side in (-1.0, 1.0):
        s = rng.beta(1.1, 1.15, count)
        centre = 3.80 + lift + 0.95 * s - 1.05 * s**2.6
        thick = 0.30 * person.brow_weight * np.sqrt(np.clip(1.1 - s, 0, 1)) * (0.75 + 0.5 * s)
        x = 1.35 + 3.75 * s
        y = centre + thick * rng.uniform(-1, 1, count)
        angle = np.radians(82 - 105 * s**0.7 + rng.normal(0, 9, count))
        reach = rng.uniform(0.35, 0.62, count)
        roots = canvas.locate(side * x, y)
        tips = canvas.locate(side * (x + reach * np.cos(angle)), y + reach * np.sin(angle) * 0.7)
        sheet = _strokes(canvas.pixels.shape[:2], roots, tips, -0.12 * side)
        at = canvas.window((min(side * 1.0, side * 6.0), max(side * 1.0, side * 6.0)), (2.6, 6.0))
        cover = sheet[at].astype(np.float32) / 255.0
        body = blurred(cover, 4.0)
        canvas.blend(at, np.clip(body * 0.9, 0, 0.55), colour, gloss=0.15)
        canvas.blend(at, cover * 0.85, colour, gloss=0.2)


def _hair(canvas: Canvas, person: Identity) -> None:
    rng = canvas.rng
    size = canvas.pixels.shape[0]
    mask = resized(hair_mask(person, canvas.shape.points_cm), (size, size))
    ragged = ramp(mask - 0.5 + 0.13 * np.clip(grain(rng, (size, size), 160), -3, 3), 0.35)
    base = encode(person.hair)
    canvas.blend(WHOLE, ragged, base * 0.72, gloss=0.16)
    edge = blurred(mask, 12.0)
    reach = np.clip(6.0 * blurred(mask, 5.0) - 1.0, 0.0, 1.0)
    fringe = ((edge > 0.12) & (edge < 0.75) & (_forward(canvas) > 0.5)).astype(np.float32)
    canvas.blend(WHOLE, _hair_sheet(fringe, rng, 2200, (12, 45)) * 0.7, base * 0.8, gloss=0.16)
    for tone, count, cover in ((0.55, 2600, 0.75), (1.25, 2200, 0.6), (1.55, 700, 0.5)):
        sheet = _hair_sheet(mask, rng, count, (40, 120))
        canvas.blend(WHOLE, sheet * (cover * reach), _lift(base, tone), gloss=0.22)


def _forward(canvas: Canvas) -> ArrayF:
    """Return how far each texel lies before the skull's centre line, cm."""
    z = np.ascontiguousarray(canvas.shape.points_cm[..., 2])
    return resized(z, (canvas.x_cm.shape[1], canvas.x_cm.shape[0]))


def _hair_sheet(
    mask: ArrayF, rng: np.random.Generator, count: int, reach_px: tuple[int, int]
) -> ArrayF:
    """Draw hairs that run from the face outwards, swept to one side."""
    size = mask.shape[0]
    roots = rng.uniform(0, size, (count * 6, 2))
    inside = mask[roots[:, 1].astype(int), roots[:, 0].astype(int)] > 0.35
    roots = roots[inside][:count]
    outward = roots - np.array([size / 2, size * 0.58])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    outward += np.array([0.35, 0.0]) + rng.normal(0, 0.10, outward.shape)
    reach = rng.uniform(*reach_px, (len(roots), 1))
    return _strokes((size, size), roots, roots + outward * reach, 0.12).astype(np.float32) / 255.0


def _lift(coded: ArrayF, factor: float) -> ArrayF:
    lifted: ArrayF = np.clip(coded * np.float32(factor), 0.0, 0.95)
    return lifted
