"""Samples of a session as arrays: the log-chroma of the face against that of the background.

A gain of a whole channel (exposure, white balance) multiplies face and background alike and leaves
their log difference alone; taking the mean over the channels away leaves chroma, which head motion
and shading hardly touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from preprocess.light.samples import ChromaSample, Colour3

Array: TypeAlias = NDArray[np.float64]

BACKGROUND_SHARE = 0.9
"""Share of the samples that must see a background, lest the feature changes within the session."""

CHROMA_BASIS: Array = np.array([[2, -1, -1], [0, 1, -1]], np.float64).T / np.sqrt([6.0, 2.0])
"""(3, 2) orthonormal axes of the plane in which the channels sum to 0: red, and green to blue."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One row a sample, in time order.

    Attributes
    ----------
    t_ns : (N,) int64 frame stamps.
    chroma : (N, 3) log-chroma, red green blue, each row sums to 0.
    luminance : (N,) mean log of the channels, face against background.
    face_row : (N,) relative height of the face region, 0 top.
    face_top, face_bottom : (N,) the same of the face's first and last row.
    clipped : (N,) share of clipped face pixels.
    level : (N,) mean linear light of the face, 0..1.
    with_background : whether the background was taken away.
    """

    t_ns: NDArray[np.int64]
    chroma: Array
    luminance: Array
    face_row: Array
    face_top: Array
    face_bottom: Array
    clipped: Array
    level: Array
    with_background: bool

    def __len__(self) -> int:
        return len(self.t_ns)

    def features(self, *, luminance: bool) -> Array:
        """(N, 2) chroma coordinates, or (N, 3) with the luminance, which only white needs.

        Relative to the session's median and no longer logs: light adds, and only in linear terms
        does a frame that saw half of a slot show half of its light.
        """
        log = self.chroma + self.luminance[:, None]
        if not self.with_background:
            # without a background the luminance is the exposure's; it must not scale the chroma
            log = self.chroma
        relative = np.expm1(log - np.median(log, axis=0))
        plane: Array = relative @ CHROMA_BASIS
        return np.column_stack([plane, relative.mean(axis=1)]) if luminance else plane


def series_of(samples: Sequence[ChromaSample], *, background: bool = True) -> Series:
    """Arrange samples (any order); ``background=False`` looks at the face alone.

    Of two samples with one stamp the first is kept.
    """
    ordered = sorted(
        {sample.t_frame_ns: sample for sample in reversed(samples)}.values(),
        key=lambda sample: sample.t_frame_ns,
    )
    seen = [sample for sample in ordered if sample.background_rgb is not None]
    use = background and bool(ordered) and len(seen) >= BACKGROUND_SHARE * len(ordered)
    kept = seen if use else ordered
    face = _log([sample.face_rgb for sample in kept])
    difference = face
    if use:
        difference = face - _log([s.background_rgb for s in kept if s.background_rgb is not None])
    luminance = difference.mean(axis=1)
    return Series(
        t_ns=np.array([sample.t_frame_ns for sample in kept], np.int64),
        chroma=difference - luminance[:, None],
        luminance=luminance,
        face_row=np.array([sample.face_row for sample in kept], np.float64),
        face_top=np.array([sample.face_top for sample in kept], np.float64),
        face_bottom=np.array([sample.face_bottom for sample in kept], np.float64),
        clipped=np.array([sample.clipped_share for sample in kept], np.float64),
        level=np.exp(face).mean(axis=1),
        with_background=use,
    )


def _log(colours: Sequence[Colour3]) -> Array:
    linear = np.array(colours, np.float64).reshape(-1, 3)
    # a channel below one part in ten thousand is noise around black, not light
    result: Array = np.log(np.maximum(linear, 1e-4))
    return result
