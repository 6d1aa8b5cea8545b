"""A frame without a face says whether it is black or white."""

from __future__ import annotations

import numpy as np
import pytest

from preprocess.measures.blank import blank_reason
from preprocess.reasons import Reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(0, Reason.UNDER_EXPOSED, id="black"),
        pytest.param(20, Reason.UNDER_EXPOSED, id="covered lens"),
        pytest.param(60, None, id="dim room"),
        pytest.param(128, None, id="grey"),
        pytest.param(255, Reason.OVER_EXPOSED, id="white"),
    ],
)
def test_a_uniform_frame_is_named_for_what_it_is(code: int, reason: Reason | None) -> None:
    assert blank_reason(np.full((120, 160, 3), code, np.uint8)) is reason


def test_a_dark_frame_with_a_lamp_in_it_is_an_ordinary_picture() -> None:
    frame = np.zeros((240, 320, 3), np.uint8)
    frame[:40, :80] = 255
    assert blank_reason(frame) is None


def test_the_smallest_frame_can_be_judged() -> None:
    assert blank_reason(np.zeros((1, 1, 3), np.uint8)) is Reason.UNDER_EXPOSED
