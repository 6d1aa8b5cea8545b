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
from facelight.config.settings import Settings
from facelight.kiosk.background import NoWorkers
from facelight.kiosk.frame_judge import FrameJudge
from facelight.kiosk.light import Latency
from facelight.kiosk.machine.events import (
    CameraSettled,
    ClipReady,
    Delivered,
    DeviceBack,
    DeviceLost,
    Event,
    WorkFailed,
)
from facelight.kiosk.machine.state import Device
from facelight.kiosk.session_runner import STORAGE_CHECK_NS, WATCH_NS, Parts, SessionRunner
from facelight.pipeline import SessionResult
from preprocess.clip.clip import Clip
from preprocess.errors import EncodeError
from preprocess.light.fitting.delay import DelayEstimate
from preprocess.light.fitting.flip_steps import StepCheck
from preprocess.light.options import ResponseOptions
from preprocess.light.verdict import Exposures, LightResponse, LightState, Trace
from preprocess.reasons import Reason
from tests.conftest import ErrorLog
from tests.facelight.kiosk.cameras import QueueCamera
from tests.facelight.kiosk.simulated import KeptOutbox
from tests.preprocess.faces import FakeTracker
from uploader.errors import SpoolError

CLIP = Clip((), (), (64, 48), None)
MS = 1_000_000


class FinishedEyes(FrameJudge):
    """FrameJudge whose capture came to a result that a test chooses."""

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
        self.judge = FinishedEyes()
        self.events: list[Event] = []

    def post(self, command: Callable[[FrameJudge], Sequence[Event]]) -> None:
        self.events.extend(command(self.judge))

    def poll(self) -> list[Event]:
        events, self.events = self.events, []
        return events

    def preview(self) -> Frame | None:
        return None

    def close(self) -> None:
        self.judge.close()


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
    found = LightResponse(
        state=state,
        rho=0.9,
        p_value=0.001,
        strength=0.3,
        exposures=None if delay_ms is None else exposures_of(delay_ms),
        declared_delay_ns=100 * MS,
        delay_disagrees=False,
        steps=None,
        retimed=False,
        background_ratio=0.1,
        colours=(),
        n_samples=90,
        trace=Trace(empty.astype(np.int64), empty, empty),
    )
    return replace(found, **changes)


def exposures_of(delay_ms: float) -> Exposures:
    delay = DelayEstimate(
        delay_ns=round(delay_ms * MS),
        sd_ns=2 * MS,
        exposure_ns=16 * MS,
        exposure_sd_ns=2 * MS,
        middle_ns=round((delay_ms - 8) * MS),
        middle_sd_ns=2 * MS,
    )
    return Exposures(delay, 20 * MS, False, 33 * MS, 0, 0.4, 0.2, 0.7)


