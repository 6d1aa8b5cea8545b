from __future__ import annotations

import pytest

from capture.clock import VirtualClock
from capture.display.scene import Scene, SceneKind
from capture.display.virtual import VirtualScreen
from capture.errors import DisplayError
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, Flip
from capture.simulator.lighting import SimulatedScreenOptions
from capture.simulator.scene.simulated_screen import FlipHistory, SimulatedScreen


def test_a_flip_waits_for_the_next_refresh() -> None:
    clock = VirtualClock(1_000)
    screen = SimulatedScreen(clock, SimulatedScreenOptions(refresh_hz=50.0))
    first = screen.show((1, 2, 3), None)
    assert first == Flip(20_001_000, None, (1, 2, 3))
    assert clock.now_ns() == first.t_ns
    clock.sleep_until(first.t_ns + 25_000_000)
    assert screen.show((4, 5, 6), "Red").t_ns == 60_001_000
    assert [flip.rgb for flip in screen.flips] == [(1, 2, 3), (4, 5, 6)]


def test_the_light_before_a_moment_is_part_of_what_follows() -> None:
    history = FlipHistory([Flip(t, None, (t, 0, 0)) for t in (10, 20, 30)])
    assert [flip.t_ns for flip in history.since(25)] == [20, 30]
    assert [flip.t_ns for flip in history.since(5)] == [10, 20, 30]
    assert [flip.t_ns for flip in history.since(30)] == [30]


def test_flips_cannot_go_back() -> None:
    history = FlipHistory([Flip(10, None, NEUTRAL_RGB)])
    with pytest.raises(DisplayError, match="not after the last one"):
        history.add(Flip(10, None, NEUTRAL_RGB))


def test_a_virtual_screen_s_pictures_become_light() -> None:
    history = FlipHistory()
    with VirtualScreen(VirtualClock(), on_flip=history.on_flip) as screen:
        for rgb in (NEUTRAL_RGB, NEUTRAL_RGB, PRIMARIES["Red"], NEUTRAL_RGB):
            screen.show(Scene(SceneKind.LIGHT, field_rgb=rgb))
    assert [flip.colour for flip in history.all()] == [None, "Red", None]
    times = [flip.t_ns for flip in history.all()]
    assert times == sorted(times)
