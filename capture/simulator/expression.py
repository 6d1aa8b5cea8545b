"""What moves in a face: lids, irises and lips, painted anew over the still skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from capture.simulator.canvas import Canvas, Window, encode, grain, hill, ramp
from capture.simulator.colour import ArrayF, ImageU8
from capture.simulator.identity import Identity
from capture.simulator.raster import resized

IRIS_RADIUS_CM = 0.60
EYE_HEIGHT_CM = 2.6
_STEPS = 12
"""Openness is painted in twelfths: finer than a landmark can tell."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Lids 1 open .. 0 shut; mouth 0 shut .. 1 wide; gaze of the eyes in the head, degrees."""

    eyes_open: float = 1.0
    mouth_open: float = 0.0
    gaze_yaw_deg: float = 0.0
    gaze_pitch_deg: float = 0.0

    def quantised(self) -> tuple[int, int, int, int]:
        """Return the steps at which painting it again would show."""
        return (
            round(min(max(self.eyes_open, 0.0), 1.0) * _STEPS),
            round(min(max(self.mouth_open, 0.0), 1.0) * _STEPS),
            round(min(max(self.gaze_yaw_deg, -30.0), 30.0)),
            round(min(max(self.gaze_pitch_deg, -20.0), 20.0)),
        )


LEVELS = 3
_ALIGN = 2 ** (LEVELS - 1)


