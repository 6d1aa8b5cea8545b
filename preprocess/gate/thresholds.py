"""The gate's limits as settings: an accept and a drop level for each measure, unit and source.

Between the two levels a frame may be submitted, but the live gate does not start on it. Drop levels
follow the service's contract, not what looks best: a good face turned away is a person standing
before a kiosk that does not work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capture.options import option
from preprocess.measures.measures import Measures
from preprocess.reasons import Reason


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Accept and drop level of each measure, in the measure's own unit."""

    second_face_accept: float = option(
        0.25, unit="area ratio", low=0.0, high=1.0, why="own cut: a passer-by at twice the distance"
    )
    second_face_drop: float = option(
        0.4, unit="area ratio", low=0.0, high=1.0, why="own cut: from here on either may be meant"
    )
    cut_accept: float = option(
        0.01, unit="share of the face", low=0.0, high=1.0, why="the mesh's own error at the oval"
    )
    cut_drop: float = option(
        0.04, unit="share of the face", low=0.0, high=1.0, why="own cut: chin or cheek is missing"
    )
    face_side_accept_px: float = option(
        140.0, unit="px at 1920x1080", low=0.0, high=4000.0, why="drop level plus tracker noise"
    )
    face_side_drop_px: float = option(
        128.0, unit="px at 1920x1080", low=0.0, high=4000.0, why="service: detectable from 128x128"
    )
    ied_accept_px: float = option(
        64.0,
        unit="px",
        low=0.0,
        high=2000.0,
        why="service: 200 px of face go with 100 px between the eyes, so 128 px with 64",
    )
    ied_drop_px: float = option(
        50.0, unit="px", low=0.0, high=2000.0, why="a 128 px face on the mesh has 55: none below"
    )
    ied_best_px: float = option(
        100.0,
        unit="px",
        low=0.0,
        high=2000.0,
        why="service: best from 100 px; warns, never rejects",
    )
    pitch_zero_deg: float = option(
        0.0, unit="deg", low=-45.0, high=45.0, why="pitch of a frontal face on this installation"
    )
    yaw_accept_deg: float = option(15.0, unit="deg", low=0.0, high=90.0, why="LUNA ID accepts 15")
    yaw_drop_deg: float = option(25.0, unit="deg", low=0.0, high=90.0, why="LUNA ID rejects at 25")
    pitch_accept_deg: float = option(15.0, unit="deg", low=0.0, high=90.0, why="LUNA ID, as yaw")
    pitch_drop_deg: float = option(25.0, unit="deg", low=0.0, high=90.0, why="LUNA ID, as yaw")
    roll_accept_deg: float = option(15.0, unit="deg", low=0.0, high=90.0, why="LUNA ID, as yaw")
    roll_drop_deg: float = option(25.0, unit="deg", low=0.0, high=90.0, why="LUNA ID, as yaw")
    over_grey_accept: float = option(
        0.015, unit="share of the face", low=0.0, high=1.0, why="half the drop level"
    )
    over_grey_drop: float = option(
        0.03, unit="share of the face", low=0.0, high=1.0, why="more than glasses and sweat glint"
    )
    over_any_accept: float = option(
        0.15, unit="share of the face", low=0.0, high=1.0, why="above 90 % of good photos"
    )
    over_any_drop: float = option(
        0.3, unit="share of the face", low=0.0, high=1.0, why="measured: +1 EV has .65, good .0-.12"
    )
    over_lit_accept: float = option(
        0.02,
        unit="share of the face",
        low=0.0,
        high=1.0,
        why="clipped skin carries no light signal",
    )
    over_lit_drop: float = option(
        0.1,
        unit="share of the face",
        low=0.0,
        high=1.0,
        why="the response of the rest still counts",
    )
    contrast_accept_codes: float = option(
        77.0, unit="codes", low=0.0, high=255.0, why="drop level plus frame-to-frame noise"
    )
    contrast_drop_codes: float = option(
        73.0,
        unit="codes",
        low=0.0,
        high=255.0,
        why="measured: faces at -3 EV read 50 to 74, good photos of any skin 87 and more",
    )
    snr_accept: float = option(
        4.0, unit="ratio", low=0.0, high=100.0, why="drop level plus frame-to-frame noise"
    )
    snr_drop: float = option(
        3.0,
        unit="ratio",
        low=0.0,
        high=100.0,
        why="measured: grainy but good photos go down to 4.5",
    )
    speed_accept_ied_s: float = option(
        0.5, unit="IED/s", low=0.0, high=100.0, why="1/60 s smears by .24 % IED, no measurable blur"
    )
    speed_drop_ied_s: float = option(
        0.8, unit="IED/s", low=0.0, high=100.0, why="1/30 s smears by .8 % IED: blur's drop level"
    )
    blur_accept_pct: float = option(
        1.4, unit="% of IED", low=0.0, high=20.0, why="measured: 98 % of good frames are below"
    )
    blur_drop_pct: float = option(
        1.55,
        unit="% of IED",
        low=0.0,
        high=20.0,
        why="measured: no defocus of 2 % IED below it, no portrait above",
    )
    side_light_accept_stops: float = option(
        1.0,
        unit="stops",
        low=0.0,
        high=10.0,
        why="twice the light on one cheek; warns only: portraits have 3",
    )
    occluded_accept: float = option(
        0.35, unit="share of spots", low=0.0, high=1.0, why="warns only: beards and make-up vary"
    )
    eyes_open_accept_t: float = option(
        0.03, unit="eye-to-chin distances", low=0.0, high=1.0, why="OFIQ EyesOpen 73"
    )
    mouth_open_accept_t: float = option(
        0.15, unit="eye-to-chin distances", low=0.0, high=1.0, why="OFIQ MouthClosed 70; warns only"
    )


