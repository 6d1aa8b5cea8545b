"""What the screen's light is worth in this place, and what the camera makes of its colours.

In linear light the face is the sum of the ambient and of the three primaries; a session that shows
neutral and three colours (or more) gives all of them by least squares. Dividing each channel's
answer to one primary by its answer to white leaves the share of each primary in each channel: skin
and white balance cancel, the mixing of colours between display and camera remains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calibration.errors import MeasurementError
from calibration.profile import LightSection, Measured, ProfileOrigin
from calibration.timing.steps import Array
from capture.light.illumination import Rgb
from capture.options import option, options
from preprocess.light.samples import LINEAR_OF_SRGB, ChromaSample

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_SPILL_LEAST = -0.02
_FAINTEST = 0.005


@options
class LightOptions:
    """What a light calibration asks for."""

    min_frames: int = option(
        6, unit="frames a colour", low=2, high=1000, why="fewer average no motion away"
    )
    peak_code: int = option(
        235, unit="sRGB code", low=128, high=254, why="headroom for highlights as a face moves"
    )
    clipped_limit: float = option(
        0.02, unit="share", low=0.0, high=1.0, why="beyond, the peak is not known: halve and see"
    )
    outlier: float = option(
        4.0,
        unit="robust sd",
        low=2,
        high=20,
        why="blinks and jerks, which the fit would follow",
    )


@dataclass(frozen=True, slots=True)
class LitFrame:
    """A frame under one light: the sample, its label, and the face's brightest pixels.

    ``colour`` None is neutral; ``rgb`` is what the screen showed; ``peak_code`` the 99th percentile
    of the brightest channel over the face region; ``gap_ms`` the time since the frame before, None
    for the first under this light.
    """

    sample: ChromaSample
    colour: str | None
    rgb: Rgb
    peak_code: float
    gap_ms: float | None


def measure_light(
    frames: Sequence[LitFrame],
    origin: ProfileOrigin,
    *,
    locked: bool | None,
    options: LightOptions | None = None,
) -> LightSection:
    """Return the light section from clean and neutral frames.

    ``locked`` is False where exposure or white balance may have followed the light: then the
    background serves as the reference, and what it takes of the light is missing in the result.
    None where nobody knows: the background tells, since it gets darker with a brighter screen only
    through the camera's gains.

    Raises
    ------
    MeasurementError
        too few frames of a colour, too few colours, no background where one is needed.
    """
    options = options or LightOptions()
    _check(frames, options)
    shown = LINEAR_OF_SRGB[np.array([frame.rgb for frame in frames])].astype(np.float64)
    if locked is None:
        locked = _stood_still(frames, shown, options)
    face = _face(frames) if locked else _over_background(frames)
    ambient, answer, errors = _fit(face, shown, _seconds(frames), options)
    white = answer.sum(axis=1)
    if (ambient <= 0).any() or (white <= _FAINTEST * ambient).any():
        raise MeasurementError(
            "the face does not get brighter with the screen: come closer or darken the room"
        )
    share = float(ambient @ _LUMINANCE / ((ambient + white) @ _LUMINANCE))
    how = "least squares of the face over neutral and the colours" + (
        "" if locked else ", against the background"
    )
    n = len(frames)
    factor, factor_how = _exposure_factor(frames, options)
    return LightSection(
        origin=origin,
        ambient_share=Measured(value=round(share, 4), how=how, n=n),
        strength=Measured(value=round((1 - share) / share, 4), how=how, n=n),
        crosstalk=_rounded(answer / white[:, None]),
        crosstalk_sd=_rounded(errors / white[:, None]),
        clipped_share=_by_colour(frames, lambda f: f.sample.clipped_share, np.mean),
        exposure_factor=Measured(value=round(factor, 3), how=factor_how, n=n),
        fps=_fps(frames),
        reference="none" if locked else "background",
    )


def _check(frames: Sequence[LitFrame], options: LightOptions) -> None:
    counts: dict[str, int] = {}
    for frame in frames:
        name = frame.colour or "neutral"
        counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        if count < options.min_frames:
            raise MeasurementError(f"{name}: {count} clean frames, expected {options.min_frames}")
    lights = {frame.rgb for frame in frames}
    shown = LINEAR_OF_SRGB[np.array(sorted(lights))] if lights else np.zeros((0, 3))
    rank = np.linalg.matrix_rank(np.column_stack([np.ones(len(shown)), shown]), tol=0.05)
    if rank < 4:
        seen = ", ".join(sorted(counts)) or "no light"
        raise MeasurementError(
            f"expected neutral and three colours that do not mix into one another, saw {seen}"
        )


def _face(frames: Sequence[LitFrame]) -> Array:
    return np.array([frame.sample.face_rgb for frame in frames], np.float64)


def _wall(frames: Sequence[LitFrame]) -> Array | None:
    """(N, 3) linear light of the background; None unless every frame has one."""
    found = [frame.sample.background_rgb for frame in frames]
    colours = [colour for colour in found if colour is not None]
    return np.array(colours, np.float64) if len(colours) == len(found) else None


def _over_background(frames: Sequence[LitFrame]) -> Array:
    wall = _wall(frames)
    if wall is None:
        raise MeasurementError(
            "exposure and white balance were not locked and the picture shows no background to "
            "compare with: lock them, or step back"
        )
    return np.asarray(_face(frames) / np.maximum(wall, 1e-4), np.float64)


def _stood_still(frames: Sequence[LitFrame], shown: Array, options: LightOptions) -> bool:
    """Return whether no channel of the background falls as the screen gets brighter."""
    wall = _wall(frames)
    if wall is None:
        return True
    level, answer, _ = _fit(wall, shown, _seconds(frames), options)
    return bool(np.all(answer >= _SPILL_LEAST * np.maximum(level, 1e-4)[:, None]))


def _seconds(frames: Sequence[LitFrame]) -> Array:
    t_ns = np.array([frame.sample.t_frame_ns for frame in frames], np.int64)
    return np.asarray((t_ns - t_ns.mean()) / 1e9, np.float64)


def _fit(
    face: Array, shown: Array, seconds: Array, options: LightOptions
) -> tuple[Array, Array, Array]:
    """Return (3,) ambient, (3, 3) answer of channels to primaries and its standard errors."""
    # a slope for daylight and sway; anything that bends looks like neutral ends around light
    design = np.column_stack([np.ones(len(face)), shown, seconds])
    kept = np.ones(len(face), bool)
    for _ in range(3):
        found = np.linalg.lstsq(design[kept], face[kept], rcond=None)[0]
        residual = (face - design @ found) / np.maximum(face.mean(axis=0), 1e-9)
        size = np.abs(residual).max(axis=1)
        kept = size <= options.outlier * 1.4826 * max(float(np.median(size)), 1e-6)
    freedom = max(int(kept.sum()) - design.shape[1], 1)
    variance = np.sum((face - design @ found)[kept] ** 2, axis=0) / freedom
    spread = np.diag(np.linalg.pinv(design[kept].T @ design[kept]))[1:4]
    return found[0], found[1:4].T, np.sqrt(variance[:, None] * spread[None, :])


def _exposure_factor(frames: Sequence[LitFrame], options: LightOptions) -> tuple[float, str]:
    """Return by how much to change the exposure, and why; never by more than it takes."""
    clipped = max(frame.sample.clipped_share for frame in frames)
    peak = float(np.percentile([frame.peak_code for frame in frames], 95))
    if clipped > options.clipped_limit or peak >= 255:
        return 0.5, f"{clipped:.0%} of the face clips: halve the exposure and measure again"
    wanted, there = LINEAR_OF_SRGB[[options.peak_code, round(peak)]]
    if peak > options.peak_code:
        return float(wanted / there), f"brightest pixels at code {peak:.0f}"
    return 1.0, f"brightest pixels at code {peak:.0f}, nothing clips"


def _fps(frames: Sequence[LitFrame]) -> dict[str, float]:
    lit = [frame for frame in frames if frame.gap_ms is not None and frame.gap_ms > 0]
    return _by_colour(lit, lambda f: 1000 / (f.gap_ms or 1.0), np.median)


def _by_colour(
    frames: Sequence[LitFrame],
    value: Callable[[LitFrame], float],
    reduce: Callable[[list[float]], np.floating[Any]],
) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for frame in frames:
        found.setdefault(frame.colour or "neutral", []).append(value(frame))
    return {name: round(float(reduce(values)), 4) for name, values in found.items()}


def _rounded(matrix: Array) -> list[list[float]]:
    return [[round(float(value), 4) for value in row] for row in matrix]
