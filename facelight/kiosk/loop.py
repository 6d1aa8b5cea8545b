"""The kiosk's main loop: events to the state machine, its effects to screen and session runner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from capture.clock import Clock
from capture.display.port import InputEvent, InputKind, Screen
from capture.light.illumination import NEUTRAL_RGB
from facelight.config.session_options import SessionOptions
from facelight.kiosk.machine.effects import (
    CloseSession,
    Deliver,
    DropCapture,
    Effect,
    Emit,
    FinishClip,
    LockCamera,
    OpenSession,
    ShowScene,
    StartCapture,
    StartLight,
    StopLight,
    UnlockCamera,
)
from facelight.kiosk.machine.events import (
    Event,
    LightFinished,
    Pressed,
    Quit,
    Speaking,
    Tick,
)
from facelight.kiosk.machine.state import ButtonAction, Phase, Result, View
from facelight.kiosk.machine.step import begin, step
from facelight.kiosk.screens.scenes import (
    LANGUAGE_ACTION,
    REPEAT_ACTION,
    REPEAT_KEY,
    SPEECH_ACTION,
    VOLUME_ACTION,
    VOLUME_KEY,
    Live,
    compose,
)
from facelight.kiosk.screens.wording import Words
from facelight.kiosk.session_runner import SessionRunner
from facelight.kiosk.speech.narrator import Mute, Narrator

CANCEL_KEY = "escape"
BUTTONS_NEW_NS = 400_000_000
"""Who touches a button that has just appeared meant the one before: a touch takes 0.2 s to land."""
_SPEECH_KEYS = {REPEAT_KEY: REPEAT_ACTION, VOLUME_KEY: VOLUME_ACTION}
_TOUCH_STOPS = frozenset({View.SETTLE, View.LIGHT, View.PLAIN})
Told: TypeAlias = Callable[[str, dict[str, object]], None]
Inbox: TypeAlias = Callable[[], list[Event]]
"""What programs beside the kiosk have asked since the last call."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a loop can do without: programs that ask for sessions, and a voice."""

    inbox: Inbox = list
    narrator: Narrator = field(default_factory=Mute)


@dataclass(slots=True)
class Ending:
    """How the last session ended.

    Attributes
    ----------
    outcome : the state machine's word for it (``docs/kiosk.md``); empty while there was none.
    decision : of the service; None where it gave none.
    delivered : the service has taken the clip.
    source_ended : the camera was a file, and it has ended.
    """

    outcome: str = ""
    decision: str | None = None
    delivered: bool = False
    source_ended: bool = False


