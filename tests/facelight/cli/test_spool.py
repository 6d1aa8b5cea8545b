"""``facelight spool`` as its operator uses it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.facelight.cli.commands import run
from tests.uploader import socket_service as net
from tests.uploader.samples import KEY, submission
from tests.uploader.socket_service import serving
from uploader.api.submission import Failure, Origin, Outcome
from uploader.http.credentials import BearerToken
from uploader.spool.item import ItemState
from uploader.spool.opening import observe_spool, open_spool

FAILED = Outcome(503, "c", error=Failure("server_error", "\x1b[2Jbusy", ""))


@pytest.fixture(autouse=True)
def key(monkeypatch, tmp_path):
    monkeypatch.setenv("FACELIGHT_KEY", KEY.reveal())
    monkeypatch.setenv("FACELIGHT_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def items(tmp_path):
    """Three items: queued, waiting, held."""
    with open_spool(tmp_path / "spool", environment={}) as spool:
        made = [spool.put(submission(bytes([n]))) for n in range(3)]
        spool.attempted(made[1], FAILED, ItemState.QUEUED, 5000.0)
        spool.attempted(made[2], FAILED, ItemState.HELD)
    return [item.id for item in made]


def states(tmp_path):
    with open_spool(tmp_path / "spool", environment={}) as spool:
        return [str(item.state) for item in spool.items()]


def test_what_waits_is_listed(items):
    told = run("spool", "list")
    assert [line.split()[1] for line in told.out.splitlines()[1:]] == ["queued", "queued", "held"]
    assert "83 min" in told.out
    assert told.err.startswith("3 waiting")
    assert "\x1b" not in told.out
    listed = run("spool", "list", "--json").json
    assert [item["id"] for item in listed["items"]] == items
    assert listed["waiting"] == 3
    assert len(run("spool", "list", "--json", "--limit", 1).json["items"]) == 1
    assert run("spool", "list", "--which", "done", "--json").json["items"] == []


def test_one_is_shown_by_the_beginning_of_its_id(items):
    shown = run("spool", "show", items[1][:8], "--json").json
    assert (shown["id"], shown["error_code"]) == (items[1], "server_error")
    told = run("spool", "show", items[1])
    assert "?[2Jbusy" in told.out
    assert run("spool", "show", "ffff").code == 1


def test_everything_is_delivered_and_nothing_stays(items, tmp_path):
    with serving(net.answer()) as service:
        told = run("spool", "flush", "--endpoint", service.endpoint.url)
    assert told.code == 0
    assert told.out.count("realface") == 3
    assert states(tmp_path) == ["delivered"] * 3
    assert len(service.talks) == 3


def test_only_the_named_ones_are_hurried(items, tmp_path):
    with serving(net.answer()) as service:
        told = run("spool", "flush", items[2][:12], "--endpoint", service.endpoint.url)
    assert told.code == 4
    assert states(tmp_path) == ["delivered", "queued", "delivered"]


@pytest.mark.parametrize(
    ("play", "code", "left"),
    [
        pytest.param(net.message(401, "no"), 1, ["queued", "queued", "queued"], id="401"),
        pytest.param(net.message(400, "no"), 1, ["refused"] * 3, id="400"),
        pytest.param(net.answer(429, b"Try again in 26 seconds."), 4, ["queued"] * 3, id="429"),
        pytest.param(net.answer(415), 4, ["held"] * 3, id="415"),
    ],
)
def test_what_is_not_delivered_has_its_exit_code(items, tmp_path, play, code, left):
    with serving(play) as service:
        told = run("spool", "flush", "--endpoint", service.endpoint.url)
    assert (told.code, states(tmp_path)) == (code, left)


def test_items_with_their_own_token_need_no_key(monkeypatch, tmp_path):
    monkeypatch.delenv("FACELIGHT_KEY")
    with open_spool(tmp_path / "spool", environment={}) as spool:
        spool.put(submission(origin=Origin(session_id="s", token=BearerToken("tok"))))
    with serving(net.answer()) as service:
        assert run("spool", "flush", "--endpoint", service.endpoint.url).code == 0
    assert service.talks[0].headers["authorization"] == "Bearer tok"


@pytest.mark.slow
def test_while_a_kiosk_delivers_its_items_are_made_due(items, tmp_path):
    holder = (
        "import sys; from pathlib import Path; from uploader.spool.opening import open_spool\n"
        "with open_spool(Path(sys.argv[1]), environment={}): print('open', flush=True); input()"
    )
    argv = [sys.executable, "-c", holder, str(tmp_path / "spool")]
    with ExitStack() as stack:
        kiosk = stack.enter_context(
            subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        assert kiosk.stdout is not None
        assert kiosk.stdout.readline() == "open\n"
        told = run("spool", "flush", "--endpoint", "http://127.0.0.1:9")
        kiosk.communicate("\n", timeout=300)
    assert told.code == 0
    assert f"process {kiosk.pid}" in told.out
    assert "3 items are due" in told.out
    assert states(tmp_path) == ["queued"] * 3


def test_purging_asks_first_and_destroys(items, tmp_path):
    assert run("spool", "purge").code == 2
    assert run("spool", "purge", "--all", items[0]).code == 2
    assert run("spool", "purge", "--all", answer="n\n").code == 1
    assert states(tmp_path) == ["queued", "queued", "held"]
    assert "destroyed 1" in run("spool", "purge", items[0][:8], "--yes").out
    assert "destroyed 2" in run("spool", "purge", "--all", answer="y\n").out
    assert states(tmp_path) == ["purged"] * 3
    assert list((tmp_path / "spool" / "items").iterdir()) == []


@pytest.mark.parametrize("command", ["list", "flush", "purge", "repair", "trust-clock"])
def test_where_there_is_no_spool_none_is_made(tmp_path, command):
    more = ["--all", "--yes"] if command == "purge" else []
    told = run("spool", command, *more)
    assert told.code == 1
    assert "no spool is here" in told.err
    assert not (tmp_path / "spool").exists()


def test_a_wrong_device_key_is_told_and_loses_nothing(items, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELIGHT_DEVICE_KEY", "11" * 32)
    told = run("spool", "flush", "--endpoint", "http://127.0.0.1:9")
    assert told.code == 1
    assert "nothing is deleted" in told.err
    assert "11" * 32 not in told.err
    monkeypatch.delenv("FACELIGHT_DEVICE_KEY")
    assert len(list((tmp_path / "spool" / "items").iterdir())) == 3


@pytest.mark.parametrize("command", ["list", "flush"])
def test_when_the_database_was_moved_away_the_sealed_files_are_adopted(items, tmp_path, command):
    (tmp_path / "spool" / "spool.db").rename(tmp_path / "spool" / "old.db")
    with serving(net.answer()) as service:
        if command == "list":
            told = run("spool", "list", "--json")
            assert told.json["waiting"] == 3
        told = run("spool", "flush", "--endpoint", service.endpoint.url)
    assert told.code == 0
    assert len(service.talks) == 3


def test_repair_says_what_it_found(items, tmp_path):
    (tmp_path / "spool" / "spool.db").write_bytes(b"no database at all" * 1000)
    (tmp_path / "spool" / "items" / f"{items[0]}.flsub").write_bytes(b"damaged")
    refused = run("spool", "flush", "--endpoint", "http://127.0.0.1:9")
    assert refused.code == 1
    assert "facelight spool repair" in refused.err
    told = run("spool", "repair")
    assert told.code == 1  # one is damaged for good
    assert "unreadable, moved to" in told.out
    assert "without a record, queued: 2" in told.out
    assert "kept as *.damaged: 1" in told.out
    again = run("spool", "repair", "--json")
    assert (again.json["old_database"], again.json["set_aside"]) == (None, 1)
    assert states(tmp_path) == ["queued"] * 2


def test_what_is_damaged_is_told_and_the_rest_is_delivered(items, tmp_path):
    folder = tmp_path / "spool" / "items"
    (folder / f"{items[0]}.flsub").unlink()
    (folder / "umlaut-ä.flsub").write_bytes((folder / f"{items[1]}.flsub").read_bytes())
    with serving(net.answer()) as service:
        told = run("spool", "flush", "--endpoint", service.endpoint.url)
    assert told.code == 1
    assert told.out.count("realface") == 2
    assert "1 submissions: the file is gone" in told.out
    assert "1 damaged or foreign files" in told.out


def test_a_damaged_record_is_named_by_the_list(items, tmp_path):
    with observe_spool(tmp_path / "spool") as spool:
        spool.ledger._db.execute("UPDATE item SET due_s = 'soon' WHERE seq = 1")
    assert "1 records are damaged: facelight spool repair" in run("spool", "list").err
    assert run("spool", "repair").code == 0
    assert "damaged" not in run("spool", "list").err


def test_without_key_and_database_everything_can_be_purged(items, tmp_path):
    (tmp_path / "spool" / "spool.db").unlink()
    (tmp_path / "spool" / "device.key").unlink()
    refused = run("spool", "list")
    assert refused.code == 1
    assert "spool purge" in refused.err
    assert "destroyed 3" in run("spool", "purge", "--all", "--yes").out


def test_the_operator_vouches_for_the_clock(items, tmp_path):
    assert "destroyed 0" in run("spool", "trust-clock").out
    assert states(tmp_path) == ["queued", "queued", "held"]
