"""Which slot is due, what was shown, and labels that stay what they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from capture.clock import VirtualClock
from capture.display.port import FlipRecord, FlipSource
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, IlluminationPlan, Slot
from capture.light.timeline import LabelKind, Timeline, Timing
from capture.simulator.lighting import SimulatedScreenOptions
from capture.simulator.options import CameraOptions
from capture.simulator.planned_session import step_latency_ns, true_timing
from facelight.kiosk.light import PATIENCE_NS, Latency, LiveLight, half_light_ns

MS = 1_000_000
REFRESH_NS = 16_666_667
TIMING = Timing(85 * MS, 3 * MS, 16 * MS, 20 * MS)
PLAN = IlluminationPlan(
    (
        Slot(None, NEUTRAL_RGB, 340.0),
        *(Slot(name, PRIMARIES[name], 400.0) for name in ("Red", "Green", "Blue")),
        Slot(None, NEUTRAL_RGB, 340.0),
    )
)


def flip(light: LiveLight, clock: VirtualClock) -> None:
    """Show what is due at the next refresh, as the loop does."""
    now_ns = clock.now_ns()
    due = light.due(now_ns)
    clock.sleep_until(now_ns + REFRESH_NS)
    at_ns = clock.now_ns()
    light.flipped(due, FlipRecord(now_ns, now_ns, at_ns, 60.0, FlipSource.SIMULATED))


def play(
    light: LiveLight, clock: VirtualClock, each: Callable[[], None] = lambda: None, extra: int = 20
) -> None:
    """Flip until the plan is over, and some flips of neutral more."""
    while light.due(clock.now_ns()) is not None:
        flip(light, clock)
        each()
    light.stop(clock.now_ns())
    for _ in range(extra):
        flip(light, clock)
        each()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(10**9)


@pytest.fixture
def light(clock: VirtualClock) -> LiveLight:
    light = LiveLight(PLAN, TIMING, clock)
    light.start(60.0)
    return light


def test_labels_given_while_the_plan_runs_are_those_of_a_replay(
    light: LiveLight, clock: VirtualClock
) -> None:
    frames_ns = [10**9 + i * 33_333_333 for i in range(70)]
    live = {}

    def each() -> None:
        while frames_ns and frames_ns[0] <= clock.now_ns():
            t_ns = frames_ns.pop(0)
            live[t_ns] = light.label(t_ns)

    play(light, clock, each)
    replay = Timeline(light.flips(), TIMING)
    assert live == {t_ns: replay.label(t_ns) for t_ns in live}
    kinds = [label.kind for label in live.values()]
    assert kinds.count(LabelKind.CLEAN) > 20
    assert {label.colour for label in live.values()} == {None, "Red", "Green", "Blue"}


class ClockWithScreen(VirtualClock):
    """Other threads act while one waits: flips happen in its sleep."""

    def __init__(self) -> None:
        super().__init__(10**9)
        self.screen: Callable[[int], None] = lambda _: None

    def sleep_until(self, t_ns: int) -> None:
        while self.now_ns() < t_ns:
            super().sleep_until(min(t_ns, self.now_ns() + 5 * MS))
            self.screen(self.now_ns())


def test_a_label_waits_for_the_flip_that_may_still_touch_the_frame() -> None:
    clock = ClockWithScreen()
    light = LiveLight(PLAN, TIMING, clock)
    red, green = (Slot(name, PRIMARIES[name], 400.0) for name in ("Red", "Green"))
    begun_ns = clock.now_ns()

    def show(now_ns: int) -> None:
        due = (1, red) if now_ns < begun_ns + 200 * MS else (2, green)
        light.flipped(due, FlipRecord(now_ns, now_ns, now_ns, 60.0, FlipSource.SIMULATED))

    clock.screen = show
    clock.sleep_until(begun_ns + 150 * MS)
    clean, mixed = begun_ns + (85 + 60) * MS, begun_ns + (85 + 180) * MS
    assert light.label(clean).colour == "Red"
    assert light.label(mixed).kind is LabelKind.TRANSITION
    assert light.timeline().label(mixed).kind is LabelKind.TRANSITION


def test_a_frame_is_not_clean_while_nobody_knows_what_the_screen_shows(
    light: LiveLight, clock: VirtualClock
) -> None:
    while clock.now_ns() < 10**9 + 500 * MS:
        flip(light, clock)
    stalled_ns = clock.now_ns()
    frame_ns = stalled_ns + 85 * MS  # exposed just when the screen stalled
    assert Timeline(light.flips(), TIMING).label(frame_ns).kind is LabelKind.CLEAN
    assert light.label(frame_ns).kind is LabelKind.TRANSITION
    assert clock.now_ns() <= stalled_ns + 2 * PATIENCE_NS


def test_a_frame_before_the_first_flip_has_no_light(clock: VirtualClock) -> None:
    light = LiveLight(PLAN, TIMING, clock)
    assert light.label(clock.now_ns()).kind is LabelKind.NONE


def test_slots_with_too_few_usable_frames_are_bad_and_repeats_add_to_them(
    light: LiveLight, clock: VirtualClock
) -> None:
    play(light, clock)
    assert [slot.index for slot in light.slots] == [1, 2, 3]
    for slot in light.slots[:2]:
        for t_ns in range(slot.start_ns, slot.end_ns, 40 * MS):
            light.note(t_ns + TIMING.latency_ns, usable=True)
    light.note(light.slots[2].start_ns + TIMING.latency_ns, usable=True)
    light.note(light.slots[2].end_ns - 1 + TIMING.latency_ns, usable=False)
    assert light.bad_slots(3) == (3,)
    light.repeat([3], 60.0, 300.0)
    play(light, clock)
    again = light.slots[3]
    assert (again.index, len(light.slots)) == (3, 4)
    light.note(again.start_ns + TIMING.latency_ns, usable=True)
    assert light.bad_slots(3) == (3,)
    light.note(again.end_ns - 1 + TIMING.latency_ns, usable=True)
    assert light.bad_slots(3) == ()


def test_slots_count_as_watched_once_a_later_frame_was_judged(
    light: LiveLight, clock: VirtualClock
) -> None:
    assert light.watched()
    play(light, clock)
    assert not light.watched()
    ends_ns = light.slots[-1].end_ns + TIMING.latency_ns
    light.note(ends_ns - 1, usable=False)
    assert not light.watched()
    light.note(ends_ns, usable=False)
    assert light.watched()


def test_an_aborted_plan_leaves_neutral_and_its_half_slot(
    light: LiveLight, clock: VirtualClock
) -> None:
    while clock.now_ns() < 10**9 + 600 * MS:
        flip(light, clock)
    light.stop(clock.now_ns())
    flip(light, clock)
    assert not light.playing
    assert light.flips()[-1].colour is None
    assert [slot.index for slot in light.slots] == [1]


def test_a_learned_lag_is_never_more_certain_than_its_estimate() -> None:
    latency = Latency(TIMING, 12 * MS)
    latency.learn(97 * MS, 2 * MS)
    assert (latency.timing.latency_ns, latency.timing.latency_uncertainty_ns) == (97 * MS, 12 * MS)
    latency.learn(97 * MS, 20 * MS)
    assert latency.timing.latency_uncertainty_ns == 40 * MS
    assert latency.timing.exposure_ns == TIMING.exposure_ns


def known_to_the_next(*estimates: tuple[int, int, int]) -> float:
    """Return the lag in ms that a new person's session uses after these, each of a person."""
    latency = Latency(Timing(100 * MS, latency_uncertainty_ns=40 * MS), 12 * MS)
    for delay_ms, sd_ms, late_flips in estimates:
        latency.learn(delay_ms * MS, sd_ms * MS, late_flips)
        assert latency.timing.latency_ns == delay_ms * MS, "the same person's next attempt"
        latency.next_person()
    return latency.timing.latency_ns / MS


