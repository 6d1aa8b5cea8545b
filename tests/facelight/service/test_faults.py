"""Faults: what a specification means, and that the dice keep to it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelight.service.errors import FaultError
from facelight.service.faults import DropWhen, Fault, FaultDice, FaultKind, parse_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("429:0.3", Fault(FaultKind.STATUS, 0.3, 429), id="rate"),
        pytest.param("429:0.3:7s", Fault(FaultKind.STATUS, 0.3, 429, seconds=7.0), id="rate, 7 s"),
        pytest.param("403:1:9d", Fault(FaultKind.STATUS, 1.0, 403, days=9), id="quota, 9 days"),
        pytest.param("408:0", Fault(FaultKind.STATUS, 0.0, 408), id="time-out"),
        pytest.param("503:.5:2", Fault(FaultKind.STATUS, 0.5, 503, seconds=2.0), id="retry-after"),
        pytest.param("stall:0.1:5s", Fault(FaultKind.STALL, 0.1, seconds=5.0), id="stall"),
        pytest.param("stall:0.1", Fault(FaultKind.STALL, 0.1, seconds=30.0), id="stall, default"),
        pytest.param("drop:1", Fault(FaultKind.DROP, 1.0), id="drop, default"),
        pytest.param(
            "drop:1:before", Fault(FaultKind.DROP, 1.0, when=DropWhen.BEFORE), id="drop before"
        ),
    ],
)
def test_a_specification_reads_as_documented(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        *("", "429", "429:", "429:x", "429:1.5", "429:-1", "429:nan", "200:0.5", "600:1", "42:1"),
        *("stall:1:soon", "drop:1:later", "408:1:3s", "403:1:2s", "429:1:1e9s", "429:1:-3"),
    ],
)
def test_a_specification_that_cannot_be_meant_is_named(text: str) -> None:
    with pytest.raises(FaultError, match="fault '") as caught:
        parse_fault(text)
    assert "expected" in str(caught.value) or "takes no" in str(caught.value)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parse_fault(text)
    except FaultError:
        return


def test_faults_come_as_often_as_asked_and_never_two_at_a_time() -> None:
    dice = FaultDice([parse_fault("429:0.3"), parse_fault("drop:0.1")], seed=1)
    drawn = Counter(fault and fault.kind for fault in (dice.draw() for _ in range(20_000)))
    assert drawn[FaultKind.STATUS] == pytest.approx(6000, rel=0.05)
    assert drawn[FaultKind.DROP] == pytest.approx(2000, rel=0.1)


def test_the_same_seed_gives_the_same_faults() -> None:
    faults = [parse_fault("503:0.5")]
    draws = [
        [dice.draw() for _ in range(50)] for dice in (FaultDice(faults, 7), FaultDice(faults, 7))
    ]
    assert draws[0] == draws[1]


def test_probabilities_above_one_are_refused() -> None:
    with pytest.raises(FaultError, match=r"add up to 1\.2"):
        FaultDice([parse_fault("503:0.6"), parse_fault("429:0.6")])
