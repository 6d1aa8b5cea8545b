"""What is done about one person: capture, judgement, delivery, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from capture.clock import VirtualClock
from capture.frame import Frame
from facelight.kiosk.desk import STORAGE_CHECK_NS, WATCH_NS, Desk, Parts
from facelight.kiosk.eyes import Eyes
from facelight.kiosk.lanes import NoWorkers
from facelight.kiosk.light import Latency
from facelight.kiosk.options import KioskOptions
from facelight.pipeline import SessionResult
from facelight.session_events import (
    CameraSettled,
    ClipReady,
    Delivered,
    DeviceBack,
    DeviceLost,
    Event,
    WorkFailed,
)
from facelight.session_types import Device
from facelight.settings import Settings
from preprocess.clip import Clip
from preprocess.errors import EncodeError
from preprocess.light.verdict import LightResponse, LightState, Trace
from preprocess.reasons import Reason
from tests.facelight.kiosk.cameras import QueueCamera
from tests.facelight.kiosk.simulated import KeptOutbox
from tests.preprocess.faces import FakeTracker
from uploader.errors import SpoolError

CLIP = Clip((), (), (64, 48), None)
MS = 1_000_000


class FinishedEyes(Eyes):
    """Eyes whose capture came to a result that a test chooses."""

    def __init__(self) -> None:
        super().__init__(Settings(), lambda: FakeTracker(lambda _: None), 30.0)
        self.result: SessionResult | Exception | None = None

    def finish_capture(self) -> SessionResult | None:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


class AtOnce:
    """An observer that carries commands out at once."""

    looked = 0

    def __init__(self) -> None:
        self.eyes = FinishedEyes()
        self.events: list[Event] = []

    def post(self, command: Callable[[Eyes], Sequence[Event]]) -> None:
        self.events.extend(command(self.eyes))

    def poll(self) -> list[Event]:
        events, self.events = self.events, []
        return events

    def preview(self) -> Frame | None:
        return None

    def close(self) -> None:
        self.eyes.close()


class FullOutbox(KeptOutbox):
    """An outbox whose disk may be full."""

    full = False

    def ensure_room(self) -> None:
        if self.full:
            raise SpoolError("no room for another submission")


def result_of(clip: Clip | None, response: LightResponse | None = None) -> SessionResult:
    reasons = () if clip is not None else (Reason.TOO_FEW_FRAMES,)
    return SessionResult((), clip, reasons, "", response, (64, 48))


def response_of(
    state: LightState, *, delay_ms: float | None = 90.0, **changes: Any
) -> LightResponse:
    empty = np.empty(0)
    trace = Trace(empty.astype(np.int64), empty, empty)
    delay_ns = None if delay_ms is None else round(delay_ms * MS)
    found = LightResponse(
        state, 0.9, 0.001, 0.3, delay_ns, 2 * MS, 100 * MS, False, 0.1, (), 90, trace
    )
    return replace(found, **changes)


class Stand:
    """A desk with everything around it."""

    def __init__(self, tmp_path: Path | None = None, **changes: Any) -> None:
        self.settings = Settings(kiosk=KioskOptions(**changes))
        self.clock = VirtualClock()
        self.observer = AtOnce()
        self.outbox = FullOutbox()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.latency = Latency(self.settings.timing.timing(), 12 * MS)
        self.desk = Desk(
            Parts(
                settings=self.settings,
                camera=QueueCamera(),
                observer=self.observer,
                outbox=self.outbox,
                clock=self.clock,
                workers=NoWorkers(),
                told=lambda name, values: self.told.append((name, values)),
                latency=self.latency,
                record_dir=tmp_path,
                seed=1,
            )
        )
        self.desk.open(light=True)
        self.desk.start_capture()
        self.desk.poll()

    def finish(self, result: SessionResult | Exception | None) -> Event:
        self.observer.eyes.result = result
        self.desk.finish(5)
        (event,) = self.desk.poll()
        return event


@pytest.fixture
def stand() -> Stand:
    return Stand()


def test_an_accepted_clip_is_delivered_with_its_provenance(stand: Stand) -> None:
    assert stand.finish(result_of(CLIP)) == ClipReady(5, True)
    stand.desk.deliver(6)
    assert stand.desk.poll() == [Delivered(6, "realface")]
    assert stand.outbox.clips == [CLIP]
    assert stand.outbox.origins[0].provenance == "simulated"
    assert [name for name, _ in stand.told] == ["session", "encoder", "delivery"]
    assert stand.told[1][1]["fallbacks"] == []


def test_a_rejected_clip_can_never_be_delivered(stand: Stand) -> None:
    assert stand.finish(result_of(None)) == ClipReady(5, False, (Reason.TOO_FEW_FRAMES,))
    stand.desk.deliver(6)
    assert stand.desk.poll() == [WorkFailed(6, "there is no clip to deliver")]
    assert stand.outbox.clips == []


def test_the_clip_of_one_person_is_not_delivered_for_another(stand: Stand) -> None:
    stand.finish(result_of(CLIP))
    stand.desk.close_person()
    stand.desk.open(light=True)
    stand.desk.deliver(6)
    assert isinstance(stand.desk.poll()[0], WorkFailed)
    assert stand.outbox.clips == []


def test_an_encoder_that_fails_is_told_as_failed_work(stand: Stand) -> None:
    assert stand.finish(EncodeError("stalled")) == WorkFailed(5, "stalled")
    assert stand.finish(None) == WorkFailed(5, "there is no capture to finish")


def test_the_lag_of_a_session_is_used_for_the_next(stand: Stand) -> None:
    first = stand.desk.light
    assert first is not None
    stand.finish(result_of(CLIP, response_of(LightState.OK)))
    stand.desk.start_capture()
    assert stand.desk.light is not None
    assert stand.desk.light.timing.latency_ns == 90 * MS
    assert stand.desk.light.timing.latency_uncertainty_ns == 12 * MS
    assert first.timing.latency_ns == 100 * MS


@pytest.mark.parametrize("state", [LightState.NONE, LightState.MISMATCH, LightState.TOO_BRIGHT])
def test_light_that_does_not_show_is_sent_all_the_same_unless_it_is_required(
    state: LightState,
) -> None:
    response = response_of(state, delay_ms=None)
    assert Stand().finish(result_of(CLIP, response)) == ClipReady(5, True)
    strict = Stand(light_required=True)
    assert strict.finish(result_of(CLIP, response)) == ClipReady(5, False, response.reasons)
    assert strict.desk.last is not None
    assert strict.desk.last.result.clip is None
    assert strict.latency.timing.latency_ns == 100 * MS


def test_labels_by_a_wrong_lag_are_not_sent_and_the_next_attempt_knows_better(
    stand: Stand,
) -> None:
    wrong = response_of(LightState.OK, delay_ms=200.0, delay_disagrees=True)
    assert stand.finish(result_of(CLIP, wrong)) == ClipReady(5, False, (Reason.LIGHT_DELAY,))
    assert stand.latency.timing.latency_ns == 200 * MS


def test_a_camera_without_controls_is_told_as_not_locked(stand: Stand) -> None:
    stand.desk.lock_camera(3)
    stand.desk.unlock_camera()
    assert stand.desk.poll() == [CameraSettled(3, False)]


def test_a_full_disk_is_told_once_and_so_is_room(stand: Stand) -> None:
    stand.desk.drop_capture()

    def after_a_while() -> list[Event]:
        stand.clock.sleep_until(stand.clock.now_ns() + STORAGE_CHECK_NS)
        return stand.desk.poll()

    stand.outbox.full = True
    assert after_a_while() == [DeviceLost(Device.STORAGE)]
    assert after_a_while() == []
    stand.outbox.full = False
    assert after_a_while() == [DeviceBack(Device.STORAGE)]
    assert after_a_while() == []


def test_the_disk_is_left_alone_while_the_light_runs(stand: Stand) -> None:
    stand.outbox.full = True
    stand.clock.sleep_until(10 * STORAGE_CHECK_NS)
    assert stand.desk.poll() == []


def test_slots_are_judged_when_their_frames_were_seen_or_time_is_up(stand: Stand) -> None:
    from tests.facelight.kiosk.test_light import flip

    light = stand.desk.light
    assert light is not None
    stand.desk.play((), 60.0)
    assert stand.desk.played(0) is None
    while light.due(stand.clock.now_ns()) is not None:
        flip(light, stand.clock)
    ended_ns = stand.clock.now_ns()
    assert stand.desk.played(ended_ns) is None
    assert stand.desk.played(ended_ns + WATCH_NS - 1) is None
    assert stand.desk.played(ended_ns + WATCH_NS) == (1, 2, 3, 4, 5, 6)


def test_a_recording_that_cannot_be_written_is_told_and_the_session_goes_on(
    tmp_path: Path,
) -> None:
    stand = Stand(tmp_path / "missing")
    assert stand.finish(result_of(CLIP)) == ClipReady(5, True)
    stand.observer.close()
    stand.desk.close(20)
    failed = [values for name, values in stand.told if name == "recording_failed"]
    assert len(failed) == 1
    assert "missing" in failed[0]["message"]