@pytest.mark.parametrize(
    ("estimates", "lag_ms"),
    [
        pytest.param([(90, 3, 0)], 90, id="within what was known"),
        pytest.param([(174, 3, 0)], 100, id="one far off"),
        pytest.param([(174, 3, 0), (176, 3, 0)], 176, id="confirmed by a second"),
        pytest.param([(174, 3, 0), (30, 3, 0)], 100, id="two that contradict one another"),
        pytest.param([(90, 3, 140)], 100, id="a busy host"),
        pytest.param([(174, 3, 140), (174, 3, 140)], 100, id="a busy host twice"),
        pytest.param([(90, 20, 0)], 100, id="not precise"),
        pytest.param([(90, 3, 0), (174, 3, 0), (91, 3, 0)], 91, id="one bad among good ones"),
        pytest.param([(174, 3, 0), (92, 3, 0), (175, 3, 0)], 92, id="confirmation is of the next"),
    ],
)
def test_only_a_sure_lag_is_carried_over_to_the_next_person(
    estimates: list[tuple[int, int, int]], lag_ms: float
) -> None:
    assert known_to_the_next(*estimates) == lag_ms


def test_half_of_the_light_comes_when_the_simulated_panel_is_half_way() -> None:
    camera, screen = CameraOptions(), SimulatedScreenOptions()
    late_ns = step_latency_ns(camera, screen) - round(camera.latency_ms * MS)
    found_ns = half_light_ns(true_timing(camera, screen), FlipSource.SIMULATED)
    assert found_ns == pytest.approx(late_ns, abs=MS)
    assert half_light_ns(TIMING, FlipSource.SWAP) == 0
