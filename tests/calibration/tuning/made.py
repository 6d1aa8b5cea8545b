"""Labelled material by hand: a measure or two set, everything else as of a good frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.tuning import tuner
from calibration.tuning.limits import KINDS
from calibration.tuning.material.labels import LabelledItem
from calibration.tuning.material.material import Material, join
from calibration.tuning.material.table import FrameTable, frame_row
from calibration.tuning.options import TuneOptions
from calibration.tuning.tuner import Tuning
from capture.light.timeline import LabelKind
from preprocess.face.face import Rect
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measures import NO_FACE, Measures
from preprocess.reasons import Reason

GOOD = {
    "face_side_px": 300.0,
    "ied_px": 130.0,
    "cut_share": 0.0,
    "second_face_ratio": 0.0,
    "yaw_deg": 0.0,
    "pitch_deg": 0.0,
    "roll_deg": 0.0,
    "blur_pct": 1.0,
    "over_grey_share": 0.0,
    "over_any_share": 0.0,
    "over_two_share": 0.0,
    "highlight_codes": 200.0,
    "face_bright_codes": 220.0,
    "eyes_bright_codes": 160.0,
    "eyes_contrast": 10.0,
    "frame_bright_codes": 220.0,
    "contrast_codes": 130.0,
    "luminance": 0.3,
    "snr": 10.0,
    "side_light_stops": 0.2,
    "eyes_open_t": 0.06,
    "mouth_open_t": 0.01,
    "occluded_share": 0.0,
}


BASE = Thresholds(
    blur_drop_pct=1.55,
    blur_accept_pct=1.4,
    yaw_drop_deg=25.0,
    yaw_accept_deg=15.0,
    frame_bright_drop_codes=128.0,
    frame_bright_accept_codes=138.0,
)
"""Defaults of these tests, whatever the program's become."""


def tune(found: Material, options: TuneOptions) -> Tuning:
    """Tune from ``BASE``."""
    return tuner.tune(found, options, BASE)


def badness_of(tuning: Tuning, key: str) -> NDArray[np.float64]:
    """Return the badness of every frame for one limit."""
    column: NDArray[np.float64] = tuning.badness[[limit.key for limit in tuning.limits].index(key)]
    return column


def measures(**changed: float) -> Measures:
    """Return the measures of a good frame, but for what is changed."""
    return Measures(**{**GOOD, **changed})


def table(
    frames: Iterable[Measures | None], kind: LabelKind = LabelKind.NONE, step_ms: float = 33.0
) -> FrameTable:
    """Return a table; None is a frame without a face."""
    rows = [
        frame_row(
            seq,
            seq * step_ms,
            KINDS.index(kind),
            None if found is None else Rect(10, 10, 40, 50),
            NO_FACE if found is None else found,
        )
        for seq, found in enumerate(frames)
    ]
    return FrameTable.of_rows(np.array(rows))


def item(subject: str, *reasons: Reason, group: str = "", name: str = "") -> LabelledItem:
    """Return a label; without a reason it is good."""
    shown = name or f"{subject}{'-' + reasons[0] if reasons else ''}.png"
    return LabelledItem(
        Path(shown), shown, subject, frozenset(reasons), group, f"labels.csv:{shown}"
    )


def material(found: Iterable[tuple[LabelledItem, FrameTable]]) -> Material:
    """Return the material of these inputs, each of its own content."""
    pairs = list(found)
    hashes = [f"hash{number}" for number in range(len(pairs))]
    return join([i for i, _ in pairs], hashes, [t for _, t in pairs])[0]


def blurred(
    good: Mapping[str, Iterable[float]], bad: Mapping[str, Iterable[float]] | None = None
) -> Material:
    """Return material that differs in blur alone: subject -> blur of each frame."""
    pairs = [(item(who), table(measures(blur_pct=b) for b in blurs)) for who, blurs in good.items()]
    for who, blurs in (bad or {}).items():
        frames = table(measures(blur_pct=b) for b in blurs)
        pairs.append((item(who, Reason.BLURRED), frames))
    return material(pairs)
