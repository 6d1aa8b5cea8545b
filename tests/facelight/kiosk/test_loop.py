"""The main loop: inputs and seen faces in, effects carried out, on a virtual screen and clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from capture.clock import VirtualClock
from capture.display.port import InputEvent, InputKind
from capture.display.virtual import VirtualScreen
from capture.frame import ImageU8
from capture.light.illumination import NEUTRAL_RGB
from capture.light.plan import make_plan
from capture.light.timeline import Timing
from facelight.config.settings import Settings
from facelight.kiosk.light import LiveLight
from facelight.kiosk.loop import Around, Loop
from facelight.kiosk.machine.effects import ShowScene
from facelight.kiosk.machine.events import (
    CameraSettled,
    ClipReady,
    Delivered,
    DeviceLost,
    Event,
    NotDelivered,
    Observed,
    Quit,
    Spooled,
)
from facelight.kiosk.machine.state import Device
from facelight.kiosk.screens.scenes import LANGUAGE_ACTION, Wording
from facelight.kiosk.screens.wording import Words

GOOD = Observed(1, good=True)
NOBODY = Observed(0)
LIMIT_S = 120


class FakeRunner:
    """Sees what it is told to see; every work is done at once."""

    settle_ns = 100_000_000

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.calls: list[str] = []
        self.light: LiveLight | None = None
        self.seen: Callable[[float], list[Event]] = lambda s: [NOBODY if s < 2 else GOOD]
        self.answers: list[Event] = []
        self.bad: tuple[int, ...] = ()
        self.delivery: Callable[[int], list[Event]] = lambda job: [
            Spooled(job),
            Delivered(job, "realface"),
        ]

    def poll(self) -> list[Event]:
        now_s = self._clock.now_ns() / 1e9
        assert now_s < LIMIT_S, f"no end: {self.calls}"
        found, self.answers = self.seen(now_s) + self.answers, []
        return found

    def preview_pixels(self) -> ImageU8 | None:
        return None

    def open(self, *, light: bool) -> None:
        self.calls.append(f"open light={light}")

    def close_person(self) -> None:
        self.light = None
        self.calls.append("close")

    def lock_camera(self, job: int) -> None:
        self.calls.append("lock")
        self.answers.append(CameraSettled(job, True))

    def unlock_camera(self) -> None:
        self.calls.append("unlock")

    def start_capture(self) -> None:
        self.calls.append("capture")
        self.light = LiveLight(make_plan(seed=1), Timing(0), self._clock)

    def drop_capture(self) -> None:
        self.light = None
        self.calls.append("drop")

    def play(self, slots: tuple[int, ...], refresh_hz: float) -> None:
        self.calls.append(f"play {slots}")
        assert self.light is not None
        if slots:
            self.light.repeat(slots, refresh_hz, 300.0)
        else:
            self.light.start(refresh_hz)

    def played(self, now_ns: int) -> tuple[int, ...] | None:
        if self.light is None or self.light.due(now_ns) is not None:
            return None
        self.light.stop(now_ns)
        return self.bad

    def finish(self, job: int) -> None:
        self.calls.append("finish")
        self.answers.append(ClipReady(job, True))

    def deliver(self, job: int) -> None:
        self.calls.append("deliver")
        self.answers += self.delivery(job)


class FakeNarrator:
    """Notes what it is to say; ``words_left`` turns of the loop pass before all is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.words_left = 0

    @property
    def speaking(self) -> bool:
        self.words_left -= 1
        return self.words_left > 0

    def show(self, show: ShowScene, wording: Wording) -> None:
        self.said.append((show.view, wording.language.code))

    def repeat(self) -> None:
        self.said.append(("repeat", ""))

    def louder(self) -> None:
        self.said.append(("louder", ""))

    def close(self) -> None:
        pass


