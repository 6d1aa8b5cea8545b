"""Eyes and lips, painted over the still skin of their windows."""

from __future__ import annotations

import numpy as np

from capture.simulator.colour import ArrayF
from capture.simulator.person.canvas import WHOLE, Canvas, encode, hill, ramp
from capture.simulator.person.identity import Identity

IRIS_RADIUS_CM = 0.60
EYE_HEIGHT_CM = 2.6
_CM_PER_DEG = 0.021
"""How far the iris moves: an eyeball of 12 mm radius."""


def _lids(person: Identity, x: ArrayF, openness: float) -> tuple[ArrayF, ArrayF, ArrayF]:
    """Return the height of upper lid, lower lid and crease over the eye's own abscissa."""
    gap = person.eye_half_gap_cm
    s = (x - (gap - 1.36)) / 2.66
    corners = 2.44 + 0.22 * s
    arch = 4 * s * (1 - s)
    lower = corners - arch * 0.38 * (1 + 0.25 * (s - 0.5))
    full = corners + arch * 0.55 * (1 - 0.35 * (s - 0.5))
    upper = lower + (full - lower) * (0.03 + 0.97 * openness)
    upper = np.where(arch > 0, upper, lower)
    return upper, lower, full + 0.20 + 0.10 * np.clip(arch, -1, 1)


def paint_eye(
    canvas: Canvas, person: Identity, openness: float, gaze_deg: tuple[float, float], iris: ArrayF
) -> None:
    """Paint the eye of a window on the left or right of the canvas.

    ``openness`` 0 shut to 1, ``gaze_deg`` to the image's right and up, ``iris`` (64, 64) grain.
    """
    side = -1.0 if canvas.x_cm.mean() < 0 else 1.0
    x, y = canvas.x_cm * side, canvas.y_cm
    upper, lower, crease = _lids(person, x, openness)
    gap = person.eye_half_gap_cm
    reach = ramp(1.5 - np.abs(x - gap - 0.05), 0.5)
    canvas.tint(WHOLE, ramp(0.05 - np.abs(y - crease), 0.10) * reach * 0.8, (0.62, 0.52, 0.50))
    opening = ramp(y - lower, 0.05) * ramp(upper - y, 0.05)
    opening *= ramp(1.31 - np.abs(x - gap), 0.04)
    ball = encode((0.56, 0.51, 0.48)) * np.float32(0.93 if sum(person.skin) < 0.5 else 1.0)
    canvas.blend(WHOLE, opening, ball, gloss=0.2)
    corner = hill(x, y, (gap - 1.2, 2.5), (0.22, 0.3)) + 0.5 * hill(
        x, y, (gap + 1.2, 2.6), (0.3, 0.3)
    )
    canvas.blend(WHOLE, opening * np.clip(corner, 0, 1) * 0.8, encode((0.42, 0.20, 0.17)))
    middle = (
        gap + side * gaze_deg[0] * _CM_PER_DEG,
        EYE_HEIGHT_CM + gaze_deg[1] * _CM_PER_DEG,
    )
    _iris(canvas, person, (x - middle[0], y - middle[1]), opening, iris)
    lid_shadow = opening * ramp(0.16 - (upper - y), 0.30)
    canvas.tint(WHOLE, lid_shadow, (0.52, 0.50, 0.50))
    _lashes(canvas, (x - gap, y), (upper, lower), openness)


def _iris(
    canvas: Canvas,
    person: Identity,
    from_middle: tuple[ArrayF, ArrayF],
    opening: ArrayF,
    grain_map: ArrayF,
) -> None:
    dx, dy = from_middle
    far = np.hypot(dx, dy)
    spokes = np.arctan2(dy, dx) * (32 / np.pi) + 32
    pattern = grain_map[spokes.astype(int) % 64, (far * 60).astype(int) % 64]
    tone = encode(person.iris) * (1 + 0.16 * pattern + 0.5 * (0.35 - far))[..., None]
    canvas.blend(WHOLE, opening * ramp(IRIS_RADIUS_CM - far, 0.06), tone, gloss=0.12)
    ring = ramp(0.07 - np.abs(far - IRIS_RADIUS_CM + 0.05), 0.08)
    canvas.tint(WHOLE, opening * ring, (0.45, 0.45, 0.45))
    pupil = ramp(0.21 - far, 0.05)
    canvas.blend(WHOLE, opening * pupil, encode((0.006, 0.006, 0.006)))
    lamp = ramp(1.0 - np.hypot(dx / 0.09, (dy - 0.20) / 0.07), 0.5)
    canvas.blend(WHOLE, opening * lamp * 0.75, encode((0.55, 0.55, 0.55)))


