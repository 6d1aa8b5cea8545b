"""Where the picture follows the screen, and how bright it is there: no face is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.errors import MeasurementError
from calibration.timing.steps import Array, LightStep
from capture.frame import Frame, ImageU8
from preprocess.light.samples import LINEAR_OF_SRGB

ROWS, COLUMNS = 18, 32
_LUMINANCE_BGR = np.array([0.0722, 0.7152, 0.2126])
_CLIPPED = float(LINEAR_OF_SRGB[250])
_LAGS_MS = np.arange(-40, 401, 20)


@dataclass(frozen=True, slots=True, eq=False)
class Brightness:
    """(N,) stamps and linear light of the part that follows; ``row`` is its height, 0 top."""

    t_ns: NDArray[np.int64]
    level: Array
    row: float


class BrightnessGrid:
    """Gathers the mean linear light of 18 x 32 fields of each frame."""

    def __init__(self) -> None:
        self._t_ns: list[int] = []
        self._fields: list[Array] = []

    def __len__(self) -> int:
        return len(self._t_ns)

    def add(self, frame: Frame) -> None:
        """Take a frame; the pixels are not kept."""
        self._t_ns.append(frame.t_frame_ns)
        self._fields.append(_fields(frame.pixels))

    def following(
        self, steps: Sequence[LightStep], *, locked: bool, least: float = 0.6
    ) -> Brightness:
        """Return the brightness of the fields that go up and down with the screen.

        Fields count by how far they move; those that clip, and those that correlate with the steps
        by less than ``least`` at every delay, do not count. Where the exposure was not ``locked``
        each frame is divided by its median field first: the wall tells the camera's gain.

        Raises
        ------
        MeasurementError
            no field follows the screen.
        """
        t_ns = np.array(self._t_ns, np.int64)
        if len(t_ns) < 10:
            raise MeasurementError(f"expected at least 10 frames, got {len(t_ns)}")
        fields = np.array(self._fields)
        clips = np.percentile(fields, 90, axis=0) >= _CLIPPED
        if not locked:
            middle = np.maximum(np.median(fields, axis=1, keepdims=True), 1e-4)
            fields = fields / middle * float(np.median(middle))
        low, high = np.percentile(fields, (10, 90), axis=0)
        swing = np.where(clips, 0.0, high - low)
        weight = np.where(_agreement(t_ns, fields, steps) >= least, swing, 0.0)
        if not weight.any():
            raise MeasurementError(
                "no part of the picture follows the screen: is the camera turned to somebody "
                "whom the screen lights, and is it not overexposed?"
            )
        weight = np.where(weight >= 0.5 * weight.max(), weight, 0.0)
        rows = (np.repeat(np.arange(ROWS), COLUMNS) + 0.5) / ROWS
        return Brightness(t_ns, fields @ weight / weight.sum(), float(rows @ weight / weight.sum()))


def _fields(pixels: ImageU8) -> Array:
    """(ROWS * COLUMNS,) mean linear luminance."""
    height, width = pixels.shape[:2]
    row_px, column_px = height // ROWS, width // COLUMNS
    if row_px == 0 or column_px == 0:
        raise MeasurementError(
            f"expected frames of at least {COLUMNS}x{ROWS} pixels, got {width}x{height}"
        )
    step = max(1, min(row_px, column_px) // 10)
    cut = pixels[: row_px * ROWS, : column_px * COLUMNS]
    blocks = cut.reshape(ROWS, row_px, COLUMNS, column_px, 3)[:, ::step, :, ::step]
    light = LINEAR_OF_SRGB[blocks].mean(axis=(1, 3)) @ _LUMINANCE_BGR
    return np.asarray(light.ravel(), np.float64)


def _agreement(t_ns: NDArray[np.int64], fields: Array, steps: Sequence[LightStep]) -> Array:
    """(B,) largest correlation of each field with the screen over the delays."""
    flips = np.array([step.t_ns for step in steps])
    values = np.concatenate([[not steps[0].rising], [step.rising for step in steps]]).astype(float)
    shown = values[
        np.searchsorted(flips, t_ns[None, :] - _LAGS_MS[:, None] * 1_000_000, side="right")
    ]
    shown = shown - shown.mean(axis=1, keepdims=True)
    centred = fields - fields.mean(axis=0)
    scale = np.linalg.norm(shown, axis=1)[:, None] * np.linalg.norm(centred, axis=0)[None, :]
    agreed: Array = np.max((shown @ centred) / np.maximum(scale, 1e-12), axis=0)
    return agreed
