import csv
import json

import numpy as np
import pytest

from calibration.errors import LabelError, MaterialError
from calibration.tuning.limits import KINDS
from calibration.tuning.material.delivered_sessions import Owner, read_owners, read_results
from capture.light.timeline import LabelKind
from facelight.batch.tables import FRAME_COLUMNS
from facelight.commands.tune_thresholds import number_of
from preprocess.measures.measures import FIELDS
from preprocess.reasons import Reason
from uploader.http.bad_requests import BAD_REQUESTS


def session(folder, outcome, rows=None, status="accepted"):
    folder.mkdir(parents=True)
    result = {"name": folder.name, "status": status, "outcome": outcome}
    (folder / "result.json").write_text(json.dumps(result))
    if rows is None:
        rows = [
            {"label": "neutral", "accepted": "1"},
            {"label": "neutral", "accepted": "0"},
            {"label": "clean", "accepted": "1", "frame_number": "0", "blur_pct": "1.25"},
            {"label": "transition", "accepted": "1"},
            {"label": "clean", "accepted": "1", "frame_number": "1"},
        ]
    with (folder / "frames.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, FRAME_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows({"seq": n, "t_ms": n * 33, **row} for n, row in enumerate(rows))
    return folder


def refused(number):
    message = next(b.message for b in BAD_REQUESTS if b.number == number)
    return {"status": 400, "error": {"code": "x", "message": f"BadRequest, {message}"}}


ACCEPTED = {"status": 200, "decision": "spoofface", "error": None}


def test_the_answers_of_the_service_are_the_labels(tmp_path):
    session(tmp_path / "good", ACCEPTED)
    session(tmp_path / "silent", {"status": 204, "decision": None, "error": None})
    for number in (9, 11, 12, 13, 14):
        session(tmp_path / f"bad{number}", refused(number))
    found = read_results([tmp_path], number_of)
    reasons = {item.name: set(item.reasons) for item in found.items}
    assert reasons == {
        "good": set(),
        "silent": set(),
        "bad9": {Reason.NO_FACE},
        "bad11": {Reason.BLURRED},
        "bad12": {Reason.OVER_EXPOSED},
        "bad13": {Reason.UNDER_EXPOSED},
        "bad14": {Reason.NOT_FRONTAL},
    }


def test_submitted_frames_and_accepted_neutral_ones_are_taken(tmp_path):
    found = read_results([session(tmp_path / "one", ACCEPTED)], number_of)
    (table,) = found.tables
    assert table.seq.tolist() == [0, 2, 4]
    assert [KINDS[k] for k in table.kind] == [
        LabelKind.NEUTRAL, LabelKind.CLEAN, LabelKind.CLEAN,
    ]  # fmt: skip
    assert table.values[1, FIELDS.index("blur_pct")] == 1.25
    assert np.isnan(table.values[2, FIELDS.index("blur_pct")])


def test_what_says_nothing_is_counted_by_cause(tmp_path):
    session(tmp_path / "good", ACCEPTED)
    session(tmp_path / "unsent", None)
    session(tmp_path / "later", {"status": 429, "error": {"message": "Rate limit"}})
    session(tmp_path / "lost", {"status": None, "error": {"message": "no network"}})
    session(tmp_path / "few", refused(10))
    session(tmp_path / "big", refused(7))
    session(tmp_path / "odd", {"status": 400, "error": {"message": "something new"}})
    found = read_results([tmp_path], number_of)
    assert len(found.items) == 1
    assert sum(found.skipped.values()) == 6
    assert found.skipped["not submitted (accepted)"] == 1
    assert found.skipped["failed with 429"] == 1


def test_subjects_come_from_their_file(tmp_path):
    session(tmp_path / "r" / "one", ACCEPTED)
    session(tmp_path / "r" / "two", refused(11))
    owners = tmp_path / "who.csv"
    owners.write_text("name,subject,group\none,anna,x\ntwo,anna,x\n")
    found = read_results([tmp_path / "r"], number_of, read_owners(owners))
    assert [(i.subject, i.group) for i in found.items] == [("anna", "x"), ("anna", "x")]
    with pytest.raises(LabelError, match="'two' has no subject"):
        read_results([tmp_path / "r"], number_of, {"one": Owner("anna")})


def test_without_that_file_each_session_is_a_subject(tmp_path):
    session(tmp_path / "one", ACCEPTED)
    session(tmp_path / "two", ACCEPTED)
    assert len({i.subject for i in read_results([tmp_path], number_of).items}) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,subject\none,\n", ":2: expected a name and a subject"),
        ("name,subject\none,a\none,b\n", ":3: name: 'one' is there twice"),
        ("name\none\n", "no column subject"),
    ],
)
def test_a_faulty_file_of_subjects_is_told(tmp_path, text, told):
    path = tmp_path / "who.csv"
    path.write_text(text)
    with pytest.raises(LabelError, match=told):
        read_owners(path)


def test_a_folder_without_sessions_and_one_without_answers_are_told(tmp_path):
    with pytest.raises(MaterialError, match="holds no processed session"):
        read_results([tmp_path], number_of)
    session(tmp_path / "unsent", None)
    with pytest.raises(
        MaterialError, match=r"no session that the service judged \(1 not submitted"
    ):
        read_results([tmp_path], number_of)


def test_damaged_files_are_told_by_name_and_line(tmp_path):
    folder = session(tmp_path / "one", ACCEPTED)
    frames = folder / "frames.csv"
    whole = frames.read_text()
    frames.write_text(whole.replace("1.25", "blurry"))
    with pytest.raises(LabelError, match=r"frames.csv:4: blur_pct: expected a number"):
        read_results([tmp_path], number_of)
    frames.write_text(whole.replace("frame_number", "number"))
    with pytest.raises(LabelError, match="no column frame_number"):
        read_results([tmp_path], number_of)
    frames.write_text(whole.splitlines()[0] + "\n")
    with pytest.raises(LabelError, match="no frame with a frame_number"):
        read_results([tmp_path], number_of)
    frames.unlink()
    with pytest.raises(LabelError, match="cannot be read"):
        read_results([tmp_path], number_of)
    (folder / "result.json").write_text("{")
    with pytest.raises(LabelError, match="no valid JSON"):
        read_results([tmp_path], number_of)
    (folder / "result.json").write_text("[]")
    with pytest.raises(LabelError, match="no result of a processed session"):
        read_results([tmp_path], number_of)
