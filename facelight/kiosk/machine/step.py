"""The course of a session as a pure function: ``step(state, event, now) -> (state, effects)``.

::

    idle -> notice (consent) -> position -> settle -> colours -> finish -> deliver -> result -> idle
                 any of them -> problem -> position (another attempt) or idle

What always holds, whatever the events (its tests try to break it):

- ``Deliver`` follows only a ``ClipReady`` that is accepted and answers the latest ``FinishClip``.
- Every phase but idle ends by itself, with ``Tick`` alone.
- Whoever leaves ``colours`` stops the light, gives the camera back and finishes or drops the clip.
- Between a stop of the light and its next start lie at least ``hold_ms`` + ``settle_ms``.
- Each ``Requested`` is answered by ``requested`` or ``refused``, and a requested session ends as
  every other does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from facelight.config.session_options import SessionOptions
from facelight.kiosk.machine.effects import (
    Deliver,
    DropCapture,
    Effect,
    Emit,
    LockCamera,
    ShowScene,
    StartCapture,
    StartLight,
)
from facelight.kiosk.machine.events import (
    CameraSettled,
    ClipReady,
    Delivered,
    DeviceBack,
    DeviceLost,
    Event,
    LightFinished,
    NotDelivered,
    Observed,
    Pressed,
    Quit,
    Requested,
    Spooled,
    Withdrawn,
    WorkFailed,
)
from facelight.kiosk.machine.hints import common_reasons
from facelight.kiosk.machine.moves import (
    Step,
    closed,
    entered,
    given_up,
    hinted,
    idle_scene,
    notice_scene,
    result_of,
    to_finish,
    to_idle,
    to_notice_again,
    to_position,
    to_problem,
    to_ready,
    to_result,
)
from facelight.kiosk.machine.presence import absorbed, lasted, read_out
from facelight.kiosk.machine.requests import asked_for, began, overdue, timed_out, withdrawn
from facelight.kiosk.machine.state import ButtonAction, Phase, Problem, Result, SessionState, View
from preprocess.reasons import Reason

_LIGHT_REASONS = frozenset(
    {
        Reason.LIGHT_NONE,
        Reason.LIGHT_WEAK,
        Reason.LIGHT_MISMATCH,
        Reason.LIGHT_DELAY,
        Reason.LIGHT_BACKGROUND,
        Reason.STAMPS_IN_DOUBT,
    }
)
_BEFORE_CLIP = frozenset({Phase.NOTICE, Phase.POSITION, Phase.SETTLE, Phase.COLOURS})


def begin(options: SessionOptions, now_ns: int) -> Step:
    """Return the state of a kiosk that waits for people, and the effects that show it."""
    state = SessionState(
        options=options, since_ns=now_ns, light=options.light, offered=options.light
    )
    return state, (idle_scene(state), Emit("idle"))


def step(state: SessionState, event: Event, now_ns: int) -> Step:
    """Return what an event at ``now_ns`` (session clock) makes of a state, and what to do.

    Time that goes back is taken as no time: ``now_ns`` below the last one changes nothing else.
    """
    now_ns = max(now_ns, state.now_ns)
    state = absorbed(replace(state, now_ns=now_ns), event, now_ns)
    if state.phase is Phase.ENDED:
        return state, ()
    anywhere = _in_any_phase(state, event, now_ns)
    return anywhere if anywhere is not None else _HANDLERS[state.phase](state, event, now_ns)


def _in_any_phase(state: SessionState, event: Event, now_ns: int) -> Step | None:
    """Return what an event means wherever the session is; None where the phase decides."""
    made: Step | None = None
    if isinstance(event, Quit):
        made = _ended(state, now_ns)
    elif isinstance(event, DeviceLost | DeviceBack):
        made = _device_changed(state, event, now_ns)
    elif isinstance(event, Pressed) and event.action in (ButtonAction.CANCEL, ButtonAction.DECLINE):
        made = _cancelled(state, event.action, now_ns)
    elif isinstance(event, Requested):
        made = asked_for(state, event.request, now_ns)
    elif isinstance(event, Withdrawn):
        made = withdrawn(state, now_ns)
    elif overdue(state, now_ns):
        made = timed_out(state, now_ns)
    return made


def _ended(state: SessionState, now_ns: int) -> Step:
    effects = (*given_up(state), *closed(state, "quit"), Emit("quit"))
    return entered(state, Phase.ENDED, now_ns, open=False), effects


def _device_changed(state: SessionState, event: DeviceLost | DeviceBack, now_ns: int) -> Step:
    lost = isinstance(event, DeviceLost)
    told = Emit("device_lost" if lost else "device_back", (("device", event.device),))
    if state.phase is Phase.IDLE:
        return state, (told, idle_scene(state))
    if lost and state.phase in _BEFORE_CLIP:
        state, effects = to_problem(state, Problem.DEVICE, now_ns, retry=False)
        return state, (told, *effects)
    return state, (told,)


def _cancelled(state: SessionState, action: ButtonAction, now_ns: int) -> Step:
    if state.phase not in _BEFORE_CLIP:
        return state, ()
    name = "declined" if action is ButtonAction.DECLINE else "cancelled"
    return to_idle(state, now_ns, name)


def _in_idle(state: SessionState, event: Event, now_ns: int) -> Step:
    options = state.options
    if state.request is not None and state.lost:
        refused = Emit("refused", (("why", "out_of_order"),))
        return replace(state, request=None, limit_ns=None), (refused,)
    if state.lost or not lasted(state.since_ns, now_ns, options.idle_ms):
        return state, ()
    if state.request is not None:
        return began(state, state.request, now_ns)
    if options.start == "request":
        return state, ()
    pressed = isinstance(event, Pressed) and event.action is ButtonAction.START
    empty = lasted(state.absent_since_ns, now_ns, options.absent_ms)
    if empty or (options.again_ms and lasted(state.since_ns, now_ns, options.again_ms)):
        state = replace(state, armed=True)
    seen = state.armed and lasted(state.seen_since_ns, now_ns, options.seen_ms)
    if not (pressed or (seen and options.start == "presence")):
        return state, ()
    effects = (notice_scene(state), Emit("person_seen", (("touched", pressed),)))
    return entered(state, Phase.NOTICE, now_ns, light=options.light), effects


def _in_notice(state: SessionState, event: Event, now_ns: int) -> Step:
    options = state.options
    waits = options.consent or options.touch_to_start
    wanted = ButtonAction.ACCEPT if options.consent else ButtonAction.START
    if isinstance(event, Pressed) and event.action in (wanted, ButtonAction.NO_LIGHT):
        light = state.offered and event.action is not ButtonAction.NO_LIGHT
        return to_ready(replace(state, unseen=False), now_ns, light=light)
    if state.unseen:
        return _awaited(state, now_ns)
    if lasted(state.absent_since_ns, now_ns, options.absent_ms):
        return to_idle(state, now_ns, "left")
    if waits and lasted(state.since_ns, now_ns, options.consent_limit_ms):
        return to_idle(state, now_ns, "no_answer")
    if not waits and read_out(state, now_ns, options.notice_ms):
        return to_ready(state, now_ns, light=state.offered)
    return state, ()


def _awaited(state: SessionState, now_ns: int) -> Step:
    """Keep the notice up until somebody has come to a requested session: then it is read anew."""
    if lasted(state.seen_since_ns, now_ns, state.options.seen_ms):
        seen = replace(state, unseen=False, since_ns=now_ns)
        return seen, (Emit("person_seen", (("touched", False),)),)
    if lasted(state.since_ns, now_ns, state.options.consent_limit_ms):
        return to_idle(state, now_ns, "no_answer")
    return state, ()


def _in_position(state: SessionState, event: Event, now_ns: int) -> Step:
    options = state.options
    if lasted(state.absent_since_ns, now_ns, options.absent_ms):
        return to_idle(state, now_ns, "left")
    if lasted(state.since_ns, now_ns, options.position_limit_ms):
        return to_problem(state, Problem.TIME, now_ns, retry=False)
    if isinstance(event, Observed) and event.jumped:
        return to_notice_again(state, now_ns)
    if lasted(state.good_since_ns, now_ns, options.hold_ms) and _watched(state, now_ns):
        settling = entered(state, Phase.SETTLE, now_ns, settled=False)
        lock = LockCamera(settling.job)
        return settling, (ShowScene(View.SETTLE), lock, Emit("settle"))
    return hinted(state, now_ns)


def _in_settle(state: SessionState, event: Event, now_ns: int) -> Step:
    options = state.options
    wrong = _interruption(state, now_ns)
    if wrong is not None:
        return to_problem(state, wrong, now_ns, retry=not state.jumped)
    told: tuple[Effect, ...] = ()
    if isinstance(event, CameraSettled) and event.job == state.job:
        state = replace(state, settled=True)
        told = (Emit("camera", (("locked", event.locked),)),)
    waited = lasted(state.since_ns, now_ns, options.settle_ms)
    if waited and (state.settled or lasted(state.since_ns, now_ns, options.settle_limit_ms)):
        lit = entered(state, Phase.COLOURS, now_ns)
        start: tuple[Effect, ...] = (StartCapture(), ShowScene(View.PLAIN))
        if state.light:
            start = (StartCapture(), ShowScene(View.LIGHT), StartLight(lit.job))
        return lit, (*told, *start, Emit("capture", (("light", state.light),)))
    return state, told


def _in_colours(state: SessionState, event: Event, now_ns: int) -> Step:
    wrong = _interruption(state, now_ns)
    if wrong is not None:
        return to_problem(state, wrong, now_ns, retry=not state.jumped)
    if not state.light:
        if lasted(state.since_ns, now_ns, state.options.plain_ms):
            return to_finish(state, now_ns)
        return state, ()
    if isinstance(event, LightFinished) and event.job == state.job:
        return _after_light(state, event.bad_slots, now_ns)
    if lasted(state.since_ns, now_ns, state.options.light_limit_ms):
        return to_problem(state, Problem.INTERNAL, now_ns)
    return state, ()


def _after_light(state: SessionState, bad_slots: tuple[int, ...], now_ns: int) -> Step:
    """Repeat a few bad slots once; with more, begin anew; what is left the clip's gate judges."""
    if not bad_slots or state.repeated:
        return to_finish(state, now_ns)
    if len(bad_slots) > state.options.repeat_slots:
        # good frames and too few of them: a machine, camera or screen that does not keep up
        reasons = common_reasons(state.tally) or (Reason.TOO_FEW_PER_COLOUR,)
        return to_problem(state, Problem.QUALITY, now_ns, reasons=reasons)
    again = replace(state, job=state.job + 1, repeated=True)
    told = Emit("repeat", (("slots", ",".join(map(str, bad_slots))),))
    return again, (StartLight(again.job, bad_slots), told)


