"""What goes into the session state machine.

The kiosk loop turns what happens into these events, calls ``machine.step.step`` for each of
them and for a ``Tick`` at every refresh, and carries out the effects in order. It decides nothing.

Work that takes time (settling the camera, playing a plan, encoding, delivering) is started by an
effect that carries a ``job`` number; its event carries the same number back. An answer to a job
that the session has given up is ignored: a late worker can never move a session on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from facelight.kiosk.machine.state import ButtonAction, Device, Problem, SessionTerms
from preprocess.reasons import Reason


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; send one at every refresh."""


@dataclass(frozen=True, slots=True)
class Stance:
    """Where the face is in the picture, and how it is held.

    Attributes
    ----------
    left, top, right, bottom : edges of the face as shares of the picture's width and height, origin
        top left, not mirrored.
    turned_deg : the larger of yaw and pitch, without sign.
    tilted_deg : roll, without sign.
    """

    left: float
    top: float
    right: float
    bottom: float
    turned_deg: float = 0.0
    tilted_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Observed:
    """The observer has judged a frame.

    Attributes
    ----------
    faces : faces in the frame that are large enough to be a person at the kiosk.
    good : the live gate (``GateState.good``) is satisfied.
    reasons : of the frame's verdict, or the gate's advice.
    jumped : the face is not where a face can have moved to since the last frame: somebody else.
    stance : where the face is; None where that is not known.
    distant : there is a face, too small to be a person at the kiosk; ``faces`` is 0.
    """

    faces: int
    good: bool = False
    reasons: tuple[Reason, ...] = ()
    jumped: bool = False
    stance: Stance | None = None
    distant: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of the scene on the screen was touched."""

    action: ButtonAction


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device stopped working; reopening it is the kiosk loop's own business."""

    device: Device


@dataclass(frozen=True, slots=True)
class DeviceBack:
    """It works again."""

    device: Device


@dataclass(frozen=True, slots=True)
class CameraSettled:
    """Answer to ``LockCamera``: exposure and white balance stand still, locked or not."""

    job: int
    locked: bool


@dataclass(frozen=True, slots=True)
class LightFinished:
    """Answer to ``StartLight``: the plan ran to the end of its tail and neutral is on the screen.

    ``bad_slots`` are the indices (into the *first* plan's slots) of coloured slots with too few
    good frames; a repeat counts for the slot that it repeats.
    """

    job: int
    bad_slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ClipReady:
    """Answer to ``FinishClip``: the clip, and whether selection, light check and gate take it."""

    job: int
    accepted: bool
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkFailed:
    """Answer to ``FinishClip`` or ``Deliver`` that ended in an error on this device."""

    job: int
    message: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """Answer to ``Deliver``: the service answered; ``decision`` None when it keeps the result."""

    job: int
    decision: str | None


@dataclass(frozen=True, slots=True)
class Spooled:
    """First answer to ``Deliver``: the submission is safe on disk and will be sent."""

    job: int


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """Answer to ``Deliver``: the service cannot be reached now, or refused the submission.

    ``refused`` tells that it refused for good, nothing will be sent again, and what to tell the
    person: `Problem.QUALITY` where other pictures may do better. None: it is kept, if it was
    `Spooled`.
    """

    job: int
    refused: Problem | None = None


@dataclass(frozen=True, slots=True)
class Requested:
    """A program beside the kiosk asks for a session; ``requested`` or ``refused`` is emitted."""

    request: SessionTerms


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """It no longer wants the session that it asked for; one that is being delivered goes on."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """Words are being said, or no longer: pages that go on by themselves wait for their end."""

    so: bool


@dataclass(frozen=True, slots=True)
class Quit:
    """End the kiosk (signal, window closed)."""


Event: TypeAlias = (
    Tick
    | Observed
    | Pressed
    | DeviceLost
    | DeviceBack
    | CameraSettled
    | LightFinished
    | ClipReady
    | WorkFailed
    | Spooled
    | Delivered
    | NotDelivered
    | Requested
    | Withdrawn
    | Speaking
    | Quit
)
