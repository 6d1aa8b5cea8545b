"""The measures of a frame in plain words, each with its unit."""

from __future__ import annotations

from typing import Final, NamedTuple


class MeasureText(NamedTuple):
    """What a measure is called, and its unit; empty for a plain ratio."""

    words: str
    unit: str


MEASURE_TEXTS: Final = {
    "face_side_px": MeasureText("size of the face", "px, as if the picture were 1920x1080"),
    "ied_px": MeasureText("distance between the eyes", "px"),
    "margin_left_ied": MeasureText("room left of the face", "distances between the eyes"),
    "margin_right_ied": MeasureText("room right of the face", "distances between the eyes"),
    "margin_above_t": MeasureText("room above the eyes", "distances from eyes to chin"),
    "margin_below_t": MeasureText("room below the eyes", "distances from eyes to chin"),
    "cut_share": MeasureText("part of the face outside the picture", "share of its area"),
    "second_face_ratio": MeasureText("size of a second face", "of this one's area"),
    "yaw_deg": MeasureText("head turned left or right", "degrees"),
    "pitch_deg": MeasureText("head raised or lowered", "degrees"),
    "roll_deg": MeasureText("head tilted to a shoulder", "degrees"),
    "blur_pct": MeasureText("blur of the face", "% of the distance between the eyes"),
    "blur_ratio": MeasureText("blur of the worst direction over the best one's", "times"),
    "noise_codes": MeasureText("noise of the picture", "codes of 0 to 255"),
    "speed_ied_s": MeasureText("speed of the face", "distances between the eyes per second"),
    "over_grey_share": MeasureText("face that is white", "share of its area"),
    "over_any_share": MeasureText("face with a colour at its limit", "share of its area"),
    "over_two_share": MeasureText("face with two colours at their limit", "share of its area"),
    "over_lit_share": MeasureText("face with the lit colour at its limit", "share of its area"),
    "highlight_codes": MeasureText("brightest spots of the face", "codes of 0 to 255"),
    "frame_bright_codes": MeasureText("brightest spots of the picture", "codes of 0 to 255"),
    "face_bright_codes": MeasureText("brightest colour of the face", "codes of 0 to 255"),
    "eyes_bright_codes": MeasureText("brightest colour of the eyes", "codes of 0 to 255"),
    "eyes_contrast": MeasureText("bright over dark in the eyes", "times, in linear light"),
    "contrast_codes": MeasureText("contrast of the face", "codes of 0 to 255"),
    "snr": MeasureText("detail of the face over the noise", "times"),
    "side_light_stops": MeasureText("one cheek brighter than the other", "exposure stops"),
    "luminance": MeasureText("brightness of the face", "of white, in linear light"),
    "eyes_open_t": MeasureText("opening of the eyes", "distances from eyes to chin"),
    "mouth_open_t": MeasureText("opening of the mouth", "distances from eyes to chin"),
    "occluded_share": MeasureText("lower face that is not skin", "share of its area"),
}
"""By column of ``frames.csv``."""
