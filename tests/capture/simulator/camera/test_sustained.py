"""A live simulated camera asks no more of a machine than it can give."""

from __future__ import annotations

import logging

import pytest

from capture.clock import VirtualClock
from capture.simulator.camera import sustained
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.camera.sustained import open_sustained
from capture.simulator.scene.simulated_screen import FlipHistory
from capture.simulator.sim_spec import parse_spec


class Machine:
    """A clock on which rendering takes time, as much as there are pixels."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ms_at_720p: float) -> None:
        self.clock = VirtualClock()
        self.rehearsed = 0

        def rehearse(camera: SimulatedCamera, index: int) -> None:
            width, height = camera.options.camera.size_wh
            self.rehearsed += 1
            spent_ms = ms_at_720p * width * height / (1280 * 720) * (3 if index == 0 else 1)
            self.clock.sleep_until(self.clock.now_ns() + round(spent_ms * 1e6))

        monkeypatch.setattr(SimulatedCamera, "rehearse", rehearse)

    def open(self, spec: str) -> SimulatedCamera:
        return open_sustained(parse_spec(spec), self.clock, FlipHistory())


@pytest.mark.parametrize(
    ("ms_at_720p", "spec", "size_wh", "fps"),
    [
        pytest.param(14, "sim:", (1280, 720), 30, id="fast enough"),
        pytest.param(20, "sim:", (1024, 576), 30, id="a little smaller"),
        pytest.param(35, "sim:", (800, 450), 30, id="as small as a face allows"),
        pytest.param(50, "sim:", (800, 450), 20, id="and fewer frames"),
        pytest.param(500, "sim:", (800, 450), 15, id="no less than that"),
        pytest.param(80, "sim:size=640x360", (640, 360), 20, id="small already"),
        pytest.param(80, "sim:size=640x360,fps=15", (640, 360), 15, id="small and slow already"),
    ],
)
def test_a_slow_machine_gets_smaller_frames_then_fewer(
    monkeypatch: pytest.MonkeyPatch,
    ms_at_720p: float,
    spec: str,
    size_wh: tuple[int, int],
    fps: int,
) -> None:
    camera = Machine(monkeypatch, ms_at_720p).open(spec)
    assert camera.info.size_wh == size_wh
    assert camera.info.fps == fps


def test_what_was_changed_is_told_once_with_the_figures(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger=sustained.__name__):
        Machine(monkeypatch, 50).open("sim:")
    assert [record.getMessage() for record in caplog.records] == [
        "sim: rendering a frame of 1280x720 takes 50 ms on this machine now, 15 ms are left for "
        "it at 30 frames a second: simulating 800x450 at 20 instead"
    ]


def test_a_fast_machine_is_told_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger=sustained.__name__):
        Machine(monkeypatch, 5).open("sim:")
    assert not caplog.records


def test_a_virtual_clock_changes_nothing() -> None:
    clock = VirtualClock()
    options = parse_spec("sim:size=160x90,fps=60,exposure=10ms")
    camera = open_sustained(options, clock, FlipHistory())
    assert camera.options == options
    assert clock.now_ns() == 0


def test_a_rehearsal_leaves_no_trace() -> None:
    spec = parse_spec("sim:size=160x90,motion=talk")
    plain, rehearsed = (SimulatedCamera(spec, VirtualClock(), FlipHistory()) for _ in range(2))
    rehearsed.rehearse(5)
    for _ in range(4):
        one, other = plain.read(), rehearsed.read()
        assert one is not None
        assert other is not None
        assert one.t_frame_ns == other.t_frame_ns
        assert (one.pixels == other.pixels).all()
