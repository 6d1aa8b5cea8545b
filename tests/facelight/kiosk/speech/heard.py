"""What is heard in samples: which pitches follow one another, and whether two sound at once."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

from facelight.kiosk.speech.sound import RATE_HZ, Sound

FRAME = 441
"""20 ms."""
SILENCE = 300


def pitch_of(samples: Sound) -> tuple[float, float]:
    """Return the strongest pitch in Hz and its share of the energy."""
    mono = samples.astype(np.float64).sum(axis=1) * np.hanning(len(samples))
    power = np.abs(np.fft.rfft(mono, 16384)) ** 2
    hz = np.fft.rfftfreq(16384, 1 / RATE_HZ)
    peak = hz[int(np.argmax(power))]
    near = np.abs(hz - peak) < 2.5 * RATE_HZ / len(samples)
    return float(peak), float(power[near].sum() / power.sum())


def notes_of(sound: Sound) -> list[tuple[int, float]]:
    """Return each stretch of one pitch as (pitch in Hz, least purity); its ends are left out."""
    frames = [sound[at : at + FRAME] for at in range(0, len(sound) - FRAME, FRAME)]
    loud = [np.abs(frame).max() > SILENCE for frame in frames]
    runs: list[list[tuple[float, float]]] = []
    last: float | None = None
    for index in range(1, len(frames) - 1):
        if not (loud[index - 1] and loud[index] and loud[index + 1]):
            last = None if not loud[index] else last
            continue
        hz, purity = pitch_of(frames[index])
        if last is None or abs(hz - last) > 25:
            runs.append([])
        runs[-1].append((hz, purity))
        last = hz
    return [
        (round(float(np.median([hz for hz, _ in run]))), min(one for _, one in run[1:-1] or run))
        for run in runs
        if len(run) >= 2
    ]


def wav(hz: float, ms: int = 200, rate_hz: int = RATE_HZ, channels: int = 1) -> bytes:
    """Return a WAV file that holds one pitch."""
    time_s = np.arange(round(ms * rate_hz / 1000)) / rate_hz
    samples = (12_000 * np.sin(2 * np.pi * hz * time_s)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(np.repeat(samples, channels).tobytes())
    return file.getvalue()


def disk_sound(path: Path) -> Sound:
    """Return what SDL's disk driver wrote."""
    data = path.read_bytes()
    return np.frombuffer(data[: len(data) - len(data) % 4], "<i2").reshape(-1, 2)
