"""What one answer says of the service is told by one request; nothing is lost, nothing renamed."""

from __future__ import annotations

import json
import multiprocessing
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from facelight.batch.job import Finished, Job
from facelight.batch.outputs import write_file
from facelight.batch.submitting.deliver import Deliverer
from facelight.batch.submitting.deliveries import Deliveries, StoppableClock
from facelight.batch.submitting.delivery_gate import DeliveryGate, DeliveryStopped
from facelight.config.settings import Settings, load_settings
from facelight.result import json_bytes, read_result
from tests.facelight.records import record
from uploader.errors import (
    BadRequestError,
    ConnectError,
    Context,
    QuotaExceededError,
    ServerError,
    UnauthorizedError,
    UploaderError,
)
from uploader.retry import deliver_or_raise
from uploader.spool.delivery import DeliveryWorker
from uploader.spool.item import ItemState
from uploader.spool.opening import observe_spool, open_spool

COUNT = 50
MODULE = "facelight.batch.submitting.deliver"
GOOD = json.dumps(
    {
        "livenessDecision": "probablyreal",
        "modelVersionUsed": "v9",
        "target": {
            "faceRectangle": {"left": 1, "top": 2, "width": 3, "height": 4},
            "fileName": "video.webp",
            "timeOffsetWithinFile": 7,
            "imageType": "Color",
        },
    }
).encode()


