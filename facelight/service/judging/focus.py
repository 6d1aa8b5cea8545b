"""The focus face: the one inside the given rectangle, or the one first seen, frame after frame."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from capture.frame import Frame, ImageU8
from preprocess.face.face import Face, Rect
from preprocess.tracking.opening import open_tracker
from preprocess.tracking.tracker import Tracker

_IN_TARGET = 0.5
"""Share of a face's box that must lie in the given rectangle: the two are drawn differently."""

_FOLLOWED = 0.3
"""Overlap (IoU) of a face with itself some frames on: half a face of motion still passes."""

_MASK_MARGIN = 0.5
"""What stays visible around the rectangle when a larger face elsewhere is in the way."""

_MASK_GREY = 128

Measure: TypeAlias = Callable[[Rect, Rect], float]


def inside_share(face: Rect, target: Rect) -> float:
    """Return the share of the face's box that lies in the target."""
    return _common_area(face, target) / max(1, face.width * face.height)


def overlap(a: Rect, b: Rect) -> float:
    """Return intersection over union."""
    common = _common_area(a, b)
    return common / max(1, a.width * a.height + b.width * b.height - common)


def _common_area(a: Rect, b: Rect) -> int:
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    return max(0, width) * max(0, height)


def masked(pixels: ImageU8, place: Rect) -> ImageU8:
    """Return a grey image of the same size that shows the surroundings of ``place`` alone."""
    height, width = pixels.shape[:2]
    dx, dy = round(place.width * _MASK_MARGIN), round(place.height * _MASK_MARGIN)
    rows = slice(max(0, place.top - dy), min(height, place.bottom + dy))
    columns = slice(max(0, place.left - dx), min(width, place.right + dx))
    shown = np.full_like(pixels, _MASK_GREY)
    shown[rows, columns] = pixels[rows, columns]
    shown.setflags(write=False)
    return shown


class FocusFace:
    """Finds one person's face in a sequence; every request has its own.

    A target rectangle of a frame decides for that frame; between rectangles the face is followed
    from where it was last; without any, the largest face of the first image is.
    """

    def __init__(self, anchor: Rect | None = None) -> None:
        self._anchor = anchor
        self._whole = open_tracker()
        self._masked: Tracker | None = None

    def find(self, frame: Frame, target: Rect | None) -> Face | None:
        """Return the focus face of the next frame, in its pixels, or None."""
        face = self._whole.track(frame)
        if target is not None:
            found = self._near(frame, face, target, inside_share, _IN_TARGET)
        elif self._anchor is not None:
            found = self._near(frame, face, self._anchor, overlap, _FOLLOWED)
        else:
            found = face
        if found is not None:
            self._anchor = found.rectangle
        return found

    def _near(
        self, frame: Frame, face: Face | None, place: Rect, measure: Measure, least: float
    ) -> Face | None:
        if face is None:
            return None
        if measure(face.rectangle, place) >= least:
            return face
        if self._masked is None:
            self._masked = open_tracker()
        hidden = Frame(
            frame.seq, frame.t_frame_ns, frame.t_received_ns, masked(frame.pixels, place)
        )
        other = self._masked.track(hidden)
        if other is None or measure(other.rectangle, place) < least:
            return None
        return other

    def close(self) -> None:
        """Release the models."""
        self._whole.close()
        if self._masked is not None:
            self._masked.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
