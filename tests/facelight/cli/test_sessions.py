"""``facelight sessions`` and ``facelight audit`` against the local service."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys

import pytest

from facelight.result import json_bytes
from facelight.service.server import LocalService
from tests.facelight.cli.commands import run
from tests.facelight.records import outcome, record
from tests.uploader.samples import KEY, submission
from uploader.api.decision import Decision, LivenessDecision
from uploader.api.detect import DetectClient
from uploader.api.submission import Origin, Outcome
from uploader.errors import BadRequestError, ConnectionLostError
from uploader.http.credentials import BearerToken, read_token_file
from uploader.http.endpoint import Endpoint
from uploader.spool.item import ItemState
from uploader.spool.opening import open_spool


@pytest.fixture(scope="module")
def url():
    with LocalService(KEY.reveal()) as service:
        yield service.url


@pytest.fixture(autouse=True)
def key(monkeypatch, tmp_path):
    monkeypatch.setenv("FACELIGHT_KEY", KEY.reveal())
    monkeypatch.chdir(tmp_path)


def create(url, *more):
    return run("sessions", "create", "--endpoint", url, "--show-token", "--json", *more).json


def test_a_session_is_made_shown_listed_and_deleted(url):
    made = create(url, "--device-id", "d-1")
    shown = run("sessions", "show", made["sessionId"], "--endpoint", url, "--json").json
    assert (shown["status"], shown["deviceCorrelationId"]) == ("NotStarted", "d-1")
    listed = run("sessions", "list", "--endpoint", url, "--json").json
    assert made["sessionId"] in [one["id"] for one in listed]
    assert made["sessionId"] in run("sessions", "list", "--endpoint", url).out
    assert run("sessions", "delete", made["sessionId"], "--endpoint", url).code == 0
    gone = run("sessions", "show", made["sessionId"], "--endpoint", url)
    assert gone.code == 1
    assert "404" in gone.err


def test_a_token_is_saved_for_the_kiosk_and_not_printed(url, tmp_path):
    file = tmp_path / "token.json"
    told = run("sessions", "create", "--endpoint", url, "--save-token", file)
    token = read_token_file(file)
    assert token.reveal() not in told.out
    assert json.loads(file.read_text())["sessionId"] in told.out
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = run("sessions", "create", "--endpoint", url, "--save-token", file)
    assert again.code == 1
    assert "cannot be saved" in again.err


@pytest.mark.parametrize(
    ("args", "code", "problem"),
    [
        pytest.param(["create"], 2, "--save-token", id="nowhere for the token"),
        pytest.param(["create", "--show-token", "--token-life", "5"], 1, "60..86400", id="life"),
        pytest.param(["create", "--show-token", "--mode", "Loud"], 2, "Loud", id="mode"),
        pytest.param(["show", "../x"], 2, "session id", id="hostile id"),
        pytest.param(["delete", "unknown"], 1, "404", id="unknown id"),
    ],
)
def test_mistakes_are_one_line(url, args, code, problem):
    told = run("sessions", *args, "--endpoint", url)
    assert told.code == code
    assert problem in told.err


def test_without_a_service_or_with_a_token_it_is_told(monkeypatch, url):
    for command in (["sessions", "list"], ["audit", "s-1"], ["audit", "s-1", "--verify"]):
        told = run(*command)
        assert (told.code, "--endpoint" in told.err) == (2, True)
    monkeypatch.delenv("FACELIGHT_KEY")
    monkeypatch.setenv("FACELIGHT_TOKEN", "tok")
    told = run("sessions", "list", "--endpoint", url)
    assert (told.code, "need the key" in told.err) == (2, True)


@pytest.fixture
def sent(url, tmp_path):
    """A session to which this device sent one submission, noted in its spool."""
    made = create(url)
    origin = Origin(session_id=made["sessionId"], token=BearerToken(made["authToken"]))
    one = submission(origin=origin)
    with open_spool(tmp_path / "spool", environment={}) as spool:
        item = spool.put(one)
        with DetectClient(Endpoint(url), None) as client, pytest.raises(BadRequestError) as caught:
            client.detect(one)
        spool.finish(item, Outcome.of_error(one, caught.value), ItemState.REFUSED)
    return made["sessionId"]


def audit(url, session, tmp_path, *more):
    return run("audit", session, "--endpoint", url, "--spool-dir", tmp_path / "spool", *more)


def test_what_was_sent_matches_the_audit(url, sent, tmp_path):
    told = audit(url, sent, tmp_path, "--verify")
    assert told.code == 0
    assert "match" in told.out
    told = audit(url, sent, tmp_path, "--verify", "--json").json
    assert [check["verdict"] for check in told["checks"]] == ["match"]
    assert told["entries"][0]["response"]["statusCode"] == 400


def test_without_verifying_the_json_is_the_bare_array(url, sent, tmp_path):
    (entry,) = audit(url, sent, tmp_path, "--json").json
    assert entry["sessionId"] == sent


@pytest.mark.parametrize("size", [1, 1000])
def test_a_mismatch_is_exit_one(url, sent, tmp_path, size):
    with open_spool(tmp_path / "spool", environment={}) as spool, spool.ledger.transaction():
        (item,) = spool.items()
        spool.ledger.update(item.id, {"digest": "0" * 64})
    told = audit(url, sent, tmp_path, "--verify", "--page-size", size)
    assert told.code == 1
    assert "mismatch" in told.out


@pytest.mark.parametrize("event", ["submitted", "delivery"])
def test_the_references_of_a_kiosk_are_named_beside_its_requests(url, sent, tmp_path, event):
    with open_spool(tmp_path / "spool", environment={}) as spool:
        (item,) = spool.items()
    ids = {"client_request_id": item.client_request_id, "request_id": item.request_id}
    values = ids if event == "submitted" else {"outcome": ids}
    lines = [{"event": "idle"}, {"event": event, "reference": "till-4", **values}]
    events = tmp_path / "events.jsonl"
    events.write_text("\n".join(json.dumps(line) for line in lines))
    (entry,) = audit(url, sent, tmp_path, "--json", "--events", events).json
    assert entry["reference"] == "till-4"
    told = audit(url, sent, tmp_path, "--csv", "--verify", "--events", events)
    (row,) = csv.DictReader(io.StringIO(told.out))
    assert (row["reference"], row["verdict"]) == ("till-4", "match")
    assert "till-4" in audit(url, sent, tmp_path, "--events", events).out


def test_a_line_that_is_no_event_is_named(url, sent, tmp_path):
    events = tmp_path / "events.jsonl"
    events.write_text('{"event": "idle"}\n{oops\n')
    told = audit(url, sent, tmp_path, "--events", events)
    assert told.code == 1
    assert "line 2" in told.err


def test_what_the_audit_lacks_is_missing(url, sent, tmp_path):
    with open_spool(tmp_path / "spool", environment={}) as spool:
        more = submission(b"2", Origin(session_id=sent))
        item = spool.put(more)
        decision = Decision(LivenessDecision.REALFACE, "realface", None, None)
        outcome = Outcome.of_decision(more, decision, (200, "rq-never", 1))
        spool.finish(item, outcome, ItemState.DELIVERED)
    told = audit(url, sent, tmp_path, "--verify", "--csv")
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert [row["verdict"] for row in rows] == ["match", "missing"]
    assert told.code == 1
    assert "may have answered in the service's place" in told.err


def test_a_request_that_was_never_answered_may_be_missing(url, sent, tmp_path):
    with open_spool(tmp_path / "spool", environment={}) as spool:
        item = spool.put(lost := submission(b"2", Origin(session_id=sent)))
        gone = Outcome.of_error(lost, ConnectionLostError("gone"))
        spool.attempted(item, gone, ItemState.QUEUED)
    told = audit(url, sent, tmp_path, "--verify", "--json")
    assert [check["verdict"] for check in told.json["checks"]] == ["match", "missing"]
    assert told.code == 0


def test_a_request_that_this_device_never_sent_is_exit_one(url, tmp_path):
    made = create(url)
    stolen = Origin(session_id=made["sessionId"], token=BearerToken(made["authToken"]))
    with DetectClient(Endpoint(url), None) as client, pytest.raises(BadRequestError):
        client.detect(submission(origin=stolen))
    told = run("audit", made["sessionId"], "--endpoint", url, "--verify")
    assert told.code == 1
    assert "unknown" in told.out
    assert "1 unknown: somebody else may hold the session's token" in told.err
    assert "sessions delete" in told.err
    assert run("audit", made["sessionId"], "--endpoint", url).code == 0


def test_results_of_process_count_as_sent(url, sent, tmp_path):
    with open_spool(tmp_path / "spool", environment={}) as spool:
        (item,) = spool.items()
    folder = tmp_path / "out" / "one"
    folder.mkdir(parents=True)
    sent_so = outcome(client_request_id=item.client_request_id, request_id=item.request_id)
    result = record(digest=item.digest, outcome=sent_so)
    (folder / "result.json").write_bytes(json_bytes(result))
    told = run(
        "audit", sent, "--endpoint", url, "--verify", "--json", "--results", tmp_path / "out"
    )
    assert [check["verdict"] for check in told.json["checks"]] == ["match"]
    (folder / "result.json").write_text("{oops")
    told = run("audit", sent, "--endpoint", url, "--verify", "--results", tmp_path / "out")
    assert told.code == 1
    assert "result.json" in told.err


def test_both_exports_go_to_files_of_one_stem(url, sent, tmp_path):
    out = tmp_path / "export"
    assert audit(url, sent, tmp_path, "--csv", "--json").code == 2
    assert audit(url, sent, tmp_path, "--csv", "--json", "--out", out).out == ""
    assert json.loads((tmp_path / "export.json").read_text())[0]["sessionId"] == sent
    assert (tmp_path / "export.csv").read_text().startswith("id,")
    assert audit(url, sent, tmp_path, "--digest-scheme", "md5").code == 2


def test_help_loads_nothing_heavy():
    code = (
        "import sys, facelight.cli.sessions, facelight.cli.audit, facelight.cli.spool\n"
        "heavy = {'httpx', 'pydantic', 'numpy', 'cv2', 'cryptography', 'sqlite3'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    # measured for coverage, the process would load what coverage writes with: sqlite3
    plain = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    done = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