class Stand:
    """A loop with everything around it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = VirtualClock()
        self.fields: list[tuple[int, int, int]] = []
        self.titles: list[str] = []
        self.screen = VirtualScreen(self.clock, on_flip=lambda _, s: self.shown(s))
        self.screen.open()
        self.runner = FakeRunner(self.clock)
        self.events: list[tuple[str, dict[str, Any]]] = []
        words = Words(self.settings.kiosk, self.settings.plan, light=True)
        self.narrator = FakeNarrator()
        around = Around(narrator=self.narrator)
        self.loop = Loop(self.screen, self.runner, words, self.clock, self.told, around)  # type: ignore[arg-type]
        self.on: dict[str, Callable[[], None]] = {}

    def told(self, name: str, values: dict[str, Any]) -> None:
        self.events.append((name, values))
        if name in self.on:
            self.on[name]()

    def shown(self, scene: Any) -> None:
        self.fields.append(scene.field_rgb)
        if not self.titles or self.titles[-1] != scene.title:
            self.titles.append(scene.title)

    def run(self, *, once: bool = True) -> None:
        self.ending = self.loop.run(self.settings.session, once=once)

    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def press_key(self, key: str) -> None:
        self.screen._inputs.append(InputEvent(InputKind.KEY, None, key=key))


@pytest.fixture
def stand() -> Stand:
    return Stand()


def test_one_session_runs_from_welcome_to_result_and_once_ends_there(stand: Stand) -> None:
    stand.run()
    assert stand.runner.calls == [
        "open light=True",
        "lock",
        "capture",
        "play ()",
        "unlock",
        "finish",
        "deliver",
        "close",
    ]
    assert (stand.ending.outcome, stand.ending.decision) == ("real", "realface")
    assert stand.ending.delivered
    assert stand.names()[-2:] == ["idle", "quit"]


def test_the_screen_shows_every_colour_of_the_plan_and_neutral_around_it(stand: Stand) -> None:
    stand.run()
    shown = list(dict.fromkeys(stand.fields))
    assert {(255, 0, 0), (0, 255, 0), (0, 0, 255), NEUTRAL_RGB} <= set(shown)
    first, last = (
        next(i for i in order if max(stand.fields[i]) == 255) for order in _both_ways(stand.fields)
    )
    assert stand.fields[first - 1] == stand.fields[last + 1] == NEUTRAL_RGB


def _both_ways(fields: list[Any]) -> tuple[range, range]:
    return range(len(fields)), range(len(fields) - 1, -1, -1)


def test_a_bad_slot_is_played_once_more(stand: Stand) -> None:
    stand.runner.bad = (2,)
    stand.run()
    assert [call for call in stand.runner.calls if call.startswith("play")] == [
        "play ()",
        "play (2,)",
    ]
    assert stand.ending.outcome == "real"


def test_stopping_in_the_middle_of_the_colours_leaves_neutral_and_gives_all_back(
    stand: Stand,
) -> None:
    stand.on["capture"] = stand.loop.stop
    stand.run(once=False)
    assert stand.runner.calls[-3:] == ["drop", "unlock", "close"]
    assert stand.fields[-1] == NEUTRAL_RGB
    assert stand.ending.outcome == "quit"


def test_closing_the_window_ends_the_kiosk(stand: Stand) -> None:
    stand.on["person_seen"] = stand.screen.quit
    stand.run(once=False)
    assert stand.names()[-1] == "quit"
    assert stand.runner.calls == []


def test_escape_brings_a_person_out_of_the_colours(stand: Stand) -> None:
    stand.on["capture"] = lambda: stand.press_key("escape")
    stand.run()
    assert stand.ending.outcome == "cancelled"
    assert stand.runner.calls[-3:] == ["drop", "unlock", "close"]


@pytest.mark.parametrize("event", ["settle", "capture"])
def test_a_touch_anywhere_brings_a_person_out_of_the_colours(stand: Stand, event: str) -> None:
    stand.on[event] = stand.screen.tap
    stand.run()
    assert stand.ending.outcome == "cancelled"
    assert stand.fields[-1] == stand.fields[0]


@pytest.mark.parametrize("event", ["person_seen", "position", "result"])
def test_touches_beside_the_buttons_do_nothing_elsewhere(stand: Stand, event: str) -> None:
    stand.on[event] = stand.screen.tap
    stand.run()
    assert stand.ending.outcome == "real"


def test_other_keys_do_nothing(stand: Stand) -> None:
    stand.on["capture"] = lambda: stand.press_key("q")
    stand.run()
    assert stand.ending.outcome == "real"


def test_a_button_that_has_just_appeared_was_not_meant(stand: Stand) -> None:
    presses = iter([True])

    def poll(at_s: float) -> list[Event]:
        scene = stand.screen.scene
        actions = [] if scene is None else [button.action for button in scene.buttons]
        if "cancel" in actions and next(presses, False):
            stand.screen.press("cancel")
        return [NOBODY if at_s < 2 else GOOD]

    stand.runner.seen = poll
    stand.run()
    assert stand.ending.outcome == "real"


@pytest.mark.parametrize("after_s", [1.5, 4.5], ids=["on the welcome", "on the notice"])
def test_a_language_is_spoken_until_the_session_ends(stand: Stand, after_s: float) -> None:
    presses = iter([True])

    def poll(at_s: float) -> list[Event]:
        if at_s > after_s and next(presses, False):
            stand.screen.press(f"{LANGUAGE_ACTION}de")
        return [NOBODY if at_s < 3 else GOOD]

    stand.runner.seen = poll
    stand.run()
    german = "Gleich kommt farbiges Licht"
    assert german in stand.titles
    assert stand.titles[-1] == stand.titles[0] == "Welcome"
    assert "Fertig, vielen Dank" in stand.titles


def test_a_person_who_leaves_during_the_colours_stops_them(stand: Stand) -> None:
    left: list[bool] = []
    stand.on["capture"] = lambda: left.append(True)
    stand.runner.seen = lambda s: [NOBODY if s < 2 or left else GOOD]
    stand.run()
    assert "drop" in stand.runner.calls
    assert "finish" not in stand.runner.calls
    assert stand.ending.outcome == "left"


def test_a_clip_that_is_only_stored_is_told_as_not_delivered(stand: Stand) -> None:
    stand.runner.delivery = lambda job: [Spooled(job), NotDelivered(job)]
    stand.run()
    assert (stand.ending.outcome, stand.ending.delivered) == ("saved", False)


def test_a_camera_that_has_ended_ends_the_kiosk_and_is_noted(stand: Stand) -> None:
    stand.runner.seen = lambda s: [Quit()] if s > 3 else [NOBODY]
    stand.run(once=False)
    assert stand.ending.source_ended


def test_a_lost_camera_is_shown_and_the_kiosk_goes_on(stand: Stand) -> None:
    lost = iter([True])

    def poll(at_s: float) -> list[Event]:
        if at_s > 1 and next(lost, False):
            return [DeviceLost(Device.CAMERA)]
        if at_s > 5:
            stand.loop.stop()
        return []

    stand.runner.seen = poll
    stand.run(once=False)
    assert len(stand.titles) == 2
    assert ("device_lost", {"device": "camera"}) in stand.events


def test_every_view_is_said_once_and_in_order(stand: Stand) -> None:
    stand.run()
    views = [view for view, _ in stand.narrator.said]
    assert views[0] == "idle"
    assert list(dict.fromkeys(views[1:])) == [
        "notice",
        "position",
        "settle",
        "light",
        "finish",
        "deliver",
        "result",
        "idle",
    ]


@pytest.mark.parametrize(("key", "word"), [("r", "repeat"), ("v", "louder")])
@pytest.mark.parametrize("event", ["person_seen", "capture"])
def test_keys_repeat_the_words_and_change_their_volume_on_every_screen(
    stand: Stand, event: str, key: str, word: str
) -> None:
    stand.on[event] = lambda: stand.press_key(key)
    stand.run()
    assert (word, "") in stand.narrator.said
    assert stand.ending.outcome == "real"


def test_the_notice_waits_until_its_words_are_said(stand: Stand) -> None:
    began_ns: list[int] = []

    def begin() -> None:
        began_ns.append(stand.clock.now_ns())
        stand.narrator.words_left = 1200

    stand.on["person_seen"] = begin
    stand.on["ready"] = lambda: began_ns.append(stand.clock.now_ns())
    stand.run()
    assert began_ns[1] - began_ns[0] >= 15e9


def test_a_language_that_is_chosen_is_spoken_from_its_beginning(stand: Stand) -> None:
    presses = iter([True])

    def poll(at_s: float) -> list[Event]:
        if at_s > 4.5 and next(presses, False):
            stand.screen.press(f"{LANGUAGE_ACTION}de")
        return [NOBODY if at_s < 3 else GOOD]

    stand.runner.seen = poll
    stand.run()
    assert stand.narrator.said[1:3] == [("notice", "en"), ("notice", "de")]


def test_a_language_that_was_chosen_and_not_used_is_gone_with_its_person(stand: Stand) -> None:
    presses = iter([f"{LANGUAGE_ACTION}de", "cancel"])
    at = iter([4.5, 5.5])
    due = [next(at)]

    def poll(at_s: float) -> list[Event]:
        if due and at_s > due[0]:
            stand.screen.press(next(presses))
            due[:] = list(at)[:1]
        return [NOBODY if at_s < 3 else GOOD]

    stand.runner.seen = poll
    stand.run()
    assert stand.ending.outcome == "cancelled"
    assert stand.titles[-1] == "Welcome"
