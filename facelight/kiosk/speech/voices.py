"""Who speaks: the operator's own WAV files, one a text, else espeak-ng where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from facelight.kiosk.screens.scenes import Caption
from facelight.kiosk.speech.sound import Sound, SoundError, read_wav

ESPEAK = "espeak-ng"
WORDS_PER_MINUTE = 150
SYNTHESIS_LIMIT_S = 20.0
_CACHED = 256
_VOICES = {"zh": "cmn"}
"""Codes of ours that espeak-ng knows by another name."""


class Voice(Protocol):
    """Turns a line into sound."""

    def sound(self, line: Caption, language: str) -> Sound | None:
        """Return the sound of a line; None where this voice has none; blocks for some 0.1 s.

        Raises
        ------
        SoundError
            a file or program that should have it does not work.
        """
        ...

    def speaks(self, language: str) -> str:
        """Return by what this voice speaks a language, for ``check``; empty: it does not."""
        ...


class WavVoice:
    """``FOLDER/LANGUAGE/KEY.wav``, KEY as in the language files (``hint_closer.wav``)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sound(self, line: Caption, language: str) -> Sound | None:
        """Return the file's sound, None without one."""
        path = self._folder / language / f"{line.key}.wav"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SoundError(f"{path}: cannot be read: {error.strerror}") from error
        return read_wav(data, str(path))

    def speaks(self, language: str) -> str:
        """Return how many files there are."""
        count = len(list((self._folder / language).glob("*.wav")))
        return f"{count} WAV files" if count else ""


class EspeakVoice:
    """espeak-ng as a program; what was said once is kept."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._languages = _languages_of(program)
        self._spoken = lru_cache(_CACHED)(self._speak)

    def sound(self, line: Caption, language: str) -> Sound | None:
        """Return the sound of any text in a language that espeak-ng knows."""
        voice = self._voice(language)
        return self._spoken(line.text, voice) if voice else None

    def speaks(self, language: str) -> str:
        """Return the program's name for the language."""
        voice = self._voice(language)
        return f"{ESPEAK} {voice}" if voice else ""

    def _voice(self, language: str) -> str:
        name = _VOICES.get(language, language).lower()
        return name if name in self._languages else ""

    def _speak(self, text: str, voice: str) -> Sound:
        command = [self._program, "-v", voice, "-s", str(WORDS_PER_MINUTE), "--stdin", "--stdout"]
        try:
            done = subprocess.run(  # noqa: S603 - found by its name, words only on stdin
                command,
                input=text.encode(),
                capture_output=True,
                timeout=SYNTHESIS_LIMIT_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SoundError(f"{ESPEAK}: does not speak {voice}: {error}") from error
        return read_wav(done.stdout, ESPEAK)


class Voices:
    """Several voices, the first that has a line speaks it."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        self._voices = tuple(voices)

    def sound(self, line: Caption, language: str) -> Sound | None:
        """Return the first sound that there is."""
        sounds = (voice.sound(line, language) for voice in self._voices)
        return next((sound for sound in sounds if sound is not None), None)

    def speaks(self, language: str) -> str:
        """Return all that speak the language, the first first."""
        return " and ".join(filter(None, (voice.speaks(language) for voice in self._voices)))


def find_voices(folder: str) -> Voices:
    """Return the voices of this machine: the operator's folder, if any, then espeak-ng, if any.

    Raises
    ------
    SoundError
        the folder does not exist, or espeak-ng does not run.
    """
    voices: list[Voice] = []
    if folder:
        if not Path(folder).is_dir():
            raise SoundError(f"kiosk.speech_folder: {folder}: no such folder")
        voices.append(WavVoice(Path(folder)))
    program = shutil.which(ESPEAK)
    if program is not None:
        voices.append(EspeakVoice(program))
    return Voices(voices)


def _languages_of(program: str) -> frozenset[str]:
    """Return the languages that espeak-ng lists, with those that their families stand for."""
    try:
        done = subprocess.run(  # noqa: S603 - found by its name
            [program, "--voices"],
            capture_output=True,
            text=True,
            timeout=SYNTHESIS_LIMIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SoundError(f"{ESPEAK}: does not list its voices: {error}") from error
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    names = {row[1].lower() for row in rows if len(row) > 1}
    return frozenset(names | {name.partition("-")[0] for name in names})
