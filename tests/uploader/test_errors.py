"""The error tree: one root, stable codes, survives the way through a process pool."""

from __future__ import annotations

import pickle

import pytest

from uploader import errors
from uploader.errors import Context, UploaderError

LEAVES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, UploaderError)
]


@pytest.mark.parametrize("kind", LEAVES, ids=lambda k: k.__name__)
def test_every_error_has_a_code_and_carries_its_context_through_pickle(kind):
    error = kind("what", Context(503, "rq", "cl", 2.0, "X"), code="c", advice="a")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.code, again.advice, again.context) == ("c", "a", error.context)
    assert str(again) == str(error) == "HTTP 503: what (a)"
    assert kind.code


def test_codes_are_unique_but_for_the_abstract_levels():
    codes = [kind.code for kind in LEAVES]
    assert len(set(codes)) == len(codes)


def test_the_drawn_tree_names_every_class():
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in LEAVES)


def test_without_advice_there_are_no_brackets():
    assert str(UploaderError("plain")) == "plain"
