"""``facelight cameras`` as its user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from capture.live.webcam import discovery
from capture.live.webcam.discovery import FoundCamera
from capture.live.webcam.identity import Virtual
from facelight.cli import app
from tests.capture.files.made_videos import make_video
from tests.capture.live.streams import StreamServer

LIST = [
    FoundCamera(
        "usb-HD_Pro_1234-video-index0",
        "HD Pro",
        "/dev/video0",
        True,
        Virtual.NO,
        "USB device",
        "046d:082d@1-4",
    ),
    FoundCamera("/dev/video2", "Integrated", "/dev/video2", stable=False),
]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["cameras", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.fixture
def two_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "list_cameras", lambda: LIST)


@pytest.mark.usefixtures("two_cameras")
def test_cameras_are_listed_with_the_id_to_write_into_the_settings() -> None:
    code, text = run()
    assert code == 0
    lines = text.splitlines()
    assert lines[0].startswith("usb-HD_Pro_1234-video-index0  HD Pro (/dev/video0)")
    assert "virtual: no (USB device)  pin: 046d:082d@1-4" in lines[0]
    assert "no stable id" in lines[1]


@pytest.mark.usefixtures("two_cameras")
def test_the_list_is_json_on_demand() -> None:
    _, text = run("--json")
    assert json.loads(text)[0] == {
        "id": "usb-HD_Pro_1234-video-index0",
        "name": "HD Pro",
        "device": "/dev/video0",
        "stable": True,
        "virtual": "no",
        "why": "USB device",
        "pin": "046d:082d@1-4",
    }


def test_a_machine_without_cameras_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "list_cameras", list)
    assert run() == (0, "no cameras found\n")
    assert run("--json") == (0, "[]\n")


def test_a_stream_is_measured_and_what_is_not_as_asked_is_told() -> None:
    with StreamServer() as server:
        url = server.url
        code, text = run("--probe", url, "--seconds", "0.3")
    assert code == 0
    told = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert told["id"] == url
    assert told["size"] == "64x48"
    assert told["stamps"] == "sender"
    assert "asked for 1280x720, delivers 64x48" in text
    assert "measured" in told["rate"]


def test_a_probe_is_json_on_demand(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv")
    _, text = run("--probe", str(path), "--seconds", "0.3", "--json")
    report = json.loads(text)
    assert report["info"]["size_wh"] == [64, 48]
    assert report["stamp_source"] == "file"
    assert report["fps"] == pytest.approx(25, abs=0.5)


def test_the_settings_say_what_is_asked_for(tmp_path: Path) -> None:
    config = tmp_path / "facelight.toml"
    config.write_text("[camera]\nsize_wh = [64, 48]\nwarmup_frames = 0\nfps = 1\n")
    with StreamServer() as server:
        _, text = run("--probe", server.url, "--seconds", "0.3", "--config", str(config))
    assert "asked for" not in text


def test_a_camera_that_is_none_is_one_line() -> None:
    from capture.errors import CameraError

    with pytest.raises(CameraError, match="no such camera or file; expected an index"):
        run("--probe", "nonsense")
