"""An accepted clip on its way: onto the disk, to the service, and what the session is told."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from facelight.config.settings import Settings
from facelight.kiosk import outbox as module
from facelight.kiosk.machine.events import Delivered, Event, NotDelivered, Spooled, WorkFailed
from facelight.kiosk.machine.state import Problem
from facelight.kiosk.outbox import DirectOutbox, SpoolOutbox, answer_of
from facelight.service.options import DEFAULT_KEY
from facelight.service.server import LocalService
from preprocess.clip.clip import Clip, ClipEntry, ClipFile, CropOffset
from preprocess.face.face import Rect
from tests.facelight.kiosk.conftest import Recorded
from uploader.api.detect import DetectClient
from uploader.api.submission import Failure, Origin, Outcome
from uploader.errors import EndpointError
from uploader.http.credentials import SubscriptionKey
from uploader.http.endpoint import Endpoint
from uploader.spool.opening import observe_spool

SIMULATED = Origin(provenance="simulated")
FACELESS = ClipFile("frame-000.bmp", b"BM" + bytes(2000))


def faceless(*files: ClipFile) -> Clip:
    """Return a clip of files that hold no picture at all."""
    offset = CropOffset(0, 0, 640, 480)
    entries = tuple(
        ClipEntry(file.name, 0, i, None, Rect(0, 0, 10, 10), offset, i)
        for i, file in enumerate(files)
    )
    return Clip(files, entries, (64, 48), None)


def settings_for(url: str, tmp_path: Path) -> Settings:
    return Settings(endpoint=url, spool_dir=tmp_path / "spool")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACELIGHT_KEY", DEFAULT_KEY)


def sent(outbox: SpoolOutbox | DirectOutbox, clip: Clip, origin: Origin = SIMULATED) -> list[Event]:
    told: list[Event] = []
    outbox.send(7, clip, origin, told.append)
    return told


def nobody_listens() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.slow
def test_a_clip_is_on_disk_before_it_is_sent_and_gone_when_it_was_taken(
    accepted: Recorded, tmp_path: Path
) -> None:
    with (
        LocalService() as service,
        SpoolOutbox(settings_for(service.url, tmp_path)) as outbox,
    ):
        told = sent(outbox, accepted.run.outbox.clips[0])
        assert told == [Spooled(7), Delivered(7, "realface")]
        assert outbox.outcome is not None
        assert outbox.outcome.status == 200
    with observe_spool(tmp_path / "spool") as spool:
        assert [str(item.state) for item in spool.items()] == ["delivered"]


def test_without_a_service_the_clip_stays_on_disk(tmp_path: Path) -> None:
    with SpoolOutbox(settings_for(nobody_listens(), tmp_path)) as outbox:
        assert sent(outbox, faceless(FACELESS)) == [Spooled(7), NotDelivered(7)]
    with observe_spool(tmp_path / "spool") as spool:
        assert [str(item.state) for item in spool.items()] == ["queued"]


def test_what_the_service_refuses_for_good_is_told_as_refused(tmp_path: Path) -> None:
    with (
        LocalService() as service,
        SpoolOutbox(settings_for(service.url, tmp_path)) as outbox,
    ):
        assert sent(outbox, faceless(FACELESS)) == [
            Spooled(7),
            NotDelivered(7, Problem.NOT_SENT),
        ]


def test_a_clip_that_makes_no_request_is_a_fault_of_ours(tmp_path: Path) -> None:
    small = ClipFile("frame-000.bmp", b"BM")
    with SpoolOutbox(settings_for(nobody_listens(), tmp_path)) as outbox:
        (told,) = sent(outbox, faceless(small))
    assert isinstance(told, WorkFailed)
    assert "frame-000.bmp" in told.message


def test_a_simulated_clip_is_never_sent_elsewhere(tmp_path: Path) -> None:
    with SpoolOutbox(settings_for("https://example.com", tmp_path)) as outbox:
        assert sent(outbox, faceless(FACELESS))[1:] == [NotDelivered(7, Problem.NOT_SENT)]
        assert outbox.outcome is not None
        assert outbox.outcome.error is not None
        assert outbox.outcome.error.code == "simulated"


def test_closing_does_not_wait_for_a_service_that_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        outbox = SpoolOutbox(settings_for(url, tmp_path))
        told: list[Event] = []
        sending = threading.Thread(
            target=outbox.send, args=(7, faceless(FACELESS), SIMULATED, told.append)
        )
        sending.start()
        connection, _ = silent.accept()
        outbox.close()  # would it wait for an answer, it waited for the test's own time limit
        sending.join()
        connection.close()
    assert told == [Spooled(7), NotDelivered(7)]


def test_without_an_endpoint_there_is_no_outbox(tmp_path: Path) -> None:
    with pytest.raises(EndpointError):
        SpoolOutbox(Settings(spool_dir=tmp_path / "spool"))


def test_a_direct_outbox_tells_what_came_of_its_one_attempt() -> None:
    with (
        LocalService() as service,
        DetectClient(Endpoint(service.url), SubscriptionKey(DEFAULT_KEY)) as client,
    ):
        outbox = DirectOutbox(client)
        assert sent(outbox, faceless(FACELESS)) == [NotDelivered(7, Problem.NOT_SENT)]
        assert outbox.outcome is not None
        assert outbox.outcome.status == 400


@pytest.mark.parametrize(
    ("code", "final", "refused"),
    [
        pytest.param("rate_limited", False, None, id="later"),
        pytest.param("unauthorized", False, None, id="kept for the operator"),
        pytest.param("face_not_frontal", True, Problem.QUALITY, id="the person can do better"),
        pytest.param("decoding_error", True, Problem.NOT_SENT, id="the person cannot"),
        pytest.param("bad_request", True, Problem.NOT_SENT, id="not documented"),
    ],
)
def test_refusals_are_told_by_who_can_help(code: str, final: bool, refused: Problem | None) -> None:
    outcome = Outcome(400, "id", error=Failure(code, "no", "", final))
    assert answer_of(3, outcome) == NotDelivered(3, refused)


def test_no_answer_in_time_and_no_decision_are_two_things() -> None:
    assert answer_of(3, None) == NotDelivered(3)
    assert answer_of(3, Outcome(204, "id")) == Delivered(3, None)
