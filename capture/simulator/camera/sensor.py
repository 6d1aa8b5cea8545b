"""The camera's electronics: automatic exposure and white balance, noise, 8-bit codes, MJPEG.

Tone mapping is not modelled. Gain is relative to the base sensitivity, at which a white surface
under about 3700 lx for 16 ms fills the wells.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.errors import CameraError
from capture.simulator.colour import LINEAR_OF_CODE, ArrayF, ImageU8
from capture.simulator.options import CameraOptions
from capture.simulator.raster import blurred, resized, table

SENSITIVITY = 0.0025 / 16.0
"""Linear signal a ms of exposure for 1 lx / pi on albedo 1 at gain 1."""

_FULL_WELL_E, _READ_E = 8000.0, 6.0
_GAIN_RANGE = (0.05, 24.0)
_AE_TARGET, _AE_RATE = 0.29, 0.33
_AWB_RATE = 0.15
_GREY_WORLD = 0.5
"""How far white balance believes that the world is grey: skin is not, and cameras know lamps."""
_WB_RANGE = (0.5, 2.0)
_METER_ROWS = 180
"""Rows of the frame that exposure looks at: as many as there are, up to twice this."""
_TILE_MARGIN = 64
_UNIT_STEPS = 32

FaceWindow: TypeAlias = tuple[int, int, int, int]


@lru_cache(maxsize=2)
def _noise_tile(width: int, height: int) -> ImageU8:
    """Return fixed unit noise in steps of 1/32 around 128, a little larger than the frame.

    Demosaicing spreads noise over neighbours: a small blur does the same.
    """
    rng = np.random.default_rng(0x7153)
    shape = (height + _TILE_MARGIN, width + _TILE_MARGIN, 3)
    noise = blurred(rng.standard_normal(shape, dtype=np.float32), 0.5)
    noise *= _UNIT_STEPS / float(noise.std())
    tile: ImageU8 = np.clip(np.rint(noise) + 128, 0, 255).astype(np.uint8)
    tile.flags.writeable = False
    return tile


class Sensor:
    """Exposure state and the last steps from light to codes."""

    def __init__(self, options: CameraOptions, seed: int) -> None:
        self._options = options
        self._seed = seed
        self.gain = 2.0
        self.white_balance: NDArray[np.float64] = np.ones(3)
        """(3,) gains of B, G, R."""
        self._lamps = self.white_balance
        self.locked = False
        self._sheets: tuple[float, ImageU8, ImageU8] | None = None

    @property
    def scale(self) -> NDArray[np.float64]:
        """(3,) linear B, G, R signal for 1 lx / pi on albedo 1."""
        return self.gain * self._options.exposure_ms * SENSITIVITY * self.white_balance

    def balance_for(self, light_bgr: NDArray[np.float64]) -> None:
        """Start with the white balance that makes ``light_bgr`` grey."""
        self._lamps = np.clip(light_bgr[1] / np.maximum(light_bgr, 1e-6), *_WB_RANGE)
        self.white_balance = self._lamps

    def meter(self, codes: ImageU8, face: FaceWindow | None, rate: float | None = None) -> None:
        """Let exposure and white balance follow a frame, unless locked.

        Exposure weighs the whole frame and the face, left, top, right and bottom in pixels, alike
        on a log scale, as cameras with face detection do.
        """
        if self.locked:
            return
        every = max(1, codes.shape[0] // _METER_ROWS)
        sparse = resized(
            codes, (codes.shape[1] // every, codes.shape[0] // every), cv2.INTER_NEAREST
        )
        light = table(resized(sparse, (32, 18), cv2.INTER_AREA), LINEAR_OF_CODE).astype(np.float64)
        level = max(float(light.mean()), 1e-3)
        if face is not None:
            left, top, right, bottom = (side // every for side in face)
            skin = np.ascontiguousarray(
                sparse[top : max(bottom, top + 1), left : max(right, left + 1)]
            )
            level = float(np.sqrt(level * max(float(table(skin, LINEAR_OF_CODE).mean()), 1e-3)))
        step = (_AE_TARGET / level) ** (rate or _AE_RATE)
        self.gain = float(np.clip(self.gain * step, *_GAIN_RANGE))
        mean = light.reshape(-1, 3).mean(axis=0)
        grey = self.white_balance * mean[1] / np.maximum(mean, 1e-3)
        wanted = np.clip(self._lamps * (grey / self._lamps) ** _GREY_WORLD, *_WB_RANGE)
        change = (rate or _AWB_RATE) * (wanted - self.white_balance)
        self.white_balance = self.white_balance + change * (1.0, 0.0, 1.0)

    @property
    def noise_codes(self) -> float:
        """Standard deviation in codes at mid grey.

        The sRGB curve nearly evens out shot noise (1.4 codes at 20 % light, 1.75 at 2 %), so one
        figure serves the whole frame.
        """
        level = 0.18
        lit = level * self.gain / _FULL_WELL_E + (_READ_E * self.gain / _FULL_WELL_E) ** 2
        slope = 1.055 / 2.4 * level ** (1 / 2.4 - 1)
        return float(np.sqrt(lit) * slope * 255 * self._options.noise)

    def develop(self, codes: ImageU8, seq: int) -> ImageU8:
        """Return ``codes`` with noise and, if asked for, a trip through JPEG."""
        deviation = self.noise_codes
        noisy = codes
        if deviation > 0.05:
            height, width = codes.shape[:2]
            rng = np.random.default_rng(np.random.SeedSequence([self._seed, 0x5E5, seq]))
            top, left = rng.integers(0, _TILE_MARGIN, 2)
            rows, columns = slice(top, top + height), slice(left, left + width)
            more, less = (sheet[rows, columns] for sheet in self._noise_sheets(deviation))
            noisy = cast("ImageU8", cv2.add(codes, more))
            cv2.subtract(noisy, less, dst=noisy)
        if self._options.mjpeg_quality:
            noisy = self._through_jpeg(noisy)
        noisy.flags.writeable = False
        return noisy

    def _noise_sheets(self, deviation: float) -> tuple[ImageU8, ImageU8]:
        """Return what to add and what to subtract; kept while the gain stays about the same."""
        if self._sheets is None or abs(self._sheets[0] / deviation - 1) > 0.02:
            tile = _noise_tile(*self._options.size_wh)
            steps = np.rint((np.arange(256) - 128) / _UNIT_STEPS * deviation)
            more, less = (np.clip(sign * steps, 0, 255).astype(np.uint8) for sign in (1, -1))
            self._sheets = deviation, table(tile, more), table(tile, less)
        return self._sheets[1], self._sheets[2]

    def _through_jpeg(self, codes: ImageU8) -> ImageU8:
        done, packed = cv2.imencode(
            ".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, self._options.mjpeg_quality]
        )
        if not done:
            raise CameraError("sim: the simulated camera could not encode its frame as JPEG")
        return cast("ImageU8", cv2.imdecode(packed, cv2.IMREAD_COLOR))


def light_scale(rows: NDArray[np.float64], height: int) -> ArrayF:
    """Stretch (bands, 3) light to (height, 3) float32, one a row."""
    bands = rows.astype(np.float32).reshape(-1, 1, 3)
    return resized(bands, (1, height)).reshape(height, 3)