class Loop:
    """Runs sessions until it is told to stop; owns no device, closes none."""

    def __init__(
        self,
        screen: Screen,
        runner: SessionRunner,
        words: Words,
        clock: Clock,
        told: Told,
        around: Around | None = None,
    ) -> None:
        self._screen = screen
        self._runner = runner
        self._words = words
        self._clock = clock
        self._told = told
        around = around or Around()
        self._inbox = around.inbox
        self._narrator = around.narrator
        self._speaking = False
        self._stop = threading.Event()
        self._show = ShowScene(View.IDLE)
        self._buttons_ns = -BUTTONS_NEW_NS
        self._settle: tuple[int, int] | None = None
        self._light_job: int | None = None
        self._once = False
        self.ending = Ending()

    def stop(self) -> None:
        """End at the next turn; for any thread and for signal handlers."""
        self._stop.set()

    def run(self, options: SessionOptions, *, once: bool = False) -> Ending:
        """Serve people until stopped, or until the first session has ended."""
        self._once = once
        state, effects = begin(options, self._clock.now_ns())
        self._carry_out(effects)
        while state.phase is not Phase.ENDED:
            for event in self._gathered():
                state, effects = step(state, event, self._clock.now_ns())
                self._carry_out(effects)
            self._flip()  # the last one too: no colour stays on the screen
        return self.ending

    def _gathered(self) -> list[Event]:
        events: list[Event] = [Quit()] if self._stop.is_set() else []
        events += [found for event in self._screen.poll() for found in self._of_input(event)]
        seen = self._runner.poll()
        self.ending.source_ended |= any(isinstance(event, Quit) for event in seen)
        events += seen + self._inbox()
        events += self._due(self._clock.now_ns())
        if self._speaking != self._narrator.speaking:
            self._speaking = not self._speaking
            events.append(Speaking(self._speaking))
        return [*events, Tick()]

    def _of_input(self, event: InputEvent) -> list[Event]:
        if event.kind is InputKind.QUIT:
            return [Quit()]
        if event.action is None:
            return self._beside_buttons(event)
        if self._clock.now_ns() - self._buttons_ns < BUTTONS_NEW_NS:
            return []
        if event.action.startswith(SPEECH_ACTION):
            self._speak_again(event.action)
            return []
        if event.action.startswith(LANGUAGE_ACTION):
            self._words.choose(event.action.removeprefix(LANGUAGE_ACTION))
            self._buttons_ns = self._clock.now_ns()
            self._narrator.show(self._show, self._words.wording)
            return []
        return [Pressed(ButtonAction(event.action))]

    def _beside_buttons(self, event: InputEvent) -> list[Event]:
        """Return what a key, or a touch beside every button, means."""
        if event.key in _SPEECH_KEYS:
            self._speak_again(_SPEECH_KEYS[event.key])
            return []
        # while the light runs there is no button: a touch anywhere brings a person out of it
        out = event.kind is InputKind.TOUCH and self._show.view in _TOUCH_STOPS
        return [Pressed(ButtonAction.CANCEL)] if out or event.key == CANCEL_KEY else []

    def _due(self, now_ns: int) -> list[Event]:
        """Return what time alone brings: the camera has settled, the light is over."""
        events: list[Event] = []
        if self._settle is not None and now_ns >= self._settle[1]:
            job, self._settle = self._settle[0], None
            self._runner.lock_camera(job)
        if self._light_job is not None and (bad := self._runner.played(now_ns)) is not None:
            job, self._light_job = self._light_job, None
            events.append(LightFinished(job, bad))
        return events

    def _flip(self) -> None:
        """Show what is due and note when it was seen."""
        now_ns = self._clock.now_ns()
        light = self._runner.light
        due = light.due(now_ns) if light is not None and self._light_job is not None else None
        live = Live(
            preview=self._runner.preview_pixels(),
            progress=light.progress(now_ns) if light is not None and due else None,
            light_rgb=due[1].rgb if due else NEUTRAL_RGB,
        )
        shown = self._screen.show(compose(self._show, self._words.wording, live))
        if light is not None:
            light.flipped(due, shown)

    def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            _HANDLERS[type(effect)](self, effect)

    def _on_show(self, effect: ShowScene) -> None:
        if effect.choices != self._show.choices:
            self._buttons_ns = self._clock.now_ns()
        self._show = effect
        self._narrator.show(effect, self._words.wording)

    def _speak_again(self, action: str) -> None:
        if action == REPEAT_ACTION:
            self._narrator.repeat()
        else:
            self._narrator.louder()

    def _on_open(self, effect: OpenSession) -> None:
        self.ending = Ending(source_ended=self.ending.source_ended)
        self._runner.open(light=effect.light)

    def _on_close(self, effect: CloseSession) -> None:
        self.ending.outcome = effect.outcome
        self._runner.close_person()

    def _on_lock(self, effect: LockCamera) -> None:
        self._settle = (effect.job, self._clock.now_ns() + self._runner.settle_ns)

    def _on_unlock(self, _effect: UnlockCamera) -> None:
        self._settle = None
        self._runner.unlock_camera()

    def _on_capture(self, _effect: StartCapture) -> None:
        self._runner.start_capture()

    def _on_drop(self, _effect: DropCapture) -> None:
        self._runner.drop_capture()

    def _on_start_light(self, effect: StartLight) -> None:
        self._light_job = effect.job
        self._runner.play(effect.slots, self._screen.refresh.hz)

    def _on_stop_light(self, _effect: StopLight) -> None:
        self._light_job = None
        if self._runner.light is not None:
            self._runner.light.stop(self._clock.now_ns())

    def _on_finish(self, effect: FinishClip) -> None:
        self._runner.finish(effect.job)

    def _on_deliver(self, effect: Deliver) -> None:
        self._runner.deliver(effect.job)

    def _on_emit(self, effect: Emit) -> None:
        data = dict(effect.data)
        self._told(effect.name, dict(data))
        if effect.name == "idle":
            self._words.reset()
        if effect.name == "requested" and data["language"] is not None:
            self._words.choose(str(data["language"]))
            self._narrator.show(self._show, self._words.wording)
        if effect.name == "result":
            decision = data.get("decision")
            self.ending.decision = None if decision is None else str(decision)
            self.ending.delivered = data.get("result") != Result.SAVED
        if self._once and effect.name == "idle" and "after" in data:
            self.ending.outcome = str(data["after"])
            self._stop.set()


_HANDLERS: dict[type, Callable[..., None]] = {
    ShowScene: Loop._on_show,
    OpenSession: Loop._on_open,
    CloseSession: Loop._on_close,
    LockCamera: Loop._on_lock,
    UnlockCamera: Loop._on_unlock,
    StartCapture: Loop._on_capture,
    DropCapture: Loop._on_drop,
    StartLight: Loop._on_start_light,
    StopLight: Loop._on_stop_light,
    FinishClip: Loop._on_finish,
    Deliver: Loop._on_deliver,
    Emit: Loop._on_emit,
}
