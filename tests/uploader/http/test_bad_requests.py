"""The fourteen messages are those of the service's documentation, word for word."""

from __future__ import annotations

import pytest

from tests.conftest import SHARED
from uploader.http.bad_requests import BAD_REQUESTS, BY_CODE, recognise

SEED = SHARED / "seeds" / "000_537379be9c4c0411.txt"


def test_every_message_stands_in_the_documentation_in_this_order():
    if not SEED.is_file():
        pytest.skip("the service's documentation is not on this machine")
    text = " ".join(SEED.read_text(encoding="utf-8").split())
    places = [text.find(f"BadRequest, {entry.message}") for entry in BAD_REQUESTS]
    assert -1 not in places
    assert places == sorted(places)
    assert text.count("BadRequest, ") == len(BAD_REQUESTS) == 14


def test_numbers_run_from_one_and_codes_are_unique():
    assert [entry.number for entry in BAD_REQUESTS] == list(range(1, 15))
    assert len(BY_CODE) == 14
    assert all(entry.advice for entry in BAD_REQUESTS)


@pytest.mark.parametrize("entry", BAD_REQUESTS, ids=lambda e: e.code)
@pytest.mark.parametrize(
    "dress",
    [
        pytest.param(lambda m: m, id="bare"),
        pytest.param(lambda m: f"BadRequest, {m}", id="prefixed"),
        pytest.param(lambda m: m.upper(), id="upper case"),
        pytest.param(lambda m: m.replace(" ", "\n  "), id="broken lines"),
        pytest.param(lambda m: m.partition(" Required")[0] + " More.", id="without the example"),
    ],
)
def test_each_message_is_recognised_however_it_is_dressed(entry, dress):
    assert recognise(dress(entry.message)) is entry


@pytest.mark.parametrize("text", ["", "BadRequest", "Face", "Image size is", "x" * 10_000])
def test_other_texts_are_not_mistaken_for_one(text):
    assert recognise(text) is None
