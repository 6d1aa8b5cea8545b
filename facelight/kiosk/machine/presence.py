"""What a session remembers of the people before it: since when something has been so."""

from __future__ import annotations

from dataclasses import replace

from facelight.kiosk.machine.events import DeviceBack, DeviceLost, Event, Observed, Speaking
from facelight.kiosk.machine.hints import place_hint, remembered
from facelight.kiosk.machine.state import SessionState
from preprocess.reasons import Reason


def lasted(since_ns: int | None, now_ns: int, at_least_ms: int) -> bool:
    """Return whether something that began at ``since_ns`` (None: is not so) lasted long enough."""
    return since_ns is not None and now_ns - since_ns >= at_least_ms * 1_000_000


def read_out(state: SessionState, now_ns: int, at_least_ms: int) -> bool:
    """Return whether a page was up for its time, and what it says was said to the end."""
    if state.speaking and not lasted(state.since_ns, now_ns, state.options.spoken_limit_ms):
        return False
    return lasted(state.since_ns, now_ns, at_least_ms)


def absorbed(state: SessionState, event: Event, now_ns: int) -> SessionState:
    """Return the state with what the event tells about people and devices."""
    if isinstance(event, DeviceLost):
        return replace(state, lost=state.lost | {event.device})
    if isinstance(event, DeviceBack):
        return replace(state, lost=state.lost - {event.device})
    if isinstance(event, Speaking):
        return replace(state, speaking=event.so)
    if not isinstance(event, Observed):
        return state
    crowd = event.faces > 1 or Reason.SEVERAL_FACES in event.reasons
    moving = event.faces > 0 and Reason.MOVING in event.reasons
    state = remembered(state, event, now_ns)
    holding = state.good_since_ns is not None
    placed = place_hint(event, state.options, holding=holding) is None
    good = event.good and placed and event.faces == 1 and not event.jumped
    return replace(
        state,
        observed_ns=now_ns,
        seen_since_ns=_since(state.seen_since_ns, now_ns, so=event.faces > 0),
        absent_since_ns=_since(state.absent_since_ns, now_ns, so=event.faces == 0),
        crowd_since_ns=_since(state.crowd_since_ns, now_ns, so=crowd),
        moving_since_ns=_since(state.moving_since_ns, now_ns, so=moving),
        good_since_ns=_since(state.good_since_ns, now_ns, so=good),
        jumped=event.jumped,
    )


def _since(before_ns: int | None, now_ns: int, *, so: bool) -> int | None:
    if not so:
        return None
    return now_ns if before_ns is None else before_ns
