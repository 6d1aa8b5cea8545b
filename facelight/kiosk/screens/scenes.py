"""From a view of the session to the scene on the screen: words, buttons, field, mood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from capture.display.scene import Button, Direction, Mood, Scene, SceneKind
from capture.display.text.language import Language
from capture.display.theme import Theme
from capture.frame import ImageU8
from capture.light.illumination import NEUTRAL_RGB, Rgb
from facelight.kiosk.machine.effects import ShowScene
from facelight.kiosk.machine.state import ButtonAction, Hint, Problem, Result, View
from facelight.kiosk.screens.texts import Text

LANGUAGE_ACTION = "language:"
"""Prefix of the action of a language button, before the language's code."""

_KINDS: Mapping[View, SceneKind] = MappingProxyType(
    {
        View.IDLE: SceneKind.ATTRACT,
        View.POSITION: SceneKind.GUIDE,
        View.SETTLE: SceneKind.GUIDE,
        View.PLAIN: SceneKind.GUIDE,
        View.LIGHT: SceneKind.LIGHT,
        View.FINISH: SceneKind.WORKING,
        View.DELIVER: SceneKind.WORKING,
    }
)

SPEECH_ACTION = "speech:"
"""Prefix of the actions of the buttons for what is spoken: repeat, volume."""
REPEAT_ACTION = f"{SPEECH_ACTION}repeat"
VOLUME_ACTION = f"{SPEECH_ACTION}volume"
REPEAT_KEY, VOLUME_KEY = "r", "v"
"""Of a keypad: they work on every screen, also where there is no button."""

_LANGUAGE_VIEWS = frozenset({View.IDLE, View.NOTICE, View.CONSENT})

_WORDS: Mapping[View, tuple[Text, Text | None]] = MappingProxyType(
    {
        View.IDLE: (Text.IDLE_TITLE, Text.IDLE_BODY),
        View.OUT_OF_ORDER: (Text.OUT_OF_ORDER_TITLE, Text.OUT_OF_ORDER_BODY),
        View.SETTLE: (Text.SETTLE, None),
        View.LIGHT: (Text.LIGHT, None),
        View.PLAIN: (Text.PLAIN, None),
        View.FINISH: (Text.FINISH, None),
        View.DELIVER: (Text.DELIVER, None),
        View.RETRY: (Text.RETRY_TITLE, None),
        View.STOPPED: (Text.STOPPED_TITLE, None),
    }
)

_HINTS: Mapping[Hint, Text] = MappingProxyType(
    {
        Hint.STEP_IN: Text.HINT_STEP_IN,
        Hint.ONE_PERSON: Text.HINT_ONE_PERSON,
        Hint.CLOSER: Text.HINT_CLOSER,
        Hint.STEP_BACK: Text.HINT_STEP_BACK,
        Hint.MOVE_LEFT: Text.HINT_MOVE_LEFT,
        Hint.MOVE_RIGHT: Text.HINT_MOVE_RIGHT,
        Hint.MOVE_UP: Text.HINT_MOVE_UP,
        Hint.MOVE_DOWN: Text.HINT_MOVE_DOWN,
        Hint.CENTRE: Text.HINT_CENTRE,
        Hint.UPRIGHT: Text.HINT_UPRIGHT,
        Hint.LOOK: Text.HINT_LOOK,
        Hint.UNCOVER: Text.HINT_UNCOVER,
        Hint.MORE_LIGHT: Text.HINT_MORE_LIGHT,
        Hint.BACKLIGHT: Text.HINT_BACKLIGHT,
        Hint.LESS_LIGHT: Text.HINT_LESS_LIGHT,
        Hint.EVEN_LIGHT: Text.HINT_EVEN_LIGHT,
        Hint.EYES: Text.HINT_EYES,
        Hint.MOUTH: Text.HINT_MOUTH,
        Hint.STILL: Text.HINT_STILL,
        Hint.GOOD: Text.HINT_GOOD,
    }
)

