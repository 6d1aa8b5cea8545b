"""The narrator that the settings ask for."""

from __future__ import annotations

import logging

from facelight.config.kiosk_options import KioskOptions
from facelight.kiosk.speech.narrator import Mute, Narrator, ThreadNarrator
from facelight.kiosk.speech.output import MixerOutput
from facelight.kiosk.speech.sound import SoundError
from facelight.kiosk.speech.voices import Voices, find_voices

_LOG = logging.getLogger(__name__)


def checked_voices(options: KioskOptions, languages: tuple[str, ...]) -> Voices | None:
    """Return the voices of ``kiosk.speech = voice``; None where nothing is to be spoken.

    Raises
    ------
    SoundError
        a language that is offered has no voice: who chose it would hear nothing.
    """
    if options.speech != "voice":
        return None
    voices = find_voices(options.speech_folder)
    mute = [code for code in languages if not voices.speaks(code)]
    if mute:
        raise SoundError(
            f"kiosk.speech: no voice speaks {', '.join(mute)}; install espeak-ng, put WAV files "
            "into kiosk.speech_folder, or offer fewer languages"
        )
    return voices


def open_narrator(options: KioskOptions, voices: Voices | None) -> Narrator:
    """Return the narrator.

    A kiosk without a sound device serves on without its tones and says so in the log; one that is
    to speak does not start.

    Raises
    ------
    SoundError
        ``kiosk.speech`` is ``voice``, and there is no sound device.
    """
    if options.speech == "off":
        return Mute()
    try:
        output = MixerOutput()
    except SoundError as error:
        if voices is not None:
            raise SoundError(f"kiosk.speech = voice: {error}") from error
        _LOG.warning("no guiding tones: %s; kiosk.speech = off says that this is meant", error)
        return Mute()
    return ThreadNarrator(output, voices, options.speech_volume)
