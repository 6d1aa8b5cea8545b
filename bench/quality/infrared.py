"""Grey pictures, as infrared cameras give: what the gate makes of their exposure.

No infrared footage is at hand: the red channel, next to the infrared, and grey as BT.601 weighs it
stand for it. Skin is lighter in the infrared than in either, and a kiosk's lamp the only light.
Red that had clipped under warm lamps is over-exposed as a picture of its own: no target there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure
from bench.quality import material
from bench.quality.exposure import ALBEDOS, DARK, EXPOSURE, faces
from bench.quality.material import Sample
from calibration.tuning.statistics.intervals import rate
from capture.frame import Frame, ImageU8
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measurer import Measurer
from preprocess.reasons import Reason

STOPS = {-3.0: ">= 0.95", -2.0: "", -0.5: "<= 0", 0.0: "<= 0"}
BRIGHT_STOPS = (1.0, 2.0)


def grey(pixels: ImageU8) -> ImageU8:
    """Return grey as BT.601 weighs it, in three equal channels."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))


def red(pixels: ImageU8) -> ImageU8:
    """Return the red channel in three equal channels."""
    return np.ascontiguousarray(np.repeat(pixels[..., 2:], 3, axis=2))


def run(data: Path) -> list[Figure]:
    """Return the figures of both kinds of grey picture."""
    samples = faces(data)
    people = np.unique([s.group for s in samples], return_inverse=True)[1].astype(np.int32)
    found = []
    for name, view in {"grey": grey, "red channel": red}.items():
        for albedo in (ALBEDOS[0], ALBEDOS[-1]):
            pictures = [view(material.with_albedo(s, albedo)) for s in samples]
            told = f"{name}, albedo x {albedo:g}"
            for stops, target in STOPS.items():
                given = _given(samples, pictures, stops, DARK)
                found.append(
                    _rate(f"{told}: called too dark at {stops:+g} EV", given, people, target)
                )
            limit = "<= 0.02" if view is grey else ""
            wrong = _given(samples, pictures, 0.0, EXPOSURE)
            found.append(_rate(f"{told}: wrong exposure at 0 EV", wrong, people, limit))
        found += _bright(samples, people, name, view)
    return found


def _bright(
    samples: list[Sample],
    people: NDArray[np.int32],
    name: str,
    view: Callable[[ImageU8], ImageU8],
) -> list[Figure]:
    pictures = [view(s.pixels) for s in samples]
    return [
        _rate(
            f"{name}: called over-exposed at {stops:+g} EV",
            _given(samples, pictures, stops, {Reason.OVER_EXPOSED}),
            people,
        )
        for stops in BRIGHT_STOPS
    ]


def _given(
    samples: Sequence[Sample], pictures: Sequence[ImageU8], stops: float, reasons: set[Reason]
) -> NDArray[np.bool_]:
    """Return (n,) whether the gate of an infrared camera gives one of the reasons."""
    found = []
    for sample, picture in zip(samples, pictures, strict=True):
        seen = Frame(0, 0, 0, grey(material.exposed(picture, stops)))
        row = Measurer(grey=True).measure(seen, sample.face)
        found.append(bool(reasons & set(judge(row, None, Thresholds()).reasons)))
    return np.array(found)


def _rate(
    name: str, errors: NDArray[np.bool_], people: NDArray[np.int32], target: str = ""
) -> Figure:
    found = rate(errors, people)
    interval = (found.interval.low, found.interval.high)
    return Figure(name, float(errors.mean()), target, "", interval)
