"""Options that cannot work are refused by name; the declared ranges are the only ones."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from preprocess.clip.clip_options import ClipOptions


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"container": "gif"}, "container\n.*'webp', 'jpeg' or 'png'", id="container"),
        pytest.param({"focus": "last"}, "focus\n.*'every', 'first' or 'none'", id="focus"),
        pytest.param({"target_bytes": 1023}, "target_bytes\n.*equal to 1024", id="low"),
        pytest.param({"target_bytes": 25_000_001}, "target_bytes\n.*equal to 25000000", id="high"),
        pytest.param({"workers": 0}, "workers\n.*or equal to 1", id="no-worker"),
        pytest.param({"stall_s": float("nan")}, "stall_s\n.*finite number", id="nan"),
        pytest.param({"quality": 30}, "quality_min: 40 is above quality 30", id="qualities"),
    ],
)
def test_a_value_out_of_range_is_named(given, told):
    with pytest.raises(ValueError, match=told):
        ClipOptions(**given)
    with pytest.raises(ValueError, match=told):
        replace(ClipOptions(), **given)


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
