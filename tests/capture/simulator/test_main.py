from __future__ import annotations

import csv
from pathlib import Path

import pytest

from capture.simulator.__main__ import main


@pytest.mark.slow
def test_a_preview_holds_every_frame_and_its_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim:size=160x90,motion=leave@0.5s", "--out", str(tmp_path / "p")]) == 0
    with (tmp_path / "p" / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} >= {"clean", "neutral", "transition"}
    assert {row["people"] for row in rows} == {"0", "1"}
    assert len(list((tmp_path / "p").glob("*.png"))) == len(rows) > 40
    assert f"{len(rows)} frames" in capsys.readouterr().out


def test_a_wrong_specification_is_one_line_and_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim:skin=11", "--out", str(tmp_path / "p")]) == 1
    assert capsys.readouterr().err == "sim: skin: expected 1 to 10 tone, got 11\n"
    assert not (tmp_path / "p").exists()
