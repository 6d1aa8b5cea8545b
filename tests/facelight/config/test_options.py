"""Options hold their types and ranges wherever they are made, and can stand in the environment."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from capture.light.plan import PlanOptions
from facelight.config.kiosk_options import KioskOptions, TimingOptions
from facelight.config.session_options import SessionOptions
from facelight.config.settings import Settings, load_settings
from facelight.errors import SettingsError
from uploader.http.exchange import HttpOptions
from uploader.retry import RetryPolicy

ROOT = Path(__file__).parents[3]
SECTIONS = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if dataclasses.is_dataclass(field.annotation)
}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        pytest.param(SessionOptions, {"notice_ms": -5}, id="session"),
        pytest.param(KioskOptions, {"text_scale": 9.0}, id="kiosk"),
        pytest.param(KioskOptions, {"screen_nits": float("nan")}, id="not a number"),
        pytest.param(PlanOptions, {"dwell_ms": 100.0}, id="a screen that flashes"),
        pytest.param(TimingOptions, {"latency_ms": 5000.0}, id="timing"),
        pytest.param(HttpOptions, {"read_timeout_s": -1.0}, id="http"),
        pytest.param(RetryPolicy, {"max_attempts": 0}, id="retry"),
        pytest.param(SessionOptions, {"consent": "perhaps"}, id="no truth value"),
        pytest.param(KioskOptions, {"langauge": "en"}, id="misspelt"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_python_too(
    kind: type[Any], given: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match=next(iter(given))):
        kind(**given)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_default_is_one_that_could_be_given(section: str) -> None:
    kind: Any = SECTIONS[section]
    given = {field.name: getattr(kind(), field.name) for field in dataclasses.fields(kind)}
    assert kind(**given) == kind()


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        pytest.param("TOKEN_COMMAND", '["get", "a token"]', "token_command", ("get", "a token"),
                     id="a JSON list"),
        pytest.param("TOKEN_COMMAND", "get,token", "token_command", ("get", "token"), id="commas"),
        pytest.param("KIOSK__LANGUAGES", "de, ar", "kiosk.languages", ("de", "ar"), id="spaces"),
        pytest.param("CAMERA__SIZE_WH", "640,480", "camera.size_wh", (640, 480), id="numbers"),
        pytest.param("SPOOL_DIR", "/var/x", "spool_dir", Path("/var/x"), id="a path"),
        pytest.param("PROFILE", "none", "profile", None, id="none"),
        pytest.param("THUMBNAILS", "no", "thumbnails", False, id="a truth value"),
        pytest.param("KIOSK__FONTS", "", "kiosk.fonts", "", id="a text that may be empty"),
    ],
)  # fmt: skip
def test_the_environment_can_hold_every_kind_of_setting(
    name: str, text: str, key: str, value: object
) -> None:
    settings = load_settings(environment={f"FACELIGHT_{name}": text}).settings
    found: Any = settings
    for part in key.split("."):
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        pytest.param("SPOOL_DIR", "", "spool_dir: is empty; expected a value", id="path"),
        pytest.param("TOKEN_COMMAND", "", "token_command: is empty", id="list"),
        pytest.param("ENDPOINT", "", "endpoint: is empty", id="text that means nothing"),
        pytest.param("TOKEN_COMMAND", "[a", "token_command: expected a JSON", id="half"),
        pytest.param("CAMERA__SIZE_WH", "640", "camera.size_wh", id="one of two"),
        pytest.param("CAMERA__SIZE_WH", "640,9999", "camera.size_wh.1: '9999' is not", id="second"),
        pytest.param("TIMING__LATENCY_MS", "-1", "timing.latency_ms: '-1' is not within 0.0..",
                     id="range"),
        pytest.param("SESSION__CONSENT", "perhaps", "session.consent: expected true or false",
                     id="truth value"),
    ],
)  # fmt: skip
def test_what_the_environment_says_wrongly_names_the_key(
    name: str, text: str, problem: str
) -> None:
    with pytest.raises(SettingsError, match=f"environment: {re.escape(problem)}"):
        load_settings(environment={f"FACELIGHT_{name}": text})


def test_a_truth_value_is_no_number() -> None:
    with pytest.raises(SettingsError, match=r"clip\.quality: expected a whole number, got True"):
        load_settings({"clip.quality": True}, environment={})


def texts() -> Iterator[tuple[str, str]]:
    for package in ("capture", "preprocess", "uploader", "calibration", "facelight"):
        for path in (ROOT / package).rglob("*.py"):
            documented = set[int]()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Expr):
                    documented.add(id(node.value))  # a docstring is for programmers
                elif isinstance(node, ast.Constant) and id(node) not in documented:
                    yield f"{path.name}:{node.lineno}", str(node.value)


FILES = {"py", "toml", "json", "csv", "html", "db", "lock", "reserve", "mkv"}


def test_every_setting_that_a_text_of_ours_names_exists() -> None:
    names = "|".join([*SECTIONS, "screen", "display"])
    pattern = re.compile(rf"(?<![\w./-])({names})\.([a-z][a-z_0-9]*)(?![\w(/])")
    named = {
        (place, section, key)
        for place, text in texts()
        for section, key in pattern.findall(text)
        if " " in text and key not in FILES
    }
    known = {
        name: {field.name for field in dataclasses.fields(kind)} for name, kind in SECTIONS.items()
    }
    unknown = [found for found in sorted(named) if found[2] not in known.get(found[1], ())]
    assert named
    assert not unknown
