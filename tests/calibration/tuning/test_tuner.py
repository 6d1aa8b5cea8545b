import numpy as np
import pytest

from bench.quality.tuner import Population, mean, population, run_case
from calibration.tuning.options import Joint, TuneOptions
from preprocess.reasons import Reason
from tests.calibration.tuning.made import blurred, item, material, measures, table, tune


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "options"),
    [
        pytest.param(Population(60, 10), TuneOptions(0.05), id="evidence"),
        pytest.param(Population(60, 10, blur=1.5), TuneOptions(0.1, limit=0.3), id="misfit"),
        pytest.param(
            Population(200, 1), TuneOptions(0.2, joint=Joint.BONFERRONI, limit=0.4), id="bonferroni"
        ),
    ],
)
def test_the_promise_holds_over_populations(people, options):
    kept = run_case(25, people, options)
    assert kept.tuned == 25
    spread = np.std(kept.true_rates) / np.sqrt(kept.tuned)
    assert mean(kept) <= options.target_frr + 3 * spread
    assert kept.inside >= 20  # 95 % of 25, less three standard errors
    assert kept.written_beyond == 0


def test_too_few_people_are_refused_in_every_population():
    assert run_case(5, Population(25, 5), TuneOptions(0.05)).unpromised == 5


def test_the_same_material_and_seed_give_the_same_levels():
    made = population(np.random.default_rng(3), Population(50, 5))
    assert tune(made, TuneOptions(0.1)).levels == tune(made, TuneOptions(0.1)).levels


def test_a_bound_above_the_limit_is_refused_with_the_figures():
    found = tune(
        blurred({f"s{i}": [1.0] for i in range(40)}, {"s1": [3.0]}), TuneOptions(limit=0.1)
    )
    assert "12 held-out subjects 0.0%" in found.refused
    assert "more than --limit 10.0%" in found.refused


def grouped(rate):
    """Return people of two groups; of the second so many of ten have a blur beyond any limit."""
    pairs = []
    for i in range(240):
        second = i % 2 == 1
        blur = 9.0 if second and i // 2 % 10 < rate else 1.0
        pairs.append((item(f"s{i}", group="ab"[second]), table([measures(blur_pct=blur)])))
    pairs.append((item("x", Reason.BLURRED), table([measures(blur_pct=3.0)])))
    return material(pairs)


def test_a_group_turned_away_more_often_than_chance_is_refused():
    found = tune(grouped(3), TuneOptions(0.2, limit=0.5, keep=frozenset({"blur_pct"})))
    assert "group 'a'" in found.refused or "group 'b'" in found.refused
    rates = {g.group: g for g in found.groups}
    assert rates["b"].rate.value > rates["a"].rate.value + 0.1
    assert not rates["b"].accepted


def test_equal_groups_are_accepted_and_have_one_set_of_levels():
    found = tune(grouped(0), TuneOptions(0.2, limit=0.5))
    assert not found.refused
    assert all(group.accepted for group in found.groups)
    assert len({group.group for group in found.groups}) == 2


def test_sessions_tell_who_never_gets_through():
    good = [measures()] * 30
    rarely = [measures(blur_pct=1.0 if k % 10 == 0 else 9.0) for k in range(30)]
    pairs = [(item(f"s{i}"), table(rarely if i % 4 == 0 else good)) for i in range(40)]
    pairs.append((item("x", Reason.BLURRED), table([measures(blur_pct=3.0)])))
    found = tune(material(pairs), TuneOptions(0.5, limit=1.0, keep=frozenset({"blur_pct"})))
    s = found.holdout.sessions
    assert s.count == 12
    assert 0 < s.failed < s.count
    assert s.median_ms == pytest.approx(9 * 33.0)