_CAUSES: Mapping[Hint, Text] = MappingProxyType(
    {
        Hint.STEP_IN: Text.CAUSE_STEP_IN,
        Hint.ONE_PERSON: Text.CAUSE_ONE_PERSON,
        Hint.CLOSER: Text.CAUSE_CLOSER,
        Hint.STEP_BACK: Text.CAUSE_STEP_BACK,
        Hint.MOVE_LEFT: Text.CAUSE_CENTRE,
        Hint.MOVE_RIGHT: Text.CAUSE_CENTRE,
        Hint.MOVE_UP: Text.CAUSE_CENTRE,
        Hint.MOVE_DOWN: Text.CAUSE_CENTRE,
        Hint.CENTRE: Text.CAUSE_CENTRE,
        Hint.LOOK: Text.CAUSE_LOOK,
        Hint.UPRIGHT: Text.CAUSE_UPRIGHT,
        Hint.UNCOVER: Text.CAUSE_UNCOVER,
        Hint.MORE_LIGHT: Text.CAUSE_MORE_LIGHT,
        Hint.BACKLIGHT: Text.CAUSE_BACKLIGHT,
        Hint.LESS_LIGHT: Text.CAUSE_LESS_LIGHT,
        Hint.EVEN_LIGHT: Text.CAUSE_EVEN_LIGHT,
        Hint.EYES: Text.CAUSE_EYES,
        Hint.MOUTH: Text.CAUSE_MOUTH,
        Hint.STILL: Text.CAUSE_STILL,
    }
)

_TOWARDS: Mapping[Hint, Direction] = MappingProxyType(
    {
        Hint.MOVE_LEFT: Direction.LEFT,
        Hint.MOVE_RIGHT: Direction.RIGHT,
        Hint.MOVE_UP: Direction.UP,
        Hint.MOVE_DOWN: Direction.DOWN,
    }
)

_RESULTS: Mapping[Result, tuple[Text, Text, Mood]] = MappingProxyType(
    {
        Result.REAL: (Text.RESULT_REAL_TITLE, Text.RESULT_REAL_BODY, Mood.GOOD),
        Result.UNSURE: (Text.RESULT_UNSURE_TITLE, Text.RESULT_UNSURE_BODY, Mood.BAD),
        Result.SENT: (Text.RESULT_SENT_TITLE, Text.RESULT_SENT_BODY, Mood.NEUTRAL),
        Result.SAVED: (Text.RESULT_SAVED_TITLE, Text.RESULT_SAVED_BODY, Mood.NEUTRAL),
    }
)

_PROBLEMS: Mapping[Problem, Text | None] = MappingProxyType(
    {
        Problem.LEFT: Text.PROBLEM_LEFT,
        Problem.SECOND: Text.PROBLEM_SECOND,
        Problem.MOVED: Text.PROBLEM_MOVED,
        Problem.DEVICE: Text.PROBLEM_DEVICE,
        Problem.TIME: Text.PROBLEM_TIME,
        Problem.QUALITY: Text.PROBLEM_QUALITY,
        Problem.LIGHT: Text.PROBLEM_LIGHT,
        Problem.INTERNAL: Text.PROBLEM_INTERNAL,
        Problem.NOT_SENT: Text.PROBLEM_NOT_SENT,
        Problem.CANCELLED: None,
    }
)

_BUTTONS: Mapping[ButtonAction, tuple[Text, str, bool]] = MappingProxyType(
    {
        ButtonAction.START: (Text.START, "return", True),
        ButtonAction.ACCEPT: (Text.CONSENT_ACCEPT, "return", True),
        ButtonAction.DECLINE: (Text.CONSENT_DECLINE, "escape", False),
        ButtonAction.NO_LIGHT: (Text.NO_LIGHT, "n", False),
        ButtonAction.CANCEL: (Text.CANCEL, "escape", False),
    }
)


