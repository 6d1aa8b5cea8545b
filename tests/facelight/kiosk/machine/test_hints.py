"""Hints get a person to the right place: the first is right, none flaps, failures name a cause."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.display.theme import load_theme
from facelight.config.session_options import SessionOptions
from facelight.kiosk.machine.effects import Emit, ShowScene
from facelight.kiosk.machine.events import ClipReady, LightFinished, Observed, Pressed, Stance, Tick
from facelight.kiosk.machine.hints import HINT_OF_REASON, hints_for, place_hint
from facelight.kiosk.machine.state import ButtonAction, Hint, Phase, Problem, View
from facelight.kiosk.machine.step import begin, step
from facelight.kiosk.screens.scenes import Wording, compose
from facelight.kiosk.screens.texts import language, theme_file
from preprocess.reasons import Reason
from tests.facelight.kiosk.machine.test_step import GOOD, NOBODY, Kiosk

OPTIONS = SessionOptions()
MIDDLE = Stance(0.4, 0.25, 0.6, 0.65)


def at(x: float, y: float, height: float = 0.4) -> Stance:
    """Return a stance with its centre there, in a picture of 16 to 9."""
    width = height * 0.75 * 9 / 16
    return Stance(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def seen(stance: Stance | None, *reasons: Reason) -> Observed:
    return Observed(1, good=not reasons, reasons=reasons, stance=stance)


SITUATIONS = [
    pytest.param(Observed(0, distant=True), Hint.CLOSER, "far", id="too far to be a person"),
    pytest.param(seen(MIDDLE, Reason.FACE_TOO_SMALL), Hint.CLOSER, "far", id="far"),
    pytest.param(seen(at(0.5, 0.5, 0.9)), Hint.STEP_BACK, "close", id="near"),
    pytest.param(
        seen(at(0.5, 0.4, 0.7), Reason.FACE_CUT), Hint.STEP_BACK, "close", id="near and cut"
    ),
    pytest.param(seen(at(0.18, 0.45)), Hint.MOVE_LEFT, "middle", id="at the picture's left"),
    pytest.param(seen(at(0.82, 0.45)), Hint.MOVE_RIGHT, "middle", id="at the picture's right"),
    pytest.param(
        seen(at(0.05, 0.45), Reason.FACE_CUT), Hint.MOVE_LEFT, "middle", id="cut at the left"
    ),
    pytest.param(
        seen(at(0.95, 0.45), Reason.FACE_CUT, Reason.BLURRED), Hint.MOVE_RIGHT, "middle", id="cut"
    ),
    pytest.param(seen(at(0.5, 0.15), Reason.FACE_CUT), Hint.MOVE_DOWN, "middle", id="high"),
    pytest.param(seen(at(0.5, 0.85), Reason.FACE_CUT), Hint.MOVE_UP, "middle", id="low"),
    pytest.param(seen(MIDDLE, Reason.UNDER_EXPOSED), Hint.MORE_LIGHT, "dark", id="dark"),
    pytest.param(seen(MIDDLE, Reason.BACKLIT), Hint.BACKLIGHT, "behind you", id="backlit"),
    pytest.param(seen(MIDDLE, Reason.OVER_EXPOSED), Hint.LESS_LIGHT, "bright", id="bright"),
    pytest.param(
        seen(replace(MIDDLE, turned_deg=28, tilted_deg=6), Reason.NOT_FRONTAL),
        Hint.LOOK,
        "turned",
        id="turned",
    ),
    pytest.param(
        seen(replace(MIDDLE, turned_deg=6, tilted_deg=25), Reason.NOT_FRONTAL),
        Hint.UPRIGHT,
        "tilted",
        id="rolled",
    ),
    pytest.param(seen(MIDDLE, Reason.MOVING, Reason.BLURRED), Hint.STILL, "movement", id="moving"),
    pytest.param(Observed(2), Hint.ONE_PERSON, "More than one", id="a second person"),
]


@pytest.mark.parametrize(("frame", "hint", "_words"), SITUATIONS)
def test_the_first_hint_is_the_right_one(frame: Observed, hint: Hint, _words: str) -> None:
    kiosk = Kiosk()
    kiosk.to_notice()
    kiosk.run(1000, replace(frame, faces=max(frame.faces, 1)))
    kiosk.run(900, frame)
    kiosk.send(Pressed(ButtonAction.START))
    assert (kiosk.state.phase, kiosk.scene.hint) == (Phase.POSITION, hint)


@pytest.mark.slow
@pytest.mark.parametrize(("frame", "hint", "words"), SITUATIONS[1:])
def test_a_failure_names_its_cause_on_the_screen_and_in_the_event(
    frame: Observed, hint: Hint, words: str
) -> None:
    kiosk = Kiosk()
    kiosk.to_notice()
    kiosk.send(Pressed(ButtonAction.START))
    kiosk.run(46_000, frame)
    assert kiosk.scene.problem is Problem.TIME
    said = compose(kiosk.scene, Wording(language("en"), load_theme(theme_file("default")))).body
    assert words in said
    (problem,) = [effect for effect in kiosk.found(Emit) if effect.name == "problem"]
    told = dict(problem.data)
    assert told["cause"] == hint
    assert set(str(told["reasons"]).split(",")) - {""} == set(frame.reasons)


@pytest.mark.parametrize(("frame", "_hint", "_words"), SITUATIONS)
def test_a_cured_position_goes_on_within_two_seconds(
    frame: Observed, _hint: Hint, _words: str
) -> None:
    kiosk = Kiosk()
    kiosk.to_position()
    kiosk.run(1200, frame)
    kiosk.run(2000, replace(GOOD, stance=MIDDLE))
    assert kiosk.state.phase in {Phase.SETTLE, Phase.COLOURS}


def test_a_good_face_beside_the_oval_is_not_good() -> None:
    kiosk = Kiosk()
    kiosk.to_position()
    kiosk.run(3000, seen(at(0.18, 0.45)))
    assert (kiosk.state.phase, kiosk.scene.hint) == (Phase.POSITION, Hint.MOVE_LEFT)


def test_who_stands_right_may_sway_a_little() -> None:
    edge = seen(at(0.5 + OPTIONS.off_centre_share * 1.1, 0.45))
    assert place_hint(edge, OPTIONS, holding=False) is Hint.MOVE_RIGHT
    assert place_hint(edge, OPTIONS, holding=True) is None


def test_single_frames_that_contradict_change_nothing() -> None:
    kiosk = Kiosk()
    kiosk.to_position()
    shown = len(kiosk.found(ShowScene))
    for _ in range(60):
        kiosk.run(120, seen(MIDDLE, Reason.FACE_TOO_SMALL))
        kiosk.run(33, seen(MIDDLE, Reason.OVER_EXPOSED))
    assert kiosk.scene.hint is Hint.CLOSER
    assert len(kiosk.found(ShowScene)) == shown


def test_a_hint_that_cures_nothing_gives_way_to_the_next_and_comes_again() -> None:
    kiosk = Kiosk()
    kiosk.to_position()
    kiosk.run(30_000, seen(MIDDLE, Reason.NOT_FRONTAL, Reason.UNDER_EXPOSED, Reason.MOVING))
    hints = [show.hint for show in kiosk.found(ShowScene) if show.view is View.POSITION]
    assert hints[:5] == [Hint.CLOSER, Hint.LOOK, Hint.MORE_LIGHT, Hint.STILL, Hint.LOOK]


def test_the_only_hint_stays() -> None:
    kiosk = Kiosk()
    kiosk.to_position()
    kiosk.run(30_000, seen(MIDDLE, Reason.FACE_TOO_SMALL))
    assert [s.hint for s in kiosk.found(ShowScene) if s.view is View.POSITION] == [Hint.CLOSER]


frames = st.builds(
    Observed,
    faces=st.integers(0, 2),
    good=st.booleans(),
    reasons=st.lists(st.sampled_from(list(HINT_OF_REASON)), max_size=3, unique=True).map(tuple),
    stance=st.one_of(
        st.none(),
        st.builds(at, st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 1)),
    ),
    distant=st.booleans(),
)


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(5, 200), frames), max_size=120))
def test_whatever_is_seen_hints_change_at_most_once_in_1500_ms(
    course: list[tuple[int, Observed]],
) -> None:
    state, _ = begin(replace(OPTIONS, position_limit_ms=300_000, absent_ms=10_000), 0)
    now_ms, changes = 2000, []
    state, _ = step(state, Pressed(ButtonAction.START), now_ms * 1_000_000)
    state, _ = step(state, Pressed(ButtonAction.START), now_ms * 1_000_000)
    assert state.phase is Phase.POSITION
    for ms, frame in course:
        now_ms += ms
        for event in (frame, Tick()):
            state, effects = step(state, event, now_ms * 1_000_000)
            changes += [now_ms for e in effects if isinstance(e, Emit) and e.name == "hint"]
        if state.phase is not Phase.POSITION:
            break
    assert all(b - a >= 1500 for a, b in pairwise(changes))


@given(frames)
def test_every_frame_that_is_not_good_gets_hints_in_the_order_of_use(frame: Observed) -> None:
    hints = hints_for(frame, OPTIONS, holding=False)
    ranks = [list(Hint).index(hint) for hint in hints]
    assert ranks == sorted(ranks)
    assert frame.good or Hint.GOOD not in hints


def test_a_rejected_clip_says_what_was_wrong_with_the_person() -> None:
    kiosk = Kiosk()
    kiosk.to_colours()
    tilted = seen(replace(MIDDLE, turned_deg=5, tilted_deg=22), Reason.NOT_FRONTAL)
    kiosk.run(3400, tilted)
    kiosk.send(LightFinished(kiosk.state.job))
    reasons = (Reason.NOT_FRONTAL, Reason.TOO_FEW_FRAMES)
    kiosk.send(ClipReady(kiosk.state.job, accepted=False, reasons=reasons))
    assert (kiosk.scene.problem, kiosk.scene.cause) == (Problem.QUALITY, Hint.UPRIGHT)
    (problem,) = [effect for effect in kiosk.found(Emit) if effect.name == "problem"]
    assert dict(problem.data)["reasons"] == "not_frontal,too_few_frames"


def test_too_many_bad_slots_name_what_made_them_bad() -> None:
    kiosk = Kiosk()
    kiosk.to_colours()
    kiosk.run(3400, seen(MIDDLE, Reason.OVER_EXPOSED))
    kiosk.send(LightFinished(kiosk.state.job, (0, 1, 2, 3, 4)))
    assert (kiosk.scene.problem, kiosk.scene.cause) == (Problem.QUALITY, Hint.LESS_LIGHT)


def test_nobody_in_the_picture_is_no_hint_for_the_next_person() -> None:
    kiosk = Kiosk()
    kiosk.to_position()
    kiosk.run(2000, NOBODY)
    assert kiosk.state.phase is Phase.IDLE
    assert kiosk.state.hint is None