class ImpatientClock(StoppableClock):
    """Counts waiting instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.slept_s = 0.0
        self._lock = threading.Lock()

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.slept_s

    def sleep(self, seconds: float) -> None:
        if self.stopped.is_set():
            raise DeliveryStopped
        with self._lock:
            self.slept_s += seconds


@contextmanager
def service(status: int, text: str = "no") -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Give the URL of a service that always answers alike, and what it has received."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((self.headers["client-request-id"], body))
            answer = GOOD if status == 200 else json.dumps({"error": {"message": text}}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def session(out: Path, number: int) -> Finished:
    """Return a finished session whose file is a WebP in name only: good enough for the wire."""
    job = Job(f"s{number}.mkv", f"s{number}", out, number)
    job.target.mkdir(parents=True)
    entry = {"fileName": "video.webp", "frameNumber": 0, "imageCreationTimeInMilliSeconds": 1}
    metadata = {"metadata": {"imageType": 0, "imageData": [entry]}}
    (job.target / "metadata.json").write_text(json.dumps(metadata))
    content = b"RIFF\x00\x08\x00\x00WEBP" + bytes(2048) + bytes([number])
    (job.target / "video.webp").write_bytes(content)
    (job.target / "report.html").write_text("<!--outcome--><!--/outcome-->")
    result = record(job.name, provenance="imported")
    (job.target / "result.json").write_bytes(json_bytes(result))
    return Finished(job, result)


def settings_for(url: str, tmp_path: Path) -> Settings:
    return load_settings({"endpoint": url, "spool_dir": tmp_path / "spool"}, None, {}).settings


def delivered(
    settings: Settings, sessions: list[Finished], clock: StoppableClock | None = None
) -> list[dict[str, Any]]:
    with Deliveries(settings, clock or ImpatientClock()) as deliveries:
        landed: list[Finished] = []
        for finished in sessions:
            deliveries.put(finished)
            landed += deliveries.landed()
        landed += deliveries.landed(leave=0)
    ordered = sorted(landed, key=lambda f: f.job.place)
    return [finished.result.to_json() for finished in ordered if finished.result]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "text", "requests", "kept", "advice"),
    [
        pytest.param(401, "bad key", 1, True, "check the key", id="401"),
        pytest.param(403, "Out of call volume quota. Quota will be replenished in 2.03:04:05.", 1,
                     True, "kept; deliver it after 20", id="403 quota"),
        pytest.param(403, "forbidden", 1, True, "network rules", id="403"),
        pytest.param(404, "Resource not found", 1, True, "api_path holds the API", id="404"),
        pytest.param(410, "gone", 1, True, "check the endpoint http", id="410"),
        pytest.param(415, "Invalid Media Type.", 1, True, "kept", id="415"),
        pytest.param(413, "too large", COUNT, False, "--target-bytes ", id="413"),
        pytest.param(400, "Bad data", COUNT, False, "", id="400"),
    ],
)  # fmt: skip
def test_fifty_sessions_cost_as_many_requests_as_the_answer_is_worth(
    status: int, text: str, requests: int, kept: bool, advice: str, tmp_path: Path
) -> None:
    sessions = [session(tmp_path / "out", number) for number in range(COUNT)]
    with service(status, text) as (url, received):
        results = delivered(settings_for(url, tmp_path), sessions)
    assert len(received) == requests
    for result in results:
        error = result["outcome"]["error"]
        assert advice in error["advice"]
        assert ("spool flush" in error["advice"]) is kept
        assert bool(result.get("spooled")) is kept
        assert result["outcome"]["status"] == status
    if kept:
        with observe_spool(tmp_path / "spool") as spool:
            items = list(spool.items())
        assert Counter(item.status for item in items) == {status: COUNT}
        assert len({item.client_request_id for item in items}) == COUNT
        assert sum(item.attempts for item in items) == 1


@pytest.mark.slow
def test_a_service_that_is_gone_costs_one_session_its_patience(tmp_path: Path) -> None:
    sessions = [session(tmp_path / "out", number) for number in range(COUNT)]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    clock = ImpatientClock()
    results = delivered(settings_for(url, tmp_path), sessions, clock)
    assert clock.slept_s < 180
    assert {result["outcome"]["error"]["code"] for result in results} == {"unreachable"}
    with observe_spool(tmp_path / "spool") as spool:
        assert {item.error_code for item in spool.items()} == {"unreachable"}
        assert spool.totals().items == COUNT


def test_what_the_service_said_is_in_the_result_word_for_word(tmp_path: Path) -> None:
    with service(200) as (url, _):
        (result,) = delivered(settings_for(url, tmp_path), [session(tmp_path / "out", 0)])
    said = result["outcome"]["said"]
    assert result["outcome"]["decision"] == "uncertain"
    assert said["decision"] == "probablyreal"
    assert said["target"]["file_name"] == "video.webp"
    assert said["target"]["rectangle"] == [1, 2, 3, 4]
    assert said["target"]["time_offset_within_file"] == 7


def test_a_directory_that_cannot_be_sent_costs_nobody_else(tmp_path: Path) -> None:
    sessions = [session(tmp_path / "out", number) for number in range(3)]
    (sessions[1].job.target / "metadata.json").write_bytes(b"\xff")
    with service(200) as (url, received):
        results = delivered(settings_for(url, tmp_path), sessions)
    assert len(received) == 2
    assert [bool(r["outcome"]["error"]) for r in results] == [False, True, False]
    assert results[1]["outcome"]["error"]["code"] == "undeliverable"


def test_a_flush_in_between_is_found_by_the_resumed_run(tmp_path: Path) -> None:
    sessions = [session(tmp_path / "out", number) for number in range(3)]
    with service(401) as (url, first):
        delivered(settings_for(url, tmp_path), sessions)
    with service(200) as (url, second):
        settings = settings_for(url, tmp_path)
        flush(settings)
        results = delivered(settings, sessions)
    assert len(second) == 3
    assert {result["outcome"]["decision"] for result in results} == {"uncertain"}
    assert {*first} <= {*second}


def test_a_resumed_run_delivers_what_the_spool_holds_and_settles_it_there(tmp_path: Path) -> None:
    sessions = [session(tmp_path / "out", number) for number in range(3)]
    with service(401) as (url, _):
        delivered(settings_for(url, tmp_path), sessions)
    with service(200) as (url, second):
        settings = settings_for(url, tmp_path)
        delivered(settings, sessions)
        flush(settings)
    assert len(second) == 3
    with observe_spool(tmp_path / "spool") as spool:
        assert {item.state for item in spool.items()} == {ItemState.DELIVERED}


def deliver_in_a_process(url: str, spool: Path, out: Path, numbers: range, begin: Any) -> None:
    """Deliver some sessions; ``begin`` lets two of these begin together."""
    settings = load_settings({"endpoint": url, "spool_dir": spool}, None, {}).settings
    sessions = [session(out, number) for number in numbers]
    begin.wait()
    delivered(settings, sessions, StoppableClock())  # it waits for the other's turn with the spool


@pytest.mark.slow
def test_two_batches_share_a_spool_and_both_keep_all_that_is_theirs(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(2)
    with service(401) as (url, received):
        batches = [
            context.Process(
                target=deliver_in_a_process,
                args=(url, tmp_path / "spool", tmp_path / name, numbers, begin),
            )
            for name, numbers in (("one", range(20)), ("other", range(20, 40)))
        ]
        for batch in batches:
            batch.start()
        for batch in batches:
            batch.join()
    assert [batch.exitcode for batch in batches] == [0, 0]
    assert len(received) == 2
    results = [read_result(path) for path in tmp_path.glob("o*/s*/result.json")]
    assert len({result.spooled for result in results if result.spooled}) == 40
    with service(200) as (url, second):
        flush(settings_for(url, tmp_path))
    assert len({identity for identity, _ in second}) == len(second) == 40
    with observe_spool(tmp_path / "spool") as spool:
        assert {item.state for item in spool.items()} == {ItemState.DELIVERED}


def flush(settings: Settings) -> None:
    assert settings.spool_dir is not None
    with open_spool(settings.spool_dir) as spool:
        spool.rearm()
        with Deliverer(settings) as deliverer:
            DeliveryWorker(spool, deliverer.client).drain()


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_a_run_that_is_killed_anywhere_and_resumed_sends_each_session_under_one_id(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    sessions = [session(tmp_path / "out", number) for number in range(4)]
    left = chance.randrange(1, 14)

    def fatal(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            found = function(*args, **kwargs)
            left -= 1
            if left == 0:
                raise Killed
            return found

        return wrapped

    with service(200) as (url, received), service(503) as (broken, refused):
        with monkeypatch.context() as patch:
            patch.setattr(f"{MODULE}.deliver_or_raise", fatal(deliver_or_raise))
            patch.setattr(f"{MODULE}.write_file", fatal(write_file))
            for finished in sessions:
                settings = settings_for(chance.choice([url, broken]), tmp_path)
                with Deliverer(settings, ImpatientClock()) as deliverer:
                    assert finished.result is not None
                    try:
                        deliverer.deliver(finished.job, finished.result)
                    except Killed:
                        break
        settings = settings_for(url, tmp_path)
        for finished in sessions:
            result = read_result(finished.job.target)
            if not result.delivered:
                delivered(settings, [Finished(finished.job, result)])
        flush(settings)
    bodies: dict[str, set[bytes]] = {}
    for request_id, body in [*received, *refused]:
        bodies.setdefault(request_id, set()).add(body)
    assert len(bodies) == len(sessions)
    assert all(len(sent) == 1 for sent in bodies.values())
    assert max(Counter(request_id for request_id, _ in received).values()) <= 2
    assert {request_id for request_id, _ in received} == set(bodies)


def error(kind: type[UploaderError], **context: Any) -> UploaderError:
    return kind("no", Context(**context))


@pytest.mark.parametrize(
    ("first", "bars", "later"),
    [
        pytest.param(error(UnauthorizedError), True, True, id="key: for good"),
        pytest.param(error(ConnectError), True, False, id="network: probed after a minute"),
        pytest.param(error(QuotaExceededError, retry_after_s=3600.0), True, True, id="quota"),
        pytest.param(error(BadRequestError), False, False, id="one submission's own fault"),
        pytest.param(error(ServerError), False, False, id="a server error alone"),
        pytest.param(None, False, False, id="taken"),
    ],
)
def test_an_error_of_the_service_bars_all(
    first: UploaderError | None, bars: bool, later: bool
) -> None:
    now_s = 0.0
    gate = DeliveryGate(lambda: now_s)
    assert gate.enter() is None
    gate.leave(first)
    assert (gate.enter() is first and first is not None) is bars
    now_s = 61.0
    if not bars:
        gate.leave(None)
    assert (gate.enter() is not None) is later


def test_two_submissions_that_fail_in_a_row_are_not_to_blame() -> None:
    gate = DeliveryGate(lambda: 0.0)
    for _ in range(2):
        assert gate.enter() is None
        gate.leave(error(ServerError))
    assert isinstance(gate.enter(), ServerError)


def test_whoever_waits_for_the_first_answer_is_sent_away_at_the_end() -> None:
    gate = DeliveryGate(lambda: 0.0)
    assert gate.enter() is None
    ended = threading.Event()

    def waiting() -> None:
        with pytest.raises(DeliveryStopped):
            gate.enter()
        ended.set()

    thread = threading.Thread(target=waiting)
    thread.start()
    gate.stop()
    thread.join(60)
    assert ended.is_set()