class Caption(NamedTuple):
    """A text of the kiosk: its key in the language files, and what it says."""

    key: Text
    text: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything that stays the same while one language is shown.

    Attributes
    ----------
    language : the texts.
    theme : its background is the idle screen's field.
    languages : code -> own name of the languages offered, its own among them; may be empty.
    consent : the operator's own consent text instead of the language's.
    light_s : how long the light lasts, for the notice.
    light : whether colours are offered at all.
    spoken : what is written is also spoken: pages have buttons to repeat it and for its volume.
    """

    language: Language
    theme: Theme
    languages: Mapping[str, str] = field(default_factory=dict)
    consent: str | None = None
    light_s: int = 4
    light: bool = True
    spoken: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """What changes from flip to flip: newest frame, share done, and the light of the slot."""

    preview: ImageU8 | None = None
    progress: float | None = None
    light_rgb: Rgb = NEUTRAL_RGB


def field_of(show: ShowScene, wording: Wording, light_rgb: Rgb = NEUTRAL_RGB) -> Rgb:
    """Return the field's sRGB: the light's while it runs, the theme's when idle, else neutral.

    Neutral all through a session lets the exposure settle on it, and keeps screens from flashing.
    """
    if show.view is View.LIGHT:
        return light_rgb
    return wording.theme.colours.background if show.view is View.IDLE else NEUTRAL_RGB


def compose(show: ShowScene, wording: Wording, live: Live | None = None) -> Scene:
    """Return the scene of a view."""
    live = live or Live()
    title, *body = (line.text for line in lines_of(show, wording))
    kind = _KINDS.get(show.view, SceneKind.PAGE)
    oval = kind in (SceneKind.GUIDE, SceneKind.LIGHT)
    return Scene(
        kind=kind,
        field_rgb=field_of(show, wording, live.light_rgb),
        title=title,
        body="\n".join(body),
        rtl=wording.language.rtl,
        buttons=_buttons(show, wording),
        languages=_languages(show, wording),
        tools=_tools(kind, wording),
        preview=live.preview if oval else None,
        wide=show.view is View.POSITION,
        towards=_TOWARDS.get(show.hint) if show.hint is not None else None,
        mood=_mood(show),
        progress=live.progress if kind is not SceneKind.ATTRACT else None,
    )


def every_show() -> tuple[ShowScene, ...]:
    """Return everything that can be shown."""
    answers = (ButtonAction.START, ButtonAction.NO_LIGHT, ButtonAction.CANCEL)
    consent = (ButtonAction.ACCEPT, ButtonAction.NO_LIGHT, ButtonAction.DECLINE)
    return (
        ShowScene(View.IDLE, choices=(ButtonAction.START,)),
        ShowScene(View.OUT_OF_ORDER),
        ShowScene(View.NOTICE, choices=answers),
        ShowScene(View.NOTICE, choices=(ButtonAction.START, ButtonAction.CANCEL), light=False),
        ShowScene(View.CONSENT, choices=consent),
        *(ShowScene(View.POSITION, hint=hint, choices=(ButtonAction.CANCEL,)) for hint in Hint),
        *(ShowScene(view) for view in (View.SETTLE, View.LIGHT, View.PLAIN)),
        *(ShowScene(view) for view in (View.FINISH, View.DELIVER)),
        *(ShowScene(View.RESULT, result=result) for result in Result),
        *(ShowScene(View.RETRY, problem=problem) for problem in Problem),
        *(ShowScene(View.STOPPED, problem=problem) for problem in Problem),
        *(ShowScene(View.STOPPED, problem=Problem.TIME, cause=cause) for cause in _CAUSES),
    )


def every_scene(wording: Wording) -> Iterator[tuple[str, Scene]]:
    """Yield name and scene of everything that can be shown, to be rehearsed before anyone comes."""
    for show in every_show():
        detail = show.hint or show.cause or show.problem or show.result
        name = f"{wording.language.code}/{show.view}" + (f"-{detail}" if detail else "")
        name += "" if show.light else "-plain"
        yield name, compose(show, wording, Live(progress=0.4))


def lines_of(show: ShowScene, wording: Wording) -> tuple[Caption, ...]:
    """Return what a view says, title first: what is written is what is spoken."""
    return (_title(show, wording), *_body(show, wording))


def _title(show: ShowScene, wording: Wording) -> Caption:
    if show.view is View.POSITION:
        return _line(wording, _HINTS[show.hint or Hint.STEP_IN])
    if show.view is View.RESULT:
        return _line(wording, _RESULTS[show.result or Result.SENT][0])
    if show.view is View.NOTICE:
        light = wording.light and show.light
        return _line(wording, Text.NOTICE_TITLE if light else Text.NOTICE_PLAIN_TITLE)
    if show.view is View.CONSENT:
        return _line(wording, Text.CONSENT_TITLE)
    return _line(wording, _WORDS[show.view][0])


def _body(show: ShowScene, wording: Wording) -> tuple[Caption, ...]:
    if show.view is View.RESULT:
        return (_line(wording, _RESULTS[show.result or Result.SENT][1]),)
    if show.view is View.NOTICE:
        return _notice(show, wording)
    if show.view is View.CONSENT:
        own = wording.consent
        consent = (
            Caption(Text.CONSENT_BODY, own.strip()) if own else _line(wording, Text.CONSENT_BODY)
        )
        return (consent, *_notice(show, wording))
    text = None if show.view is View.POSITION else _WORDS[show.view][1]
    if show.problem is not None:
        text = _CAUSES[show.cause] if show.cause is not None else _PROBLEMS[show.problem]
    return () if text is None else (_line(wording, text),)


def _notice(show: ShowScene, wording: Wording) -> tuple[Caption, ...]:
    light = wording.light and show.light
    what = Text.NOTICE_BODY if light else Text.NOTICE_PLAIN_BODY
    values = {"seconds": wording.light_s} if light else {}
    return (_line(wording, what, **values), _line(wording, Text.NOTICE_STOP))


def _line(wording: Wording, text: Text, **values: int) -> Caption:
    return Caption(text, wording.language.say(text, **values).strip())


def _mood(show: ShowScene) -> Mood:
    if show.view is View.RESULT:
        return _RESULTS[show.result or Result.SENT][2]
    if show.view is View.POSITION:
        return Mood.GOOD if show.hint is Hint.GOOD else Mood.NEUTRAL
    return Mood.BAD if show.view in (View.STOPPED, View.OUT_OF_ORDER) else Mood.NEUTRAL


def _buttons(show: ShowScene, wording: Wording) -> tuple[Button, ...]:
    return tuple(
        Button(action, wording.language.say(_BUTTONS[action][0]), *_BUTTONS[action][1:])
        for action in show.choices
    )


def _languages(show: ShowScene, wording: Wording) -> tuple[Button, ...]:
    """Return the languages, always the same ones in the same order; the one shown stands out."""
    if show.view not in _LANGUAGE_VIEWS or len(wording.languages) < 2:
        return ()
    return tuple(
        Button(LANGUAGE_ACTION + code, name, str(number), primary=code == wording.language.code)
        for number, (code, name) in enumerate(wording.languages.items(), start=1)
    )


def _tools(kind: SceneKind, wording: Wording) -> tuple[Button, ...]:
    """Return the buttons for what is spoken; keys do the same on every screen."""
    if not wording.spoken or kind not in (SceneKind.ATTRACT, SceneKind.PAGE):
        return ()
    say = wording.language.say
    return (
        Button(REPEAT_ACTION, say(Text.SPEECH_REPEAT), REPEAT_KEY),
        Button(VOLUME_ACTION, say(Text.SPEECH_VOLUME), VOLUME_KEY),
    )
