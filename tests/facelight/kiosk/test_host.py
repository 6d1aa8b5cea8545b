"""A machine that does not keep up is told before anybody suffers from it."""

from __future__ import annotations

import pytest

from capture.display.port import FlipRecord, FlipSource
from facelight.kiosk.host import WINDOW_NS, HostLoad, HostWatch

HZ = 60.0
PERIOD_NS = round(1e9 / HZ)


class Played:
    """A kiosk's turns, and what the watch said of them."""

    def __init__(self, camera_fps: float | None = 30.0) -> None:
        self.windows: list[HostLoad] = []
        self.changes: list[HostLoad] = []
        self.watch = HostWatch(camera_fps, self.windows.append, self.changes.append)
        self._now_ns = 0
        self._looked = 0.0

    def play(
        self, frames_per_s: float, *, late_every: int = 0, windows: int = 1, waiting_ns: int = 0
    ) -> None:
        """Flip for so many windows; every so many flips one is late; ``looked`` grows evenly."""
        until_ns = self._now_ns + windows * WINDOW_NS + 12 * PERIOD_NS
        turn = 0
        while self._now_ns < until_ns:
            turn += 1
            step_ns = PERIOD_NS * (3 if late_every and turn % late_every == 0 else 1)
            self._now_ns += step_ns
            self._looked += frames_per_s * step_ns / 1e9
            submitted_ns = self._now_ns - PERIOD_NS // 2 - waiting_ns
            shown = FlipRecord(submitted_ns, submitted_ns, self._now_ns, HZ, FlipSource.SWAP)
            self.watch.turn(shown, int(self._looked))


def test_a_machine_that_keeps_up_is_never_mentioned() -> None:
    played = Played()
    played.play(29.0, late_every=50, windows=4)
    assert not played.changes
    assert len(played.windows) >= 3
    assert all(not load.slow for load in played.windows)
    assert played.windows[0].frames_per_s == pytest.approx(29.0, abs=0.7)


@pytest.mark.parametrize(
    ("fps", "late_every"),
    [
        pytest.param(7.0, 0, id="few frames judged"),
        pytest.param(29.0, 5, id="many late flips"),
        pytest.param(3.0, 2, id="both"),
    ],
)
def test_a_slow_machine_is_told_once_in_its_first_window(fps: float, late_every: int) -> None:
    played = Played()
    played.play(fps, late_every=late_every, windows=3)
    assert [load.slow for load in played.changes] == [True]
    assert played.changes[0] is played.windows[0]


def test_a_flip_that_waits_after_it_was_handed_over_is_late() -> None:
    played = Played()
    played.play(29.0, waiting_ns=2 * PERIOD_NS)
    assert played.windows[0].late_flips == played.windows[0].flips


def test_a_machine_that_recovers_is_told_after_two_good_windows() -> None:
    played = Played()
    played.play(5.0, windows=2)
    played.play(29.0, windows=1)
    played.play(5.0, windows=1)
    assert [load.slow for load in played.changes] == [True]
    played.play(29.0, windows=4)
    assert [load.slow for load in played.changes] == [True, False]


@pytest.mark.parametrize(
    ("camera_fps", "judged", "slow"),
    [
        pytest.param(15.0, 10.0, False, id="a slow camera, well judged"),
        pytest.param(15.0, 8.0, True, id="a slow camera, badly judged"),
        pytest.param(60.0, 13.0, False, id="a fast camera needs no more than any other"),
        pytest.param(None, 11.0, True, id="unknown"),
    ],
)
def test_what_is_needed_depends_on_the_camera(
    camera_fps: float | None, judged: float, slow: bool
) -> None:
    played = Played(camera_fps)
    played.play(judged)
    assert played.windows[0].slow is slow


def test_a_lost_camera_is_no_slow_machine() -> None:
    played = Played()
    played.play(29.0)
    played.play(0.0, windows=3)
    assert not played.changes


def test_nothing_is_counted_before_the_first_frame_was_judged() -> None:
    played = Played()
    played.play(0.0, late_every=2, windows=2)
    assert not played.windows


def test_the_sentence_names_figures_and_the_cure() -> None:
    load = HostLoad(7.25, 12.0, 160, 31, slow=True)
    assert "7.2 frames a second are judged, at least 12 are needed" in load.reason
    assert "31 of 160 pictures" in load.reason
    assert "faster machine" in load.reason
    assert load.as_dict() == {
        "frames_per_s": 7.2,
        "least_frames_per_s": 12.0,
        "flips": 160,
        "late_flips": 31,
        "slow": True,
    }
