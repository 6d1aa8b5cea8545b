"""Real faces, and what can be done to them with a known severity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame, ImageU8
from preprocess.face.face import Face, Rect
from preprocess.face.landmarks import FACE_OVAL, LEFT_EYE, RIGHT_EYE, inter_eye_px
from preprocess.measures.measurer import Measurer
from preprocess.measures.measures import Measures
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

_CODES = np.arange(256, dtype=np.float32) / 255
_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4)
FULL_WELL_E, READ_NOISE_E = 6000.0, 6.0
"""A webcam's sensor: photon and read noise of the simulated exposures."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A face in a picture: ``group`` is the person, ``name`` the picture and what became of it."""

    group: str
    name: str
    pixels: ImageU8
    face: Face

    @property
    def ied_px(self) -> float:
        """Distance of the eyes' centres."""
        return self.face.inter_eye_px

    def measure(self, pixels: ImageU8 | None = None) -> Measures:
        """Return the measures of the picture, or of another one of the same face."""
        seen = self.pixels if pixels is None else pixels
        return Measurer().measure(Frame(0, 0, 0, seen), self.face, None)


CUT_IED: Final = 2.2
"""From the face's middle to each side of what is cut out, in inter-eye distances."""


def portraits(data: Path = DATA, reach_ied: float = CUT_IED) -> Iterator[Sample]:
    """Return the portraits, cut out around the face; whole with an infinite reach."""
    for path in sorted((data / "portraits").iterdir()):
        picture = cv2.imread(str(path))
        if picture is None:
            raise ValueError(f"{path}: not a picture")
        yield from _cut(path.stem, path.stem, np.asarray(picture, np.uint8), reach_ied)


def video_frames(every: int, data: Path = DATA, reach_ied: float = CUT_IED) -> Iterator[Sample]:
    """Return every n-th frame of the plain videos, cut out around the face."""
    import av

    for path in sorted((data / "videos").glob("*.mp4")):
        with av.open(str(path)) as container, FaceMeshTracker() as tracker:
            for seq, frame in enumerate(container.decode(video=0)):
                pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                face = tracker.track(Frame(seq, seq + 1, seq + 1, pixels))
                if face is not None and seq % every == every // 2:
                    yield _around(path.stem, f"{path.stem}#{seq}", pixels, face, reach_ied)


def _cut(group: str, name: str, pixels: ImageU8, reach_ied: float) -> Iterator[Sample]:
    with FaceMeshTracker() as tracker:
        face = None
        for seq in range(3):
            face = tracker.track(Frame(seq, seq + 1, seq + 1, pixels))
    if face is None:
        raise ValueError(f"{name}: no face found")
    yield _around(group, name, pixels, face, reach_ied)


def _around(group: str, name: str, pixels: ImageU8, face: Face, reach_ied: float) -> Sample:
    middle = face.landmarks_px[:468, :2].mean(axis=0)
    height, width = pixels.shape[:2]
    reach = min(reach_ied * face.inter_eye_px, float(width + height))
    x0, y0 = (max(0, int(v - reach)) for v in middle)
    x1, y1 = min(width, int(middle[0] + reach)), min(height, int(middle[1] + reach))
    cut = np.ascontiguousarray(pixels[y0:y1, x0:x1])
    return _moved(Sample(group, name, cut, face), name, cut, 1.0, (-x0, -y0))


def scaled(sample: Sample, ied_px: float) -> Sample:
    """Return the picture reduced by area to another inter-eye distance."""
    factor = ied_px / sample.ied_px
    height, width = (round(side * factor) for side in sample.pixels.shape[:2])
    small = cv2.resize(sample.pixels, (width, height), interpolation=cv2.INTER_AREA)
    name = f"{sample.name}@{ied_px:.0f}"
    return _moved(sample, name, np.asarray(small, np.uint8), factor, (0, 0))


def mirrored(sample: Sample) -> Sample:
    """Return the picture seen in a mirror."""
    width = sample.pixels.shape[1]
    points = sample.face.landmarks_px.copy()
    points[:, 0] = width - 1 - points[:, 0]
    for left, right in ((33, 263), (133, 362)):
        points[[left, right]] = points[[right, left]]
    face = replace(sample.face, landmarks_px=points)
    flipped = np.ascontiguousarray(sample.pixels[:, ::-1])
    return Sample(sample.group, f"{sample.name}|mirror", flipped, face)


def _moved(
    sample: Sample, name: str, pixels: ImageU8, factor: float, shift: tuple[int, int]
) -> Sample:
    points = sample.face.landmarks_px.copy()
    points[:, :2] = (points[:, :2] + shift + 0.5) * factor - 0.5
    points[:, 2] *= factor
    rect = Rect(*(round(v * factor) for v in sample.face.rectangle))
    face = replace(
        sample.face, landmarks_px=points, inter_eye_px=inter_eye_px(points), rectangle=rect
    )
    return Sample(sample.group, name, pixels, face)


