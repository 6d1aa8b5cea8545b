"""Why a frame without a face may be one: a covered lens, a dark room, a flooded sensor."""

from __future__ import annotations

import numpy as np

from capture.frame import ImageU8
from preprocess.reasons import Reason

STEP_PX = 8
BLACK_CODES = 24
"""Own cut: nothing in the frame reaches a twentieth of white's code; no face could be found."""
WHITE_CODES = 250
"""The clipping code of the exposure measures."""


def blank_reason(pixels: ImageU8) -> Reason | None:
    """Return what a whole frame without a face is too much of, None for an ordinary picture.

    Judges frames in which no face was found and only those: with a face, exposure is judged on the
    face by contrast, never by absolute luminance.

    Parameters
    ----------
    pixels : (H, W, 3) uint8, BGR.
    """
    green = pixels[::STEP_PX, ::STEP_PX, 1]
    if float(np.percentile(green, 99)) <= BLACK_CODES:
        return Reason.UNDER_EXPOSED
    if float(np.percentile(green, 1)) >= WHITE_CODES:
        return Reason.OVER_EXPOSED
    return None
