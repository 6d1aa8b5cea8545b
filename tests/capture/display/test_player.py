from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.clock import VirtualClock
from capture.display.flip_log import FlipLog
from capture.display.player import LightPlayer
from capture.display.port import FlipRecord, FlipSource
from capture.display.scene import Scene, SceneKind
from capture.display.virtual import VirtualScreen
from capture.light.illumination import Flip, IlluminationPlan
from capture.light.photosensitivity import check_flips
from capture.light.plan import make_plan


def played(plan: IlluminationPlan, hz: float, stalls_ms: dict[int, int]) -> tuple[Flip, ...]:
    """Play a plan on a virtual screen that stalls before some of its flips."""
    clock, log, shown = VirtualClock(), FlipLog(), 0
    with VirtualScreen(clock, hz) as screen:
        player = LightPlayer(plan, screen.refresh.hz)
        while (due := player.due(clock.now_ns())) is not None:
            clock.sleep_until(clock.now_ns() + stalls_ms.get(shown, 0) * 1_000_000)
            index, slot = due
            record = screen.show(Scene(SceneKind.LIGHT, slot.rgb))
            player.flipped(index, record.flipped_ns)
            log.record(record, slot.colour, slot.rgb)
            shown += 1
    return log.flips()


@pytest.mark.parametrize("hz", [30, 50, 59.94, 60, 75, 120, 144])
def test_every_slot_lasts_its_dwell_to_the_nearest_refresh(hz: float) -> None:
    plan = make_plan(seed=5)
    flips = played(plan, hz, {})
    lengths_ms = [(b.t_ns - a.t_ns) / 1e6 for a, b in pairwise(flips)]
    dwells_ms = [slot.dwell_ms for slot in plan.slots[:-1]]
    assert lengths_ms == pytest.approx(dwells_ms, abs=500 / hz + 0.1)
    assert [flip.colour for flip in flips] == [slot.colour for slot in plan.slots]


@given(
    st.integers(0, 2**53 - 1),
    st.dictionaries(st.integers(0, 150), st.integers(1, 900), max_size=12),
)
def test_a_stalling_screen_never_compresses_the_plan(seed: int, stalls_ms: dict[int, int]) -> None:
    plan = make_plan(seed=seed)
    flips = played(plan, 60, stalls_ms)
    assert [flip.colour for flip in flips] == [slot.colour for slot in plan.slots]
    report = check_flips(flips)
    assert report.general_per_s <= 3
    assert report.safe
    assert report.shortest_ms is not None
    assert report.shortest_ms >= 331


def test_progress_runs_from_nothing_to_all() -> None:
    plan = make_plan(seed=5)
    player = LightPlayer(plan, 60)
    assert player.progress(10**9) == 0
    shares = []
    now_ns = 0
    while (due := player.due(now_ns)) is not None:
        player.flipped(due[0], now_ns)
        shares.append(player.progress(now_ns))
        now_ns += 16_666_667
    assert shares == sorted(shares)
    assert 0.98 < player.progress(now_ns) <= 1


def test_the_log_notes_changes_only_and_counts_late_flips() -> None:
    log = FlipLog()
    for t_ms, colour in ((0, None), (17, None), (34, "Red"), (90, "Red"), (107, None)):
        submitted_ns = (t_ms - 10) * 1_000_000 if t_ms != 90 else 40_000_000
        record = FlipRecord(0, submitted_ns, t_ms * 1_000_000, 60.0, FlipSource.VSYNC)
        log.record(record, colour, (255, 0, 0) if colour else (128, 128, 128))
    assert [(flip.t_ns // 1_000_000, flip.colour) for flip in log.flips()] == [
        (0, None),
        (34, "Red"),
        (107, None),
    ]
    assert log.late == 1
