from __future__ import annotations

from dataclasses import fields

import pytest

from capture.live.options import LiveOptions


def test_every_option_has_a_unit_and_a_reason() -> None:
    for item in fields(LiveOptions):
        assert item.metadata["why"]
        assert "unit" in item.metadata


@pytest.mark.parametrize("text", ["MJPEG", "H\n64", "äöüß", "MJP"])
def test_a_format_has_four_characters(text: str) -> None:
    with pytest.raises(ValueError, match="fourcc: expected four characters"):
        LiveOptions(fourcc=text)


def test_no_format_leaves_it_to_the_camera() -> None:
    assert LiveOptions(fourcc="").fourcc == ""


@pytest.mark.parametrize("mains_hz", [1, 49, 61, -50])
def test_mains_have_50_or_60_hz(mains_hz: int) -> None:
    with pytest.raises(ValueError, match="mains_hz"):
        LiveOptions(mains_hz=mains_hz)
