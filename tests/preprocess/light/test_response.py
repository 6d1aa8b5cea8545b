"""The verdict on a session's light."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from capture.light.illumination import Flip
from capture.light.timeline import Timeline, Timing
from preprocess.light.errors import LightError
from preprocess.light.options import ResponseOptions
from preprocess.light.response import respond
from preprocess.light.verdict import LightState
from preprocess.reasons import Reason
from tests.preprocess.lit import SIX, Light, lit, timeline_of

MS = 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "light",
    [
        pytest.param(Light(), id="ordinary"),
        pytest.param(Light(f=0.6), id="strong"),
        pytest.param(Light(f=0.05), id="faint"),
        pytest.param(Light(fps=15), id="15 fps"),
        pytest.param(Light(fps=60), id="60 fps"),
        pytest.param(Light(drop=0.2), id="a fifth dropped"),
        pytest.param(Light(gain=0.3), id="exposure hunts"),
        pytest.param(Light(background=False), id="no background"),
        pytest.param(Light(noise=0.015), id="noisy"),
        pytest.param(Light(latency_ms=240), id="late"),
    ],
)
def test_a_lit_face_is_seen_and_its_delay_found(light: Light) -> None:
    found = respond(lit(SIX, light), timeline_of(SIX, light))
    assert found.state in {LightState.OK, LightState.WEAK}
    assert found.delay_ns is not None
    assert found.delay_ns / MS == pytest.approx(light.latency_ms, abs=12)
    assert found.strength == pytest.approx(light.f, rel=0.35)
    assert not found.delay_disagrees


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(("Blue", "Green", "Red", "Green", "Blue", "Red"), id="names exchanged"),
        pytest.param(("Blue", "Red", "Green", "Blue", "Green", "Red"), id="another order"),
        pytest.param(("Red", "Green", "Blue", "Green", "Blue", "Red"), id="two slots swapped"),
        pytest.param(("Green", "Blue", "Green", "Red", "Blue", "Red"), id="moved along"),
    ],
)
@pytest.mark.parametrize("f", [0.06, 0.3])
def test_another_sequence_is_a_mismatch(shown: tuple[str, ...], f: float) -> None:
    found = respond(lit(shown, Light(f=f)), timeline_of())
    assert found.state is LightState.MISMATCH
    assert found.reasons == (Reason.LIGHT_MISMATCH,)
    assert found.strength == 0.0


@pytest.mark.parametrize("f", [0.06, 0.3])
@pytest.mark.parametrize("seed", [1, 2])
def test_another_rhythm_is_a_mismatch(f: float, seed: int) -> None:
    samples = lit(SIX, Light(f=f, dwell_ms=290, seed=seed))
    found = respond(samples, timeline_of(SIX, Light(dwell_ms=470)))
    assert found.state is LightState.MISMATCH


def test_one_switched_lamp_is_a_mismatch() -> None:
    samples = lit(SIX, Light(f=0.0))
    late = [replace(s, face_rgb=(s.face_rgb[0] * 1.2, *s.face_rgb[1:])) for s in samples[70:]]
    assert respond([*samples[:70], *late], timeline_of()).state is LightState.MISMATCH


@pytest.mark.parametrize("seed", range(6))
def test_an_unlit_face_answers_nothing(seed: int) -> None:
    found = respond(lit(SIX, Light(f=0.0, seed=seed)), timeline_of())
    assert found.state is LightState.NONE
    assert found.reasons == (Reason.LIGHT_NONE,)
    assert found.delay_ns is None


def test_a_wrong_declared_delay_is_said_and_right_labels_stay_right() -> None:
    found = respond(lit(SIX, Light(latency_ms=160)), timeline_of(SIX, Light(latency_ms=60)))
    assert found.delay_disagrees
    assert Reason.LIGHT_DELAY in found.reasons
    assert found.state in {LightState.OK, LightState.WEAK}
    assert (found.declared_delay_ns, found.reasons) == (60 * MS, (Reason.LIGHT_DELAY,))


def test_a_known_uncertainty_widens_what_is_tolerated() -> None:
    base = timeline_of(SIX, Light(latency_ms=60))
    unsure = Timeline(base.flips, replace(base.timing, latency_uncertainty_ns=100 * MS))
    assert not respond(lit(SIX, Light(latency_ms=160)), unsure).delay_disagrees


def test_a_background_lit_as_the_face_is_named_and_the_face_still_seen() -> None:
    found = respond(lit(SIX, Light(spill=1.0)), timeline_of())
    assert found.state in {LightState.OK, LightState.WEAK}
    assert found.background_follows
    assert not respond(lit(), timeline_of()).background_follows


def test_little_light_in_a_bright_room_is_too_bright() -> None:
    samples = [
        replace(s, face_rgb=(2.2 * s.face_rgb[0], 2.2 * s.face_rgb[1], 2.2 * s.face_rgb[2]))
        for s in lit(SIX, Light(f=0.02, noise=0.001))
    ]
    found = respond(samples, timeline_of())
    assert found.state is LightState.TOO_BRIGHT
    assert found.reasons == (Reason.LIGHT_WEAK,)


@pytest.mark.parametrize(
    ("share", "state"), [(0.05, LightState.WEAK), (0.4, LightState.SATURATED)], ids=str
)
def test_clipping_spoils_the_verdict_by_degrees(share: float, state: LightState) -> None:
    samples = [replace(s, clipped_share=share) for s in lit()]
    assert respond(samples, timeline_of()).state is state


def test_white_is_told_by_its_luminance() -> None:
    plan = ("Red", "White", "Blue", "White", "Green", "Red")
    assert respond(lit(plan), timeline_of(plan)).state is LightState.OK
    dark = ("Red", None, "Blue", None, "Green", "Red")
    assert respond(lit(dark), timeline_of(plan)).state is LightState.MISMATCH


def test_each_colour_reports_itself() -> None:
    found = respond(lit(), timeline_of())
    assert [c.colour for c in found.colours] == ["Red", "Green", "Blue"]
    for colour in found.colours:
        assert colour.slots == 2
        assert colour.clean_frames > 10
        # less what the wall and the neutral screen give back
        assert colour.amplitude == pytest.approx(0.2 * np.sqrt(2 / 3) * 0.87, rel=0.1)
        assert colour.snr > 6


def test_the_same_samples_in_any_order_give_the_same_answer() -> None:
    samples = lit()
    straight, reversed_ = (respond(s, timeline_of()) for s in (samples, samples[::-1]))
    assert straight.as_dict() == reversed_.as_dict()


def test_the_answer_is_plain_json_and_the_trace_has_a_row_a_frame() -> None:
    samples = lit()
    found = respond(samples, timeline_of())
    assert json.loads(json.dumps(found.as_dict())) == found.as_dict()
    assert found.trace.chroma.shape == found.trace.template.shape == (len(samples), 3)
    assert np.corrcoef(found.trace.chroma[:, 0], found.trace.template[:, 0])[0, 1] > 0.95


@pytest.mark.parametrize("count", [0, 1, 5, 19])
def test_too_few_samples_answer_nothing(count: int) -> None:
    found = respond(lit()[40 : 40 + count], timeline_of())
    assert found.state is LightState.NONE
    assert found.n_samples == count
    assert json.dumps(found.as_dict())


def test_a_recording_that_ends_early_is_judged_by_what_it_saw() -> None:
    found = respond(lit()[:65], timeline_of())
    assert found.state in {LightState.OK, LightState.WEAK}
    assert sum(c.slots for c in found.colours) < 6


def test_repeated_stamps_do_not_break_it() -> None:
    samples = lit()
    assert respond([*samples, *samples[10:20]], timeline_of()).state is LightState.OK


def test_without_coloured_light_there_is_nothing_to_judge() -> None:
    grey = Timeline([Flip(0, None, (128, 128, 128))], Timing(85 * MS))
    with pytest.raises(LightError, match="no coloured light"):
        respond(lit(), grey)


def test_a_known_rise_is_taken_from_the_delay() -> None:
    late = respond(lit(), timeline_of())
    risen = respond(lit(), timeline_of(), ResponseOptions(rise_ns=12 * MS))
    assert late.delay_ns is not None
    assert risen.delay_ns is not None
    assert late.delay_ns - risen.delay_ns == pytest.approx(12 * MS, abs=2 * MS)
