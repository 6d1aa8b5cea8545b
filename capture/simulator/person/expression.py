"""What moves in a face: lids, irises and lips, painted anew over the still skin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import ImageU8
from capture.simulator.person.canvas import GLOSS, Canvas, Window, grain
from capture.simulator.person.features import paint_eye, paint_mouth
from capture.simulator.person.identity import Identity
from capture.simulator.raster import resized

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
_PAINTED_LEVELS = 2
"""Eyes and lips are painted at the level of detail that is seen, but no coarser than this many:
their lines are finer than the texels of the last."""
_ALIGN = 2 ** (LEVELS - 1)
_PATCHES_KEPT = 160
"""Painted eyes and mouths of one person, 5 to 100 kB each."""


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """What a head is painted with.

    Attributes
    ----------
    colour : (n, n, 3) uint8 sRGB B, G, R.
    gloss : (n, n) uint8, 0 to 255.
    """

    colour: ImageU8
    gloss: ImageU8


Patch: TypeAlias = tuple[Window, Texture]
"""A painted part of a texture and where it goes."""
_Image = TypeVar("_Image", bound=NDArray[Any])


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


def _halved(image: _Image, times: int) -> _Image:
    if times == 0:
        return image
    height, width = image.shape[:2]
    return resized(image, (width >> times, height >> times), cv2.INTER_AREA)


def _split(codes: ImageU8) -> Texture:
    return Texture(
        np.ascontiguousarray(codes[..., :GLOSS]), np.ascontiguousarray(codes[..., GLOSS])
    )


def _levels(codes: ImageU8) -> tuple[Texture, ...]:
    return tuple(_split(_halved(codes, level)) for level in range(LEVELS))


class Paint(Protocol):
    """The texture of a head, whatever its face does."""

    def texture(self, expression: Expression, level: int = 0) -> Texture:
        """Return the texture, halved ``level`` times; valid to the next call."""
        ...


class StillPaint:
    """A face that cannot move: a photograph."""

    def __init__(self, canvas: Canvas) -> None:
        self._textures = _levels(canvas.codes())

    def texture(self, expression: Expression, level: int = 0) -> Texture:  # noqa: ARG002
        """Return the same texture for every expression."""
        return self._textures[level]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A window of the canvas with its still skin; ``fresh`` gives a copy to paint on."""

    at: Window
    still: Canvas

    def fresh(self) -> Canvas:
        """Return the still skin, to be painted over."""
        return replace(self.still, pixels=self.still.pixels.copy())

    def halved(self, times: int) -> Sheet:
        """Return the sheet at a coarser level."""
        still = self.still
        small = replace(
            still,
            pixels=_halved(still.pixels, times),
            x_cm=_halved(still.x_cm, times),
            y_cm=_halved(still.y_cm, times),
        )
        return Sheet(_aligned_at(self.at, 2**times), small)


class FaceSheets:
    """All that is needed to paint a face's expressions; shared by every camera that sees it."""

    def __init__(self, canvas: Canvas, person: Identity) -> None:
        """Cut the moving parts out of a painted canvas, which may then be forgotten."""
        eyes = [_sheet(canvas, x, (1.2, 4.1)) for x in ((-5.6, -0.9), (0.9, 5.6))]
        mouth = _sheet(canvas, (-3.6, 3.6), (-7.6, -2.5))
        self._person = person
        self._iris_grain = grain(canvas.rng, (64, 64), 20)
        lip_grain = grain(canvas.rng, mouth.still.x_cm.shape, 60)
        levels = range(_PAINTED_LEVELS)
        self._eyes = [[sheet.halved(level) for sheet in eyes] for level in levels]
        self._mouth = [mouth.halved(level) for level in levels]
        self._lip_grain = [_halved(lip_grain, level) for level in levels]
        self.textures = _levels(canvas.codes())
        self.eyes = lru_cache(maxsize=_PATCHES_KEPT)(self._paint_eyes)
        self.mouth = lru_cache(maxsize=_PATCHES_KEPT)(self._paint_mouth)

    def _paint_eyes(self, level: int, lids: int, gaze_deg: tuple[int, int]) -> tuple[Patch, ...]:
        """Return both eyes as texels of ``level``."""
        painted_at = min(level, _PAINTED_LEVELS - 1)
        patches = []
        for sheet in self._eyes[painted_at]:
            eye = sheet.fresh()
            paint_eye(eye, self._person, lids / _STEPS, gaze_deg, self._iris_grain)
            patches.append(_patch(sheet.at, eye, level - painted_at))
        return tuple(patches)

    def _paint_mouth(self, level: int, openness: int) -> tuple[Patch, ...]:
        """Return the mouth as texels of ``level``."""
        painted_at = min(level, _PAINTED_LEVELS - 1)
        sheet = self._mouth[painted_at]
        lips = sheet.fresh()
        paint_mouth(lips, self._person, openness / _STEPS, self._lip_grain[painted_at])
        return (_patch(sheet.at, lips, level - painted_at),)


def _sheet(canvas: Canvas, x: tuple[float, float], y: tuple[float, float]) -> Sheet:
    at = _aligned(canvas.window(x, y))
    part = replace(
        canvas,
        pixels=canvas.pixels[at].copy(),
        x_cm=canvas.x_cm[at].copy(),
        y_cm=canvas.y_cm[at].copy(),
    )
    return Sheet(at, part)


def _patch(at: Window, painted: Canvas, halvings: int) -> Patch:
    return _aligned_at(at, 2**halvings), _split(_halved(painted.codes(), halvings))


class ExpressivePaint:
    """The texture of one head, repainted at eyes and mouth when its expression changes."""

    def __init__(self, sheets: FaceSheets) -> None:
        self._sheets = sheets
        self._textures: list[Texture | None] = [None] * LEVELS
        self._painted: list[tuple[int, int, int, int] | None] = [None] * LEVELS

    def texture(self, expression: Expression, level: int = 0) -> Texture:
        """Return the texture of the face making ``expression``.

        ``level`` halves it 0 to ``LEVELS - 1`` times, for faces farther away. Its arrays are
        painted over by the next call.
        """
        texture = self._textures[level]
        if texture is None:
            clean = self._sheets.textures[level]
            texture = Texture(clean.colour.copy(), clean.gloss.copy())
            self._textures[level] = texture
        before, steps = self._painted[level], expression.quantised()
        lids, mouth, *gaze = steps
        if before is None or (lids, *gaze) != (before[0], *before[2:]):
            _lay(texture, self._sheets.eyes(level, lids, (gaze[0], gaze[1])))
        if before is None or mouth != before[1]:
            _lay(texture, self._sheets.mouth(level, mouth))
        self._painted[level] = steps
        return texture


def _lay(texture: Texture, patches: tuple[Patch, ...]) -> None:
    for at, patch in patches:
        texture.colour[at], texture.gloss[at] = patch.colour, patch.gloss
