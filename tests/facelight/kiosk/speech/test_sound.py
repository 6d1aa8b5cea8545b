"""Tones have the pitches that are declared; WAV files of any rate become the same sound."""

from __future__ import annotations

import numpy as np
import pytest

from facelight.kiosk.speech.sound import TONES, Cue, SoundError, read_wav, tone
from tests.facelight.kiosk.speech.heard import notes_of, pitch_of, wav


@pytest.mark.parametrize("cue", Cue)
def test_every_tone_has_its_pitches_in_their_order(cue: Cue) -> None:
    heard = [hz for hz, purity in notes_of(tone(cue)) if purity > 0.9]
    declared = [note.hz for note in TONES[cue] if note.ms >= 100]
    assert heard[: len(declared)] == pytest.approx(declared, abs=6) if declared else heard


def test_no_two_tones_are_alike() -> None:
    assert len(set(TONES.values())) == len(Cue)


@pytest.mark.parametrize(("cue", "ear"), [(Cue.LEFT, 0), (Cue.RIGHT, 1)])
def test_left_and_right_are_heard_on_their_side(cue: Cue, ear: int) -> None:
    loudest = np.abs(tone(cue).astype(int)).max(axis=0)
    assert loudest[ear] > 10_000
    assert loudest[1 - ear] == 0


@pytest.mark.parametrize("cue", Cue)
def test_no_tone_begins_or_ends_with_a_click(cue: Cue) -> None:
    sound = tone(cue).astype(int)
    assert np.abs(sound[[0, -1]]).max() < 300
    assert np.abs(sound).max() < 20_000


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_file_keeps_its_pitch_and_length(rate_hz: int, channels: int) -> None:
    sound = read_wav(wav(700, 300, rate_hz, channels), "x.wav")
    assert len(sound) == pytest.approx(0.3 * 22_050, abs=3)
    assert pitch_of(sound)[0] == pytest.approx(700, abs=3)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "no WAV", id="empty"),
        pytest.param(b"RIFF" + bytes(100), "no WAV", id="zeros"),
        pytest.param(wav(700, 0), "no sound", id="no samples"),
        pytest.param(wav(700, 50, 1000), "1000 Hz", id="too slow"),
        pytest.param(wav(700)[:30], "WAV", id="cut"),
    ],
)
def test_a_file_that_holds_no_sound_is_named(data: bytes, told: str) -> None:
    with pytest.raises(SoundError, match=f"hint.wav: .*{told}"):
        read_wav(data, "hint.wav")
