"""All measures of a frame in one go: one patch, one grey image, one noise estimate."""

from __future__ import annotations

import math

import numpy as np

from capture.frame import Frame
from capture.light.illumination import Rgb
from preprocess.face.face import Face
from preprocess.measures import exposure, eyes_light, eyes_mouth, occlusion, sharpness, size_margins
from preprocess.measures.measures import NO_FACE, Measures
from preprocess.measures.motion import SpeedMeter
from preprocess.measures.patch import face_patch


class Measurer:
    """Measures the frames of one session in order; only the speed remembers."""

    def __init__(self, *, grey: bool = False) -> None:
        """Start without frames; ``grey`` leaves out what needs colours (an infrared camera)."""
        self._grey = grey
        self._speed = SpeedMeter()

    def reset(self) -> None:
        """Forget the frames before."""
        self._speed.reset()

    def measure(self, frame: Frame, face: Face | None, lit: Rgb | None = None) -> Measures:
        """Return the measures of a frame, ``NO_FACE`` without a face.

        Parameters
        ----------
        frame : the full frame.
        face : its largest face.
        lit : sRGB of the clean colour on the screen; None in neutral, transition or no light.
        """
        if face is None:
            self._speed.reset()
            return NO_FACE
        patch = face_patch(frame.pixels, face.landmarks_px)
        grey = patch.grey()
        noise = sharpness.noise_codes(grey, patch.core)
        # grey weighs a lit channel by as little as .11 and quantises its edges away
        edges = patch.brightest_codes.astype(np.float32) if lit else grey
        blur = sharpness.edge_blur(edges, patch.core, noise, patch.scale)
        left, right, above, below = size_margins.frame_margins(face, frame.size_wh)
        over_grey, over_any, over_two = exposure.clipped_shares(patch)
        contrast, highlight = exposure.tones_codes(patch)
        eyes_contrast, eyes_bright = eyes_light.eyes_light(patch)
        if self._grey:
            over_any = over_two = math.nan
        return Measures(
            face_side_px=size_margins.face_side_px(face, frame.size_wh),
            ied_px=size_margins.corrected_ied_px(face),
            margin_left_ied=left,
            margin_right_ied=right,
            margin_above_t=above,
            margin_below_t=below,
            cut_share=size_margins.cut_share(face.landmarks_px, frame.size_wh),
            second_face_ratio=face.second_face_ratio,
            yaw_deg=face.pose.yaw_deg,
            pitch_deg=face.pose.pitch_deg,
            roll_deg=face.pose.roll_deg,
            blur_pct=blur.blur_pct,
            blur_ratio=blur.blur_ratio,
            noise_codes=noise,
            speed_ied_s=self._speed.add(frame.t_frame_ns, face.landmarks_px),
            over_grey_share=over_grey,
            over_any_share=over_any,
            over_two_share=over_two,
            over_lit_share=exposure.lit_clipped_share(patch, lit) if lit else math.nan,
            highlight_codes=highlight,
            frame_bright_codes=exposure.frame_bright_codes(frame.pixels),
            face_bright_codes=exposure.face_bright_codes(patch),
            eyes_bright_codes=eyes_bright,
            eyes_contrast=eyes_contrast,
            contrast_codes=contrast,
            snr=exposure.snr(patch, grey, noise),
            side_light_stops=exposure.side_light_stops(patch),
            luminance=exposure.luminance(patch),
            eyes_open_t=eyes_mouth.eyes_open_t(face.landmarks_px),
            mouth_open_t=eyes_mouth.mouth_open_t(face.landmarks_px),
            occluded_share=math.nan if self._grey else occlusion.occluded_share(patch),
        )
