from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.simulator.camera.exposures import FrameClock, Shot
from capture.simulator.options import CameraOptions, PersonKind, PersonOptions, SimulatorOptions
from tests.effort import examples


def shots(options: SimulatorOptions, count: int) -> list[Shot]:
    clock = FrameClock(options, 0)
    return [clock.next_shot() for _ in range(count)]


@settings(max_examples=examples(20))
@given(
    seed=st.integers(0, 2**32 - 1),
    fps=st.floats(5, 60),
    latency=st.floats(15, 300),
    jitter=st.floats(0, 20),
    kind=st.sampled_from([PersonKind.REAL, PersonKind.LYING_CLOCK]),
)
def test_stamps_and_deliveries_strictly_increase(
    seed: int, fps: float, latency: float, jitter: float, kind: PersonKind
) -> None:
    camera = CameraOptions(
        fps=fps, latency_ms=latency, stamp_jitter_ms=jitter, delivery_jitter_ms=2 * jitter
    )
    planned = shots(SimulatorOptions(PersonOptions(kind), camera, seed=seed), 40)
    for before, after in pairwise(planned):
        assert after.seq == before.seq + 1
        assert after.exposed_ns > before.exposed_ns
        assert after.stamped_ns > before.stamped_ns
        assert after.delivered_ns > before.delivered_ns
    assert all(shot.delivered_ns >= max(shot.read_out_ns, shot.stamped_ns) for shot in planned)


def test_the_latency_is_the_one_asked_for() -> None:
    options = SimulatorOptions(camera=CameraOptions(latency_ms=110.0))
    late = [s.stamped_ns - s.exposed_ns + options.screen.lag_ms * 1e6 for s in shots(options, 200)]
    assert np.mean(late) / 1e6 == pytest.approx(110.0, abs=0.2)
    assert np.std(late) / 1e6 == pytest.approx(0.5, abs=0.1)


def test_the_camera_s_crystal_is_its_own() -> None:
    planned = shots(SimulatorOptions(camera=CameraOptions(clock_ppm=1000.0)), 301)
    period = (planned[-1].exposed_ns - planned[0].exposed_ns) / 300
    assert period == pytest.approx(1e9 / 30 * 1.001, rel=1e-6)


def test_drops_and_repeats_have_their_share() -> None:
    planned = shots(SimulatorOptions(camera=CameraOptions(drops=0.2, duplicates=0.1)), 1000)
    assert np.mean([shot.dropped for shot in planned]) == pytest.approx(0.2, abs=0.04)
    assert np.mean([shot.repeats for shot in planned]) == pytest.approx(0.1, abs=0.03)


def test_a_lying_clock_wanders_by_a_quarter_of_a_second() -> None:
    honest = SimulatorOptions()
    lying = replace(honest, person=PersonOptions(PersonKind.LYING_CLOCK))
    lies = [
        (a.stamped_ns - b.stamped_ns) / 1e6
        for a, b in zip(shots(honest, 90), shots(lying, 90), strict=True)
    ]
    assert min(lies) == pytest.approx(0, abs=3)
    assert max(lies) == pytest.approx(240, abs=3)
