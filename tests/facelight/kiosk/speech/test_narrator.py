"""What is said when: captions word for word, pages at once, hints one after another."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from capture.display.theme import load_theme
from facelight.config.kiosk_options import KioskOptions
from facelight.kiosk.machine.effects import ShowScene
from facelight.kiosk.machine.state import ButtonAction, Hint, Problem, Result, View
from facelight.kiosk.screens.scenes import Caption, Wording, compose, every_show
from facelight.kiosk.screens.texts import Text, language, theme_file
from facelight.kiosk.speech.narrator import Mute, ThreadNarrator, utterance_of
from facelight.kiosk.speech.opening import checked_voices, open_narrator
from facelight.kiosk.speech.sound import Cue, Sound, SoundError, tone
from facelight.kiosk.speech.voices import Voices, WavVoice, find_voices
from tests.facelight.kiosk.speech.heard import disk_sound, notes_of, wav
from tests.waiting import until

CODES = ("en", "es", "fr", "de", "zh", "ar")
THEME = load_theme(theme_file("default"))
ENGLISH = Wording(language("en"), THEME, spoken=True)
NOTICE = ShowScene(View.NOTICE, choices=(ButtonAction.START, ButtonAction.CANCEL))
CLOSER = ShowScene(View.POSITION, hint=Hint.CLOSER)
STILL = ShowScene(View.POSITION, hint=Hint.STILL)
LIGHT = ShowScene(View.LIGHT)


class HeardOutput:
    """Plays until it is told that the sound has ended; never two at once."""

    def __init__(self) -> None:
        self.played: list[Sound] = []
        self.ended = threading.Event()
        self.closed = False

    def play(self, sound: Sound, volume: float) -> None:
        assert not self.busy(), "played over what was being said"
        self.played.append((sound * volume).astype(np.int16))
        self.ended.clear()

    def busy(self) -> bool:
        return bool(self.played) and not self.ended.is_set()

    def stop(self) -> None:
        self.ended.set()

    def close(self) -> None:
        self.closed = True


@dataclass
class KeyVoice:
    """Says each text as a sound that tells which one it was."""

    said: list[Caption] = field(default_factory=list)

    def sound(self, line: Caption, language: str) -> Sound | None:
        self.said.append(line)
        return np.full((10, 2), 1 + list(Text).index(line.key), np.int16)

    def speaks(self, language: str) -> str:
        return "keys"


@dataclass
class Said:
    output: HeardOutput
    voice: KeyVoice
    narrator: ThreadNarrator

    def keys(self) -> list[Text]:
        return [caption.key for caption in self.voice.said]

    def end(self) -> None:
        """Let what is being said come to its end."""
        count = len(self.output.played)
        self.output.ended.set()
        until(lambda: len(self.output.played) > count or not self.narrator.speaking)

    def next_sound(self, begin: Callable[[], None]) -> None:
        count = len(self.output.played)
        begin()
        until(lambda: len(self.output.played) > count)

    def whole(self) -> list[Text]:
        while self.narrator.speaking:
            self.end()
        return self.keys()


@pytest.fixture
def said() -> Iterator[Said]:
    output, voice = HeardOutput(), KeyVoice()
    narrator = ThreadNarrator(output, Voices([voice]), 1.0)
    yield Said(output, voice, narrator)
    narrator.close()
    assert output.closed


@pytest.mark.parametrize("code", CODES)
def test_what_is_written_is_what_is_spoken(code: str) -> None:
    wording = replace(ENGLISH, language=language(code))
    for show in every_show():
        scene = compose(show, wording)
        captions = utterance_of(show, wording).captions
        if show.view in (View.IDLE, View.OUT_OF_ORDER):
            assert captions == ()
        else:
            assert [scene.title, *filter(None, [scene.body])] == [
                captions[0].text,
                *filter(None, ["\n".join(caption.text for caption in captions[1:])]),
            ]


@pytest.mark.parametrize(
    ("show", "cue"),
    [
        pytest.param(CLOSER, Cue.NEARER, id="nearer"),
        pytest.param(ShowScene(View.POSITION, hint=Hint.STEP_BACK), Cue.FARTHER, id="farther"),
        pytest.param(ShowScene(View.POSITION, hint=Hint.MOVE_LEFT), Cue.LEFT, id="left"),
        pytest.param(ShowScene(View.POSITION, hint=Hint.MOVE_RIGHT), Cue.RIGHT, id="right"),
        pytest.param(ShowScene(View.POSITION, hint=Hint.GOOD), Cue.HOLD, id="hold"),
        pytest.param(ShowScene(View.RESULT, result=Result.REAL), Cue.DONE, id="done"),
        pytest.param(ShowScene(View.RESULT, result=Result.UNSURE), Cue.TROUBLE, id="unsure"),
        pytest.param(ShowScene(View.RETRY, problem=Problem.MOVED), Cue.TROUBLE, id="problem"),
        pytest.param(NOTICE, Cue.ATTENTION, id="the light that comes"),
        pytest.param(LIGHT, None, id="while the light runs"),
        pytest.param(ShowScene(View.IDLE), None, id="idle"),
    ],
)
def test_a_tone_says_what_to_do(show: ShowScene, cue: Cue | None) -> None:
    assert utterance_of(show, ENGLISH).cue is cue


def test_the_notice_is_said_whole_and_in_order(said: Said) -> None:
    said.narrator.show(NOTICE, ENGLISH)
    assert said.narrator.speaking
    assert said.whole() == [Text.NOTICE_TITLE, Text.NOTICE_BODY, Text.NOTICE_STOP]


def test_a_hint_waits_for_the_last_word_and_only_the_newest_waits(said: Said) -> None:
    said.narrator.show(CLOSER, ENGLISH)
    until(lambda: said.output.played)
    for hint in (Hint.LOOK, Hint.EYES, Hint.STILL):
        said.narrator.show(ShowScene(View.POSITION, hint=hint), ENGLISH)
    assert said.whole() == [Text.HINT_CLOSER, Text.HINT_STILL]


def test_a_page_interrupts_a_hint_and_leaving_a_page_ends_its_words(said: Said) -> None:
    said.narrator.show(NOTICE, ENGLISH)
    until(lambda: said.output.played)
    said.narrator.show(CLOSER, ENGLISH)
    until(lambda: len(said.output.played) == 2)
    said.narrator.show(ShowScene(View.STOPPED, problem=Problem.TIME), ENGLISH)
    assert said.whole() == [Text.STOPPED_TITLE, Text.PROBLEM_TIME]


def test_idle_is_silent_at_once(said: Said) -> None:
    said.narrator.show(NOTICE, ENGLISH)
    until(lambda: said.output.played)
    said.narrator.show(ShowScene(View.IDLE), ENGLISH)
    until(lambda: not said.narrator.speaking)
    assert not said.output.busy()


def test_the_last_words_are_repeated(said: Said) -> None:
    said.narrator.show(ShowScene(View.RESULT, result=Result.REAL), ENGLISH)
    first = list(said.whole())
    said.narrator.repeat()
    assert said.whole() == first * 2


def test_the_volume_goes_through_its_steps(said: Said) -> None:
    heard = []
    for _ in range(5):
        said.next_sound(said.narrator.louder)
        heard.append(int(np.abs(said.output.played[-1]).max()))
        said.output.ended.set()
    full = int(np.abs(tone(Cue.OTHER)).max())
    assert [round(one / full, 2) for one in heard] == [0.4, 0.7, 0.15, 1.0, 0.4]


def test_the_next_person_begins_with_the_volume_of_the_settings(said: Said) -> None:
    said.next_sound(said.narrator.louder)
    said.output.ended.set()
    said.narrator.show(ShowScene(View.IDLE), ENGLISH)
    said.next_sound(partial(said.narrator.show, CLOSER, ENGLISH))
    assert said.output.played[-1].max() == tone(Cue.NEARER).max()


def test_tones_alone_hold_no_page_up() -> None:
    output = HeardOutput()
    narrator = ThreadNarrator(output, None, 1.0)
    narrator.show(NOTICE, ENGLISH)
    until(lambda: output.played)
    assert not narrator.speaking
    narrator.close()
    assert len(output.played) == 1


def test_a_voice_that_fails_is_logged_once_and_the_tones_go_on(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "hint_closer.wav").write_bytes(b"no sound")
    output = HeardOutput()
    narrator = ThreadNarrator(output, Voices([WavVoice(tmp_path)]), 1.0)
    said = Said(output, KeyVoice(), narrator)
    for show in (CLOSER, NOTICE, CLOSER):
        said.next_sound(partial(narrator.show, show, ENGLISH))
        said.whole()
    narrator.close()
    messages = [record.message for record in caplog.records]
    assert sum("hint_closer.wav: no WAV file" in message for message in messages) == 1
    assert any("no voice speaks en: notice_title" in message for message in messages)


# ------------------------------------------------------------------------------ voices


def test_the_operator_s_own_files_come_first(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "hint_closer.wav").write_bytes(wav(700))
    voices = Voices([WavVoice(tmp_path), KeyVoice()])
    own = voices.sound(Caption(Text.HINT_CLOSER, "Come closer"), "en")
    other = voices.sound(Caption(Text.HINT_STILL, "Hold still"), "en")
    assert own is not None
    assert other is not None
    assert len(own) > 4000 > len(other)
    assert voices.speaks("en") == "1 WAV files and keys"


def test_a_folder_that_is_not_there_is_refused() -> None:
    with pytest.raises(SoundError, match="speech_folder: /none: no such folder"):
        find_voices("/none")


def test_a_language_without_a_voice_is_refused_where_it_would_be_offered() -> None:
    with pytest.raises(SoundError, match="no voice speaks xx"):
        checked_voices(KioskOptions(speech="voice"), ("xx",))
    assert checked_voices(KioskOptions(speech="tones"), ("xx",)) is None


def test_speech_that_is_off_opens_no_device() -> None:
    assert isinstance(open_narrator(KioskOptions(speech="off"), None), Mute)


@pytest.mark.parametrize("speech", ["tones", "voice"])
def test_a_kiosk_without_a_sound_device_has_no_tones_and_does_not_pretend_to_speak(
    speech: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "none-of-them")
    options = KioskOptions(speech=speech)  # type: ignore[arg-type]
    if speech == "voice":
        with pytest.raises(SoundError, match="no sound device"):
            open_narrator(options, Voices([KeyVoice()]))
        return
    assert isinstance(open_narrator(options, None), Mute)
    assert "no guiding tones" in caplog.text


@pytest.mark.parametrize("code", CODES)
def test_espeak_speaks_every_language_of_ours(code: str) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not on this machine")
    text = language(code).say(Text.HINT_CLOSER)
    sound = find_voices("").sound(Caption(Text.HINT_CLOSER, text), code)
    assert sound is not None
    assert len(sound) > 0.3 * 22_050
    assert np.abs(sound.astype(int)).max() > 3000


# ------------------------------------------------------------------------------ as it is heard

SESSION = (
    NOTICE,
    CLOSER,
    ShowScene(View.POSITION, hint=Hint.GOOD),
    LIGHT,
    ShowScene(View.FINISH),
    ShowScene(View.DELIVER),
    ShowScene(View.RESULT, result=Result.REAL),
)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["en", "de"])
def test_a_session_is_heard_in_the_order_of_its_events_none_over_another(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each text is a pitch of its own; what SDL's disk driver wrote holds them one by one."""
    hz_of = {text: 1500 + 60 * index for index, text in enumerate(Text)}
    (tmp_path / code).mkdir()
    for text, hz in hz_of.items():
        (tmp_path / code / f"{text}.wav").write_bytes(wav(hz))
    monkeypatch.setenv("SDL_AUDIODRIVER", "disk")
    monkeypatch.setenv("SDL_DISKAUDIOFILE", str(tmp_path / "heard.raw"))
    wording = replace(ENGLISH, language=language(code))
    options = KioskOptions(speech="voice", speech_volume=1.0)
    narrator = open_narrator(options, Voices([WavVoice(tmp_path)]))
    expected: list[float] = []
    for show in SESSION:
        narrator.show(show, wording)
        until(lambda: not narrator.speaking)
        said = utterance_of(show, wording)
        heard = [] if said.cue is None else [hz for hz, _ in notes_of(tone(said.cue))]
        expected += [*heard, *(hz_of[caption.key] for caption in said.captions)]
    narrator.close()
    notes = notes_of(disk_sound(tmp_path / "heard.raw"))
    assert [hz for hz, _ in notes] == pytest.approx(expected, abs=15)
    assert min(purity for _, purity in notes) > 0.8
