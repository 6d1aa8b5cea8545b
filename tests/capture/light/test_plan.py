from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import PlanError
from capture.light.illumination import NEUTRAL_RGB, Flip, IlluminationPlan
from capture.light.photosensitivity import SECOND_NS, check_flips, check_plan, is_saturated_red
from capture.light.plan import SEED_BITS, PlanOptions, make_plan, repeat_plan

GOLDEN = ["Red", "Green", "Blue", "Green", "Blue", "Red"]
GOLDEN_MS = [340.0, 428.4, 418.8, 405.3, 436.7, 416.7, 423.3, 340.0]

seeds = st.integers(0, (1 << SEED_BITS) - 1)


def colours(plan: IlluminationPlan) -> list[str]:
    return [slot.colour for slot in plan.slots if slot.colour is not None]


def flips(plan: IlluminationPlan, start_ns: int = 0) -> list[Flip]:
    shown, at_ms = [], 0.0
    for slot in plan.slots:
        shown.append(Flip(start_ns + round(at_ms * 1e6), slot.colour, slot.rgb))
        at_ms += slot.dwell_ms
    return [*shown, Flip(start_ns + round(at_ms * 1e6), None, NEUTRAL_RGB)]


def test_the_default_plan_lasts_about_three_seconds_between_neutral_ends() -> None:
    plan = make_plan()
    assert 2800 <= plan.duration_ms <= 3500
    assert plan.slots[0].colour is None
    assert plan.slots[-1].rgb == NEUTRAL_RGB
    assert sorted(colours(plan)) == ["Blue", "Blue", "Green", "Green", "Red", "Red"]


@given(seeds)
def test_default_colours_are_safe_in_every_order(seed: int) -> None:
    plan = make_plan(seed=seed)
    assert check_plan(plan).safe
    assert check_flips(flips(plan)).safe
    assert all(a != b for a, b in pairwise(colours(plan)))
    assert all(slot.dwell_ms >= 340 for slot in plan.slots)


@given(seeds, st.integers(0, 4000))
def test_an_abort_to_neutral_at_any_moment_keeps_the_norms(seed: int, abort_ms: int) -> None:
    shown = [flip for flip in flips(make_plan(seed=seed)) if flip.t_ns < abort_ms * 1_000_000]
    report = check_flips([*shown, Flip(abort_ms * 1_000_000, None, NEUTRAL_RGB)])
    assert report.safe
    assert report.general_per_s <= 4


@given(seeds)
def test_the_same_seed_gives_the_same_plan(seed: int) -> None:
    assert make_plan(seed=seed) == make_plan(seed=seed)


def test_a_seed_means_the_same_plan_for_ever() -> None:
    """Recordings name the seed only; a new version must not draw another plan from it."""
    plan = make_plan(seed=1)
    assert colours(plan) == GOLDEN
    assert [slot.dwell_ms for slot in plan.slots] == GOLDEN_MS


def test_without_a_seed_plans_differ_and_record_theirs() -> None:
    plans = [make_plan() for _ in range(20)]
    assert len({plan.seed for plan in plans}) == 20
    assert len({tuple(colours(plan)) for plan in plans}) > 3
    assert all(make_plan(seed=plan.seed) == plan for plan in plans)


@pytest.mark.slow
def test_orders_are_drawn_evenly() -> None:
    drawn = [tuple(colours(make_plan(seed=seed))) for seed in range(1800)]
    counts = {order: drawn.count(order) for order in set(drawn)}
    assert len(counts) == 18
    assert max(counts.values()) < 2 * min(counts.values())


def test_a_fixed_order_repeats_the_colours_as_given() -> None:
    options = PlanOptions(colours=("Green", "Red", "Blue", "White"), order="fixed", jitter_ms=0)
    assert colours(make_plan(options, seed=3)) == ["Green", "Red", "Blue", "White"] * 2


def test_other_colours_can_be_named() -> None:
    soft = (("SoftRed", (255, 110, 110)), ("SoftBlue", (110, 110, 255)))
    options = PlanOptions(colours=("SoftRed", "SoftBlue", "White"), extra_colours=soft)
    assert check_plan(make_plan(options)).red_per_s == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"dwell_ms": 200}, r"dwell_ms\n.*or equal to 334", id="dwell"),
        pytest.param({"jitter_ms": -1}, "jitter_ms\n", id="jitter"),
        pytest.param({"repeats": 0}, "repeats\n.*or equal to 1", id="repeats"),
        pytest.param({"colours": ()}, "at least one", id="none"),
        pytest.param({"colours": ("Red", "Red")}, "different names", id="twice"),
        pytest.param({"colours": ("Mauve",)}, "'Mauve' is none of Red, Green", id="unknown"),
        pytest.param({"order": "sorted"}, "'random' or 'fixed'", id="order"),
        pytest.param(
            {"extra_colours": (("Odd", (300, 0, 0)),)}, "'Odd': .*0 to 255", id="extra-colour"
        ),
        pytest.param({"colours": ("Red",)}, "no order of 2 slots", id="one-colour"),
        pytest.param({"colours": ("Red",), "order": "fixed"}, "follows itself", id="one-fixed"),
        pytest.param({"colours": ("Red", "Green")}, "lengthen dwell_ms", id="red-too-often"),
        pytest.param(
            {"colours": ("Red", "Green"), "order": "fixed"}, "two red slots begin", id="fixed-red"
        ),
        pytest.param(
            {"colours": ("Red", "Dark"), "extra_colours": (("Dark", (0, 0, 0)),), "repeats": 1},
            "touches black",
            id="red-black",
        ),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_reason(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises((PlanError, ValueError), match=message):
        make_plan(PlanOptions(**options), seed=7)  # type: ignore[arg-type]


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(PlanError, match="plan seed: -1"):
        make_plan(seed=-1)


@given(seeds, st.sets(st.integers(1, 6), min_size=1))
def test_repeated_slots_are_safe_also_right_after_the_plan(seed: int, wanted: set[int]) -> None:
    plan = make_plan(seed=seed)
    again = repeat_plan(plan, sorted(wanted))
    assert colours(again) == [plan.slots[index].colour for index in sorted(wanted)]
    assert again.slots[0].colour is again.slots[-1].colour is None
    shown = flips(plan) + flips(again, round(plan.duration_ms * 1e6))
    reds = [flip.t_ns for flip in shown if is_saturated_red(flip.rgb)]
    assert all(b - a >= SECOND_NS for a, b in pairwise(reds))
    assert check_flips(shown).general_per_s <= 3


@pytest.mark.parametrize("wanted", [(), (0,), (7,), (99,), (-1,)], ids=str)
def test_only_coloured_slots_can_be_repeated(wanted: tuple[int, ...]) -> None:
    with pytest.raises(PlanError, match="slot"):
        repeat_plan(make_plan(seed=1), wanted)
