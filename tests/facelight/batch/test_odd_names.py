"""Names that are no UTF-8 cost nobody a result: not their own, not another's."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from facelight.batch.collector import Request, Results
from facelight.batch.job import Finished, Job, failed, write_failed
from facelight.batch.pool.job_attempt import failed_safely
from facelight.config.settings import Settings, load_settings
from facelight.errors import Exit
from facelight.terminal import encodable
from tests.facelight.records import record

BAD = os.fsdecode(b"b\xe9.mp4")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(BAD, r"b\xe9.mp4", id="a byte"),
        pytest.param("x\ud800y", r"x\ud800y", id="half a pair"),
        pytest.param("é", "é", id="usual"),
    ],
)
def test_what_utf8_cannot_hold_is_escaped(text: str, expected: str) -> None:
    assert encodable(text) == expected
    assert encodable(text).encode()


def test_a_failure_with_such_a_name_is_written_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(BAD, "b%E9", tmp_path, relative=f"sub/{BAD}")
    result = write_failed(job, Settings(), ValueError(f"{BAD}: damaged"))
    with Results(Request((BAD,), tmp_path), Settings(), 1) as results:
        results.take(Finished(job, result))
    assert results.exit_code is Exit.FAILED
    stored = json.loads((tmp_path / "b%E9" / "result.json").read_text(encoding="utf-8"))
    assert stored["input"] == r"sub/b\xe9.mp4"
    assert r"b\xe9.mp4: damaged" in capsys.readouterr().err
    assert json.loads((tmp_path / "results.jsonl").read_text(encoding="utf-8")) == stored
    assert r"b\\xe9.mp4" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_cannot_be_recorded_at_all_is_one_line_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = failed(Job("c.mp4", "c", tmp_path), Settings(), ValueError("c.mp4: empty"))
    unfit = record("a").model_copy(update={"outcome": "of another version"})
    with Results(Request(("x",), tmp_path), Settings(), 2) as results:
        results.take(Finished(Job("a.mp4", "a", tmp_path, 0), unfit))
        results.take(Finished(Job("c.mp4", "c", tmp_path, 1), fine))
    assert results.exit_code is Exit.FAILED
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith("error: a.mp4: its result cannot be shown: AttributeError")
    assert err[1] == "error: c.mp4: empty"


def test_recording_a_failure_does_not_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")

    monkeypatch.setattr("facelight.batch.job.json_bytes", broken)
    result = failed_safely(Job("a.mp4", "a", tmp_path), Settings(), ValueError("x"))
    assert result.error is not None
    assert "UnicodeEncodeError" in result.error.message


@pytest.mark.parametrize(
    ("umask", "modes"),
    [
        pytest.param("077", (0o700, 0o600), id="as it is"),
        pytest.param("022", (0o755, 0o644), id="set"),
    ],
)
def test_results_are_their_owners_alone_unless_the_operator_says_otherwise(
    umask: str, modes: tuple[int, int], tmp_path: Path
) -> None:
    settings = load_settings({"output_umask": umask}, None, {}).settings
    job = Job("a.mp4", "a", tmp_path)
    result = write_failed(job, settings, ValueError("x"))
    with Results(Request(("x",), tmp_path), settings, 1) as results:
        results.take(Finished(job, result))
    names = ("a/result.json", "summary.csv", "results.jsonl", "index.html")
    files = [tmp_path / name for name in names]
    assert stat.S_IMODE(job.target.stat().st_mode) == modes[0]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {modes[1]}
