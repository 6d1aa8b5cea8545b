"""One frame reduced to two colours: the lit face's and the background's, in linear light.

Regions and cuts: forehead and cheeks carry most of a screen's light (irradiance of the jaw is a
tenth of the nose's), the background cancels what exposure and white balance do to the whole frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from capture.frame import ImageU8
from capture.options import option, options
from preprocess.face.face import Face, Rect

Colour3: TypeAlias = tuple[float, float, float]
"""Linear light 0..1, in the order red, green, blue."""

_FOREHEAD_TOP = (103, 67, 109, 10, 338, 297, 332)
_FOREHEAD_MIDDLE = (104, 69, 108, 151, 337, 299, 333)
_FOREHEAD_BROWS = (105, 66, 107, 9, 336, 296, 334)
_FEWEST = 16
_CHEEKS = (
    (117, 118, 101, 36, 205, 187, 123),
    (346, 347, 330, 266, 425, 411, 352),
)


def _linear_table() -> NDArray[np.float32]:
    code = np.arange(256) / 255.0
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


LINEAR_OF_SRGB: NDArray[np.float32] = _linear_table()
"""(256,) float32: linear light of an 8-bit sRGB code (IEC 61966-2-1)."""
LINEAR_OF_SRGB.setflags(write=False)
_LINEAR_EXACT = LINEAR_OF_SRGB.astype(np.float64)


@options
class SampleOptions:
    """Where and how finely a frame is sampled."""

    target_px: int = option(
        1600,
        unit="px",
        low=200,
        high=100_000,
        why="averages pixel noise below head motion, 0.5 ms a frame at 1080p",
    )
    min_face_px: int = option(
        600, unit="px", low=50, high=1_000_000, why="fewer: JPEG blocks decide the mean"
    )
    min_background_px: int = option(
        2000, unit="px", low=50, high=10_000_000, why="fewer: one object decides the mean"
    )
    background_scale: float = option(
        1.9, unit="face boxes", low=1.0, high=4.0, why="hair, neck and collar take screen light too"
    )
    bright_code: int = option(
        250,
        unit="sRGB code",
        low=200,
        high=255,
        why="a clipped channel no longer follows the light",
    )
    dark_code: int = option(
        20, unit="sRGB code", low=0, high=60, why="black level and noise floor, no reflected light"
    )
    trim: float = option(
        0.1, unit="share", low=0.0, high=0.4, why="specular spots and stray hair at both ends"
    )
    background_low: float = option(
        0.2, unit="share", low=0.0, high=0.9, why="black things reflect nothing to measure"
    )
    background_high: float = option(
        0.6,
        unit="share",
        low=0.1,
        high=1.0,
        why="windows and lamps clip, and would come and go with the exposure",
    )


CROP_OPTIONS = SampleOptions(background_scale=1.25, min_background_px=1200)
"""For submitted crops, where little but the rim beside the face is background."""


@dataclass(frozen=True, slots=True)
class ChromaSample:
    """What the light response needs of one frame.

    Attributes
    ----------
    t_frame_ns : the frame's stamp.
    face_rgb : trimmed mean of forehead and cheeks, linear light, red green blue.
    background_rgb : the same of the upper frame away from the face; None when there is too little.
    clipped_share : share of face pixels with a channel at or above the bright cut.
    n_face_px : frame pixels that the face region covers.
    n_background_px : frame pixels that the background region covers; 0 without one.
    face_row : height of the face region's centre in the frame, 0 top, 1 bottom: with a rolling
        shutter the row decides when the face was exposed.
    face_top, face_bottom : the same of the face's first and last row.
    """

    t_frame_ns: int
    face_rgb: Colour3
    background_rgb: Colour3 | None
    clipped_share: float
    n_face_px: int
    n_background_px: int
    face_row: float = 0.5
    face_top: float = 0.0
    face_bottom: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class LightPatch:
    """Sampled places of one region: ``rows`` and ``columns`` (N,) int, one for ``step``^2 px."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    step: int

    @property
    def covered_px(self) -> int:
        """Frame pixels that the samples stand for."""
        return len(self.rows) * self.step**2


def sample_light(
    pixels_bgr: ImageU8,
    face: Face,
    t_frame_ns: int,
    options: SampleOptions | None = None,
) -> ChromaSample | None:
    """Measure face and background light of one frame or of one submitted crop.

    ``face`` is in the pixels of ``pixels_bgr``. None when the face region is smaller than
    ``min_face_px`` or wholly clipped or black.
    """
    options = options or SampleOptions()
    size = pixels_bgr.shape[1], pixels_bgr.shape[0]
    region = face_patch(face, size, options)
    if region is None:
        return None
    outside = background_patch(face.rectangle, size, options)
    background = None if outside is None else pixels_bgr[outside.rows, outside.columns]
    rows = np.clip(face.landmarks_px[:, 1] / size[1], 0.0, 1.0)
    place = Place(
        t_frame_ns,
        region.covered_px,
        0 if outside is None else outside.covered_px,
        float(region.rows.mean()) / size[1],
        float(rows.min()),
        float(rows.max()),
    )
    return reduce_sample(place, pixels_bgr[region.rows, region.columns], background, options)


@dataclass(frozen=True, slots=True)
class Place:
    """When and where the pixels of one sample were."""

    t_frame_ns: int
    n_face_px: int
    n_background_px: int
    face_row: float
    face_top: float = 0.0
    face_bottom: float = 1.0


