"""Native measures as quality components 0 to 100, by OFIQ's published curves.

BSI-OFIQ/OFIQ-Project v1.0.3, the reference code of ISO/IEC 29794-5:2025: Q = h*(a + s*sig(x)) with
sig(x) = 1/(1 + exp((x0 - x)/w)), rounded and clipped. For reports and for comparison with other
systems: the gate judges native values, for a cosine squared cannot enforce five degrees.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from preprocess.measures.measures import Measures

NOT_ASSESSED: Final = -1
"""OFIQ's value for a failure to assess."""


def _sigmoid(x: float, x0: float, w: float) -> float:
    away = (x0 - x) / w
    return 1 / (1 + math.exp(away)) if away < 700 else 0.0


def _rising(x0: float, w: float) -> Callable[[float], float]:
    return lambda x: 100 * _sigmoid(x, x0, w)


def _cosine(degrees: float) -> float:
    return 100 * max(0.0, math.cos(math.radians(degrees))) ** 2


CURVES: Final[dict[str, Callable[[float], float]]] = {
    "ied_px": _rising(70, 20),
    "margin_left_ied": _rising(0.9, 0.1),
    "margin_right_ied": _rising(0.9, 0.1),
    "margin_above_t": _rising(1.4, 0.1),
    "margin_below_t": _rising(1.8, 0.1),
    "yaw_deg": _cosine,
    "pitch_deg": _cosine,
    "roll_deg": _cosine,
    "over_grey_share": lambda x: 1 / (x + 0.01),
    "luminance": lambda x: 100 * _sigmoid(x, 0.2, 0.05) * (1 - _sigmoid(x, 0.8, 0.05)),
    "eyes_open_t": _rising(0.02, 0.01),
    "mouth_open_t": lambda x: 100 * (1 - _sigmoid(x, 0.2, 0.06)),
}
"""Field of ``Measures`` -> curve. OFIQ counts over-exposure from code 251 of luminance, the gate
from 250 of grey. Sharpness (a forest over other features), dynamic range and under-exposure are
other measures than ours and have no curve here."""


def component(name: str, native: float) -> int:
    """Return the quality component of a measure, -1 where the native value is NaN.

    Raises
    ------
    KeyError
        OFIQ publishes no curve for ``name``.
    """
    curve = CURVES[name]
    return NOT_ASSESSED if math.isnan(native) else min(max(round(curve(native)), 0), 100)


def components(measures: Measures) -> dict[str, int]:
    """Return all components that OFIQ has a curve for."""
    return {name: component(name, getattr(measures, name)) for name in CURVES}
