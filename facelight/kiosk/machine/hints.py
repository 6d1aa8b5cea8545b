"""Which one hint helps a person most."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from facelight.kiosk.machine.events import Observed
from facelight.kiosk.machine.state import Hint
from preprocess.reasons import Reason

HINT_OF_REASON: Mapping[Reason, Hint] = MappingProxyType(
    {
        Reason.NO_FACE: Hint.STEP_IN,
        Reason.SEVERAL_FACES: Hint.ONE_PERSON,
        Reason.FACE_TOO_SMALL: Hint.CLOSER,
        Reason.FACE_CUT: Hint.CENTRE,
        Reason.OUT_OF_CROP: Hint.CENTRE,
        Reason.NOT_FRONTAL: Hint.LOOK,
        Reason.OCCLUDED: Hint.UNCOVER,
        Reason.UNDER_EXPOSED: Hint.MORE_LIGHT,
        Reason.BACKLIT: Hint.BACKLIGHT,
        Reason.OVER_EXPOSED: Hint.LESS_LIGHT,
        Reason.SIDE_LIGHT: Hint.EVEN_LIGHT,
        Reason.EYES_CLOSED: Hint.EYES,
        Reason.MOUTH_OPEN: Hint.MOUTH,
        Reason.BLURRED: Hint.STILL,
        Reason.MOVING: Hint.STILL,
        Reason.UNASSESSABLE: Hint.LOOK,
    }
)
"""Reasons of frames only: those of whole sessions are no hints."""

_RANK = {hint: rank for rank, hint in enumerate(Hint)}


def hint_for(seen: Observed) -> Hint:
    """Return the most useful hint: where to stand, then where to look, light, face, stillness.

    Standing right often cures what comes after it, and never the other way round.
    """
    if seen.faces == 0:
        return Hint.STEP_IN
    if seen.faces > 1:
        return Hint.ONE_PERSON
    if seen.good:
        return Hint.GOOD
    hints = [HINT_OF_REASON[reason] for reason in seen.reasons if reason in HINT_OF_REASON]
    return min(hints, key=_RANK.__getitem__, default=Hint.STILL)
