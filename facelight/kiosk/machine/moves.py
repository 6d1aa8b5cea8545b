"""The moves of the session state machine: each enters a phase and returns what that takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from facelight.kiosk.machine.effects import (
    CloseSession,
    DropCapture,
    Effect,
    Emit,
    FinishClip,
    OpenSession,
    ShowScene,
    StopLight,
    UnlockCamera,
)
from facelight.kiosk.machine.hints import TALLIED, cause_of, common_reasons, wanted_hints
from facelight.kiosk.machine.presence import lasted
from facelight.kiosk.machine.state import (
    ButtonAction,
    Hint,
    Phase,
    Problem,
    Result,
    SessionState,
    Tally,
    View,
)
from preprocess.reasons import Reason

_EXPLAINED = frozenset({Problem.TIME, Problem.QUALITY})
"""Problems that have one of several causes; the others say what happened."""

Step: TypeAlias = tuple[SessionState, tuple[Effect, ...]]


def given_up(state: SessionState) -> tuple[Effect, ...]:
    """Return what undoes the phase: light off first, then camera and frames."""
    if state.phase is Phase.COLOURS:
        return (StopLight(), DropCapture(), UnlockCamera())
    return (UnlockCamera(),) if state.phase is Phase.SETTLE else ()


def closed(state: SessionState, outcome: str) -> tuple[Effect, ...]:
    """Return what ends the person's session, if one was opened."""
    return (CloseSession(outcome),) if state.open else ()


def entered(state: SessionState, phase: Phase, now_ns: int, **changes: object) -> SessionState:
    """Return the state at the start of a phase; answers to the work of the last are void."""
    fresh = replace(state, phase=phase, since_ns=now_ns, job=state.job + 1, hint=None)
    if phase in TALLIED:
        fresh = replace(fresh, stale=frozenset(), tally=Tally())
    return replace(fresh, **changes)  # type: ignore[arg-type]


def to_idle(state: SessionState, now_ns: int, outcome: str, *, again: bool = False) -> Step:
    """Let the person go; ``again``: who stays may begin anew without stepping away first."""
    effects = (*given_up(state), *closed(state, outcome))
    quiet = entered(
        state,
        Phase.IDLE,
        now_ns,
        attempt=0,
        open=False,
        armed=again or state.seen_since_ns is None,
        light=state.options.light,
        offered=state.options.light,
        requested=False,
        unseen=False,
        limit_ns=None,
    )
    return quiet, (*effects, idle_scene(quiet), Emit("idle", (("after", outcome),)))


def idle_scene(state: SessionState) -> ShowScene:
    """Return the welcome, or that the kiosk is out of order."""
    if state.lost:
        return ShowScene(View.OUT_OF_ORDER)
    by_hand = state.options.start != "request"
    return ShowScene(View.IDLE, choices=(ButtonAction.START,) if by_hand else ())


def to_problem(
    state: SessionState,
    problem: Problem,
    now_ns: int,
    *,
    retry: bool = True,
    reasons: tuple[Reason, ...] = (),
) -> Step:
    """Stop at once, say why, and go on with another attempt where that makes sense.

    Parameters
    ----------
    reasons : of a rejected clip; else what the frames of this phase had in common.
    """
    retry = retry and state.attempt < state.options.attempts
    cause = cause_of(state.tally, reasons) if problem in _EXPLAINED else None
    shown = ShowScene(View.RETRY if retry else View.STOPPED, problem=problem, cause=cause)
    told = Emit(
        "problem",
        (
            ("problem", problem),
            ("attempt", state.attempt),
            ("retry", retry),
            ("reasons", ",".join(reasons or common_reasons(state.tally))),
            ("cause", cause),
        ),
    )
    effects = (*given_up(state), shown, told)
    return entered(state, Phase.PROBLEM, now_ns, retry=retry, outcome=problem.value), effects


def notice_scene(state: SessionState) -> ShowScene:
    """Return the notice, or notice and consent on one page."""
    without = (ButtonAction.NO_LIGHT,) if state.offered else ()
    if state.options.consent:
        choices = (ButtonAction.ACCEPT, *without, ButtonAction.DECLINE)
        return ShowScene(View.CONSENT, choices=choices, light=state.offered)
    choices = (ButtonAction.START, *without, ButtonAction.CANCEL)
    return ShowScene(View.NOTICE, choices=choices, light=state.offered)


def to_ready(state: SessionState, now_ns: int, *, light: bool) -> Step:
    """Open a session for a person who knows what comes, and help to stand right."""
    opened = (Emit("ready", (("light", light),)), OpenSession(light))
    state, effects = to_position(replace(state, light=light, open=True), now_ns)
    return state, (*opened, *effects)


def to_position(state: SessionState, now_ns: int) -> Step:
    """Begin an attempt."""
    fresh = entered(
        state, Phase.POSITION, now_ns, attempt=state.attempt + 1, repeated=False, good_since_ns=None
    )
    shown, effects = hinted(fresh, now_ns)
    return shown, (Emit("position", (("attempt", fresh.attempt),)), *effects)


def hinted(state: SessionState, now_ns: int) -> Step:
    """Show the hint that helps most: at once when none is shown, else after the last had its time.

    A hint that was up for long and cured nothing gives way to the next of those that apply; when
    all have had their turn, they begin anew.
    """
    if state.hint is not None and not lasted(state.hint_ns, now_ns, state.options.hint_ms):
        return state, ()
    wanted = wanted_hints(state) or (state.hint or Hint.STEP_IN,)
    stale = state.stale & frozenset(wanted)
    useless = lasted(state.hint_ns, now_ns, state.options.hint_useless_ms)
    if state.hint in wanted and useless and state.hint is not Hint.GOOD:
        stale |= {state.hint}
    fresh = [hint for hint in wanted if hint not in stale]
    if not fresh:
        fresh = [hint for hint in wanted if hint is not state.hint] or [wanted[0]]
        stale = frozenset(wanted) - set(fresh)
    state = replace(state, stale=stale)
    if fresh[0] is state.hint:
        return state, ()
    shown = ShowScene(View.POSITION, hint=fresh[0], choices=(ButtonAction.CANCEL,))
    told = Emit("hint", (("hint", fresh[0]),))
    return replace(state, hint=fresh[0], hint_ns=now_ns), (shown, told)


def to_notice_again(state: SessionState, now_ns: int) -> Step:
    """Begin with the notice again: who stands here now has neither read nor accepted it."""
    effects = (*closed(state, "someone_else"), notice_scene(state), Emit("someone_else"))
    fresh = entered(state, Phase.NOTICE, now_ns, light=state.offered, open=False, attempt=0)
    return fresh, effects


def to_finish(state: SessionState, now_ns: int) -> Step:
    """End the light and have the clip made."""
    done = entered(state, Phase.FINISH, now_ns)
    dark = (StopLight(),) if state.light else ()
    return done, (
        *dark,
        UnlockCamera(),
        FinishClip(done.job),
        ShowScene(View.FINISH),
        Emit("finish", (("repeated", state.repeated),)),
    )


def result_of(decision: str | None) -> Result:
    """Never tell anybody to be a spoof: the application server knows, the person gets help."""
    if decision is None:
        return Result.SENT
    return Result.REAL if decision.casefold() == "realface" else Result.UNSURE


def to_result(state: SessionState, result: Result, now_ns: int, decision: str | None) -> Step:
    """Show how it ended."""
    told = Emit("result", (("result", result), ("decision", decision), ("attempt", state.attempt)))
    shown = ShowScene(View.RESULT, result=result)
    return entered(state, Phase.RESULT, now_ns, outcome=result.value), (shown, told)
