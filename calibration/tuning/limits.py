"""The limits that can be tuned: the gate's own rules, seen as badness that grows with the fault."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from capture.light.timeline import Label, LabelKind
from preprocess.gate.gate import rules_in
from preprocess.gate.rules import RULES, Rule
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measures import FIELDS
from preprocess.reasons import Reason

KINDS: Final = tuple(LabelKind)
DIGITS: Final = 4
NOT_TUNED: Final = frozenset({"ied_best_px"})
"""The service's own recommendation, no property of a population."""


CONTRACT: Final = frozenset({"face_side_drop_px", "ied_drop_px"})
"""Sizes below which the service detects no face."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of the gate.

    Attributes
    ----------
    rule : what it judges.
    key : the field of ``Thresholds`` that is tuned: the drop level, else the accept level.
    default : its value before tuning.
    low, high, unit : from the field's declaration.
    accept_key, accept_ratio : the accept level follows at the default's ratio to the drop level;
        "" and 1 for a limit that only warns.
    """

    rule: Rule
    key: str
    default: float
    low: float
    high: float
    unit: str
    accept_key: str = ""
    accept_ratio: float = 1.0

    @property
    def rejects(self) -> bool:
        """Whether it turns frames away; else it warns."""
        return self.rule.rejects

    @property
    def contract(self) -> bool:
        """Whether the service itself draws it: it may get stricter, never looser."""
        return self.key in CONTRACT

    @property
    def reason(self) -> Reason:
        """What a violation is called."""
        return self.rule.reason

    def badness(
        self, values: NDArray[np.float64], kind: NDArray[np.uint8], base: Thresholds
    ) -> NDArray[np.float64]:
        """Return (n,) badness; above ``badness_of(level)`` a frame is beyond the limit.

        NaN where the rule does not speak in this light; +inf where the measure could not be
        assessed and that rejects; -inf where it could not and that passes, and where a condition of
        the rule is not fulfilled.

        Parameters
        ----------
        values : (n, len(FIELDS)) measures.
        kind : (n,) index in ``KINDS`` of the light of each frame.
        base : has the levels of the rule's conditions, and what is subtracted from the measure
            before its magnitude is taken.
        """
        zero = float(getattr(base, self.rule.zero)) if self.rule.zero else 0.0
        value = values[:, FIELDS.index(self.rule.measure)] - zero
        found = self.rule.sign * (np.abs(value) if self.rule.magnitude else value)
        missing = -math.inf if self.rule.nan_passes else math.inf
        found = np.where(np.isnan(value), missing, found)
        for condition in self.rule.only_if:
            other = values[:, FIELDS.index(condition.measure)]
            level = float(getattr(base, condition.drop))
            holds = other < level if condition.below else other >= level
            found = np.where(holds | np.isnan(value), found, -math.inf)
        speaks = np.array([self.rule in rules_in(Label(k)) for k in KINDS])
        return np.where(speaks[kind], found, np.nan)

    def badness_of(self, level: float) -> float:
        """Return the badness beyond which a frame violates ``level``."""
        return self.rule.sign * level

    def level_of(self, badness: float) -> float:
        """Return the level for a badness, rounded to the lenient side and within the range."""
        return min(max(lenient(self.rule.sign * badness, self.rule.sign), self.low), self.high)

    def more_lenient(self, one: float, other: float) -> float:
        """Return the one of two levels that rejects less."""
        return max(one, other) if self.rule.sign > 0 else min(one, other)


def lenient(level: float, sign: int, digits: int = DIGITS) -> float:
    """Return ``level`` at so many significant digits, never stricter than it was."""
    if level == 0 or not math.isfinite(level):
        return level
    places = digits - 1 - math.floor(math.log10(abs(level)))
    factor = 10.0**places
    # what is exact at these digits must stay, whatever its last binary place
    if math.isclose(nearest := round(level * factor) / factor, level, rel_tol=1e-12):
        return nearest if sign * (nearest - level) >= 0 else level
    return (math.ceil if sign > 0 else math.floor)(level * factor) / factor


def limits_of(base: Thresholds | None = None) -> tuple[Limit, ...]:
    """Return the limits that can be tuned, in the order of the rules."""
    base = base or Thresholds()
    declared = {field.name: field.metadata for field in fields(Thresholds)}
    return tuple(
        _limit(rule, base, declared[rule.drop or rule.accept])
        for rule in RULES
        if rule.accept not in NOT_TUNED
    )


def _limit(rule: Rule, base: Thresholds, declared: Mapping[str, Any]) -> Limit:
    key = rule.drop or rule.accept
    default = float(getattr(base, key))
    accept = float(getattr(base, rule.accept))
    return Limit(
        rule,
        key,
        default,
        float(declared["low"]),
        float(declared["high"]),
        str(declared["unit"]),
        rule.accept if rule.drop else "",
        accept / default if rule.drop else 1.0,
    )


def with_levels(
    base: Thresholds, limits: tuple[Limit, ...], levels: Mapping[str, float]
) -> Thresholds:
    """Return ``base`` with other levels; the accept level of each follows its drop level."""
    return replace(base, **changes(limits, levels))


def changes(limits: tuple[Limit, ...], levels: Mapping[str, float]) -> dict[str, float]:
    """Return the fields of ``Thresholds`` that ``levels`` change, accept levels with them."""
    found: dict[str, float] = {}
    for limit in limits:
        level = levels.get(limit.key, limit.default)
        if level == limit.default:
            continue
        found[limit.key] = level
        if limit.accept_key:
            accept = float(f"{level * limit.accept_ratio:.{DIGITS}g}")
            found[limit.accept_key] = min(max(accept, limit.low), limit.high)
    return found