def _lashes(
    canvas: Canvas, xy: tuple[ArrayF, ArrayF], lids: tuple[ArrayF, ArrayF], openness: float
) -> None:
    """Paint lashes and the rims of the lids; ``xy`` counts from the middle of the eye."""
    x, y = xy
    upper, lower = lids
    along = np.clip((x + 1.35) / 2.75, 0, 1)
    inside = ramp(1.36 - np.abs(x - 0.03), 0.10)
    dark = encode((0.020, 0.014, 0.012))
    line = ramp(0.035 + 0.03 * along - np.abs(y - upper - 0.01), 0.06) * inside
    canvas.blend(WHOLE, line * (0.55 + 0.4 * along), dark, gloss=0.2)
    lean = x * 0.45 * np.sign(y - upper)
    foot = x - lean * (y - upper)
    comb = 0.5 + 0.5 * np.cos(foot * 52 + 2.4 * np.sin(foot * 17) + 1.7 * np.sin(foot * 7.3))
    reach = 0.24 * (0.45 + 0.8 * along) * (0.7 + 0.3 * openness)
    above = y - upper if openness > 0.35 else upper - y
    tips = ramp(reach - above, 0.12) * (above > 0) * comb**2 * inside
    canvas.blend(WHOLE, tips * 0.42, dark)
    rim = ramp(0.03 - np.abs(y - lower), 0.06) * inside
    canvas.tint(WHOLE, rim * 0.75, (0.72, 0.58, 0.57))


def paint_mouth(canvas: Canvas, person: Identity, openness: float, lip_grain: ArrayF) -> None:
    """Paint lips, ``openness`` 0 shut to 1, and what is seen between them."""
    lip = person.lip
    x, y = canvas.x_cm, canvas.y_cm
    half = 2.48 - 0.25 * openness
    inside = np.clip(1 - (x / half) ** 2, 0.0, 1.0)
    bow = 0.14 * np.exp(-(((np.abs(x) - 0.55) / 0.42) ** 2)) - 0.05 * np.exp(-((x / 0.25) ** 2))
    seam = -4.18 + 0.05 * np.exp(-((x / 0.3) ** 2)) - 0.10 * (1 - inside)
    gap = 1.5 * openness * inside
    top = seam + 0.12 * openness * inside
    bottom = seam - gap
    upper_edge = top + inside**0.75 * (0.52 * lip + bow * lip)
    lower_edge = bottom - inside**0.6 * 0.78 * lip
    span = ramp(half - np.abs(x), 0.12)
    _below_lip(canvas, lower_edge, inside)
    lips = ramp(upper_edge - y, 0.07) * ramp(y - lower_edge, 0.09) * span
    grainy = 1 + 0.045 * lip_grain
    skin = encode(person.skin)
    tone = skin * np.array([0.76, 0.68, 0.90], np.float32)
    shade = np.where(y > (top + bottom) / 2, 0.90, 1.04)[..., None]
    canvas.blend(WHOLE, lips * 0.88, tone * shade * grainy[..., None], gloss=0.32)
    canvas.tint(WHOLE, ramp(0.05 - np.abs(y - top), 0.09) * span * inside**0.3, (0.42, 0.34, 0.34))
    if openness > 0:
        hollow = ramp(top - y, 0.05) * ramp(y - bottom, 0.05) * span
        canvas.blend(WHOLE, hollow, encode((0.03, 0.012, 0.012)), gloss=0.2)
        teeth = hollow * ramp(y - (top - 0.55), 0.08) * ramp(1.7 - np.abs(x), 0.3)
        gaps = 0.85 + 0.15 * np.abs(np.cos(x * np.pi / 0.75)) ** 0.3
        canvas.blend(WHOLE, teeth * 0.95, encode((0.50, 0.47, 0.40)) * gaps[..., None], gloss=0.9)


def _below_lip(canvas: Canvas, lower_edge: ArrayF, inside: ArrayF) -> None:
    x, y = canvas.x_cm, canvas.y_cm
    shadow = ramp(0.38 - np.abs(y - lower_edge + 0.38), 0.5) * inside * ramp(1.9 - np.abs(x), 1.2)
    canvas.tint(WHOLE, shadow * 0.5, (0.80, 0.72, 0.71))
