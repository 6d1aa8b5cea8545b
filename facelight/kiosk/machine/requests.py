"""Sessions that a program beside the kiosk asks for: begun, refused, withdrawn, out of time."""

from __future__ import annotations

from dataclasses import replace

from facelight.kiosk.machine.effects import DropCapture, Effect, Emit
from facelight.kiosk.machine.moves import Step, entered, notice_scene, to_idle, to_problem
from facelight.kiosk.machine.state import Phase, Problem, SessionState, SessionTerms, Tally

_CAPTURING = frozenset({Phase.NOTICE, Phase.POSITION, Phase.SETTLE, Phase.COLOURS})
_WITHDRAWABLE = _CAPTURING | {Phase.FINISH, Phase.PROBLEM}


def asked_for(state: SessionState, request: SessionTerms, now_ns: int) -> Step:
    """Keep a request until the screen may change, or refuse it at once."""
    why = "out_of_order" if state.lost else "busy"
    if state.phase is not Phase.IDLE or state.lost or state.request is not None:
        return state, (Emit("refused", (("why", why),)),)
    limit_ns = None if request.limit_ms is None else now_ns + request.limit_ms * 1_000_000
    return replace(state, request=request, limit_ns=limit_ns), ()


def began(state: SessionState, request: SessionTerms, now_ns: int) -> Step:
    """Show the notice of a requested session, whether somebody is there or not."""
    offered = state.options.light and request.light
    fresh = entered(
        state,
        Phase.NOTICE,
        now_ns,
        light=offered,
        offered=offered,
        request=None,
        requested=True,
        unseen=True,
    )
    told = Emit("requested", (("light", offered), ("language", request.language)))
    return fresh, (notice_scene(fresh), told)


def withdrawn(state: SessionState, now_ns: int) -> Step:
    """End a requested session that is not yet being delivered."""
    if state.request is not None:
        dropped = replace(state, request=None, limit_ns=None)
        return dropped, (Emit("refused", (("why", "cancelled"),)),)
    if not state.requested or state.phase not in _WITHDRAWABLE:
        return state, ()
    drop: tuple[Effect, ...] = (DropCapture(),) if state.phase is Phase.FINISH else ()
    idle, effects = to_idle(state, now_ns, "cancelled")
    return idle, (*drop, *effects)


def overdue(state: SessionState, now_ns: int) -> bool:
    """Return whether the time that a program gave is over and the person is not yet captured."""
    late = state.limit_ns is not None and now_ns >= state.limit_ns
    return late and (state.phase in _CAPTURING or (state.phase is Phase.PROBLEM and state.retry))


def timed_out(state: SessionState, now_ns: int) -> Step:
    """Say that it took too long; a problem that is on the screen stays there."""
    if state.phase is Phase.PROBLEM:
        return replace(state, retry=False), ()
    if state.phase is Phase.NOTICE:  # frames of an earlier session explain nothing
        state = replace(state, tally=Tally())
    return to_problem(state, Problem.TIME, now_ns, retry=False)
