"""What keeps the kiosk from starting, said before anything is shown; and how it ends."""

from __future__ import annotations

import io
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capture.camera import Provenance
from capture.clock import VirtualClock
from capture.errors import CaptureError
from capture.live.spec import open_camera
from facelight.commands import run_kiosk as module
from facelight.commands.run_kiosk import (
    KioskRequest,
    ensure_folder,
    exit_of,
    refuse_simulated,
    run_kiosk,
    stopping,
)
from facelight.config.settings import Settings, load_settings
from facelight.errors import Exit, FacelightError
from facelight.kiosk.events import EventWriter
from facelight.kiosk.loop import Ending
from facelight.service.options import DEFAULT_KEY
from uploader.errors import ProvenanceError, UploaderError

OURS = (FacelightError, CaptureError, UploaderError)


class ShownError(Exception):
    """The kiosk came so far that it would have taken the screen."""


@pytest.fixture
def listening() -> Iterator[str]:
    """Yield an endpoint where somebody listens and nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test that reaches the screen has shown something."""

    def shown(*_: object) -> None:
        raise ShownError

    monkeypatch.setattr(module, "open_screen", shown)
    monkeypatch.setattr(module, "set_up", lambda _: None)
    monkeypatch.setenv("FACELIGHT_KEY", DEFAULT_KEY)
    monkeypatch.setenv("FACELIGHT_SPOOL_DIR", str(tmp_path / "spool"))


def settings_of(endpoint: str, **changes: Any) -> Settings:
    flags = {"endpoint": endpoint, "kiosk.camera": "sim:size=160x90", **changes}
    return load_settings({key.replace("__", "."): value for key, value in flags.items()}).settings


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"kiosk__language": "xx"}, "'xx', expected", id="unknown language"),
        pytest.param(
            {"kiosk__languages": "en,yy"}, "'yy', expected", id="unknown offered language"
        ),
        pytest.param({"kiosk__theme": "zz"}, "'zz', expected", id="unknown theme"),
        pytest.param({"kiosk__consent_file": "/none.txt"}, "consent_file", id="no consent text"),
        pytest.param(
            {"plan__colours": "Red,White", "plan__repeats": 8, "plan__dwell_ms": 334},
            "lengthen dwell_ms",
            id="unsafe plan",
        ),
        pytest.param({"kiosk__camera": "/dev/video97"}, "/dev/video97", id="no camera"),
        pytest.param({"kiosk__camera": "sim:size=big"}, "size", id="bad simulated camera"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_shown(
    listening: str, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(OURS, match=told) as caught:
        run_kiosk(settings_of(listening, **changes), KioskRequest())
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_an_unreachable_endpoint_is_told_and_offline_starts_all_the_same(
    listening: str,
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(FacelightError, match=r"cannot be reached.*--offline"):
            run_kiosk(settings_of(dead), KioskRequest())
        with pytest.raises(ShownError):
            run_kiosk(settings_of(dead), KioskRequest(offline=True))
    with pytest.raises(ShownError):
        run_kiosk(settings_of(listening), KioskRequest())


@pytest.mark.slow
def test_a_simulated_person_is_not_sent_to_a_real_service() -> None:
    real = settings_of("https://example.com")
    with pytest.raises(ProvenanceError, match="no local service"):
        run_kiosk(real, KioskRequest(offline=True))
    refuse_simulated(real, Provenance.CAMERA)
    refuse_simulated(settings_of("https://example.com", allow_simulated=True), Provenance.SIMULATED)


def test_a_folder_for_recordings_is_made_or_refused(tmp_path: Path) -> None:
    ensure_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(FacelightError, match=r"--record .*file"):
        ensure_folder(tmp_path / "file")


def test_no_display_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch, listening: str) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("FACELIGHT_KEY", DEFAULT_KEY)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(module, "set_up", lambda _: None)
    with pytest.raises(CaptureError, match="no display"):
        run_kiosk(settings_of(listening), KioskRequest())


ONCE, BY_DECISION = KioskRequest(once=True), KioskRequest(once=True, exit_by_decision=True)


@pytest.mark.parametrize(
    ("ending", "asked", "code"),
    [
        pytest.param(Ending("real", "realface", True), ONCE, Exit.DONE, id="real"),
        pytest.param(Ending("unsure", "spoofface", True), ONCE, Exit.DONE, id="delivered is done"),
        pytest.param(Ending("unsure", "spoofface", True), BY_DECISION, Exit.NOT_REAL, id="spoof"),
        pytest.param(Ending("unsure", "uncertain", True), BY_DECISION, Exit.NOT_REAL, id="unsure"),
        pytest.param(Ending("real", "RealFace", True), BY_DECISION, Exit.DONE, id="any case"),
        pytest.param(Ending("sent", None, True), BY_DECISION, Exit.DONE, id="result is kept"),
        pytest.param(Ending("saved"), BY_DECISION, Exit.NOT_DELIVERED, id="spooled"),
        pytest.param(Ending("not_sent"), ONCE, Exit.FAILED, id="not even spooled"),
        pytest.param(Ending("quality"), ONCE, Exit.REJECTED, id="gate"),
        pytest.param(Ending("light"), ONCE, Exit.REJECTED, id="light"),
        pytest.param(Ending("time"), ONCE, Exit.REJECTED, id="never stood right"),
        pytest.param(Ending("left"), ONCE, Exit.FAILED, id="left"),
        pytest.param(Ending("device"), ONCE, Exit.FAILED, id="camera lost"),
        pytest.param(Ending("quit"), ONCE, Exit.DONE, id="asked to end"),
        pytest.param(Ending("left"), KioskRequest(), Exit.DONE, id="all day"),
        pytest.param(Ending("quit", source_ended=True), ONCE, Exit.FAILED, id="file ended"),
        pytest.param(
            Ending("real", "realface", True, source_ended=True), ONCE, Exit.DONE, id="just in time"
        ),
    ],
)
def test_the_exit_code_says_how_it_went(ending: Ending, asked: KioskRequest, code: Exit) -> None:
    assert exit_of(ending, asked) is code


def test_events_are_json_lines() -> None:
    stream = io.StringIO()
    write = EventWriter(VirtualClock(1_234_567_890), stream)
    write("idle", {"after": "real"})
    write("quit", {})
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines == [
        {"t_ms": 1234, "event": "idle", "after": "real"},
        {"t_ms": 1234, "event": "quit"},
    ]


def test_a_reader_of_events_who_goes_away_does_not_stop_the_kiosk(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = io.StringIO()
    write = EventWriter(VirtualClock(), stream)
    stream.close()
    write("idle", {})
    write("quit", {})
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "events are no longer written"
    ]


def test_a_signal_ends_the_kiosk_gently_and_a_second_one_unwinds() -> None:
    calls: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, stopping() as stop:
        stop.calls(lambda: calls.append("stop"))
        signal.raise_signal(signal.SIGTERM)
        assert calls == ["stop"]
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_while_things_are_opened_closes_them(
    monkeypatch: pytest.MonkeyPatch, listening: str
) -> None:
    def opening(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    closed: list[str] = []

    def camera(*arguments: Any) -> Any:
        found: Any = open_camera(*arguments)
        close = found.close

        def noted() -> None:
            closed.append("camera")
            close()

        found.close = noted
        return found

    monkeypatch.setattr(module, "open_screen", opening)
    monkeypatch.setattr(module, "open_camera", camera)
    with pytest.raises(SystemExit):
        run_kiosk(settings_of(listening), KioskRequest())
    assert closed == ["camera"]
