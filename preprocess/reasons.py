"""Why a frame or a session is turned away; one word each, the same from gate to result.json."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Reasons of frames first, then of whole sessions."""

    NO_FACE = "no_face"
    UPSIDE_DOWN = "upside_down"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_CUT = "face_cut"
    OUT_OF_CROP = "out_of_crop"
    NOT_FRONTAL = "not_frontal"
    BLURRED = "blurred"
    MOVING = "moving"
    OVER_EXPOSED = "over_exposed"
    UNDER_EXPOSED = "under_exposed"
    BACKLIT = "backlit"
    SIDE_LIGHT = "side_light"
    EYES_CLOSED = "eyes_closed"
    MOUTH_OPEN = "mouth_open"
    OCCLUDED = "occluded"
    UNASSESSABLE = "unassessable"

    TOO_FEW_FRAMES = "too_few_frames"
    TOO_FEW_PER_COLOUR = "too_few_per_colour"
    TOO_SMALL_FILE = "too_small_file"
    TOO_LARGE_FILE = "too_large_file"
    LIGHT_NONE = "light_none"
    LIGHT_WEAK = "light_weak"
    LIGHT_MISMATCH = "light_mismatch"
    LIGHT_DELAY = "light_delay"
    LIGHT_BACKGROUND = "light_background"
    STAMPS_IN_DOUBT = "stamps_in_doubt"
    FACE_LOST = "face_lost"
    FACE_CHANGED = "face_changed"