def _in_finish(state: SessionState, event: Event, now_ns: int) -> Step:
    if isinstance(event, ClipReady) and event.job == state.job:
        told = Emit("clip", (("accepted", event.accepted), ("reasons", ",".join(event.reasons))))
        if event.accepted:
            sent = entered(state, Phase.DELIVER, now_ns, spooled=False)
            return sent, (told, ShowScene(View.DELIVER), Deliver(sent.job))
        light = any(reason in _LIGHT_REASONS for reason in event.reasons)
        problem = Problem.LIGHT if light else Problem.QUALITY
        state, effects = to_problem(state, problem, now_ns, reasons=event.reasons)
        return state, (told, *effects)
    failed = isinstance(event, WorkFailed) and event.job == state.job
    if failed or lasted(state.since_ns, now_ns, state.options.finish_limit_ms):
        state, effects = to_problem(state, Problem.INTERNAL, now_ns)
        return state, (DropCapture(), *effects)
    return state, ()


def _in_deliver(state: SessionState, event: Event, now_ns: int) -> Step:
    if isinstance(event, Delivered) and event.job == state.job:
        return to_result(state, result_of(event.decision), now_ns, event.decision)
    if isinstance(event, Spooled) and event.job == state.job:
        return replace(state, spooled=True), ()
    if isinstance(event, NotDelivered) and event.job == state.job and event.refused is not None:
        again = event.refused is Problem.QUALITY
        return to_problem(state, event.refused, now_ns, retry=again)
    lost = isinstance(event, NotDelivered | WorkFailed) and event.job == state.job
    if lost or lasted(state.since_ns, now_ns, state.options.deliver_limit_ms):
        if state.spooled:
            return to_result(state, Result.SAVED, now_ns, None)
        return to_problem(state, Problem.NOT_SENT, now_ns, retry=False)
    return state, ()


