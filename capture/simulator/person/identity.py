"""Who the simulated person is: proportions, tone and colours drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.simulator.colour import ColourF

SKIN_ALBEDO: tuple[ColourF, ...] = (
    (0.62, 0.46, 0.38),
    (0.58, 0.41, 0.32),
    (0.53, 0.37, 0.28),
    (0.45, 0.30, 0.22),
    (0.39, 0.25, 0.17),
    (0.31, 0.19, 0.125),
    (0.235, 0.135, 0.085),
    (0.165, 0.092, 0.058),
    (0.115, 0.065, 0.042),
    (0.080, 0.047, 0.032),
)
"""Linear R, G, B reflectance of ten tones, light to dark, spaced as the Monk scale is; tone 4 is
the albedo of the light model's reference."""

HAIR_ALBEDO: tuple[ColourF, ...] = (
    (0.025, 0.020, 0.017),
    (0.050, 0.032, 0.022),
    (0.095, 0.055, 0.032),
    (0.16, 0.10, 0.055),
    (0.28, 0.21, 0.12),
    (0.25, 0.24, 0.23),
)
"""Black, dark brown, brown, light brown, blond, grey."""

IRIS_ALBEDO: tuple[ColourF, ...] = (
    (0.040, 0.024, 0.014),
    (0.075, 0.043, 0.021),
    (0.12, 0.13, 0.06),
    (0.12, 0.15, 0.17),
)
"""Dark brown, brown, hazel, blue-grey."""

CLOTH_ALBEDO: tuple[ColourF, ...] = (
    (0.06, 0.08, 0.13),
    (0.20, 0.20, 0.20),
    (0.10, 0.13, 0.10),
    (0.25, 0.07, 0.07),
    (0.30, 0.29, 0.26),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """The drawn properties of one person; lengths in cm, factors around 1."""

    seed: int
    skin: ColourF
    hair: ColourF
    iris: ColourF
    cloth: ColourF
    width: float
    jaw: float
    eye_half_gap_cm: float
    nose_width: float
    nose_height: float
    lip: float
    brow_lift_cm: float
    brow_weight: float
    hairline_cm: float
    stubble: float


def draw_identity(seed: int, skin_tone: float) -> Identity:
    """Draw a person; ``skin_tone`` 1 (light) to 10 (dark) is given, not drawn."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x1DE]))
    tones = np.asarray(SKIN_ALBEDO)
    skin = [float(np.interp(skin_tone, np.arange(1, 11), tones[:, c])) for c in range(3)]
    dark = skin_tone >= 6
    return Identity(
        seed=seed,
        skin=(skin[0], skin[1], skin[2]),
        hair=HAIR_ALBEDO[int(rng.integers(0, 2 if dark else len(HAIR_ALBEDO)))],
        iris=IRIS_ALBEDO[int(rng.integers(0, 2 if dark else len(IRIS_ALBEDO)))],
        cloth=CLOTH_ALBEDO[int(rng.integers(0, len(CLOTH_ALBEDO)))],
        width=float(rng.uniform(0.95, 1.03)),
        jaw=float(rng.uniform(0.90, 1.04)),
        eye_half_gap_cm=float(rng.uniform(3.08, 3.22)),
        nose_width=float(rng.uniform(0.88, 1.15)),
        nose_height=float(rng.uniform(0.88, 1.08)),
        lip=float(rng.uniform(0.85, 1.2)),
        brow_lift_cm=float(rng.uniform(-0.12, 0.15)),
        brow_weight=float(rng.uniform(0.8, 1.25)),
        hairline_cm=float(rng.uniform(7.4, 8.6)),
        stubble=float(rng.uniform(0.0, 1.0)) * float(rng.random() < 0.4),
    )
