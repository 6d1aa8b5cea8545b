"""Foreign text in tables that people open in a spreadsheet."""

from __future__ import annotations

import pytest

from uploader.plain_text import csv_cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        pytest.param("=HYPERLINK(1)", "'=HYPERLINK(1)", id="formula"),
        pytest.param("+1+2", "'+1+2", id="sum"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("-x", "'-x", id="minus"),
        pytest.param("\t=1", "'\\t=1", id="tab before a formula"),
        pytest.param(-3.25, "-3.25", id="a number"),
        pytest.param("-3.5e-7", "-3.5e-7", id="a number as text"),
        pytest.param("a\nb\x1b[31m", "a\\nb\\x1b[31m", id="control characters"),
        pytest.param("a\u2028b", "a\\u2028b", id="line separator"),
        pytest.param("plain é", "plain é", id="plain"),
        pytest.param(None, "", id="nothing"),
    ],
)
def test_a_cell_is_never_a_formula_and_holds_no_control_character(value: object, cell: str) -> None:
    assert csv_cell(value) == cell
