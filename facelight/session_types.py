"""The words of the session state machine: views, hints, problems, options and its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from capture.options import option


class Action(StrEnum):
    """What a person can touch; the ``action`` of the screen's buttons."""

    START = "start"
    ACCEPT = "accept"
    DECLINE = "decline"
    NO_LIGHT = "no_light"
    CANCEL = "cancel"


class Device(StrEnum):
    """What a session cannot do without."""

    CAMERA = "camera"
    TRACKER = "tracker"
    SCREEN = "screen"
    STORAGE = "storage"


class View(StrEnum):
    """The kiosk's screens; ``facelight.screens`` draws them."""

    IDLE = "idle"
    OUT_OF_ORDER = "out_of_order"
    NOTICE = "notice"
    CONSENT = "consent"
    POSITION = "position"
    SETTLE = "settle"
    LIGHT = "light"
    PLAIN = "plain"
    FINISH = "finish"
    DELIVER = "deliver"
    RESULT = "result"
    RETRY = "retry"
    STOPPED = "stopped"


class Hint(StrEnum):
    """What to tell a person who is not yet right, the most useful first."""

    STEP_IN = "step_in"
    ONE_PERSON = "one_person"
    CLOSER = "closer"
    CENTRE = "centre"
    LOOK = "look"
    UNCOVER = "uncover"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    EVEN_LIGHT = "even_light"
    EYES = "eyes"
    MOUTH = "mouth"
    STILL = "still"
    GOOD = "good"


class Problem(StrEnum):
    """Why an attempt ended without a result."""

    LEFT = "left"
    SECOND = "second"
    MOVED = "moved"
    DEVICE = "device"
    TIME = "time"
    QUALITY = "quality"
    LIGHT = "light"
    INTERNAL = "internal"
    NOT_SENT = "not_sent"
    CANCELLED = "cancelled"


class Result(StrEnum):
    """How a session ended for the person."""

    REAL = "real"
    UNSURE = "unsure"
    SENT = "sent"
    SAVED = "saved"


class Phase(StrEnum):
    """Where a session is; ``IDLE`` alone has no time limit, ``ENDED`` no way out."""

    IDLE = "idle"
    NOTICE = "notice"
    POSITION = "position"
    SETTLE = "settle"
    COLOURS = "colours"
    FINISH = "finish"
    DELIVER = "deliver"
    RESULT = "result"
    PROBLEM = "problem"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How patient and how strict a session is."""

    consent: bool = option(False, unit="", why="the operator's law may ask for a written release")
    light: bool = option(True, unit="", why="off: no colours for anybody, no illumination sent")
    touch_to_start: bool = option(
        False, unit="", why="most kiosks have no touch screen; the notice then goes on by itself"
    )
    seen_ms: int = option(
        500, unit="ms", low=300, high=5000, why="longer than a passer-by's glance"
    )
    absent_ms: int = option(
        1500, unit="ms", low=1000, high=10_000, why="a turned head is not a person who left"
    )
    idle_ms: int = option(
        1000, unit="ms", low=1000, high=10_000, why="screens may not flash by quick touches"
    )
    again_ms: int = option(
        0,
        unit="ms",
        low=0,
        high=3_600_000,
        why="0: who stays after a result starts no new session; tests and demos may",
    )
    notice_ms: int = option(
        5000, unit="ms", low=2000, high=30_000, why="time to read the notice before it goes on"
    )
    consent_limit_ms: int = option(
        90_000, unit="ms", low=10_000, high=600_000, why="time to read and answer"
    )
    position_limit_ms: int = option(
        45_000, unit="ms", low=5000, high=300_000, why="most people stand right within 10 s"
    )
    hint_ms: int = option(
        300, unit="ms", low=300, high=3000, why="a hint that changes faster cannot be read"
    )
    hold_ms: int = option(
        600, unit="ms", low=300, high=5000, why="a good moment is not yet a person who stands still"
    )
    settle_ms: int = option(
        800, unit="ms", low=700, high=5000, why="auto exposure reaches neutral grey within 0.7 s"
    )
    settle_limit_ms: int = option(
        4000, unit="ms", low=1500, high=20_000, why="a camera that refuses a lock goes unlocked"
    )
    lost_ms: int = option(
        100, unit="ms", low=0, high=1000, why="three frames: a tracker may miss one as colours turn"
    )
    moved_ms: int = option(
        250,
        unit="ms",
        low=0,
        high=2000,
        why="a shiver costs a slot; a turn of the head the attempt",
    )
    silent_ms: int = option(
        700,
        unit="ms",
        low=200,
        high=5000,
        why="no judged frame for so long: nobody watches the light",
    )
    light_limit_ms: int = option(
        15_000, unit="ms", low=2000, high=60_000, why="plan and repeat take 6 s with the defaults"
    )
    plain_ms: int = option(
        2500, unit="ms", low=500, high=20_000, why="as many frames without light as with it"
    )
    repeat_slots: int = option(
        3, unit="slots", low=0, high=16, why="more bad slots than this: better begin anew"
    )
    finish_limit_ms: int = option(
        20_000, unit="ms", low=2000, high=120_000, why="encoding runs while capturing; 1 s remains"
    )
    deliver_limit_ms: int = option(
        45_000, unit="ms", low=2000, high=300_000, why="nobody waits longer; the spool goes on"
    )
    result_ms: int = option(5000, unit="ms", low=1500, high=60_000, why="time to read two lines")
    problem_ms: int = option(4000, unit="ms", low=1500, high=60_000, why="time to read two lines")
    attempts: int = option(
        3, unit="attempts", low=1, high=10, why="a session token allows three calls"
    )


@dataclass(frozen=True, slots=True)
class SessionState:
    """Everything a session knows; made by ``facelight.session.begin``, changed only by ``step``.

    Attributes
    ----------
    options : as given to ``begin``.
    phase, since_ns : where it is, and since when; ``now_ns`` is the time of the last step.
    job : number of the latest job; answers to older ones are ignored.
    attempt : 1 for a person's first; 0 in idle.
    light : colours will run in this session.
    armed : idle has been empty of people since the last session.
    lost : devices that do not work.
    seen_since_ns, absent_since_ns : since when somebody, nobody, is there; None if not so.
    crowd_since_ns, moving_since_ns, good_since_ns : since when that is so; None if not so.
    observed_ns : time of the last ``Observed``.
    hint, hint_ns : what position shows, since when; ``wanted`` is what it would show next.
    jumped : the last observation showed somebody else.
    settled : the camera has answered ``LockCamera``.
    spooled : the accepted clip is safe on disk.
    repeated : the repeat of this attempt is used up.
    retry : the problem on the screen is followed by another attempt.
    outcome : how it ended, for the log.
    open : ``OpenSession`` was not yet followed by ``CloseSession``.
    """

    options: SessionOptions
    since_ns: int
    now_ns: int = 0
    phase: Phase = Phase.IDLE
    job: int = 0
    attempt: int = 0
    light: bool = True
    armed: bool = True
    lost: frozenset[Device] = field(default_factory=frozenset)
    seen_since_ns: int | None = None
    absent_since_ns: int | None = None
    crowd_since_ns: int | None = None
    moving_since_ns: int | None = None
    good_since_ns: int | None = None
    observed_ns: int | None = None
    hint: Hint | None = None
    hint_ns: int = 0
    wanted: Hint | None = None
    jumped: bool = False
    settled: bool = False
    spooled: bool = False
    repeated: bool = False
    retry: bool = False
    outcome: str = ""
    open: bool = False
