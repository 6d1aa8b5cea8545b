"""What becomes of a session by its light: time first, then the light."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capture.light.timeline import Timeline, Timing
from preprocess.light.decision import DelayOrigin, LightDecision, LightEvidence, decide
from preprocess.light.options import ResponseOptions
from preprocess.light.response import respond
from preprocess.light.samples import ChromaSample
from preprocess.light.verdict import LightState
from preprocess.reasons import Reason
from tests.preprocess.lit import SIX, Light, lit, timeline_of

MS = 1_000_000
OTHER = ("Blue", "Green", "Red", "Green", "Blue", "Red")


def decided(
    samples: list[ChromaSample],
    *,
    latency_ms: float | None = 85.0,
    imported: bool = True,
    relabels: bool = True,
    options: ResponseOptions | None = None,
) -> LightDecision:
    timing = Timing(round((latency_ms or 0) * MS))
    response = respond(
        samples,
        Timeline(timeline_of().flips, timing),
        delay_known=latency_ms is not None,
        stamps_vouched=not imported,
    )
    evidence = LightEvidence(
        response=response,
        timing=None if latency_ms is None else timing,
        bounds=timing,
        origin=DelayOrigin.DECLARED,
        imported=imported,
        relabels=relabels,
    )
    return decide(evidence, options or ResponseOptions())


def stretched(samples: list[ChromaSample], rate: float) -> list[ChromaSample]:
    """Stamps that run too slow or too fast, as nominal ones after lost frames."""
    return [replace(s, t_frame_ns=round(s.t_frame_ns * rate)) for s in samples]


@pytest.mark.parametrize("imported", [True, False])
def test_a_declared_delay_that_the_light_confirms_stays(imported: bool) -> None:
    found = decided(lit(), imported=imported)
    assert (found.reasons, found.origin) == ((), DelayOrigin.DECLARED)
    assert found.timing is not None
    assert abs(found.timing.latency_ns - 85 * MS) < 15 * MS


def test_a_kiosks_own_guards_are_kept_as_they_were_so_that_a_replay_gives_its_labels() -> None:
    assert decided(lit(), imported=False).timing == Timing(85 * MS)


def test_guards_are_the_faces_own_where_the_light_tells_them() -> None:
    rows = [replace(s, face_top=0.3, face_bottom=0.6) for s in lit()]
    timing = decided(rows).timing
    assert timing is not None
    assert (timing.row_top, timing.row_bottom) == (0.3, 0.6)
    assert timing.exposure_ns < Timing(0).exposure_ns
    bounds, own = Timeline([], Timing(85 * MS)), Timeline([], timing)
    opens, closes = own.window_ns(0)
    assert closes - opens < bounds.window_ns(0)[1] - bounds.window_ns(0)[0] - 10 * MS


@pytest.mark.slow
@pytest.mark.parametrize("off_ms", [-60, 60, 150])
@pytest.mark.parametrize("imported", [True, False])
def test_a_wrong_delay_is_measured_where_frames_can_be_labelled_again(
    off_ms: int, imported: bool
) -> None:
    found = decided(lit(), latency_ms=85 + off_ms, imported=imported)
    assert (found.reasons, found.origin) == ((), DelayOrigin.MEASURED)
    assert found.timing is not None
    # the screen of these samples has no rise: first and half light are one
    first = found.timing.latency_ns + found.timing.latency_uncertainty_ns
    assert first + 12 * MS > 85 * MS > found.timing.latency_ns - 15 * MS


def test_a_wrong_delay_ends_a_session_that_cannot_be_labelled_again_with_the_right_figure() -> None:
    found = decided(lit(SIX, Light(latency_ms=185)), imported=False, relabels=False)
    assert found.reasons == (Reason.LIGHT_DELAY,)
    assert "declared 85 ms" in found.detail
    assert "declare that" in found.detail


def test_without_a_declared_delay_it_is_measured() -> None:
    found = decided(lit(), latency_ms=None)
    assert (found.reasons, found.origin) == ((), DelayOrigin.MEASURED)
    assert found.timing is not None


@pytest.mark.slow
def test_too_little_light_to_measure_an_undeclared_delay_is_told_so() -> None:
    found = decided(lit(SIX, Light(f=0.0)), latency_ms=None)
    assert found.reasons == (Reason.LIGHT_DELAY,)
    assert "declare latency_ms" in found.detail
    assert found.timing is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "f", "reason"),
    [
        pytest.param(OTHER, 0.3, Reason.LIGHT_MISMATCH, id="another plan"),
        pytest.param(SIX, 0.0, Reason.LIGHT_NONE, id="no light"),
    ],
)
def test_light_that_does_not_answer_is_turned_away_unless_a_kiosks_own_log_vouches_for_it(
    shown: tuple[str, ...], f: float, reason: Reason
) -> None:
    samples = lit(shown, Light(f=f))
    assert decided(samples).reasons == (reason,)
    assert decided(samples, imported=False).reasons == ()
    assert decided(samples, options=ResponseOptions(imported="send")).reasons == ()
    strict = decided(samples, imported=False, options=ResponseOptions(own="reject"))
    assert strict.reasons == (reason,)


@pytest.mark.slow
def test_a_wall_that_follows_as_much_as_the_face_speaks_for_nobody() -> None:
    samples = lit(SIX, Light(spill=1.0))
    found = decided(samples)
    assert found.reasons == (Reason.LIGHT_BACKGROUND,)
    assert decided(samples, imported=False).reasons == ()
    assert decided(lit(SIX, Light(spill=0.4))).reasons == ()


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.95, 0.8, 1.06], ids=str)
@pytest.mark.parametrize("f", [0.1, 0.4])
def test_stamps_that_run_at_another_rate_than_the_light_are_never_believed(
    rate: float, f: float
) -> None:
    found = decided(stretched(lit(SIX, Light(f=f)), rate))
    assert found.reasons == (Reason.STAMPS_IN_DOUBT,)
    assert found.timing is None


@pytest.mark.slow
def test_stamps_in_doubt_are_turned_away_whatever_the_policy_and_whoever_recorded() -> None:
    doubtful = stretched(lit(), 0.95)
    send = ResponseOptions(imported="send")
    assert decided(doubtful, options=send).reasons == (Reason.STAMPS_IN_DOUBT,)
    drifting = stretched(lit(), 0.975)
    assert decided(drifting, imported=False).reasons == (Reason.STAMPS_IN_DOUBT,)


def test_a_jump_of_the_stamps_midway_is_seen() -> None:
    samples = lit()
    jumped = [
        replace(s, t_frame_ns=s.t_frame_ns - (70 * MS if s.t_frame_ns > 2000 * MS else 0))
        for s in samples
    ]
    assert decided(jumped).reasons == (Reason.STAMPS_IN_DOUBT,)


@pytest.mark.slow
@pytest.mark.parametrize("light", [Light(drop=0.2), Light(fps=15), Light(f=0.06), Light(fps=60)])
@pytest.mark.parametrize("seed", range(4))
def test_true_stamps_are_believed(light: Light, seed: int) -> None:
    assert decided(lit(SIX, replace(light, seed=seed))).reasons == ()


@pytest.mark.slow
def test_colours_beyond_the_end_are_a_matter_of_time() -> None:
    response = respond(lit(OTHER, Light(f=0.3)), timeline_of(), stamps_vouched=False)
    assert response.state is LightState.MISMATCH
    evidence = LightEvidence(
        response, Timing(85 * MS), Timing(85 * MS), DelayOrigin.DECLARED, True, True, 200 * MS
    )
    found = decide(evidence, ResponseOptions())
    assert found.reasons == (Reason.STAMPS_IN_DOUBT,)
    assert "200 ms after the video's end" in found.detail
