"""Options that cannot work are refused by name; the declared ranges are the only ones."""

from __future__ import annotations

from dataclasses import fields

import pytest

from preprocess.clip.clip_options import ClipOptions
from preprocess.errors import OptionError, PreprocessError


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"container": "gif"}, "container: expected webp, jpeg, png", id="container"),
        pytest.param({"focus": "last"}, "focus: expected every, first, none", id="focus"),
        pytest.param({"target_bytes": 1023}, "target_bytes: expected 1024 to 25000000", id="low"),
        pytest.param({"target_bytes": 25_000_001}, "got 25000001", id="high"),
        pytest.param({"workers": 0}, "workers: expected 1 to 64, got 0", id="no-worker"),
        pytest.param({"stall_s": float("nan")}, "stall_s: expected", id="nan"),
        pytest.param({"quality": 30}, "quality_min: 40 is above quality 30", id="qualities"),
    ],
)
def test_a_value_out_of_range_is_named(given, told):
    with pytest.raises(OptionError, match=told) as caught:
        ClipOptions(**given)
    assert isinstance(caught.value, PreprocessError)
    assert isinstance(caught.value, ValueError), "settings turn it into their own error"


@pytest.mark.parametrize("item", fields(ClipOptions), ids=lambda item: item.name)
def test_every_option_says_why_and_starts_within_its_range(item):
    assert item.metadata["why"]
    low, high = item.metadata["low"], item.metadata["high"]
    assert low is None or low <= item.default <= high


@pytest.mark.parametrize(
    ("container", "limit"), [("webp", 25_000_000), ("jpeg", 6_000_000), ("png", 6_000_000)]
)
def test_the_limit_of_a_file_is_that_of_its_kind(container, limit):
    assert ClipOptions(container=container).file_limit_bytes == limit
    assert ClipOptions(container=container, target_bytes=9000).file_limit_bytes == 9000
