"""The crop of a session: one even size, an offset a frame that follows the face smoothly.

Nothing looks ahead: a live session and the replay of its recording place the same crops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capture.options import option, options
from preprocess.clip.clip import CropOffset
from preprocess.errors import GeometryError
from preprocess.face.face import Face, Rect
from preprocess.face.landmarks import eye_mouth_axis


@options
class CropOptions:
    """How much of the frame is submitted around the face."""

    side_ied: float = option(
        1.3,
        unit="inter-eye distances",
        low=0.5,
        high=5.0,
        why="OFIQ accepts 1.1 left and right of the eyes; the rest lets the crop lag the face",
    )
    above_t: float = option(
        1.65,
        unit="eye-to-chin distances",
        low=0.8,
        high=5.0,
        why="OFIQ accepts 1.5 above the eyes; the rest lets the crop lag the face",
    )
    below_t: float = option(
        2.05,
        unit="eye-to-chin distances",
        low=1.1,
        high=5.0,
        why="OFIQ accepts 1.9 below the eyes; the rest lets the crop lag the face",
    )
    max_side_px: int = option(
        1440,
        unit="px",
        low=160,
        high=16382,
        why="bounds bytes and encoding time; a face that needs more still gets its rectangle",
    )
    margin: float = option(
        0.04,
        unit="share of the rectangle's longer side",
        low=0.0,
        high=0.5,
        why="least air between rectangle and crop, so that resampling never touches the face",
    )
    slack: float = option(
        0.03,
        unit="share of the crop's side",
        low=0.0,
        high=0.3,
        why="the face moves this far before the crop follows: tracker noise must not shake it",
    )
    follow: float = option(
        0.25,
        unit="share of the way a frame",
        low=0.01,
        high=1.0,
        why="reaches a face that moved within a quarter of a second at 30 frames a second",
    )


@dataclass(frozen=True, slots=True)
class CropWindow:
    """The crop's fixed even size, and where in it the face should lie.

    Attributes
    ----------
    width_px, height_px : even, not above the frame's.
    full_wh : the full frame.
    anchor_y : height of the rectangle's centre in the crop, as a share from the top.
    """

    width_px: int
    height_px: int
    full_wh: tuple[int, int]
    anchor_y: float = 0.56

    def __post_init__(self) -> None:
        full_w, full_h = self.full_wh
        if self.width_px % 2 or self.height_px % 2:
            raise GeometryError(f"crop {self.width_px}x{self.height_px} px: both must be even")
        if not (0 < self.width_px <= full_w and 0 < self.height_px <= full_h):
            raise GeometryError(
                f"crop {self.width_px}x{self.height_px} px does not fit "
                f"a {full_w}x{full_h} px frame"
            )


def window_for(
    faces: Sequence[Face], full_wh: tuple[int, int], options: CropOptions | None = None
) -> CropWindow:
    """Return the window for a session from its first faces (one is enough, a few are steadier).

    OFIQ's margins around the median face where frame and ``max_side_px`` allow, never less than the
    largest rectangle with its own margin.

    Raises
    ------
    GeometryError
        no face, or a frame below 2x2 px.
    """
    if not faces:
        raise GeometryError("the crop's size needs at least one face")
    opts = options or CropOptions()
    ied = float(np.median([face.inter_eye_px for face in faces]))
    axes = [eye_mouth_axis(face.landmarks_px) for face in faces]
    t_px = float(np.median([axis[0] for axis in axes]))
    need_w = max(_with_margin(f.rectangle, opts)[0] for f in faces)
    need_h = max(_with_margin(f.rectangle, opts)[1] for f in faces)
    width = max(min((1 + 2 * opts.side_ied) * ied, opts.max_side_px), need_w)
    height = max(min((opts.above_t + opts.below_t) * t_px, opts.max_side_px), need_h)
    return CropWindow(
        _even(width, full_wh[0]), _even(height, full_wh[1]), full_wh, _anchor(faces, axes, opts)
    )


class CropFollower:
    """Places the window of a session frame by frame; a fresh follower for every session."""

    def __init__(self, window: CropWindow, options: CropOptions | None = None) -> None:
        self._window = window
        self._options = options or CropOptions()
        self._at: tuple[float, float] | None = None

    @property
    def window(self) -> CropWindow:
        """The window that is placed."""
        return self._window

    def place(self, face_rect: Rect) -> CropOffset | None:
        """Return the crop for a frame, None when the rectangle cannot lie inside any crop.

        The rectangle lies inside with the margin of the options (less only where the frame itself
        ends), the crop inside the frame. None leaves the follower where it was.
        """
        window = self._window
        full_w, full_h = window.full_wh
        air = math.ceil(self._options.margin * max(face_rect.width, face_rect.height))
        ranges = (
            _allowed(face_rect.left, face_rect.right, air, window.width_px, full_w),
            _allowed(face_rect.top, face_rect.bottom, air, window.height_px, full_h),
        )
        if ranges[0] is None or ranges[1] is None:
            return None
        wanted = (
            face_rect.left + face_rect.width / 2 - window.width_px / 2,
            face_rect.top + face_rect.height / 2 - window.anchor_y * window.height_px,
        )
        x = self._move(0, wanted[0], window.width_px, ranges[0])
        y = self._move(1, wanted[1], window.height_px, ranges[1])
        self._at = (x, y)
        return CropOffset(round(x), round(y), full_w, full_h)

    def _move(self, axis: int, wanted: float, side_px: int, allowed: tuple[int, int]) -> float:
        low, high = allowed
        wanted = min(max(wanted, low), high)
        if self._at is None:
            return wanted
        here = self._at[axis]
        away = wanted - here
        slack = self._options.slack * side_px
        if abs(away) > slack:
            here += self._options.follow * (away - math.copysign(slack, away))
        return min(max(here, low), high)


def _allowed(low: int, high: int, air: int, side: int, full: int) -> tuple[int, int] | None:
    """Return the range of offsets that keep [low, high) inside the crop and the crop in the frame.

    The margin gives way before the rectangle does, and evenly on both sides.
    """
    if high - low > side or low < 0 or high > full:
        return None
    air = min(air, (side - (high - low)) // 2)
    first = max(0, min(high + air, full) - side)
    last = min(full - side, max(low - air, 0))
    return first, last


def _with_margin(rect: Rect, options: CropOptions) -> tuple[float, float]:
    air = 2 * math.ceil(options.margin * max(rect.width, rect.height))
    return rect.width + air, rect.height + air


def _even(wanted: float, full: int) -> int:
    if full < 2:
        raise GeometryError(f"a frame side of {full} px holds no crop")
    return min(2 * math.ceil(wanted / 2), full - full % 2)


def _anchor(
    faces: Sequence[Face], axes: Sequence[tuple[float, float]], options: CropOptions
) -> float:
    """Return where the rectangle's centre lies when the eyes have their share above and below."""
    below_eyes = np.median(
        [
            (face.rectangle.top + face.rectangle.height / 2 - eyes_y) / t_px
            for face, (t_px, eyes_y) in zip(faces, axes, strict=True)
        ]
    )
    share = (options.above_t + float(below_eyes)) / (options.above_t + options.below_t)
    return min(max(share, 0.3), 0.7)