def reduce_sample(
    place: Place,
    face_bgr: ImageU8,
    background_bgr: ImageU8 | None,
    options: SampleOptions,
) -> ChromaSample | None:
    """Trimmed means of (N, 3) uint8 BGR samples; None when no face pixel is usable."""
    brightest = face_bgr.max(axis=1)
    clipped = float(np.mean(brightest >= options.bright_code))
    usable = face_bgr[(brightest < options.bright_code) & (brightest > options.dark_code)]
    if len(usable) < _FEWEST:
        return None
    face = _mean_between(usable, options.trim, 1 - options.trim)
    background = None
    if background_bgr is not None and len(background_bgr) >= _FEWEST:
        background = _mean_between(background_bgr, options.background_low, options.background_high)
    return ChromaSample(
        t_frame_ns=place.t_frame_ns,
        face_rgb=face,
        background_rgb=background,
        clipped_share=clipped,
        n_face_px=place.n_face_px,
        n_background_px=0 if background is None else place.n_background_px,
        face_row=place.face_row,
        face_top=place.face_top,
        face_bottom=place.face_bottom,
    )


def face_patch(
    face: Face, size_wh: tuple[int, int], options: SampleOptions | None = None
) -> LightPatch | None:
    """Choose sample places on forehead and cheeks; None below ``min_face_px``."""
    options = options or SampleOptions()
    polygons = _skin_polygons(face.landmarks_px)
    corners = np.concatenate(polygons)
    low = np.maximum(np.floor(corners.min(axis=0)), 4).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int), np.array(size_wh) - 4)
    if (high <= low).any():
        return None
    # the polygons fill about half of their bounding box
    step = max(1, int(np.sqrt(np.prod(high - low) / (2.0 * options.target_px))))
    columns = np.arange(low[0], high[0], step)
    rows = np.arange(low[1], high[1], step)
    mask = np.zeros((len(rows), len(columns)), bool)
    for polygon in polygons:
        mask |= _inside(polygon, columns, rows)
    inside_rows, inside_columns = np.nonzero(mask)
    patch = LightPatch(rows[inside_rows], columns[inside_columns], step)
    return patch if patch.covered_px >= options.min_face_px else None


def background_patch(
    rectangle: Rect, size_wh: tuple[int, int], options: SampleOptions | None = None
) -> LightPatch | None:
    """Choose sample places beside and above the face, down to its chin; None below the minimum.

    Below the chin is the body, which takes screen light nearly as the face does.
    """
    options = options or SampleOptions()
    width, height = size_wh
    bottom = min(height, rectangle.bottom)
    grow = (options.background_scale - 1) / 2
    left = rectangle.left - grow * rectangle.width
    right = rectangle.right + grow * rectangle.width
    top = rectangle.top - grow * rectangle.height
    step = max(1, int(np.sqrt(width * max(bottom, 1) / (4.0 * options.target_px))))
    columns = np.arange(step // 2, width, step)
    rows = np.arange(step // 2, bottom, step)
    outside = (rows[:, None] < top) | ((columns < left) | (columns >= right))[None, :]
    at_rows, at_columns = np.nonzero(outside)
    patch = LightPatch(rows[at_rows], columns[at_columns], step)
    return patch if patch.covered_px >= options.min_background_px else None


def _skin_polygons(landmarks_px: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """(N, 2) polygons: a forehead band clear of hair and brows, and both cheeks."""
    xy = landmarks_px[:, :2]
    middle = xy[list(_FOREHEAD_MIDDLE)]
    above = 0.5 * middle + 0.5 * xy[list(_FOREHEAD_TOP)]
    below = 0.6 * middle + 0.4 * xy[list(_FOREHEAD_BROWS)]
    forehead = np.concatenate([above, below[::-1]])
    return [forehead, *(xy[list(cheek)] for cheek in _CHEEKS)]


def _inside(
    polygon: NDArray[np.float32], columns: NDArray[np.intp], rows: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """(R, C) whether each grid place lies in an (N, 2) polygon, by the even-odd rule."""
    (x0, y0), (x1, y1) = polygon.T.astype(np.float64), np.roll(polygon, 1, axis=0).T
    edge, row = np.nonzero((y0[:, None] > rows) != (y1[:, None] > rows))
    rise = (x1 - x0)[edge] / (y1 - y0)[edge]
    left_of = np.searchsorted(columns, x0[edge] + (rows[row] - y0[edge]) * rise)
    wide = len(columns) + 1
    crossings = np.bincount(row * wide + left_of, minlength=len(rows) * wide).reshape(-1, wide)
    return np.asarray((crossings.sum(axis=1)[:, None] - crossings.cumsum(axis=1))[:, :-1] % 2 == 1)


def _mean_between(pixels_bgr: ImageU8, low: float, high: float) -> Colour3:
    """Mean linear light between two shares of the ordered codes of each channel."""
    last = max(int(len(pixels_bgr) * high), 1)
    first = min(int(len(pixels_bgr) * low), last - 1)
    means = []
    for channel in (2, 1, 0):
        # codes rank as their linear values do
        counts = np.bincount(pixels_bgr[:, channel], minlength=256)
        kept = np.diff(counts.cumsum().clip(first, last), prepend=first)
        means.append(float(kept @ _LINEAR_EXACT) / (last - first))
    red, green, blue = means
    return red, green, blue
