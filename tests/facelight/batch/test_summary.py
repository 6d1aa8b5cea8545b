"""The summary of a batch: rows in any order, written in the order of the inputs, out of memory."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from facelight.batch import summary as module
from facelight.batch.summary import Summary
from tests.facelight.records import record


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_rows_are_in_the_order_of_the_inputs_however_they_came(tmp_path: Path) -> None:
    with Summary(tmp_path) as summary:
        for place in (3, 0, 2):
            summary.add(place, record(f"n{place}"))
    assert [row["name"] for row in rows(tmp_path)] == ["n0", "n2", "n3"]


def test_an_interrupted_batch_has_the_summary_of_what_is_finished(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Summary(tmp_path) as summary:
        summary.add(0, record("a"))
        raise KeyboardInterrupt
    assert [row["name"] for row in rows(tmp_path)] == ["a"]
    assert '"name":"a"' in (tmp_path / "index.html").read_text()


def test_any_text_comes_back_from_the_table_and_is_escaped_on_the_page(tmp_path: Path) -> None:
    nasty = 'é, "quoted"\nsecond line <script>'
    with Summary(tmp_path) as summary:
        summary.add(0, record("a", "error", error={"code": "X", "message": nasty}))
    assert rows(tmp_path)[0]["error"] == nasty.replace("\n", "\\n")
    assert json.loads((tmp_path / "results.jsonl").read_text())["error"]["message"] == nasty
    assert "line <script>" not in (tmp_path / "index.html").read_text()


def test_a_batch_without_results_has_an_empty_summary(tmp_path: Path) -> None:
    with Summary(tmp_path):
        pass
    assert rows(tmp_path) == []
    assert "0 sessions" in (tmp_path / "index.html").read_text()


def test_a_page_lists_what_was_not_accepted_where_all_would_be_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LISTED", 5)
    with Summary(tmp_path) as summary:
        for place in range(20):
            summary.add(place, record(f"n{place}", "error" if place == 13 else "accepted"))
    page = (tmp_path / "index.html").read_text()
    assert "<h1>20 sessions</h1>" in page
    assert "19 accepted, 0 rejected, 1 with errors" in page
    assert '"name":"n13"' in page
    assert '"name":"n12"' not in page
    assert len(rows(tmp_path)) == 20
