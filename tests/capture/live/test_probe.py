from __future__ import annotations

import sys
from pathlib import Path

import pytest

from capture.camera import Provenance
from capture.clock import VirtualClock
from capture.live import spec as spec_module
from capture.live.options import LiveOptions
from capture.live.probe import probe
from capture.live.webcam.properties import Property
from tests.capture.files.made_videos import make_video
from tests.capture.live.fakes import Hardware, in_real_time
from tests.capture.live.streams import StreamServer

OPTIONS = LiveOptions(warmup_frames=0, size_wh=(64, 48), fps=30)


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch) -> Hardware:
    """A webcam with index 0."""
    hardware = in_real_time()
    monkeypatch.setattr(spec_module, "open_opencv", lambda target, wanted: hardware.open(wanted))
    monkeypatch.setattr(sys, "platform", "win32")
    return hardware


def test_a_webcam_is_measured_locked_and_given_back(hardware: Hardware) -> None:
    before = dict(hardware.properties)
    report = probe("0", OPTIONS, seconds=0.2)
    assert report.info.size_wh == (64, 48)
    assert report.info.details["fourcc"] == "MJPG"
    assert report.info.fps == 30.0
    assert report.fps is not None
    assert report.fps > 31, "measured, not believed"
    assert report.locked
    assert report.controls["exposure"] == {"locked": True, "exposure_ms": 20.0, "gain": 16.0}
    assert report.warnings == ("no usable time stamps: arrival counts, labels need wider guards",)
    assert hardware.properties == before


def test_everything_that_is_not_as_asked_is_told(hardware: Hardware) -> None:
    hardware.properties[Property.FOURCC] = float(int.from_bytes(b"YUYV", "little"))
    hardware.refuses = frozenset({Property.AUTO_EXPOSURE})
    options = LiveOptions(warmup_frames=0, fps=240, size_wh=(1280, 720))
    hardware.interval_ns = 10_000_000
    told = "\n".join(probe("0", options, seconds=0.2).warnings)
    for part in (
        "asked for 1280x720, delivers 64x48",
        "asked for MJPG, delivers YUYV",
        "asked for 240 frames a second",
        "cannot be locked",
    ):
        assert part in told


def test_a_stream_is_measured() -> None:
    with StreamServer() as server:
        report = probe(server.url, OPTIONS, seconds=0.2)
    assert report.stamp_source == "sender"
    assert report.jpeg
    assert report.age_ms is not None
    assert report.age_ms > 0
    assert not report.locked


def test_a_file_is_measured(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv")
    report = probe(str(path), OPTIONS, seconds=10, clock=VirtualClock(10**12))
    assert report.frames == 10
    assert (report.fps, report.jitter_ms) == pytest.approx((25, 0))
    assert report.stamp_source == "file"
    assert report.locked is None
    assert report.warnings == ()


def test_a_simulated_camera_is_measured() -> None:
    clock = VirtualClock(10**12)
    report = probe("sim:size=64x64,fps=15,duration=0.5", OPTIONS, seconds=2, clock=clock)
    assert report.fps == pytest.approx(15, rel=0.05)
    assert report.info.provenance is Provenance.SIMULATED
    assert report.locked
