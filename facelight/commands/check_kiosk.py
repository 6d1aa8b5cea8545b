"""What ``facelight check`` tries of the kiosk: what it will show, see, and keep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing

from capture.clock import SystemClock
from capture.display.port import FlipSource, Refresh
from capture.display.theme import load_theme
from capture.errors import CaptureError
from capture.light.plan import make_plan
from capture.live.probe import ProbeReport, probe
from facelight.commands.findings import CheckState, Finding
from facelight.commands.run_kiosk import open_screen
from facelight.config.settings import Settings, spool_dir
from facelight.kiosk.control.port import control_settings
from facelight.kiosk.screens.texts import theme_file
from facelight.kiosk.screens.wording import Words
from facelight.kiosk.speech.opening import checked_voices
from facelight.kiosk.speech.output import MixerOutput
from facelight.kiosk.speech.sound import SoundError
from facelight.kiosk.speech.voices import find_voices
from uploader.errors import SpoolBusyError, UploaderError
from uploader.spool.opening import open_spool

_MISSED_SHARE = 0.02
"""Flips that come late on an idle machine: the person would see torn colours."""


def examine_kiosk(settings: Settings, *, wanted: bool) -> Iterator[Finding]:
    """Yield a finding for each thing that a kiosk with these settings needs.

    Parameters
    ----------
    wanted : this machine is to be a kiosk: what is missing for one is red, else amber.

    Raises
    ------
    SettingsError
        an unknown language or theme, no consent text where the settings name one, a control port
        without an address or token.
    """
    missing = CheckState.RED if wanted else CheckState.AMBER
    yield light(settings)
    words = Words(settings.kiosk, settings.plan, light=settings.session.light)
    yield texts(settings, words)
    yield speech(settings, words)
    yield control(settings)
    yield camera(settings, missing)
    yield display(settings, words, missing)
    yield spool(settings)


def light(settings: Settings) -> Finding:
    """Check that the plan keeps the limits of photosensitivity."""
    if not settings.session.light:
        return Finding("light", CheckState.GREEN, "off: no colours for anybody")
    try:
        plan = make_plan(settings.plan, seed=0, screen_nits=settings.kiosk.screen_nits)
    except CaptureError as error:
        return Finding("light", CheckState.RED, str(error), "change [plan] or kiosk.screen_nits")
    return Finding("light", CheckState.GREEN, f"{plan.duration_ms / 1000:.1f} s, within the limits")


def texts(settings: Settings, words: Words) -> Finding:
    """Say what is spoken, in which look, and which fonts it takes."""
    options = settings.kiosk
    codes = " ".join(wording.language.code for wording in words.all())
    consent = options.consent_file or ("the language's own" if settings.session.consent else "off")
    theme = words.wording.theme
    added = len(theme.fonts) - len(load_theme(theme_file(options.theme)).fonts)
    fonts = f"{len(theme.fonts)} fonts" + (f", {added} of them the system's" if added else "")
    detail = f"{codes}; theme {theme.name}; consent {consent}; {fonts}"
    return Finding("texts", CheckState.GREEN, detail)


def control(settings: Settings) -> Finding:
    """Say where programs beside the kiosk reach it, after address and token were checked."""
    port = control_settings(settings.kiosk)
    if port is None:
        return Finding("control", CheckState.GREEN, "off: no program drives the kiosk")
    detail = f"{port.address}, sessions by {settings.session.start}"
    if port.anywhere:
        cure = "any machine that reaches it may try tokens: put TLS and a firewall before it"
        return Finding("control", CheckState.AMBER, detail, cure)
    return Finding("control", CheckState.GREEN, detail)


def speech(settings: Settings, words: Words) -> Finding:
    """Say which voices are there for the languages offered, and open the sound device."""
    options = settings.kiosk
    if options.speech == "off":
        return Finding("speech", CheckState.GREEN, "off: nothing is heard")
    cure = "install espeak-ng, or set kiosk.speech_folder, kiosk.languages or kiosk.speech"
    try:
        found = find_voices(options.speech_folder)
        checked_voices(options, words.codes)
    except SoundError as error:
        return Finding("speech", CheckState.RED, str(error), cure)
    voices = ", ".join(f"{code}: {found.speaks(code) or 'no voice'}" for code in words.codes)
    detail = f"{options.speech}; {voices}"
    try:
        MixerOutput().close()
    except SoundError as error:
        state = CheckState.RED if options.speech == "voice" else CheckState.AMBER
        cure = "connect a loudspeaker or headphones, or set kiosk.speech = off"
        return Finding("speech", state, f"{detail}; {error}", cure)
    return Finding("speech", CheckState.GREEN, detail)


def camera(
    settings: Settings, missing: CheckState, measure: Callable[..., ProbeReport] = probe
) -> Finding:
    """Open the camera for a second and measure it."""
    spec, options = settings.kiosk.camera, settings.camera
    try:
        report = measure(spec, options)
    except CaptureError as error:
        cure = "'facelight cameras' lists what there is; set kiosk.camera"
        return Finding("camera", missing, str(error), cure)
    fps = "rate not measured" if report.fps is None else f"{report.fps:.1f} fps"
    virtual = report.info.details.get("virtual", "unknown")
    locks = {True: "can be locked", False: "cannot be locked", None: "has no controls"}
    detail = (
        f"{report.info.id}: {report.info.size_wh[0]}x{report.info.size_wh[1]}, {fps}, stamps by "
        f"{report.stamp_source}, {locks[report.locked]}, virtual: {virtual}"
    )
    if virtual == "yes" and not options.allow_virtual:
        cure = "use a real camera, or set camera.allow_virtual = true"
        return Finding("camera", CheckState.RED, detail, cure)
    if report.warnings:
        return Finding("camera", CheckState.AMBER, detail, "; ".join(report.warnings))
    return Finding("camera", CheckState.GREEN, detail)


def display(settings: Settings, words: Words, missing: CheckState) -> Finding:
    """Open the display, draw every screen unseen, and measure the refresh."""
    try:
        with closing(open_screen(settings, words, SystemClock())) as screen:
            size_wh, refresh = screen.size_wh, screen.refresh
    except CaptureError as error:
        return Finding("display", missing, str(error), "see deploy/README.md, the display")
    return judged_display(size_wh, refresh)


def judged_display(size_wh: tuple[int, int], refresh: Refresh) -> Finding:
    """Return what a measured refresh is worth."""
    detail = (
        f"{size_wh[0]}x{size_wh[1]}, {refresh.hz:.1f} Hz, {refresh.missed} of {refresh.flips} "
        f"flips late, timed by {refresh.source.value}"
    )
    if refresh.missed > _MISSED_SHARE * refresh.flips:
        cure = "let nothing else run beside the kiosk, or use KMSDRM"
        return Finding("display", CheckState.AMBER, detail, cure)
    if refresh.source is not FlipSource.VSYNC:
        cure = "right for a virtual display only; use a driver with vsync on a real one"
        return Finding("display", CheckState.AMBER, detail, cure)
    return Finding("display", CheckState.GREEN, detail)


def spool(settings: Settings) -> Finding:
    """Open the spool as the kiosk would: folder, device key; one that is not there is not made."""
    folder = spool_dir(settings)
    cure = "give the kiosk's user a folder of its own: spool_dir"
    if not folder.exists():
        above = next(path for path in folder.absolute().parents if path.exists())
        if not os.access(above, os.W_OK):
            return Finding("spool", CheckState.RED, f"{above}: cannot be written", cure)
        return Finding("spool", CheckState.GREEN, f"{folder}: will be made at the first start")
    try:
        with open_spool(folder, settings.spool, key_file=settings.device_key_file) as opened:
            waiting = opened.totals().items
    except SpoolBusyError:
        return Finding("spool", CheckState.GREEN, f"{folder}: in use by a running kiosk or flush")
    except UploaderError as error:
        return Finding("spool", CheckState.RED, str(error), cure)
    return Finding("spool", CheckState.GREEN, f"{folder}: {waiting} items wait")
