import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import PlanError
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, Flip, IlluminationPlan, Rgb, Slot
from capture.light.photosensitivity import (
    NORM_LIMITS,
    PLAN_LIMITS,
    FieldState,
    FlashReport,
    check_flips,
    check_plan,
    check_states,
    chromaticity_uv,
    is_saturated_red,
    relative_luminance,
    require_safe,
)

COLOURS: dict[str, Rgb] = {
    "R": PRIMARIES["Red"],
    "G": PRIMARIES["Green"],
    "B": PRIMARIES["Blue"],
    "W": PRIMARIES["White"],
    "K": (0, 0, 0),
    "g": NEUTRAL_RGB,
}
DIM_SCREEN_NITS = 200.0
"""Here 20 cd/m2 is 0.10 of the peak: the figures of WCAG alone."""


def cycle(order: str, dwell_ms: float, length_s: float = 20.0) -> list[FieldState]:
    count = int(length_s * 1000 / dwell_ms / len(order)) * len(order)
    return [
        FieldState(round(n * dwell_ms * 1e6), COLOURS[order[n % len(order)]]) for n in range(count)
    ]


def check(order: str, dwell_ms: float, nits: float = DIM_SCREEN_NITS) -> FlashReport:
    return check_states(cycle(order, dwell_ms), nits)


def pair(before: str, after: str) -> FlashReport:
    states = [FieldState(0, COLOURS[before]), FieldState(10**9, COLOURS[after])]
    return check_states(states, DIM_SCREEN_NITS)


@pytest.mark.parametrize(
    ("name", "luminance", "uv"),
    [
        ("R", 0.2127, (0.451, 0.523)),
        ("G", 0.7152, (0.125, 0.563)),
        ("B", 0.0722, (0.175, 0.158)),
        ("W", 1.0, (0.198, 0.468)),
        ("K", 0.0, (0.198, 0.468)),
        ("g", 0.2159, (0.198, 0.468)),
    ],
)
def test_luminance_and_chromaticity_of_the_table(
    name: str, luminance: float, uv: tuple[float, float]
) -> None:
    assert relative_luminance(COLOURS[name]) == pytest.approx(luminance, abs=5e-5)
    assert chromaticity_uv(COLOURS[name]) == pytest.approx(uv, abs=6e-4)


@pytest.mark.parametrize("first", "RGBWKg")
@pytest.mark.parametrize("second", "RGBWKg")
def test_every_pair_but_red_with_grey_and_blue_with_black_is_a_general_transition(
    first: str, second: str
) -> None:
    none = first == second or {first, second} in ({"R", "g"}, {"B", "K"})
    assert pair(first, second).general_per_s == (0 if none else 1)


@pytest.mark.parametrize("other", "GBWKg")
def test_red_with_any_other_is_a_red_transition_both_ways(other: str) -> None:
    assert pair("R", other).red_per_s == pair(other, "R").red_per_s == 1


@pytest.mark.parametrize("other", "GBWKg")
def test_without_red_there_is_no_red_transition(other: str) -> None:
    assert pair("W", other).red_per_s == 0


@pytest.mark.parametrize(
    ("rgb", "saturated"),
    [
        pytest.param((255, 0, 0), True, id="pure"),
        pytest.param((40, 0, 0), True, id="dark"),
        pytest.param((255, 96, 96), True, id="0.81"),
        pytest.param((255, 110, 110), False, id="0.762"),
        pytest.param((0, 0, 0), False, id="black"),
    ],
)
def test_red_is_saturated_from_a_share_of_eight_tenths(rgb: Rgb, saturated: bool) -> None:
    assert is_saturated_red(rgb) is saturated


def test_softened_red_makes_no_red_flash() -> None:
    states = [
        FieldState(n * 400_000_000, (255, 110, 110) if n % 2 else (255, 255, 255))
        for n in range(10)
    ]
    assert check_states(states).red_per_s == 0


@pytest.mark.parametrize(
    ("order", "dwell_ms", "general", "red"),
    [
        ("RGBW", 500, 2, 2),
        ("RGBW", 400, 3, 2),
        ("RGBW", 334, 3, 2),
        ("RGBW", 250, 4, 2),
        ("RGBW", 200, 5, 3),
        ("RGBW", 167, 6, 4),
        ("BRGW", 400, 2, 2),
        ("BRGW", 250, 2, 2),
        ("BRGW", 200, 3, 3),
        ("gRgGgB", 400, 2, 2),
    ],
)
def test_worst_second_of_the_table(order: str, dwell_ms: float, general: int, red: int) -> None:
    report = check(order, dwell_ms)
    assert (report.general_per_s, report.red_per_s) == (general, red)


def test_a_brighter_screen_counts_smaller_steps() -> None:
    assert check("BK", 500, nits=200).general_per_s == 0
    assert check("BK", 500, nits=300).general_per_s == 2