def linear(pixels: ImageU8) -> NDArray[np.float32]:
    """Return linear light 0..1 of sRGB codes."""
    return np.asarray(_LINEAR[pixels], dtype=np.float32)


_FINE = np.arange(2**16, dtype=np.float64) / (2**16 - 1)
_CODE_OF_FINE = np.round(
    255 * np.where(_FINE <= 0.0031308, _FINE * 12.92, 1.055 * _FINE ** (1 / 2.4) - 0.055)
).astype(np.uint8)


def codes(light: NDArray[np.float32]) -> ImageU8:
    """Return sRGB codes of linear light, by a table of 65536 steps."""
    steps = np.clip(light, 0, 1) * np.float32(2**16 - 1) + np.float32(0.5)
    return np.asarray(_CODE_OF_FINE[steps.astype(np.uint16)], np.uint8)


def defocused(sample: Sample, sigma_pct: float) -> ImageU8:
    """Return the picture blurred in linear light by a Gaussian of ``sigma_pct`` % of the IED."""
    if sigma_pct == 0:
        return sample.pixels
    sigma = sigma_pct / 100 * sample.ied_px
    blurred = cv2.GaussianBlur(
        linear(sample.pixels), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE
    )
    return codes(np.asarray(blurred, np.float32))


def smeared(sample: Sample, length_pct: float, angle_deg: float) -> ImageU8:
    """Return the picture smeared in linear light over ``length_pct`` % of the IED."""
    kernel = _line(length_pct / 100 * sample.ied_px, math.radians(angle_deg))
    moved = cv2.filter2D(linear(sample.pixels), -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return codes(np.asarray(moved, np.float32))


def _line(length_px: float, angle: float) -> NDArray[np.float32]:
    """Return the kernel of a uniform motion: a line of the given length, bilinear, sum 1."""
    reach = math.ceil(length_px / 2) + 2
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for along in np.linspace(-length_px / 2, length_px / 2, max(3, round(16 * length_px))):
        x, y = reach + along * math.cos(angle), reach + along * math.sin(angle)
        x0, y0 = math.floor(x), math.floor(y)
        fx, fy = x - x0, y - y0
        kernel[y0, x0] += (1 - fx) * (1 - fy)
        kernel[y0, x0 + 1] += fx * (1 - fy)
        kernel[y0 + 1, x0] += (1 - fx) * fy
        kernel[y0 + 1, x0 + 1] += fx * fy
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def gained(pixels: ImageU8, gain: float) -> ImageU8:
    """Return the picture with its light multiplied."""
    return codes(linear(pixels) * np.float32(gain))


def noisy(pixels: ImageU8, sd_codes: float, seed: int = 0) -> ImageU8:
    """Return the picture with Gaussian noise, independent in every pixel and channel."""
    noise = np.random.default_rng(seed).normal(0, sd_codes, pixels.shape)
    return np.clip(np.round(pixels + noise), 0, 255).astype(np.uint8)


def recompressed(pixels: ImageU8, quality: int) -> ImageU8:
    """Return the picture after JPEG with 4:2:0 chroma."""
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"JPEG at quality {quality} failed")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def with_albedo(sample: Sample, factor: float) -> ImageU8:
    """Return the picture with darker skin in the same light.

    The linear light inside the face oval, eyes left out, is multiplied; the room stays as it is.
    """
    if factor == 1:
        return sample.pixels
    inside = np.zeros(sample.pixels.shape[:2], np.uint8)
    for ring, value in ((FACE_OVAL, 1), (LEFT_EYE, 0), (RIGHT_EYE, 0)):
        outline = np.rint(sample.face.landmarks_px[list(ring), :2]).astype(np.int32)
        cv2.fillConvexPoly(inside, cv2.convexHull(outline), (value,))
    light = linear(sample.pixels)
    light[inside.astype(bool)] *= np.float32(factor)
    return codes(light)


def exposed(pixels: ImageU8, stops: float, seed: int = 0) -> ImageU8:
    """Return the picture as a sensor would take it ``stops`` brighter or darker."""
    if stops == 0:
        return pixels
    rng = np.random.default_rng(seed)
    electrons = np.clip(linear(pixels) * np.float32(2.0**stops), 0, 1) * FULL_WELL_E
    electrons = electrons + rng.normal(0, 1, pixels.shape) * np.sqrt(electrons)
    electrons = electrons + rng.normal(0, READ_NOISE_E, pixels.shape)
    return codes((electrons / FULL_WELL_E).astype(np.float32))