class LightPhase(StrEnum):
    """In which light a rule speaks: neutral covers frames whose light is not known."""

    ANY = "any"
    NEUTRAL = "neutral"
    COLOUR = "colour"


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit on one measure.

    Attributes
    ----------
    measure : field of ``Measures``.
    reason : what a violation is called.
    sign : +1 when large values are bad, -1 when small ones are.
    accept, drop : fields of ``Thresholds``; without drop the rule only warns.
    phase : the light in which it holds.
    nan_passes : whether a value that could not be assessed passes.
    zero : field of ``Thresholds`` that is subtracted before the magnitude is taken, "" for none.
    magnitude : whether the absolute value counts.
    """

    measure: str
    reason: Reason
    sign: int
    accept: str
    drop: str = ""
    phase: LightPhase = LightPhase.ANY
    nan_passes: bool = False
    magnitude: bool = False
    zero: str = ""

    @property
    def rejects(self) -> bool:
        """Whether the rule can reject; else it warns."""
        return bool(self.drop)

    def value(self, measures: Measures, thresholds: Thresholds) -> float:
        """Return the measured value as the rule sees it: zero subtracted, magnitude taken."""
        value = float(getattr(measures, self.measure))
        if self.zero:
            value -= float(getattr(thresholds, self.zero))
        return abs(value) if self.magnitude else value

    def beyond(self, value: float, thresholds: Thresholds, *, strict: bool) -> bool:
        """Return whether a value violates the accept level (strict) or the drop level."""
        level = self.accept if strict or not self.drop else self.drop
        return self.sign * (value - float(getattr(thresholds, level))) > 0


RULES: Final[tuple[Rule, ...]] = (
    Rule("cut_share", Reason.FACE_CUT, 1, "cut_accept", "cut_drop"),
    Rule("face_side_px", Reason.FACE_TOO_SMALL, -1, "face_side_accept_px", "face_side_drop_px"),
    Rule("ied_px", Reason.FACE_TOO_SMALL, -1, "ied_accept_px", "ied_drop_px"),
    Rule("second_face_ratio", Reason.SEVERAL_FACES, 1, "second_face_accept", "second_face_drop"),
    Rule("yaw_deg", Reason.NOT_FRONTAL, 1, "yaw_accept_deg", "yaw_drop_deg", magnitude=True),
    Rule(
        "pitch_deg",
        Reason.NOT_FRONTAL,
        1,
        "pitch_accept_deg",
        "pitch_drop_deg",
        magnitude=True,
        zero="pitch_zero_deg",
    ),
    Rule("roll_deg", Reason.NOT_FRONTAL, 1, "roll_accept_deg", "roll_drop_deg", magnitude=True),
    Rule(
        "over_grey_share",
        Reason.OVER_EXPOSED,
        1,
        "over_grey_accept",
        "over_grey_drop",
        phase=LightPhase.NEUTRAL,
    ),
    Rule(
        "over_any_share",
        Reason.OVER_EXPOSED,
        1,
        "over_any_accept",
        "over_any_drop",
        phase=LightPhase.NEUTRAL,
    ),
    Rule(
        "over_lit_share",
        Reason.OVER_EXPOSED,
        1,
        "over_lit_accept",
        "over_lit_drop",
        phase=LightPhase.COLOUR,
        nan_passes=True,
    ),
    Rule(
        "contrast_codes",
        Reason.UNDER_EXPOSED,
        -1,
        "contrast_accept_codes",
        "contrast_drop_codes",
        phase=LightPhase.NEUTRAL,
    ),
    Rule("snr", Reason.UNDER_EXPOSED, -1, "snr_accept", "snr_drop", phase=LightPhase.NEUTRAL),
    Rule(
        "side_light_stops",
        Reason.SIDE_LIGHT,
        1,
        "side_light_accept_stops",
        phase=LightPhase.NEUTRAL,
        nan_passes=True,
    ),
    Rule(
        "speed_ied_s",
        Reason.MOVING,
        1,
        "speed_accept_ied_s",
        "speed_drop_ied_s",
        nan_passes=True,
    ),
    Rule("blur_pct", Reason.BLURRED, 1, "blur_accept_pct", "blur_drop_pct"),
    Rule("occluded_share", Reason.OCCLUDED, 1, "occluded_accept", nan_passes=True),
    Rule("eyes_open_t", Reason.EYES_CLOSED, -1, "eyes_open_accept_t"),
    Rule("mouth_open_t", Reason.MOUTH_OPEN, 1, "mouth_open_accept_t"),
    Rule("ied_px", Reason.FACE_TOO_SMALL, -1, "ied_best_px"),
)
"""All limits, the reason that helps the person most first."""