def test_bright_states_do_not_flash() -> None:
    states = [
        FieldState(n * 100_000_000, (255, 255, 255) if n % 2 else (235, 240, 235))
        for n in range(40)
    ]
    assert check_states(states, DIM_SCREEN_NITS).general_per_s == 0


def test_a_ramp_is_one_transition_and_its_ripple_none() -> None:
    greys = [0, 60, 100, 130, 125, 160, 155, 200, 230]
    states = [FieldState(n * 50_000_000, (v, v, v)) for n, v in enumerate(greys)]
    assert check_states(states, DIM_SCREEN_NITS).general_per_s == 1


def test_a_ramp_from_white_to_red_hides_no_red_transition() -> None:
    states = [
        FieldState(n * 100_000_000, (255, v, v)) for n, v in enumerate([255, 200, 150, 110, 60, 0])
    ]
    assert check_states(states).red_per_s >= 1


def test_the_extended_rule_needs_four_seconds_of_five() -> None:
    fast = cycle("KW", 250, length_s=4.5)
    assert check_states(fast, limits=NORM_LIMITS).extended_s < 4
    assert check_states(fast, limits=NORM_LIMITS).safe
    report = check_states(cycle("KW", 250, length_s=6), limits=NORM_LIMITS)
    assert report.extended_s == pytest.approx(5, abs=0.5)
    assert "4 or more transitions" in report.problems[0]


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        pytest.param(cycle("GB", 120), "general transitions in one second", id="general"),
        pytest.param(cycle("Rg", 150), "red transitions in one second", id="red"),
        pytest.param(cycle("RGB", 334), "red slots begin 1002 ms apart", id="red-gap"),
        pytest.param(cycle("gR", 2000), "", id="safe"),
        pytest.param(cycle("RK", 2000), "touches black", id="red-black"),
        pytest.param(cycle("KW", 2000), "touches black", id="strobe"),
        pytest.param(cycle("GWg", 300), "a state lasts 300 ms", id="short"),
    ],
)
def test_what_breaks_our_limits_is_named_with_its_figure(
    states: list[FieldState], problem: str
) -> None:
    report = check_states(states, limits=PLAN_LIMITS)
    assert report.safe is (not problem)
    assert problem in "; ".join(report.problems)


def test_require_safe_refuses_with_the_figures() -> None:
    slots = [Slot("Red", (255, 0, 0), 120), Slot("Green", (0, 255, 0), 120)] * 6
    with pytest.raises(PlanError, match=r"unsafe light plan: 9 general .* at most 3 .*120 ms"):
        require_safe(IlluminationPlan(tuple(slots)))


def test_a_plan_is_judged_with_the_neutral_screens_around_it() -> None:
    report = check_plan(IlluminationPlan((Slot("White", (255, 255, 255), 500),)))
    assert report.general_per_s == 2


def test_flips_that_came_too_fast_are_caught() -> None:
    plan = [Flip(n * 420_000_000, "x", COLOURS["RGBW"[n % 4]]) for n in range(12)]
    hurried = [Flip(flip.t_ns // 3, flip.colour, flip.rgb) for flip in plan]
    assert check_flips(plan).safe
    assert not check_flips(hurried).safe


def test_repeated_states_change_nothing() -> None:
    states = cycle("RGBW", 400, 4)
    doubled = [s for state in states for s in (state, FieldState(state.t_ns + 1, state.rgb))]
    assert check_states(doubled) == check_states(states)


def test_no_light_is_safe() -> None:
    assert check_states([]).safe
    assert check_states([FieldState(0, (255, 0, 0))]).safe


def test_impossible_input_is_refused() -> None:
    with pytest.raises(PlanError, match="times go back"):
        check_states([FieldState(5, (0, 0, 0)), FieldState(4, (9, 9, 9))])
    with pytest.raises(PlanError, match="screen_nits"):
        check_states([], screen_nits=0)


rgbs = st.tuples(*[st.integers(0, 255)] * 3)


@given(st.lists(st.tuples(st.integers(334, 900), rgbs), max_size=12))
def test_states_of_334_ms_never_exceed_three_general_transitions(
    steps: list[tuple[int, Rgb]],
) -> None:
    states, t_ms = [], 0
    for dwell_ms, rgb in steps:
        states.append(FieldState(t_ms * 1_000_000, rgb))
        t_ms += dwell_ms
    report = check_states(states, 600)
    assert report.general_per_s <= 3
    assert report.red_per_s <= 3


@given(st.lists(st.tuples(st.integers(1, 900), rgbs), max_size=12), st.integers(0, 10**12))
def test_the_count_does_not_depend_on_where_time_starts(
    steps: list[tuple[int, Rgb]], shift_ns: int
) -> None:
    states, t_ms = [], 0
    for dwell_ms, rgb in steps:
        states.append(FieldState(t_ms * 1_000_000, rgb))
        t_ms += dwell_ms
    moved = [FieldState(state.t_ns + shift_ns, state.rgb) for state in states]
    assert check_states(states) == check_states(moved)
