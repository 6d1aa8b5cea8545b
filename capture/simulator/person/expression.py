"""What moves in a face: lids, irises and lips, painted anew over the still skin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import cv2

from capture.simulator.colour import ArrayF, ImageU8
from capture.simulator.person.canvas import Canvas, Window, grain
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


def _levels(codes: ImageU8) -> tuple[ImageU8, ...]:
    return (codes, *(_shrunk(codes, 2**level) for level in range(1, LEVELS)))


class Paint(Protocol):
    """The texture of a head, whatever its face does."""

    def texture(self, expression: Expression, level: int = 0) -> ImageU8:
        """Return the (n, n, 4) uint8 texture, halved ``level`` times; valid to the next call."""
        ...


class StillPaint:
    """A face that cannot move: a photograph."""

    def __init__(self, canvas: Canvas) -> None:
        self._textures = _levels(canvas.codes())

    def texture(self, expression: Expression, level: int = 0) -> ImageU8:  # noqa: ARG002
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


@dataclass(frozen=True, slots=True, eq=False)
class FaceSheets:
    """All that is needed to paint a face's expressions; shared by every camera that sees it."""

    eyes: tuple[Sheet, ...]
    mouth: Sheet
    iris_grain: ArrayF
    lip_grain: ArrayF
    textures: tuple[ImageU8, ...]


def cut_sheets(canvas: Canvas) -> FaceSheets:
    """Cut the moving parts out of a painted canvas, which may then be forgotten."""
    eyes = [_sheet(canvas, x, (1.2, 4.1)) for x in ((-5.6, -0.9), (0.9, 5.6))]
    mouth = _sheet(canvas, (-3.6, 3.6), (-7.6, -2.5))
    iris_grain = grain(canvas.rng, (64, 64), 20)
    lip_grain = grain(canvas.rng, mouth.still.x_cm.shape, 60)
    return FaceSheets(tuple(eyes), mouth, iris_grain, lip_grain, _levels(canvas.codes()))


def _sheet(canvas: Canvas, x: tuple[float, float], y: tuple[float, float]) -> Sheet:
    at = _aligned(canvas.window(x, y))
    part = replace(
        canvas,
        pixels=canvas.pixels[at].copy(),
        x_cm=canvas.x_cm[at].copy(),
        y_cm=canvas.y_cm[at].copy(),
    )
    return Sheet(at, part)


class ExpressivePaint:
    """The texture of one head, repainted at eyes and mouth when its expression changes."""

    def __init__(self, sheets: FaceSheets, person: Identity) -> None:
        self._sheets = sheets
        self._person = person
        self._textures = [texture.copy() for texture in sheets.textures]
        self._painted: tuple[int, int, int, int] | None = None

    def texture(self, expression: Expression, level: int = 0) -> ImageU8:
        """Return the (n, n, 4) uint8 texture of the face making ``expression``.

        ``level`` halves it 0 to ``LEVELS - 1`` times, for faces farther away. The array is painted
        over by the next call.
        """
        steps, sheets = expression.quantised(), self._sheets
        lids, mouth, *gaze = steps
        if self._painted is None or (lids, *gaze) != (self._painted[0], *self._painted[2:]):
            for sheet in sheets.eyes:
                eye = sheet.fresh()
                looks = float(gaze[0]), float(gaze[1])
                paint_eye(eye, self._person, lids / _STEPS, looks, sheets.iris_grain)
                self._publish(sheet.at, eye)
        if self._painted is None or mouth != self._painted[1]:
            lips = sheets.mouth.fresh()
            paint_mouth(lips, self._person, mouth / _STEPS, sheets.lip_grain)
            self._publish(sheets.mouth.at, lips)
        self._painted = steps
        return self._textures[level]

    def _publish(self, at: Window, painted: Canvas) -> None:
        codes = painted.codes()
        for level, texture in enumerate(self._textures):
            small = _aligned_at(at, 2**level)
            texture[small] = codes if level == 0 else _shrunk(codes, 2**level)
