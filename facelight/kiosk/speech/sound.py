"""Sound as samples, and the tones that guide; pure.

A sound is (N, 2) int16, left and right, at ``RATE_HZ``.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facelight.errors import FacelightError

RATE_HZ: Final = 22_050
Sound: TypeAlias = NDArray[np.int16]

_PEAK = 0.5 * 32_767
_EDGE_S = 0.008
"""Tones that begin at once click."""
_GAP_S = 0.05


class SoundError(FacelightError):
    """A sound cannot be read, made or played; names the file, program or device."""


class Cue(StrEnum):
    """What a tone says."""

    NEARER = "nearer"
    FARTHER = "farther"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    OTHER = "other"
    HOLD = "hold"
    DONE = "done"
    TROUBLE = "trouble"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Note:
    """One note; ``side`` is -1 for the left ear alone, 1 for the right one, 0 for both."""

    hz: float
    ms: int = 120
    side: int = 0


TONES: Mapping[Cue, tuple[Note, ...]] = MappingProxyType(
    {
        Cue.NEARER: (Note(440), Note(660)),
        Cue.FARTHER: (Note(660), Note(440)),
        Cue.LEFT: (Note(523, side=-1), Note(523, side=-1)),
        Cue.RIGHT: (Note(784, side=1), Note(784, side=1)),
        Cue.UP: (Note(784), Note(1047), Note(1319)),
        Cue.DOWN: (Note(1319), Note(1047), Note(784)),
        Cue.OTHER: (Note(587, 80), Note(587, 80), Note(587, 80)),
        Cue.HOLD: (Note(880, 400),),
        Cue.DONE: (Note(523), Note(659), Note(784, 300)),
        Cue.TROUBLE: (Note(294, 200), Note(220, 350)),
        Cue.ATTENTION: (Note(587, 200), Note(880, 250)),
    }
)
"""Rising is nearer or up, falling farther or down; left and right also by ear and by pitch, for
who hears with one ear."""


def tone(cue: Cue) -> Sound:
    """Return the sound of a cue."""
    gap = np.zeros((round(_GAP_S * RATE_HZ), 2), np.int16)
    parts: list[Sound] = []
    for note in TONES[cue]:
        parts += [_note(note), gap]
    return np.concatenate(parts[:-1])


def _note(note: Note) -> Sound:
    count = round(note.ms * RATE_HZ / 1000)
    time_s = np.arange(count) / RATE_HZ
    edge = np.minimum(time_s, time_s[::-1]) / _EDGE_S
    wave_ = _PEAK * np.minimum(1.0, edge) * np.sin(2 * np.pi * note.hz * time_s)
    both = np.stack([wave_ * (note.side <= 0), wave_ * (note.side >= 0)], axis=1)
    sound: Sound = both.astype(np.int16)
    return sound


def read_wav(data: bytes, name: str) -> Sound:
    """Return the sound of a WAV file of 16 bits, mono or stereo, of any rate.

    Raises
    ------
    SoundError
        it is none; ``name`` says which.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate_hz = file.getnchannels(), file.getsampwidth(), file.getframerate()
            # a program that writes to a pipe does not know its length: read what is there
            content = file.readframes(len(data))
    except (wave.Error, EOFError) as error:
        raise SoundError(f"{name}: no WAV file: {error}") from error
    if width != 2 or channels not in (1, 2) or rate_hz < 4000:
        raise SoundError(
            f"{name}: expected WAV of 16 bits, mono or stereo, from 4 kHz on, got "
            f"{8 * width} bits, {channels} channels, {rate_hz} Hz"
        )
    whole = len(content) - len(content) % (2 * channels)
    samples = np.frombuffer(content[:whole], "<i2").reshape(-1, channels)
    if not len(samples):
        raise SoundError(f"{name}: it holds no sound")
    both = np.repeat(samples, 2, axis=1) if channels == 1 else samples
    return _resampled(both, rate_hz)


def _resampled(samples: NDArray[np.int16], rate_hz: int) -> Sound:
    if rate_hz == RATE_HZ:
        return samples.astype(np.int16)
    count = max(1, round(len(samples) * RATE_HZ / rate_hz))
    at = np.arange(count) * rate_hz / RATE_HZ
    index = np.arange(len(samples))
    ears = [np.interp(at, index, samples[:, ear]) for ear in (0, 1)]
    return np.stack(ears, axis=1).astype(np.int16)
