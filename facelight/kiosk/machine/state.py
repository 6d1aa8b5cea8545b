"""The words of the session state machine: views, hints, problems and its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from facelight.config.session_options import SessionOptions
from preprocess.reasons import Reason


class ButtonAction(StrEnum):
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
    """The kiosk's screens; ``facelight.kiosk.screens.scenes`` draws them."""

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
    """What to tell a person who is not yet right, the most useful first.

    Left, right, up and down are the person's own, as in a mirror.
    """

    STEP_IN = "step_in"
    ONE_PERSON = "one_person"
    CLOSER = "closer"
    STEP_BACK = "step_back"
    MOVE_LEFT = "move_left"
    MOVE_RIGHT = "move_right"
    MOVE_UP = "move_up"
    MOVE_DOWN = "move_down"
    CENTRE = "centre"
    UPRIGHT = "upright"
    LOOK = "look"
    UNCOVER = "uncover"
    MORE_LIGHT = "more_light"
    BACKLIGHT = "backlight"
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
class SessionTerms:
    """What a program beside the kiosk wants of a session.

    Attributes
    ----------
    light : False: no colours for this person; True: as the settings say, and the person may refuse.
    limit_ms : the person must be captured within this time; None: each phase's own limit.
    language : code of an offered language to begin in; None: the kiosk's own.
    """

    light: bool = True
    limit_ms: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What was wrong with the frames seen so far, and how often.

    Attributes
    ----------
    frames : how many were seen.
    hints : how often each hint was the most useful one, `Hint.GOOD` among them.
    reasons : how often each reason was given.
    """

    frames: int = 0
    hints: tuple[tuple[Hint, int], ...] = ()
    reasons: tuple[tuple[Reason, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SessionState:
    """Everything a session knows; made by ``step.begin``, changed only by ``step.step``.

    Attributes
    ----------
    options : as given to ``begin``.
    phase, since_ns : where it is, and since when; ``now_ns`` is the time of the last step.
    job : number of the latest job; answers to older ones are ignored.
    attempt : 1 for a person's first; 0 in idle.
    light : colours will run in this session.
    offered : colours may run in this session, if the person does not refuse them.
    request : asked for, and to begin as soon as the screen may change; None: nothing is.
    requested : this session was asked for by a program.
    unseen : nobody has come to a requested session yet.
    limit_ns : when a requested session must be captured; None: no such limit.
    armed : idle has been empty of people since the last session.
    lost : devices that do not work.
    seen_since_ns, absent_since_ns : since when somebody, nobody, is there; None if not so.
    crowd_since_ns, moving_since_ns, good_since_ns : since when that is so; None if not so.
    observed_ns : time of the last ``Observed``.
    hint, hint_ns : what position shows, since when.
    recent : time in ns and hints of the observations of the last moments.
    stale : hints that were shown for long and cured nothing.
    tally : what was wrong with the frames of this phase.
    jumped : the last observation showed somebody else.
    speaking : words of the page on the screen are being said.
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
    offered: bool = True
    request: SessionTerms | None = None
    requested: bool = False
    unseen: bool = False
    limit_ns: int | None = None
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
    recent: tuple[tuple[int, tuple[Hint, ...]], ...] = ()
    stale: frozenset[Hint] = field(default_factory=frozenset)
    tally: Tally = field(default_factory=Tally)
    jumped: bool = False
    speaking: bool = False
    settled: bool = False
    spooled: bool = False
    repeated: bool = False
    retry: bool = False
    outcome: str = ""
    open: bool = False
