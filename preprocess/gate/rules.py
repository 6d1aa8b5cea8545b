"""The gate's rules: which limit holds on which measure, in which light, under which conditions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measures import Measures
from preprocess.reasons import Reason


class LightPhase(StrEnum):
    """In which light a rule speaks: neutral covers frames whose light is not known."""

    ANY = "any"
    NEUTRAL = "neutral"
    COLOUR = "colour"


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be so for a rule to speak: a measure below a level, or not below it.

    Attributes
    ----------
    measure : field of ``Measures``; one that could not be assessed fulfils no condition.
    accept, drop : fields of ``Thresholds``, as of a rule.
    below : whether it must be below the level; else at or above it.
    """

    measure: str
    accept: str
    drop: str
    below: bool = True

    def holds(self, measures: Measures, thresholds: Thresholds, *, strict: bool) -> bool:
        """Return whether the condition is fulfilled at the accept (strict) or the drop level."""
        value = float(getattr(measures, self.measure))
        level = float(getattr(thresholds, self.accept if strict else self.drop))
        return value < level if self.below else value >= level


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
    only_if : conditions that must all be fulfilled, else every value passes.
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
    only_if: tuple[Condition, ...] = ()

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

    def speaks(self, measures: Measures, thresholds: Thresholds, *, strict: bool) -> bool:
        """Return whether every condition is fulfilled."""
        return all(c.holds(measures, thresholds, strict=strict) for c in self.only_if)

    def beyond(self, value: float, thresholds: Thresholds, *, strict: bool) -> bool:
        """Return whether a value violates the accept level (strict) or the drop level."""
        level = self.accept if strict or not self.drop else self.drop
        return self.sign * (value - float(getattr(thresholds, level))) > 0


_DARK_FRAME: Final = Condition(
    "frame_bright_codes", "frame_bright_accept_codes", "frame_bright_drop_codes"
)
_BRIGHT_FRAME: Final = Condition(
    "frame_bright_codes", "frame_bright_accept_codes", "frame_bright_drop_codes", below=False
)
_WINDOW: Final = Condition(
    "frame_bright_codes", "backlit_frame_codes", "backlit_frame_codes", below=False
)
_DULL_FACE: Final = Condition(
    "face_bright_codes", "backlit_face_accept_codes", "backlit_face_drop_codes"
)
_VERY_DARK_FACE: Final = Condition(
    "luminance", "backlit_luminance_accept", "backlit_luminance_drop"
)
_EYES_OPEN: Final = Condition(
    "eyes_open_t", "eyes_open_accept_t", "eyes_open_accept_t", below=False
)
_EYES_WIDE_OPEN: Final = Condition(
    "eyes_open_t", "backlit_eyes_open_t", "backlit_eyes_open_t", below=False
)
_EYES_SEEN: Final = Condition(
    "eyes_contrast", "eyes_contrast_accept", "eyes_contrast_accept", below=False
)
_WEAK_CONTRAST: Final = Condition("contrast_codes", "contrast_accept_codes", "contrast_drop_codes")
_DARK_FACE: Final = Condition("luminance", "luminance_accept", "luminance_drop")
_BRIGHT_HIGHLIGHTS: Final = Condition(
    "highlight_codes", "highlight_accept_codes", "highlight_drop_codes", below=False
)

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
    Rule("over_grey_share", Reason.OVER_EXPOSED, 1, "over_grey_accept", "over_grey_drop"),
    Rule(
        "over_two_share",
        Reason.OVER_EXPOSED,
        1,
        "over_two_accept",
        "over_two_drop",
        nan_passes=True,
    ),
    Rule(
        "over_any_share",
        Reason.OVER_EXPOSED,
        1,
        "over_any_accept",
        "over_any_drop",
        phase=LightPhase.NEUTRAL,
        nan_passes=True,
        only_if=(_BRIGHT_HIGHLIGHTS,),
    ),
    Rule(
        "frame_bright_codes",
        Reason.UNDER_EXPOSED,
        -1,
        "frame_bright_accept_codes",
        "frame_bright_drop_codes",
        phase=LightPhase.NEUTRAL,
        only_if=(_WEAK_CONTRAST, _DARK_FACE),
    ),
    Rule(
        "snr",
        Reason.UNDER_EXPOSED,
        -1,
        "snr_accept",
        "snr_drop",
        phase=LightPhase.NEUTRAL,
        only_if=(_DARK_FRAME,),
    ),
    Rule(
        "snr",
        Reason.BACKLIT,
        -1,
        "backlit_snr_accept",
        "backlit_snr_drop",
        phase=LightPhase.NEUTRAL,
        only_if=(_BRIGHT_FRAME,),
    ),
    Rule(
        "eyes_bright_codes",
        Reason.BACKLIT,
        -1,
        "backlit_eyes_accept_codes",
        "backlit_eyes_drop_codes",
        phase=LightPhase.NEUTRAL,
        nan_passes=True,
        only_if=(_WINDOW, _VERY_DARK_FACE, _DULL_FACE, _EYES_WIDE_OPEN, _EYES_SEEN),
    ),
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
    Rule(
        "over_any_share",
        Reason.OVER_EXPOSED,
        1,
        "over_any_warn",
        phase=LightPhase.NEUTRAL,
        nan_passes=True,
    ),
    Rule(
        "over_lit_share",
        Reason.OVER_EXPOSED,
        1,
        "over_lit_accept",
        phase=LightPhase.COLOUR,
        nan_passes=True,
    ),
    Rule("occluded_share", Reason.OCCLUDED, 1, "occluded_accept", nan_passes=True),
    Rule(
        "eyes_contrast",
        Reason.OCCLUDED,
        -1,
        "eyes_contrast_accept",
        phase=LightPhase.NEUTRAL,
        nan_passes=True,
        only_if=(_EYES_OPEN,),
    ),
    Rule("eyes_open_t", Reason.EYES_CLOSED, -1, "eyes_open_accept_t"),
    Rule("mouth_open_t", Reason.MOUTH_OPEN, 1, "mouth_open_accept_t"),
    Rule("ied_px", Reason.FACE_TOO_SMALL, -1, "ied_best_px"),
)
"""All limits, the reason that helps the person most first."""
