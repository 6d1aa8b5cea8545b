"""Says what the screen says: one thing after another, in a thread of its own.

A new page interrupts; a hint waits until the last word has been said, and only the newest waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from facelight.kiosk.machine.effects import ShowScene
from facelight.kiosk.machine.state import Hint, Result, View
from facelight.kiosk.screens.scenes import Caption, Wording, lines_of
from facelight.kiosk.speech.output import Output
from facelight.kiosk.speech.sound import Cue, SoundError, tone
from facelight.kiosk.speech.voices import Voices

AGAIN_S = 2.0
"""A guiding tone comes again while its hint stays."""
_LOOK_S = 0.02
STOP_S = 2.0
STEPS = (0.4, 0.7, 1.0, 0.15)
"""Volumes that the button goes through."""

_CUES: Mapping[Hint, Cue] = MappingProxyType(
    {
        Hint.CLOSER: Cue.NEARER,
        Hint.STEP_BACK: Cue.FARTHER,
        Hint.MOVE_LEFT: Cue.LEFT,
        Hint.MOVE_RIGHT: Cue.RIGHT,
        Hint.MOVE_UP: Cue.UP,
        Hint.MOVE_DOWN: Cue.DOWN,
        Hint.GOOD: Cue.HOLD,
        Hint.STILL: Cue.HOLD,
    }
)
_OF_VIEW: Mapping[View, Cue] = MappingProxyType(
    {
        View.NOTICE: Cue.ATTENTION,
        View.CONSENT: Cue.ATTENTION,
        View.SETTLE: Cue.HOLD,
        View.RETRY: Cue.TROUBLE,
        View.STOPPED: Cue.TROUBLE,
    }
)
_SILENT = frozenset({View.IDLE, View.OUT_OF_ORDER})
_PAGES = frozenset({View.NOTICE, View.CONSENT, View.RESULT, View.RETRY, View.STOPPED}) | _SILENT

_LOG = logging.getLogger(__name__)


class Narrator(Protocol):
    """Speaks for the main loop; every method returns at once."""

    @property
    def speaking(self) -> bool:
        """Whether words are being said, or are about to be."""
        ...

    def show(self, show: ShowScene, wording: Wording) -> None:
        """Say what a view says."""
        ...

    def repeat(self) -> None:
        """Say the last thing again."""
        ...

    def louder(self) -> None:
        """Take the next volume, and say so by a tone."""
        ...

    def close(self) -> None:
        """Be silent; idempotent."""
        ...


class Mute:
    """Says nothing."""

    speaking = False

    def show(self, show: ShowScene, wording: Wording) -> None:
        """Nothing is said."""

    def repeat(self) -> None:
        """Nothing was said."""

    def louder(self) -> None:
        """Nothing is heard."""

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is to be heard: a tone, then captions.

    Attributes
    ----------
    page : it interrupts; and what follows it may interrupt it, because its page is gone then.
    guides : the tone comes again while nothing else is to be said.
    """

    cue: Cue | None
    captions: tuple[Caption, ...] = ()
    language: str = "en"
    page: bool = False
    guides: bool = False


def utterance_of(show: ShowScene, wording: Wording) -> Utterance:
    """Return what is heard with a view: its captions word for word; nothing while idle."""
    if show.view in _SILENT:
        return Utterance(None, page=True)
    guiding = show.view is View.POSITION
    cue = _OF_VIEW.get(show.view)
    if guiding:
        cue = _CUES.get(show.hint or Hint.STEP_IN, Cue.OTHER)
    elif show.view is View.RESULT:
        cue = Cue.TROUBLE if show.result is Result.UNSURE else Cue.DONE
    return Utterance(
        cue,
        lines_of(show, wording),
        wording.language.code,
        page=show.view in _PAGES,
        guides=guiding and cue is not Cue.HOLD,
    )


class ThreadNarrator:
    """Tones, and with ``voices`` words as well.

    Parameters
    ----------
    output : used by the narrator's thread alone, and closed by it.
    voices : None: tones alone.
    """

    def __init__(self, output: Output, voices: Voices | None, volume: float) -> None:
        self._output = output
        self._voices = voices
        self._steps = (volume, *(step for step in STEPS if step != volume))
        self._step = 0
        self._changed = threading.Condition()
        self._next: Utterance | None = None
        self._last: Utterance | None = None
        self._current: Utterance | None = None
        self._cut = False
        self._closing = False
        self._failed: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="facelight-narrator", daemon=True)
        self._thread.start()

    @property
    def speaking(self) -> bool:
        """Whether words are being said, or are about to be; tones alone hold nobody up."""
        with self._changed:
            waiting = (self._next, self._current)
            return self._voices is not None and any(
                one is not None and one.captions for one in waiting
            )

    def show(self, show: ShowScene, wording: Wording) -> None:
        """Say what a view says: at once for a page, else when the last word has been said."""
        said = utterance_of(show, wording)
        with self._changed:
            if show.view is View.IDLE:
                self._step = 0  # the next person begins with the operator's volume
            self._last = said
            self._next = said
            self._cut = said.page or (self._current is not None and self._current.page)
            self._changed.notify()

    def repeat(self) -> None:
        """Say the last thing from its beginning."""
        with self._changed:
            self._next, self._cut = self._last, True
            self._changed.notify()

    def louder(self) -> None:
        """Take the next volume, and let it be heard."""
        with self._changed:
            self._step = (self._step + 1) % len(self._steps)
            self._next, self._cut = Utterance(Cue.OTHER), True
            self._changed.notify()

    def close(self) -> None:
        """End the thread, which gives the device back."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        try:
            while (said := self._taken()) is not None:
                self._say(said)
        finally:
            self._output.close()

    def _taken(self) -> Utterance | None:
        """Wait for something to say; a guiding tone comes again meanwhile."""
        with self._changed:
            guiding, self._current = self._current, None
            again = guiding if guiding is not None and guiding.guides and not self._cut else None
            while not self._closing and self._next is None:
                timed_out = not self._changed.wait(None if again is None else AGAIN_S)
                if timed_out and again is not None:
                    self._current = Utterance(again.cue, guides=True)
                    return self._current
            if self._closing:
                return None
            self._current, self._next, self._cut = self._next, None, False
            return self._current

    def _say(self, said: Utterance) -> None:
        if said.cue is not None:
            self._output.play(tone(said.cue), self._steps[self._step])
            self._await_end()
        for caption in said.captions if self._voices is not None else ():
            if self._interrupted():
                return
            self._speak(caption, said.language)

    def _speak(self, caption: Caption, language: str) -> None:
        if self._voices is None:
            return
        try:
            sound = self._voices.sound(caption, language)
        except SoundError as error:
            self._complain(str(error))
            return
        if sound is None:
            self._complain(f"no voice speaks {language}: {caption.key} is only written")
        elif not self._interrupted():
            self._output.play(sound, self._steps[self._step])
            self._await_end()

    def _await_end(self) -> None:
        while self._output.busy():
            if self._interrupted():
                self._output.stop()
            with self._changed:
                self._changed.wait(_LOOK_S)

    def _interrupted(self) -> bool:
        with self._changed:
            return self._closing or self._cut

    def _complain(self, problem: str) -> None:
        """Log a problem once."""
        if problem not in self._failed:
            self._failed.add(problem)
            _LOG.warning("speech: %s", problem)
