"""Every text the kiosk can show, by key and placeholders; language files have exactly these."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from capture.display.text.language import Language, load_language
from facelight.errors import SettingsError

LANGUAGE_FOLDER = Path(__file__).parents[2] / "locale"
THEME_FOLDER = Path(__file__).parents[2] / "themes"


class Text(StrEnum):
    """Keys of the language files."""

    IDLE_TITLE = "idle_title"
    IDLE_BODY = "idle_body"
    START = "start"
    CANCEL = "cancel"
    SPEECH_REPEAT = "speech_repeat"
    SPEECH_VOLUME = "speech_volume"
    NOTICE_TITLE = "notice_title"
    NOTICE_BODY = "notice_body"
    NOTICE_PLAIN_TITLE = "notice_plain_title"
    NOTICE_PLAIN_BODY = "notice_plain_body"
    NOTICE_STOP = "notice_stop"
    NO_LIGHT = "no_light"
    CONSENT_TITLE = "consent_title"
    CONSENT_BODY = "consent_body"
    CONSENT_ACCEPT = "consent_accept"
    CONSENT_DECLINE = "consent_decline"

    HINT_STEP_IN = "hint_step_in"
    HINT_ONE_PERSON = "hint_one_person"
    HINT_CLOSER = "hint_closer"
    HINT_CENTRE = "hint_centre"
    HINT_LOOK = "hint_look"
    HINT_STILL = "hint_still"
    HINT_MORE_LIGHT = "hint_more_light"
    HINT_BACKLIGHT = "hint_backlight"
    HINT_LESS_LIGHT = "hint_less_light"
    HINT_EVEN_LIGHT = "hint_even_light"
    HINT_EYES = "hint_eyes"
    HINT_MOUTH = "hint_mouth"
    HINT_UNCOVER = "hint_uncover"
    HINT_STEP_BACK = "hint_step_back"
    HINT_MOVE_LEFT = "hint_move_left"
    HINT_MOVE_RIGHT = "hint_move_right"
    HINT_MOVE_UP = "hint_move_up"
    HINT_MOVE_DOWN = "hint_move_down"
    HINT_UPRIGHT = "hint_upright"
    HINT_GOOD = "hint_good"

    SETTLE = "settle"
    LIGHT = "light"
    PLAIN = "plain"
    FINISH = "finish"
    DELIVER = "deliver"

    RESULT_REAL_TITLE = "result_real_title"
    RESULT_REAL_BODY = "result_real_body"
    RESULT_UNSURE_TITLE = "result_unsure_title"
    RESULT_UNSURE_BODY = "result_unsure_body"
    RESULT_SENT_TITLE = "result_sent_title"
    RESULT_SENT_BODY = "result_sent_body"
    RESULT_SAVED_TITLE = "result_saved_title"
    RESULT_SAVED_BODY = "result_saved_body"

    RETRY_TITLE = "retry_title"
    STOPPED_TITLE = "stopped_title"
    PROBLEM_LEFT = "problem_left"
    PROBLEM_SECOND = "problem_second"
    PROBLEM_MOVED = "problem_moved"
    PROBLEM_DEVICE = "problem_device"
    PROBLEM_TIME = "problem_time"
    PROBLEM_QUALITY = "problem_quality"
    PROBLEM_LIGHT = "problem_light"
    PROBLEM_INTERNAL = "problem_internal"
    PROBLEM_NOT_SENT = "problem_not_sent"

    CAUSE_STEP_IN = "cause_step_in"
    CAUSE_ONE_PERSON = "cause_one_person"
    CAUSE_CLOSER = "cause_closer"
    CAUSE_STEP_BACK = "cause_step_back"
    CAUSE_CENTRE = "cause_centre"
    CAUSE_LOOK = "cause_look"
    CAUSE_UPRIGHT = "cause_upright"
    CAUSE_UNCOVER = "cause_uncover"
    CAUSE_MORE_LIGHT = "cause_more_light"
    CAUSE_BACKLIGHT = "cause_backlight"
    CAUSE_LESS_LIGHT = "cause_less_light"
    CAUSE_EVEN_LIGHT = "cause_even_light"
    CAUSE_EYES = "cause_eyes"
    CAUSE_MOUTH = "cause_mouth"
    CAUSE_STILL = "cause_still"

    OUT_OF_ORDER_TITLE = "out_of_order_title"
    OUT_OF_ORDER_BODY = "out_of_order_body"


PLACEHOLDERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {text.value: ("seconds",) if text is Text.NOTICE_BODY else () for text in Text}
)


def language_file(code_or_path: str) -> Path:
    """Return the file of a language: one of ours by its code, or a path ending in ``.toml``.

    Raises
    ------
    SettingsError
        it is neither; names the codes there are.
    """
    return _ours(LANGUAGE_FOLDER, code_or_path, "kiosk.language")


def theme_file(name_or_path: str) -> Path:
    """Return the file of a theme: one of ours by its name, or a path ending in ``.toml``.

    Raises
    ------
    SettingsError
        it is neither; names the themes there are.
    """
    return _ours(THEME_FOLDER, name_or_path, "kiosk.theme")


def language(code_or_path: str) -> Language:
    """Load a complete language.

    Raises
    ------
    SettingsError
        neither a code of ours nor a ``.toml`` file.
    DisplayError
        no such file, or it is incomplete.
    """
    return load_language(language_file(code_or_path), PLACEHOLDERS)


def _ours(folder: Path, name_or_path: str, setting: str) -> Path:
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    names = sorted(path.stem for path in folder.glob("*.toml"))
    if name_or_path not in names:
        choices = ", ".join(names)
        raise SettingsError(f"{setting}: {name_or_path!r}, expected {choices}, or a .toml file")
    return folder / f"{name_or_path}.toml"
