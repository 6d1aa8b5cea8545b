"""HLG and PQ pictures as an SDR screen shows them.

Formulas: ITU-R BT.2100-2 (transfer functions, table 4 and 5), BT.2020 (matrix, primaries), BT.2408
(reference white: 75 % of HLG, 203 cd/m2 of PQ), IEC 61966-2-1 (the sRGB curve). HLG is taken by
the light of the scene, without the system gamma of a display, as an SDR camera would code it.
Above three quarters of reference white an exponential shoulder makes room for highlights.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, cast

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from capture.frame import ImageU8

HLG_WHITE: Final = 0.265
"""Scene light at 75 % of the signal."""

PQ_WHITE: Final = 203.0 / 10_000.0
KNEE: Final = 0.75
STEPS: Final = 1 << 14
"""Steps of the tables over linear light: an 8-bit code is at least five of them wide."""

WHITE_16: Final = 65_283.0
"""What libswscale makes of the white of narrow range in 16 bits of full range [measured]."""

PEAKS_TO: Final = 64.0
"""PQ codes up to 49 times reference white."""

TO_709: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
"""Linear RGB, BT.2020 to BT.709 primaries (BT.2407)."""


class HdrCurve(Enum):
    """Transfer functions of HDR, by the name that is told."""

    HLG = "HLG"
    PQ = "PQ"


def hdr_curve(picture: VideoFrame) -> HdrCurve | None:
    """Return the HDR curve that a picture is coded with, None for SDR."""
    curves = {ColorTrc.ARIB_STD_B67.value: HdrCurve.HLG, ColorTrc.SMPTE2084.value: HdrCurve.PQ}
    return curves.get(int(picture.color_trc))


class ToneMapper:
    """Turns the pictures of one HDR stream into SDR ones; keeps the tables between pictures."""

    def __init__(self, curve: HdrCurve) -> None:
        self.curve = curve
        signal = np.minimum(np.arange(1 << 16) / WHITE_16, 1.0)
        light = _hlg_light(signal) if curve is HdrCurve.HLG else _pq_light(signal)
        self._light = light.astype(np.float32)
        peaks = np.linspace(0.0, PEAKS_TO, STEPS)
        self._factors = _shoulder(peaks).astype(np.float32)
        linear = np.linspace(0.0, 1.0, STEPS)
        coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        self._codes = np.round(255 * coded).astype(np.uint8)
        self._reformatter = VideoReformatter()

    def bgr(self, picture: VideoFrame) -> ImageU8:
        """Return (H, W, 3) uint8 BGR of BT.709, sRGB-coded."""
        coded = self._reformatter.reformat(
            picture, format="rgb48le", src_colorspace=Colorspace.BT2020, threads=1,
            interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
        )  # fmt: skip
        values = cast("NDArray[np.uint16]", coded.to_ndarray())
        light = cv2.transform(np.take(self._light, values), TO_709)
        peak = cv2.max(cv2.max(light[..., 0], light[..., 1]), light[..., 2])
        place = peak * ((STEPS - 1) / PEAKS_TO)
        factor = np.take(self._factors, place.astype(np.int32), mode="clip") * (STEPS - 1)
        index = (light * factor[..., np.newaxis]).astype(np.int32)
        return np.ascontiguousarray(np.take(self._codes, index, mode="clip")[..., ::-1])


def _shoulder(peak: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor that brings a pixel's largest component (1 = white) to at most 1."""
    room = 1.0 - KNEE
    above = KNEE + room * (1.0 - np.exp(-(np.maximum(peak, KNEE) - KNEE) / room))
    return np.where(peak > KNEE, above / np.maximum(peak, KNEE), 1.0)


def _hlg_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert the OETF of BT.2100; 1 is the light of reference white."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3.0, (np.exp((signal - c) / a) + b) / 12.0)
    return np.asarray(scene / HLG_WHITE)


def _pq_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply the EOTF of BT.2100; 1 is the light of reference white."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = signal ** (1 / m2)
    shown = (np.maximum(root - c1, 0.0) / (c2 - c3 * root)) ** (1 / m1)
    return np.asarray(shown / PQ_WHITE)
