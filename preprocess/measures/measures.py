"""The row of numbers that one frame gives."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isnan, nan
from typing import Final


@dataclass(frozen=True, slots=True)
class Measures:
    """Native values of one frame; NaN = could not be assessed (no face, no light, first frame).

    Attributes
    ----------
    face_side_px : shorter side of the face from brow to chin and ear to ear, scaled to 1920x1080.
    ied_px : inter-eye distance, corrected for yaw.
    margin_left_ied, margin_right_ied : from the outer eye's centre to the frame's edge.
    margin_above_t, margin_below_t : from the eyes to the frame's edge, in eye-to-chin distances.
    cut_share : share of the face oval's area outside the frame.
    second_face_ratio : area of the second face over this one's.
    yaw_deg, pitch_deg, roll_deg : view-relative head pose.
    blur_pct : standard deviation of the blur along its worst direction, % of the IED.
    blur_ratio : worst direction's blur over the best one's; far above 1 hints at motion.
    noise_codes : standard deviation of the noise on the grey patch, codes of 0..255.
    speed_ied_s : median speed of the landmarks, IED a second.
    over_grey_share, over_any_share : share of the face at >= 250 in grey, in any channel.
    over_two_share : share of the face at >= 250 in two channels at once.
    over_lit_share : share of the face at >= 250 in a channel that the screen lights.
    highlight_codes : 99th percentile of gamma-encoded grey on the face.
    frame_bright_codes : 99th percentile of the whole frame's brightest channel.
    face_bright_codes : 99.8th percentile of the face's brightest channel.
    eyes_bright_codes : 95th percentile of the brightest channel between the lids.
    eyes_contrast : bright over dark between the lids, in linear light, of the duller eye.
    contrast_codes : 99th minus 10th percentile of gamma-encoded grey on the face.
    snr : texture of the face over noise.
    side_light_stops : abs(log2) of left over right cheek in linear luminance.
    luminance : mean linear luminance of the face, 0..1.
    eyes_open_t : lid gap of the more closed eye, in eye-to-chin distances.
    mouth_open_t : gap of the inner lips, in eye-to-chin distances.
    occluded_share : share of the lower face whose colour is not this face's skin.
    """

    face_side_px: float = nan
    ied_px: float = nan
    margin_left_ied: float = nan
    margin_right_ied: float = nan
    margin_above_t: float = nan
    margin_below_t: float = nan
    cut_share: float = nan
    second_face_ratio: float = nan
    yaw_deg: float = nan
    pitch_deg: float = nan
    roll_deg: float = nan
    blur_pct: float = nan
    blur_ratio: float = nan
    noise_codes: float = nan
    speed_ied_s: float = nan
    over_grey_share: float = nan
    over_any_share: float = nan
    over_two_share: float = nan
    over_lit_share: float = nan
    highlight_codes: float = nan
    frame_bright_codes: float = nan
    face_bright_codes: float = nan
    eyes_bright_codes: float = nan
    eyes_contrast: float = nan
    contrast_codes: float = nan
    snr: float = nan
    side_light_stops: float = nan
    luminance: float = nan
    eyes_open_t: float = nan
    mouth_open_t: float = nan
    occluded_share: float = nan

    @property
    def has_face(self) -> bool:
        """Whether there was a face to measure: a face always has a size."""
        return not isnan(self.face_side_px)


FIELDS: Final[tuple[str, ...]] = tuple(f.name for f in fields(Measures))
"""Names in column order of ``frames.csv``."""

NO_FACE: Final = Measures()
"""The row of a frame without a face."""
