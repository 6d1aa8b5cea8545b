import math
from dataclasses import replace

import numpy as np
import pytest

from calibration.errors import TuningError
from calibration.tuning.levels import Status
from calibration.tuning.options import Joint, TuneOptions
from preprocess.reasons import Reason
from tests.calibration.tuning.made import (
    BASE,
    badness_of,
    blurred,
    item,
    material,
    measures,
    table,
    tune,
)

ALONE = TuneOptions(0.1, limit=1.0, joint=Joint.NONE, relax=False)


def level(tuning, key):
    return next(one for one in tuning.chosen.levels if one.limit.key == key)


def spread(n=60, low=0.8, high=1.4, bad=(2.0, 3.0)):
    """Return good blurs evenly spread over the subjects, and bad ones of every second."""
    good = {f"s{i:03}": [low + (high - low) * i / n] for i in range(n)}
    worse = {f"s{i:03}": [bad[0] + (bad[1] - bad[0]) * i / n] for i in range(0, n, 2)}
    return blurred(good, worse)


def test_a_limit_alone_gets_the_order_statistic_of_the_rule():
    found = tune(spread(), ALONE)
    trained = ~found.held_out & found.material.good
    values = np.sort(badness_of(found, "blur_drop_pct")[trained])
    rank = math.ceil((len(values) + 1) * 0.9 - 1e-9)
    one = level(found, "blur_drop_pct")
    assert one.conformal == pytest.approx(values[rank - 1], rel=1e-3)
    assert one.conformal >= values[rank - 1]
    assert one.level == one.conformal


def test_a_limit_without_anything_bad_is_never_made_stricter():
    found = tune(spread(), ALONE)
    yaw = level(found, "yaw_drop_deg")
    assert yaw.status is Status.KEPT
    assert yaw.why == "nothing labelled not_frontal: no reason for a stricter limit"
    assert yaw.conformal == 0


def test_relaxing_goes_back_half_way_to_the_next_bad_frame_at_most():
    strict = tune(spread(bad=(1.5, 3.0)), ALONE)
    back = tune(spread(bad=(1.5, 3.0)), replace(ALONE, relax=True))
    one, other = level(strict, "blur_drop_pct"), level(back, "blur_drop_pct")
    assert one.level < other.level < 1.5
    assert back.training.by_reason[Reason.BLURRED].errors == 0
    far = tune(spread(), replace(ALONE, relax=True))
    assert level(far, "blur_drop_pct").status is Status.KEPT


def test_one_bad_cause_moves_its_own_limit_and_no_other():
    pairs = []
    for i in range(90):
        wide = measures(yaw_deg=20.0 + i / 9, blur_pct=1.0)
        pairs.append((item(f"s{i:02}"), table([wide])))
        if i % 3 == 0:
            pairs.append((item(f"s{i:02}", Reason.BLURRED), table([measures(blur_pct=3.0)])))
    found = tune(material(pairs), TuneOptions(0.05, limit=1.0))
    assert found.chosen.joint is Joint.EVIDENCE
    moved = {o.limit.key for o in found.chosen.levels if o.status is Status.TUNED}
    assert moved == {"yaw_drop_deg"}
    assert 28 < level(found, "yaw_drop_deg").level < 40
    assert found.holdout.false_rejects.value <= 0.1
    assert found.before.false_rejects.value > 0.3
    assert found.thresholds.yaw_accept_deg == pytest.approx(
        level(found, "yaw_drop_deg").level * 15 / 25, rel=1e-3
    )


def test_limits_that_turn_nobody_away_stay_with_few_subjects_too():
    found = tune(spread(n=32), TuneOptions(0.05, limit=1.0))
    assert found.thresholds == BASE
    assert found.chosen.note.startswith("0 limits loosened on their own evidence")


@pytest.mark.slow
@pytest.mark.parametrize("key", ["face_side_drop_px", "ied_drop_px"])
def test_the_services_own_limits_never_loosen(key):
    measure = "face_side_px" if key == "face_side_drop_px" else "ied_px"
    small = {"face_side_px": 100.0} if measure == "face_side_px" else {"ied_px": 40.0}
    pairs = [(item(f"s{i:02}"), table([measures(**small)])) for i in range(60)]
    pairs += [(item("x", Reason.BLURRED), table([measures(blur_pct=3.0)]))]
    found = tune(material(pairs), TuneOptions(0.1, limit=1.0))
    assert level(found, key).status is Status.KEPT
    assert "never loosens" in level(found, key).why
    assert found.refused