class Stand:
    """A runner with everything around it."""

    def __init__(self, tmp_path: Path | None = None, light: ResponseOptions | None = None) -> None:
        self.settings = Settings(light=light or ResponseOptions())
        self.clock = VirtualClock()
        self.observer = AtOnce()
        self.outbox = FullOutbox()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.latency = Latency(self.settings.timing.timing(), 12 * MS)
        self.runner = SessionRunner(
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
        self.runner.open(light=True)
        self.runner.start_capture()
        self.runner.poll()

    def finish(self, result: SessionResult | Exception | None) -> Event:
        self.observer.judge.result = result
        self.runner.finish(5)
        (event,) = self.runner.poll()
        return event


@pytest.fixture
def stand() -> Stand:
    return Stand()


def test_an_accepted_clip_is_delivered_with_its_provenance(stand: Stand) -> None:
    assert stand.finish(result_of(CLIP)) == ClipReady(5, True)
    stand.runner.deliver(6)
    assert stand.runner.poll() == [Delivered(6, "realface")]
    assert stand.outbox.clips == [CLIP]
    assert stand.outbox.origins[0].provenance == "simulated"
    assert [name for name, _ in stand.told] == ["session", "encoder", "submitted", "delivery"]
    assert stand.told[2][1]["client_request_id"] == stand.outbox.origins[0].client_request_id
    assert stand.told[1][1]["fallbacks"] == []


def test_a_rejected_clip_can_never_be_delivered(stand: Stand) -> None:
    assert stand.finish(result_of(None)) == ClipReady(5, False, (Reason.TOO_FEW_FRAMES,))
    stand.runner.deliver(6)
    assert stand.runner.poll() == [WorkFailed(6, "there is no clip to deliver")]
    assert stand.outbox.clips == []


def test_the_clip_of_one_person_is_not_delivered_for_another(stand: Stand) -> None:
    stand.finish(result_of(CLIP))
    stand.runner.close_person()
    stand.runner.open(light=True)
    stand.runner.deliver(6)
    assert isinstance(stand.runner.poll()[0], WorkFailed)
    assert stand.outbox.clips == []


def test_an_encoder_that_fails_is_told_as_failed_work(stand: Stand) -> None:
    assert stand.finish(EncodeError("stalled")) == WorkFailed(5, "stalled")
    assert stand.finish(None) == WorkFailed(5, "there is no capture to finish")


def test_the_lag_of_a_session_is_used_for_the_next(stand: Stand) -> None:
    first = stand.runner.light
    assert first is not None
    stand.finish(result_of(CLIP, response_of(LightState.OK)))
    stand.runner.start_capture()
    assert stand.runner.light is not None
    assert stand.runner.light.timing.latency_ns == 90 * MS
    assert stand.runner.light.timing.latency_uncertainty_ns == 12 * MS
    assert first.timing.latency_ns == 100 * MS


@pytest.mark.parametrize("state", [LightState.NONE, LightState.MISMATCH])
def test_light_that_does_not_answer_is_sent_in_plain_sight_unless_the_operator_turns_it_away(
    state: LightState,
) -> None:
    response = response_of(state, delay_ms=None)
    stand = Stand()
    assert stand.finish(result_of(CLIP, response)) == ClipReady(5, True)
    told = dict(stand.told)["light"]
    assert (told["state"], told["policy"], told["reasons"]) == (state.value, "send", [])
    strict = Stand(light=ResponseOptions(own="reject"))
    assert strict.finish(result_of(CLIP, response)) == ClipReady(5, False, response.reasons)
    assert strict.runner.last is not None
    assert strict.runner.last.result.clip is None
    assert strict.latency.timing.latency_ns == 100 * MS


def test_labels_by_a_wrong_lag_are_not_sent_and_the_next_attempt_knows_better(
    stand: Stand,
) -> None:
    wrong = response_of(LightState.OK, delay_ms=200.0)
    assert stand.finish(result_of(CLIP, wrong)) == ClipReady(5, False, (Reason.LIGHT_DELAY,))
    assert stand.latency.timing.latency_ns == 200 * MS


def test_stamps_that_the_lights_steps_contradict_are_not_sent_and_teach_nothing(
    stand: Stand,
) -> None:
    steps = StepCheck((), drift_ns=120 * MS, drift_sd_ns=10 * MS)
    doubtful = response_of(LightState.OK, delay_ms=120.0, steps=steps)
    assert stand.finish(result_of(CLIP, doubtful)) == ClipReady(5, False, (Reason.STAMPS_IN_DOUBT,))
    assert stand.latency.timing.latency_ns == 100 * MS


def test_a_camera_without_controls_is_told_as_not_locked(stand: Stand) -> None:
    stand.runner.lock_camera(3)
    stand.runner.unlock_camera()
    assert stand.runner.poll() == [CameraSettled(3, False)]


def test_a_full_disk_is_told_once_and_so_is_room(stand: Stand) -> None:
    stand.runner.drop_capture()

    def after_a_while() -> list[Event]:
        stand.clock.sleep_until(stand.clock.now_ns() + STORAGE_CHECK_NS)
        return stand.runner.poll()

    stand.outbox.full = True
    assert after_a_while() == [DeviceLost(Device.STORAGE)]
    assert after_a_while() == []
    stand.outbox.full = False
    assert after_a_while() == [DeviceBack(Device.STORAGE)]
    assert after_a_while() == []


def test_the_disk_is_left_alone_while_the_light_runs(stand: Stand) -> None:
    stand.outbox.full = True
    stand.clock.sleep_until(10 * STORAGE_CHECK_NS)
    assert stand.runner.poll() == []


def test_slots_are_judged_when_their_frames_were_seen_or_time_is_up(stand: Stand) -> None:
    from tests.facelight.kiosk.test_light import flip

    light = stand.runner.light
    assert light is not None
    stand.runner.play((), 60.0)
    assert stand.runner.played(0) is None
    while light.due(stand.clock.now_ns()) is not None:
        flip(light, stand.clock)
    ended_ns = stand.clock.now_ns()
    assert stand.runner.played(ended_ns) is None
    assert stand.runner.played(ended_ns + WATCH_NS - 1) is None
    assert stand.runner.played(ended_ns + WATCH_NS) == (1, 2, 3, 4, 5, 6)


def test_a_recording_that_cannot_be_written_is_told_and_the_session_goes_on(
    tmp_path: Path, error_log: ErrorLog
) -> None:
    stand = Stand(tmp_path / "missing")
    assert stand.finish(result_of(CLIP)) == ClipReady(5, True)
    stand.observer.close()
    stand.runner.close(20)
    failed = [values for name, values in stand.told if name == "recording_failed"]
    assert len(failed) == 1
    assert "missing" in failed[0]["message"]
    (logged,) = error_log.taken()
    assert logged.startswith("no recording: ")