def _in_result(state: SessionState, event: Event, now_ns: int) -> Step:  # noqa: ARG001
    if read_out(state, now_ns, state.options.result_ms):
        return to_idle(state, now_ns, state.outcome)
    return state, ()


def _in_problem(state: SessionState, event: Event, now_ns: int) -> Step:  # noqa: ARG001
    if not read_out(state, now_ns, state.options.problem_ms):
        return state, ()
    gone = lasted(state.absent_since_ns, now_ns, state.options.absent_ms)
    if state.retry and not gone and not state.lost:
        return to_position(state, now_ns)
    return to_idle(state, now_ns, state.outcome, again=state.outcome == Problem.DEVICE)


def _interruption(state: SessionState, now_ns: int) -> Problem | None:
    """Return why settling or colours must stop now, if they must."""
    options = state.options
    if lasted(state.absent_since_ns, now_ns, options.lost_ms) or state.jumped:
        return Problem.LEFT
    if lasted(state.crowd_since_ns, now_ns, options.lost_ms):
        return Problem.SECOND
    if lasted(state.moving_since_ns, now_ns, options.moved_ms):
        return Problem.MOVED
    return None if _watched(state, now_ns) else Problem.DEVICE


def _watched(state: SessionState, now_ns: int) -> bool:
    return state.observed_ns is not None and not lasted(
        state.observed_ns, now_ns, state.options.silent_ms
    )


_HANDLERS: dict[Phase, Callable[[SessionState, Event, int], Step]] = {
    Phase.IDLE: _in_idle,
    Phase.NOTICE: _in_notice,
    Phase.POSITION: _in_position,
    Phase.SETTLE: _in_settle,
    Phase.COLOURS: _in_colours,
    Phase.FINISH: _in_finish,
    Phase.DELIVER: _in_deliver,
    Phase.RESULT: _in_result,
    Phase.PROBLEM: _in_problem,
}
