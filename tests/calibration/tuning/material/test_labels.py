from pathlib import Path

import pytest

from calibration.errors import LabelError
from calibration.tuning.material.labels import (
    BAD,
    FRAME_REASONS,
    GOOD,
    SESSION_REASONS,
    SYNONYMS,
    read_labels,
    read_reason,
)
from preprocess.reasons import Reason

HEADER = "path,subject,label,reason,group\n"


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def written(folder, text, encoding="utf-8"):
    path = folder / "labels.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_rows_become_items_with_paths_beside_the_file(folder):
    path = written(folder, HEADER + "a.png, anna ,good,,x\nb.png,ben,bad,blurred;Dark,\n")
    good, bad = read_labels(path)
    assert good.good
    assert good.path == folder / "a.png"
    assert (good.subject, good.group) == ("anna", "x")
    assert not bad.good
    assert bad.reasons == {Reason.BLURRED, Reason.UNDER_EXPOSED}
    assert bad.where == f"{path}:3"


def test_a_mark_at_the_start_other_columns_and_blank_lines_do_not_matter(folder):
    text = "note,Reason,label,SUBJECT,path\n\nhm,,OK,anna,a.png\n"
    (found,) = read_labels(written(folder, text, "utf-8-sig"))
    assert found.good
    assert found.group == ""


@pytest.mark.parametrize("word", ["good", "OK", "accept", "Accepted", "pass", "1", "true", "yes"])
def test_words_for_good(folder, word):
    assert read_labels(written(folder, HEADER + f"a.png,anna,{word},,\n"))[0].good


@pytest.mark.parametrize("word", ["bad", "Reject", "rejected", "fail", "0", "false", "no"])
def test_words_for_bad(folder, word):
    assert not read_labels(written(folder, HEADER + f"a.png,anna,{word},blur,\n"))[0].good


@pytest.mark.parametrize("reason", FRAME_REASONS)
def test_every_reason_of_a_frame_can_be_said_in_several_spellings(reason):
    assert read_reason(reason) is reason
    assert read_reason(f" {reason.upper().replace('_', '-')} ") is reason
    assert read_reason(reason.replace("_", " ")) is reason


def test_synonyms_are_no_reasons_themselves():
    assert not set(SYNONYMS) & set(Reason)
    assert read_reason("Motion Blur") is Reason.MOVING


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", ":1: no column path, subject, label, reason", id="empty file"),
        pytest.param(HEADER, "labels nothing", id="header alone"),
        pytest.param("path,subject,label\na.png,x,good\n", ":1: no column reason", id="column"),
        pytest.param("path,path,subject,label,reason\n", ":1: a column is there twice", id="twice"),
        pytest.param(HEADER + "a.png,anna,fine,,\n", ":2: label: unknown 'fine'", id="label"),
        pytest.param(HEADER + "a.png,anna,bad,ugly,\n", ":2: reason: unknown 'ugly'", id="reason"),
        pytest.param(HEADER + "a.png,anna,bad,,\n", ":2: reason: is empty", id="no reason"),
        pytest.param(HEADER + "a.png,anna,good,blurred,\n", "the label is good", id="both"),
        pytest.param(HEADER + "a.png,anna,bad,light_none,\n", "whole sessions", id="session"),
        pytest.param(HEADER + "a.png,,good,,\n", ":2: subject: is empty", id="subject"),
        pytest.param(HEADER + ",anna,good,,\n", ":2: path: is empty", id="path"),
        pytest.param(HEADER + "x.png,anna,good,,\n", "no such file or folder", id="missing"),
        pytest.param(HEADER + "a.png,anna\n", ":2: expected 5 cells", id="short"),
        pytest.param(HEADER + "a.png,anna,good,,x,y\n", ":2: expected 5 cells", id="long"),
        pytest.param(
            HEADER + "a.png,anna,good,,\nb.png,ben,good,,\n./a.png,anna,good,,\n",
            ":4: path: ./a.png was labelled in line 2",
            id="duplicate",
        ),
        pytest.param(
            HEADER + "a.png,anna,good,,x\nb.png,anna,good,,y\n",
            ":3: group: anna is of 'y' here and of 'x' in line 2",
            id="group",
        ),
        pytest.param(HEADER + 'a.png,"anna,good,,\n', ":2: no valid CSV", id="quote"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_column(folder, text, told):
    path = written(folder, text)
    with pytest.raises(LabelError) as caught:
        read_labels(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_text_or_not_there_is_told(folder):
    path = folder / "labels.csv"
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(path)
    path.write_bytes(b"path,subject,label,reason\n\xff\xfe,x,good,\n")
    with pytest.raises(LabelError, match="no UTF-8"):
        read_labels(path)


def test_session_reasons_and_frame_reasons_are_all_reasons():
    assert {*SESSION_REASONS, *FRAME_REASONS} == set(Reason)


def test_the_manual_names_every_reason_and_word():
    manual = (Path(__file__).parents[4] / "docs" / "tuning.md").read_text(encoding="utf-8")
    rows = {
        row.split("|")[1].strip(" `"): {w.strip(" `") for w in row.split("|")[2].split(",")} - {""}
        for row in manual.splitlines()
        if row.startswith("| `")
    }
    assert set(rows) == set(FRAME_REASONS)
    assert {w: r for r, words in rows.items() for w in words} == dict(SYNONYMS)
    assert all(f"`{word}`" in manual for word in GOOD | BAD)
