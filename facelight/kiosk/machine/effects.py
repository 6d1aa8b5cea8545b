"""What comes out of the session state machine; the kiosk loop carries it out, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from facelight.kiosk.machine.state import ButtonAction, Hint, Problem, Result, View


@dataclass(frozen=True, slots=True)
class ShowScene:
    """Show this view from now on; the loop adds preview, progress and the slot's light.

    Attributes
    ----------
    view : which screen.
    hint, problem, result : what it says; None where the view needs none.
    cause : with a problem: the hint that was in the way, to be explained.
    choices : buttons, in reading order; other actions are ignored.
    light : whether a notice announces colours.
    """

    view: View
    hint: Hint | None = None
    problem: Problem | None = None
    result: Result | None = None
    cause: Hint | None = None
    choices: tuple[ButtonAction, ...] = ()
    light: bool = True


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A person is ready: new session id, fresh tracker and gate, the service's session if any.

    ``light`` tells whether colours will run; without, nothing may claim illumination.
    """

    light: bool


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Forget the person: close the tracker, free all frames. ``outcome`` is for the log."""

    outcome: str


@dataclass(frozen=True, slots=True)
class LockCamera:
    """Let exposure and white balance settle on neutral, then lock; answer ``CameraSettled``."""

    job: int


@dataclass(frozen=True, slots=True)
class UnlockCamera:
    """Give the controls back to the camera."""


@dataclass(frozen=True, slots=True)
class StartCapture:
    """Keep frames from here on; a new, empty clip."""


@dataclass(frozen=True, slots=True)
class DropCapture:
    """Stop keeping frames and throw away those kept."""


@dataclass(frozen=True, slots=True)
class StartLight:
    """Play the light; answer ``LightFinished``.

    ``slots`` empty: draw a new plan (``capture.light.plan.make_plan``) and play it. Else: play
    ``capture.light.plan.repeat_plan`` of these slots of it; capture goes on.
    """

    job: int
    slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StopLight:
    """Show neutral at the very next flip, whatever is playing."""


@dataclass(frozen=True, slots=True)
class FinishClip:
    """Stop keeping frames; select, encode and judge; answer ``ClipReady`` or ``WorkFailed``."""

    job: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """Spool the accepted clip (answer ``Spooled``), then send it.

    The second answer is ``Delivered``, ``NotDelivered`` or ``WorkFailed``. A session that got
    ``Spooled`` and waits in vain tells the person that the pictures are stored.
    """

    job: int


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell an observer (``--events``, log); ``data`` holds plain values by name."""

    name: str
    data: tuple[tuple[str, str | int | float | bool | None], ...] = ()


Effect: TypeAlias = (
    ShowScene
    | OpenSession
    | CloseSession
    | LockCamera
    | UnlockCamera
    | StartCapture
    | DropCapture
    | StartLight
    | StopLight
    | FinishClip
    | Deliver
    | Emit
)
