"""``facelight calibrate``: a camera or recordings in, a profile of the kiosk out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from calibration.errors import MeasurementError
from calibration.face_light import FaceLight, frames_of
from calibration.light import LitFrame, measure_light
from calibration.profile import (
    LightSection,
    Profile,
    ProfileOrigin,
    TimingSection,
    check_free,
    now,
    write_profile,
)
from calibration.timing.brightness import BrightnessGrid
from calibration.timing.screen_delay import (
    Hardware,
    StepPlanOptions,
    step_plan,
    timing_from_sessions,
    timing_from_steps,
)
from calibration.timing.showing import CameraAndScreen, Shown, show_plan
from calibration.timing.steps import StepLags, measure_steps, screen_steps
from capture.camera import Camera, CameraInfo, ReportsControls
from capture.clock import Clock, SystemClock, VirtualClock
from capture.display.port import FlipSource, Screen
from capture.display.pygame_screen import PygameScreen, ScreenOptions
from capture.display.theme import load_theme
from capture.display.virtual import VirtualScreen
from capture.files.recording import RecordingCamera
from capture.files.source import SessionSource, open_source
from capture.frame import Frame
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, IlluminationPlan, Rgb
from capture.light.plan import PlanOptions, make_plan
from capture.light.timeline import Timeline, Timing
from capture.live.spec import open_camera
from capture.simulator.scene.simulated_screen import FlipHistory
from facelight import __version__
from facelight.config.settings import Settings
from facelight.kiosk.screens.texts import theme_file
from preprocess.light.response import respond
from preprocess.light.verdict import LightResponse
from preprocess.tracking.opening import open_tracker

LIGHT_PLAN = PlanOptions(
    colours=("Red", "Green", "Blue", "White"),
    repeats=3,
    dwell_ms=600.0,
    lead_in_ms=1000.0,
    tail_ms=1000.0,
)
"""Slots long enough for clean frames at 15 a second and any lag; neutral at both ends."""


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """What the command line asked for.

    Attributes
    ----------
    recordings : sessions on disk; without any the camera is used.
    out : the profile.
    force : replace what ``out`` holds.
    camera_id : of the camera, where recordings do not know it.
    steps, seed : of the steps that are shown.
    exposure_ms, readout_ms : where the operator knows them.
    """

    recordings: tuple[Path, ...]
    out: Path
    force: bool = False
    camera_id: str | None = None
    steps: int = 24
    seed: int = 1
    exposure_ms: float | None = None
    readout_ms: float | None = None


def calibrate_timing(settings: Settings, asked: CalibrationRequest) -> Profile:
    """Measure the lag and write it; return what the profile now holds.

    Raises
    ------
    CalibrationError, CaptureError
        nothing could be measured, or the profile cannot be written.
    """
    check_free(asked.out, "timing", force=asked.force)
    if asked.recordings:
        subject, section = _timing_of_recordings(settings, asked)
    else:
        subject, section = _timing_of_camera(settings, asked)
    return _written(asked, subject, timing=section)


def calibrate_light(settings: Settings, asked: CalibrationRequest) -> Profile:
    """Measure the light and write it; return what the profile now holds.

    Raises
    ------
    CalibrationError, CaptureError
        nothing could be measured, or the profile cannot be written.
    """
    check_free(asked.out, "light", force=asked.force)
    if asked.recordings:
        subject, section = _light_of_recordings(settings, asked)
    else:
        subject, section = _light_of_camera(settings, asked)
    return _written(asked, subject, light=section)


@dataclass(frozen=True, slots=True)
class _Subject:
    """The camera that was measured."""

    info: CameraInfo
    controls: dict[str, JsonValue]


def _written(
    asked: CalibrationRequest,
    subject: _Subject,
    timing: TimingSection | None = None,
    light: LightSection | None = None,
) -> Profile:
    profile = Profile.of(subject.info, subject.controls)
    if asked.camera_id is not None:
        camera = profile.camera.model_copy(update={"id": asked.camera_id})
        profile = profile.model_copy(update={"camera": camera})
    whole = profile.model_copy(update={"timing": timing, "light": light})
    return write_profile(asked.out, whole, force=asked.force)


def _origin(material: Sequence[str]) -> ProfileOrigin:
    return ProfileOrigin(
        created=now(), software=f"facelight/{__version__}", material=list(material)
    )


def _hardware(asked: CalibrationRequest, known: Hardware) -> Hardware:
    """Put what the operator states above what is known otherwise."""
    if asked.exposure_ms is None and asked.readout_ms is None:
        return known
    return Hardware(
        exposure_ms=known.exposure_ms if asked.exposure_ms is None else asked.exposure_ms,
        readout_ms=known.readout_ms if asked.readout_ms is None else asked.readout_ms,
        scanout_ms=known.scanout_ms,
        settle_ms=known.settle_ms,
        how="stated on the command line",
    )


def _timing_of_recordings(
    settings: Settings, asked: CalibrationRequest
) -> tuple[_Subject, TimingSection]:
    subject, lags, rows = None, list[StepLags](), list[float]()
    responses, hardware = list[LightResponse](), Hardware()
    for path in asked.recordings:
        with open_source(path) as source:
            timeline = _lit_timeline(source)
            subject = _same(subject, _subject(source), asked)
            hardware = _hardware(asked, Hardware.of(timeline.timing, "stated by the recording"))
            steps = screen_steps(timeline.flips)
            if steps:
                grid = BrightnessGrid()
                for frame in frames_of(source.camera):
                    grid.add(frame)
                seen = grid.following(steps, locked=is_locked(_controls(source.camera)))
                lags.append(measure_steps(seen.t_ns, seen.level, steps))
                rows.append(seen.row)
            else:
                light = _face_light(source, settings)
                responses.append(respond(light.samples, timeline))
                rows.append(light.row)
    if subject is None or (lags and responses):
        raise MeasurementError("expected recordings of steps or of lit sessions, got both")
    origin, row = _origin([str(p) for p in asked.recordings]), sum(rows) / len(rows)
    if lags:
        return subject, timing_from_steps(StepLags.joined(lags), row, hardware, origin)
    return subject, timing_from_sessions(responses, row, hardware, origin)


def _light_of_recordings(
    settings: Settings, asked: CalibrationRequest
) -> tuple[_Subject, LightSection]:
    subject, frames, controls = None, list[LitFrame](), list[dict[str, JsonValue]]()
    for path in asked.recordings:
        with open_source(path) as source:
            timeline = _lit_timeline(source)
            subject = _same(subject, _subject(source), asked)
            frames += _face_light(source, settings).lit(timeline)
            controls.append(_controls(source.camera))
    if subject is None:
        raise MeasurementError("expected at least one recording")
    origin = _origin([str(p) for p in asked.recordings])
    locked = all(is_locked(entry) for entry in controls) if all(controls) else None
    return subject, measure_light(frames, origin, locked=locked)


def _face_light(source: SessionSource, settings: Settings) -> FaceLight:
    with open_tracker(settings.tracker) as tracker:
        light = FaceLight(tracker)
        for frame in frames_of(source.camera):
            light.add(frame)
    if not light.samples:
        raise MeasurementError(f"{source.path}: no face in {light.frames} frames")
    return light


def _lit_timeline(source: SessionSource) -> Timeline:
    if source.timeline is None or len(source.timeline.flips) < 2:
        raise MeasurementError(f"{source.path}: nothing is known of its light: no flips")
    return source.timeline


def _subject(source: SessionSource) -> _Subject:
    return _Subject(source.camera.info, _controls(source.camera))


def _controls(camera: Camera) -> dict[str, JsonValue]:
    if isinstance(camera, RecordingCamera):
        return dict(camera.session.controls)
    return dict(camera.controls) if isinstance(camera, ReportsControls) else {}


def _same(before: _Subject | None, found: _Subject, asked: CalibrationRequest) -> _Subject:
    if before is not None and asked.camera_id is None and before.info.id != found.info.id:
        raise MeasurementError(
            f"recordings of two cameras, {before.info.id!r} and {found.info.id!r}: give those of "
            "one, or name it with --camera-id"
        )
    return before or found


def is_locked(controls: dict[str, JsonValue]) -> bool:
    """Return whether both exposure and white balance stood still."""
    entries = [controls.get(name) for name in ("exposure", "white_balance")]
    return all(isinstance(entry, dict) and entry.get("locked") is True for entry in entries)


def _timing_of_camera(
    settings: Settings, asked: CalibrationRequest
) -> tuple[_Subject, TimingSection]:
    plan = step_plan(asked.seed, StepPlanOptions(steps=asked.steps))
    grid = BrightnessGrid()
    # locked under white, the brightest of both: nothing clips
    run = _run(settings, plan, grid.add, PRIMARIES["White"])
    steps = screen_steps(run.shown.flips)
    seen = grid.following(steps, locked=run.shown.locked)
    lags = measure_steps(seen.t_ns, seen.level, steps)
    hardware = _hardware(asked, run.hardware)
    return run.subject, timing_from_steps(lags, seen.row, hardware, _origin([run.spec]))


def _light_of_camera(
    settings: Settings, asked: CalibrationRequest
) -> tuple[_Subject, LightSection]:
    plan = make_plan(LIGHT_PLAN, asked.seed)
    with open_tracker(settings.tracker) as tracker:
        light = FaceLight(tracker)
        # locked under neutral, as in a session: that exposure is the one to judge
        run = _run(settings, plan, light.add, NEUTRAL_RGB)
    if not light.samples:
        raise MeasurementError(f"{run.spec}: no face in {light.frames} frames")
    timeline = Timeline(run.shown.flips, _lag(settings, light, run), run.shown.end_ns)
    section = measure_light(light.lit(timeline), _origin([run.spec]), locked=run.shown.locked)
    return run.subject, section


def _lag(settings: Settings, light: FaceLight, run: _CalibrationRun) -> Timing:
    """Return the timing of the settings, its lag measured by the light itself where it answers."""
    timing = settings.timing.timing()
    found = respond(light.samples, Timeline(run.shown.flips, timing, run.shown.end_ns))
    if found.delay_ns is None:
        return timing
    # half light, and the first row: close enough for slots of 600 ms with these guards
    return Timing(found.delay_ns, latency_uncertainty_ns=20_000_000)


@dataclass(frozen=True, slots=True, eq=False)
class _CalibrationRun:
    """What came of showing a plan to a camera."""

    spec: str
    shown: Shown
    subject: _Subject
    hardware: Hardware


def _run(
    settings: Settings, plan: IlluminationPlan, on_frame: Callable[[Frame], None], settle_rgb: Rgb
) -> _CalibrationRun:
    spec = settings.kiosk.camera
    simulated = spec.startswith("sim:")
    clock: Clock = VirtualClock() if simulated else SystemClock()
    history = FlipHistory()
    with ExitStack() as stack:
        screen: Screen = (
            VirtualScreen(clock, on_flip=history.on_flip) if simulated else _glass(settings, clock)
        )
        stack.enter_context(closing(screen))
        screen.open()
        camera = stack.enter_context(open_camera(spec, settings.camera, clock, history))
        controls: dict[str, JsonValue] = {}

        def taken(frame: Frame) -> None:
            if not controls:
                controls.update(_controls(camera))
            on_frame(frame)

        shown = show_plan(
            CameraAndScreen(screen, camera, clock), plan, taken, settle_rgb=settle_rgb
        )
        swaps = screen.refresh.source is FlipSource.SWAP
        hardware = _known(controls, rises_at_once=swaps)
        return _CalibrationRun(spec, shown, _Subject(camera.info, controls), hardware)


def _glass(settings: Settings, clock: Clock) -> PygameScreen:
    kiosk = settings.kiosk
    options = ScreenOptions(display=kiosk.display, windowed=kiosk.windowed, unsynced=kiosk.unsynced)
    return PygameScreen(load_theme(theme_file(kiosk.theme)), options, clock)


def _known(controls: dict[str, JsonValue], *, rises_at_once: bool) -> Hardware:
    """Take the exposure from what the camera said when it was locked."""
    entry = controls.get("exposure")
    value = entry.get("exposure_ms") if isinstance(entry, dict) else None
    exposure_ms = float(value) if isinstance(value, int | float) and value > 0 else None
    how = "said by the camera when it was locked"
    if rises_at_once:
        return Hardware(exposure_ms, scanout_ms=0.0, settle_ms=0.0, how=how)
    return Hardware(exposure_ms, how=how)
