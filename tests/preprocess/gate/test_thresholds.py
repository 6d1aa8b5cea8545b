"""Thresholds document themselves, and the rules name what exists."""

from __future__ import annotations

from dataclasses import fields

import pytest

from preprocess.gate.rules import RULES, Condition, Rule
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measures import FIELDS, Measures
from preprocess.reasons import Reason

LIMITS = {f.name: f for f in fields(Thresholds)}


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_every_limit_has_unit_range_and_reason(name: str) -> None:
    meta = LIMITS[name].metadata
    assert meta["unit"]
    assert meta["why"]
    assert meta["low"] <= LIMITS[name].default <= meta["high"]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.measure}-{r.reason}")
def test_every_rule_names_a_measure_and_limits(rule: Rule) -> None:
    assert rule.measure in FIELDS
    assert rule.accept in LIMITS
    assert not rule.drop or rule.drop in LIMITS
    assert not rule.zero or rule.zero in LIMITS


@pytest.mark.parametrize("rule", [r for r in RULES if r.drop], ids=lambda r: r.measure)
def test_dropping_is_never_stricter_than_accepting(rule: Rule) -> None:
    limits = Thresholds()
    between = getattr(limits, rule.drop) - getattr(limits, rule.accept)
    assert rule.sign * between > 0


def test_every_limit_is_used() -> None:
    used = {name for rule in RULES for name in (rule.accept, rule.drop, rule.zero) if name}
    used |= {name for rule in RULES for c in rule.only_if for name in (c.accept, c.drop)}
    assert used == set(LIMITS)


CONDITIONS = sorted({c for rule in RULES for c in rule.only_if}, key=str)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: f"{c.measure}-{c.below}")
def test_a_condition_names_a_measure_and_limits_and_holds_more_often_to_start(
    condition: Condition,
) -> None:
    assert condition.measure in FIELDS
    limits = Thresholds()
    between = getattr(limits, condition.drop) - getattr(limits, condition.accept)
    one_level = condition.accept == condition.drop or condition.measure == "frame_bright_codes"
    assert (-1 if condition.below else 1) * between > 0 or one_level


def test_all_that_only_warns_is_what_the_service_never_refuses_for() -> None:
    warning = {rule.reason for rule in RULES if not rule.rejects}
    rejecting = {rule.reason for rule in RULES if rule.rejects}
    assert warning - rejecting == {
        Reason.SIDE_LIGHT,
        Reason.OCCLUDED,
        Reason.EYES_CLOSED,
        Reason.MOUTH_OPEN,
    }


def test_a_tilted_camera_shifts_the_zero_of_pitch() -> None:
    rule = next(r for r in RULES if r.measure == "pitch_deg")
    tilted = Thresholds(pitch_zero_deg=10.0)
    assert rule.value(Measures(pitch_deg=30.0), tilted) == 20.0
    assert rule.value(Measures(pitch_deg=-12.0), tilted) == 22.0
