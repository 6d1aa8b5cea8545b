"""``facelight demo`` as a newcomer runs it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Run

pytestmark = pytest.mark.slow


def test_the_demo_ends_with_decision_timings_and_report(run: Run, tmp_path: Path) -> None:
    done = run("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "decision: realface"
    assert [line.split(":")[0] for line in lines[1:-1]] == [
        "start",
        "session",
        "session_simulated",
        "all",
    ]
    report = re.fullmatch(r"report: (.+)", lines[-1])
    assert report
    page = (tmp_path / report.group(1)).read_text(encoding="utf-8")
    assert "realface" in page
    assert not re.search(r"""(src|href)=["']?https?:""", page)


def test_a_demo_without_a_person_says_so_in_one_line(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--person", "none", "--sim", "sim:fps=5", "--quiet", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.search(r"^error: no clip came of person=none: nobody .*\n\Z", done.stderr, re.M)
    assert "Traceback" not in done.stderr
