"""Reasons of the gate in plain words: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from preprocess.reasons import Reason


@dataclass(frozen=True, slots=True)
class ReasonText:
    """What a reason says of the recording, and the cure for the next one."""

    what: str
    cure: str


REASON_TEXTS: Final = {
    Reason.NO_FACE: ReasonText("no face was found", "show one face, upright and uncovered"),
    Reason.UPSIDE_DOWN: ReasonText("the face is upside down", "turn the picture or the camera"),
    Reason.SEVERAL_FACES: ReasonText(
        "a second face is nearly as large", "keep other people out of the picture"
    ),
    Reason.FACE_TOO_SMALL: ReasonText("the face is too small", "come closer to the camera"),
    Reason.FACE_CUT: ReasonText(
        "the face is cut by the picture's edge", "move to the middle, or back a little"
    ),
    Reason.OUT_OF_CROP: ReasonText(
        "the face moved out of the crop", "stay in one place for the whole recording"
    ),
    Reason.NOT_FRONTAL: ReasonText("the head is turned away", "look straight into the camera"),
    Reason.BLURRED: ReasonText("the face is blurred", "clean the lens, focus, add light"),
    Reason.MOVING: ReasonText("the face moves too fast", "hold still"),
    Reason.OVER_EXPOSED: ReasonText(
        "the face is over-exposed", "less light on the face, or a shorter exposure"
    ),
    Reason.UNDER_EXPOSED: ReasonText(
        "the face is under-exposed", "more light on the face, or a longer exposure"
    ),
    Reason.BACKLIT: ReasonText(
        "the light comes from behind", "turn away from the window or lamp behind"
    ),
    Reason.SIDE_LIGHT: ReasonText(
        "the light comes from one side", "turn until both cheeks are lit alike"
    ),
    Reason.EYES_CLOSED: ReasonText("the eyes are closed", "keep the eyes open"),
    Reason.MOUTH_OPEN: ReasonText("the mouth is open", "close the mouth, do not speak"),
    Reason.OCCLUDED: ReasonText("something covers the face", "take off mask, scarf or hand"),
    Reason.UNASSESSABLE: ReasonText(
        "the face could not be measured", "show the whole face, in plain light"
    ),
    Reason.TOO_FEW_FRAMES: ReasonText(
        "too few good frames", "record for longer; other reasons say what spoiled the rest"
    ),
    Reason.TOO_FEW_PER_COLOUR: ReasonText(
        "too few good frames under one of the colours",
        "stay until all colours were shown; other reasons say what spoiled the rest",
    ),
    Reason.TOO_SMALL_FILE: ReasonText(
        "the file is smaller than the service takes", "record for longer, or raise clip.quality"
    ),
    Reason.TOO_LARGE_FILE: ReasonText(
        "the file is larger than the service takes", "lower --target-bytes"
    ),
    Reason.LIGHT_NONE: ReasonText(
        "the screen's light does not show on the face",
        "dim the room, brighten the screen, come closer",
    ),
    Reason.LIGHT_WEAK: ReasonText(
        "the screen's light is weak on the face", "dim the room, brighten the screen"
    ),
    Reason.LIGHT_MISMATCH: ReasonText(
        "the light on the face follows another plan", "check that the sidecar is this video's"
    ),
    Reason.LIGHT_DELAY: ReasonText(
        "screen and camera are further apart than declared", "measure latency_ms of this kiosk"
    ),
    Reason.LIGHT_BACKGROUND: ReasonText(
        "the light shows on the background as much as on the face",
        "show the person, not a screen or print; move the wall behind further away",
    ),
    Reason.STAMPS_IN_DOUBT: ReasonText(
        "the frames' times cannot be true", "record with a camera that stamps each frame"
    ),
    Reason.FACE_LOST: ReasonText(
        "the face was away while the colours were shown", "stay until all colours were shown"
    ),
    Reason.FACE_CHANGED: ReasonText(
        "another face came while the colours were shown", "one person for the whole recording"
    ),
}


def reason_text(reason: str) -> ReasonText:
    """Return the words of a reason; one that is not known here is its own name."""
    try:
        return REASON_TEXTS[Reason(reason)]
    except (ValueError, KeyError):
        return ReasonText(reason.replace("_", " "), "see the report of the session")


CONSEQUENCES: Final = frozenset({Reason.TOO_FEW_FRAMES, Reason.TOO_FEW_PER_COLOUR})
"""What follows where something else spoiled the frames; to record for longer is no cure then."""


def words_of(reasons: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong and what to do, of the reasons that decided: the first two."""
    causes = [reason for reason in reasons if reason not in CONSEQUENCES] or reasons
    texts = [reason_text(reason) for reason in causes[:2]]
    what = "; ".join(text.what for text in texts)
    return what, "; ".join(dict.fromkeys(text.cure for text in texts))