def test_a_limit_does_not_loosen_where_more_bad_frames_pass_than_good_ones_are_regained():
    pairs = [
        (item(f"s{i:02}"), table([measures(blur_pct=1.8 if i % 8 == 0 else 1.0)]))
        for i in range(90)
    ]
    pairs += [
        (item(f"s{i:02}", Reason.BLURRED), table([measures(blur_pct=1.7)])) for i in range(0, 90, 2)
    ]
    found = tune(material(pairs), TuneOptions(0.05, limit=1.0))
    assert level(found, "blur_drop_pct").level == BASE.blur_drop_pct
    assert "of its bad frames would pass for" in level(found, "blur_drop_pct").why


def test_what_a_change_does_is_told_with_the_limit():
    found = tune(spread(high=1.8), TuneOptions(0.1, limit=1.0))
    one = level(found, "blur_drop_pct")
    assert one.status is Status.TUNED
    assert one.regained > one.passed >= 0
    assert f"{one.regained:.1%} of the good frames regained" in one.why


def test_below_the_least_number_nothing_is_promised_and_the_defaults_stay():
    found = tune(spread(n=20), TuneOptions(0.05))
    assert "not enough data: 14 training subjects" in found.refused
    assert "19 are needed" in found.refused
    assert found.thresholds == BASE
    assert all(one.status is Status.KEPT for one in found.chosen.levels)


def test_bonferroni_divides_the_rate_and_says_which_limits_get_nothing():
    found = tune(spread(n=400), TuneOptions(0.1, joint=Joint.BONFERRONI, relax=False))
    assert "(Bonferroni)" in found.chosen.note
    assert level(found, "blur_drop_pct").why.startswith("conformal at 0.00")
    few = tune(spread(n=60), TuneOptions(0.1, joint=Joint.BONFERRONI))
    assert "no limit can be promised anything" in few.refused


def test_frames_without_a_face_count_as_rejected_by_every_level():
    pairs = [(item(f"s{i:02}"), table([measures()] if i % 4 else [None])) for i in range(60)]
    pairs += [(item("x", Reason.BLURRED), table([measures(blur_pct=3.0)]))]
    found = tune(material(pairs), TuneOptions(0.05))
    assert "of the good frames have no face or lack a measure" in found.refused
    alone = tune(found.material, TuneOptions(0.05, joint=Joint.NONE))
    assert "cannot be assessed" in level(alone, "blur_drop_pct").why


def test_a_measure_that_cannot_be_assessed_is_not_passed():
    pairs = [
        (item(f"s{i:02}"), table([measures(blur_pct=math.nan if i % 3 == 0 else 1.0)]))
        for i in range(60)
    ]
    pairs += [(item("x", Reason.BLURRED), table([measures(blur_pct=3.0)]))]
    found = tune(material(pairs), TuneOptions(0.1))
    assert found.before.rejects_of["blur_drop_pct"].value > 0.2
    assert found.refused
    alone = tune(found.material, replace(ALONE, joint=Joint.NONE))
    assert "no level keeps 0.1" in level(alone, "blur_drop_pct").why


def test_a_kept_measure_stays_and_an_unknown_one_is_told():
    found = tune(spread(), replace(ALONE, keep=frozenset({"blur_pct"})))
    assert level(found, "blur_drop_pct").why == "kept as asked (--keep)"
    joint = tune(spread(high=1.8), TuneOptions(0.1, limit=1.0, keep=frozenset({"blur_pct"})))
    assert level(joint, "blur_drop_pct").status is Status.KEPT
    with pytest.raises(TuningError, match="--keep: unknown 'blur', expected one of blur_pct"):
        tune(spread(), TuneOptions(keep=frozenset({"blur"})))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"target_frr": 0.0}, "target_frr\n.*or equal to 0.001"),
        ({"holdout": 1.0}, "holdout"),
        ({"confidence": 0.2}, "confidence"),
        ({"limit": 0.01}, "--limit: 0.01 is below --target-frr 0.05"),
    ],
)
def test_options_out_of_range_are_refused(given, told):
    with pytest.raises((TuningError, ValueError), match=told):
        TuneOptions(**given)
