"""A result is typed, survives its file, and its schema is what is published."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from facelight.result import (
    ErrorRecord,
    ResultError,
    ResultRecord,
    json_bytes,
    read_result,
)
from tests.facelight.records import LIGHT, outcome, record
from tools.result_schema import FOLDER, SCHEMAS, text_of


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(record(), id="accepted"),
        pytest.param(record(status="rejected", reasons=["blurred"], light=LIGHT), id="rejected"),
        pytest.param(record(status="error"), id="error"),
        pytest.param(record(outcome=outcome(), spooled=None), id="delivered"),
    ],
)
def test_a_result_comes_back_from_its_file(result: ResultRecord, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_bytes(json_bytes(result))
    assert read_result(tmp_path) == result
    assert read_result(tmp_path / "result.json") == result
    assert pickle.loads(pickle.dumps(result)) == result


def test_what_a_later_version_wrote_is_kept(tmp_path: Path) -> None:
    later = record().to_json() | {"beauty": 7}
    (tmp_path / "result.json").write_text(json.dumps(later))
    changed = read_result(tmp_path).with_fields(outcome=outcome())
    assert json.loads(json_bytes(changed)) == later | {"outcome": outcome()}


def test_a_failed_input_has_the_first_fields_and_its_error_alone() -> None:
    assert [*record(status="error").to_json()] == [
        "name", "input", "session_id", "status", "reasons", "digest", "counts", "settings_hash",
        "software", "outcome", "error",
    ]  # fmt: skip


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_can_be_written(text: str) -> None:
    assert json_bytes(record(status="error", error={"code": "X", "message": text}))
    assert json_bytes(record(detail=text, notes=[text]))


def test_bytes_of_a_name_that_are_no_text_are_escaped() -> None:
    failed = ErrorRecord(code="X", message=os.fsdecode(b"b\xe9.mp4"))
    assert failed.message == r"b\xe9.mp4"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "cannot be read: No such file", id="missing"),
        pytest.param("{oops", "no result of a session: Invalid JSON", id="no JSON"),
        pytest.param("[]", "no result of a session", id="a list"),
        pytest.param('{"name": "a"}', "no result of a session: input: Field required", id="field"),
    ],
)
def test_what_is_no_result_names_file_and_field(
    content: str | None, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "result.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ResultError, match=problem) as error:
        read_result(path)
    assert str(path) in str(error.value)


def test_a_result_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        record().status = "error"  # type: ignore[misc]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_that_of_the_type(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == text_of(SCHEMAS[name])