def _aligned(at: Window) -> Window:
    """Widen a window to whole texels of the coarsest level."""
    rows, columns = (
        slice(part.start // _ALIGN * _ALIGN, -(-part.stop // _ALIGN) * _ALIGN) for part in at
    )
    return rows, columns


def _aligned_at(at: Window, factor: int) -> Window:
    return (
        slice(at[0].start // factor, at[0].stop // factor),
        slice(at[1].start // factor, at[1].stop // factor),
    )


def _shrunk(codes: ImageU8, factor: int) -> ImageU8:
    height, width = codes.shape[:2]
    return resized(codes, (width // factor, height // factor), cv2.INTER_AREA)


class Paint(Protocol):
    """The texture of a head, whatever its face does."""

    def texture(self, expression: Expression, level: int = 0) -> ImageU8:
        """Return the (n, n, 4) uint8 texture, halved ``level`` times; valid to the next call."""
        ...


class StillPaint:
    """A face that cannot move: a photograph."""

    def __init__(self, canvas: Canvas) -> None:
        codes = canvas.codes()
        self._textures = [codes, *(_shrunk(codes, 2**level) for level in range(1, LEVELS))]

    def texture(self, expression: Expression, level: int = 0) -> ImageU8:  # noqa: ARG002
        """Return the same texture for every expression."""
        return self._textures[level]


class ExpressivePaint:
    """The texture of one head, repainted at eyes and mouth when its expression changes."""

    def __init__(self, canvas: Canvas, person: Identity) -> None:
        self._canvas = canvas
        self._person = person
        self._eye_at = tuple(
            _aligned(canvas.window(x, (1.2, 4.1))) for x in ((-5.6, -0.9), (0.9, 5.6))
        )
        self._mouth_at = _aligned(canvas.window((-3.6, 3.6), (-7.6, -2.5)))
        self._still = {
            self._key(at): canvas.pixels[at].copy() for at in (*self._eye_at, self._mouth_at)
        }
        self._iris_grain = grain(canvas.rng, (64, 64), 20)
        self._lip_grain = {
            self._key(self._mouth_at): grain(
                canvas.rng, canvas.pixels[self._mouth_at].shape[:2], 60
            )
        }
        codes = canvas.codes()
        self._textures = [codes, *(_shrunk(codes, 2**level) for level in range(1, LEVELS))]
        self._painted: tuple[int, int, int, int] | None = None

    @staticmethod
    def _key(at: Window) -> tuple[int, int]:
        return at[0].start, at[1].start

    def texture(self, expression: Expression, level: int = 0) -> ImageU8:
        """Return the (n, n, 4) uint8 texture of the face making ``expression``.

        ``level`` halves it 0 to ``LEVELS - 1`` times, for faces farther away. The array is painted
        over by the next call.
        """
        steps = expression.quantised()
        if self._painted is None or steps[0] != self._painted[0] or steps[2:] != self._painted[2:]:
            for side, at in zip((-1.0, 1.0), self._eye_at, strict=True):
                self._restore(at)
                self._eye(at, side, steps)
                self._publish(at)
        if self._painted is None or steps[1] != self._painted[1]:
            self._restore(self._mouth_at)
            self._mouth(self._mouth_at, steps[1] / _STEPS)
            self._publish(self._mouth_at)
        self._painted = steps
        return self._textures[level]

    def _restore(self, at: Window) -> None:
        self._canvas.pixels[at] = self._still[self._key(at)]

    def _publish(self, at: Window) -> None:
        codes = np.clip(self._canvas.pixels[at] * 255.0 + 0.5, 0, 255).astype(np.uint8)
        for level, texture in enumerate(self._textures):
            small = _aligned_at(at, 2**level)
            texture[small] = codes if level == 0 else _shrunk(codes, 2**level)

    def _lids(self, x: ArrayF, openness: float) -> tuple[ArrayF, ArrayF, ArrayF]:
        """Return the height of upper lid, lower lid and crease over the eye's own abscissa."""
        gap = self._person.eye_half_gap_cm
        s = (x - (gap - 1.36)) / 2.66
        corners = 2.44 + 0.22 * s
        arch = 4 * s * (1 - s)
        lower = corners - arch * 0.38 * (1 + 0.25 * (s - 0.5))
        full = corners + arch * 0.55 * (1 - 0.35 * (s - 0.5))
        upper = lower + (full - lower) * (0.03 + 0.97 * openness)
        upper = np.where(arch > 0, upper, lower)
        return upper, lower, full + 0.20 + 0.10 * np.clip(arch, -1, 1)

    def _eye(self, at: Window, side: float, steps: tuple[int, int, int, int]) -> None:
        canvas, person = self._canvas, self._person
        x, y = canvas.x_cm[at] * side, canvas.y_cm[at]
        openness = steps[0] / _STEPS
        upper, lower, crease = self._lids(x, openness)
        gap = person.eye_half_gap_cm
        reach = ramp(1.5 - np.abs(x - gap - 0.05), 0.5)
        canvas.tint(at, ramp(0.05 - np.abs(y - crease), 0.10) * reach * 0.8, (0.62, 0.52, 0.50))
        opening = ramp(y - lower, 0.05) * ramp(upper - y, 0.05)
        opening *= ramp(1.31 - np.abs(x - gap), 0.04)
        ball = encode((0.56, 0.51, 0.48)) * np.float32(0.93 if sum(person.skin) < 0.5 else 1.0)
        canvas.blend(at, opening, ball, gloss=0.2)
        corner = hill(x, y, (gap - 1.2, 2.5), (0.22, 0.3)) + 0.5 * hill(
            x, y, (gap + 1.2, 2.6), (0.3, 0.3)
        )
        canvas.blend(at, opening * np.clip(corner, 0, 1) * 0.8, encode((0.42, 0.20, 0.17)))
        self._iris(
            at, (x, y), opening, (gap + side * steps[2] * 0.021, EYE_HEIGHT_CM + steps[3] * 0.021)
        )
        lid_shadow = opening * ramp(0.16 - (upper - y), 0.30)
        canvas.tint(at, lid_shadow, (0.52, 0.50, 0.50))
        self._lashes(at, (x, y), (upper, lower), openness)

    def _iris(
        self, at: Window, xy: tuple[ArrayF, ArrayF], opening: ArrayF, centre: tuple[float, float]
    ) -> None:
        dx, dy = xy[0] - centre[0], xy[1] - centre[1]
        far = np.hypot(dx, dy)
        spokes = np.arctan2(dy, dx) * (32 / np.pi) + 32
        pattern = self._iris_grain[spokes.astype(int) % 64, (far * 60).astype(int) % 64]
        tone = encode(self._person.iris) * (1 + 0.16 * pattern + 0.5 * (0.35 - far))[..., None]
        self._canvas.blend(at, opening * ramp(IRIS_RADIUS_CM - far, 0.06), tone, gloss=0.12)
        ring = ramp(0.07 - np.abs(far - IRIS_RADIUS_CM + 0.05), 0.08)
        self._canvas.tint(at, opening * ring, (0.45, 0.45, 0.45))
        pupil = ramp(0.21 - far, 0.05)
        self._canvas.blend(at, opening * pupil, encode((0.006, 0.006, 0.006)))
        lamp = ramp(
            1.0 - np.hypot((xy[0] - self._person.eye_half_gap_cm) / 0.09, (dy - 0.20) / 0.07), 0.5
        )
        self._canvas.blend(at, opening * lamp * 0.75, encode((0.55, 0.55, 0.55)))

    def _lashes(
        self,
        at: Window,
        xy: tuple[ArrayF, ArrayF],
        lids: tuple[ArrayF, ArrayF],
        openness: float,
    ) -> None:
        x, y = xy
        upper, lower = lids
        gap = self._person.eye_half_gap_cm
        along = np.clip((x - gap + 1.35) / 2.75, 0, 1)
        inside = ramp(1.36 - np.abs(x - gap - 0.03), 0.10)
        dark = encode((0.020, 0.014, 0.012))
        line = ramp(0.035 + 0.03 * along - np.abs(y - upper - 0.01), 0.06) * inside
        self._canvas.blend(at, line * (0.55 + 0.4 * along), dark, gloss=0.2)
        lean = (x - gap) * 0.45 * np.sign(y - upper)
        foot = x - lean * (y - upper)
        comb = 0.5 + 0.5 * np.cos(foot * 52 + 2.4 * np.sin(foot * 17) + 1.7 * np.sin(foot * 7.3))
        reach = 0.24 * (0.45 + 0.8 * along) * (0.7 + 0.3 * openness)
        above = y - upper if openness > 0.35 else upper - y
        tips = ramp(reach - above, 0.12) * (above > 0) * comb**2 * inside
        self._canvas.blend(at, tips * 0.42, dark)
        rim = ramp(0.03 - np.abs(y - lower), 0.06) * inside
        self._canvas.tint(at, rim * 0.75, (0.72, 0.58, 0.57))

    def _mouth(self, at: Window, openness: float) -> None:
        canvas, lip = self._canvas, self._person.lip
        x, y = canvas.x_cm[at], canvas.y_cm[at]
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
        self._below_lip(at, (x, y), lower_edge, inside)
        lips = ramp(upper_edge - y, 0.07) * ramp(y - lower_edge, 0.09) * span
        grainy = 1 + 0.045 * self._lip_grain[self._key(at)]
        skin = encode(self._person.skin)
        tone = skin * np.array([0.76, 0.68, 0.90], np.float32)
        shade = np.where(y > (top + bottom) / 2, 0.90, 1.04)[..., None]
        canvas.blend(at, lips * 0.88, tone * shade * grainy[..., None], gloss=0.32)
        canvas.tint(at, ramp(0.05 - np.abs(y - top), 0.09) * span * inside**0.3, (0.42, 0.34, 0.34))
        if openness > 0:
            hollow = ramp(top - y, 0.05) * ramp(y - bottom, 0.05) * span
            canvas.blend(at, hollow, encode((0.03, 0.012, 0.012)), gloss=0.2)
            teeth = hollow * ramp(y - (top - 0.55), 0.08) * ramp(1.7 - np.abs(x), 0.3)
            gaps = 0.85 + 0.15 * np.abs(np.cos(x * np.pi / 0.75)) ** 0.3
            canvas.blend(at, teeth * 0.95, encode((0.50, 0.47, 0.40)) * gaps[..., None], gloss=0.9)

    def _below_lip(
        self, at: Window, xy: tuple[ArrayF, ArrayF], lower_edge: ArrayF, inside: ArrayF
    ) -> None:
        x, y = xy
        shadow = (
            ramp(0.38 - np.abs(y - lower_edge + 0.38), 0.5) * inside * ramp(1.9 - np.abs(x), 1.2)
        )
        self._canvas.tint(at, shadow * 0.5, (0.80, 0.72, 0.71))
