"""Settings: file < environment < command line, every value with its origin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facelight.config.settings import load_settings, settings_hash
from facelight.errors import SettingsError
from tests.effort import examples


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "facelight.toml"
    path.write_text('endpoint = "http://127.0.0.1:1"\n[clip]\nquality = 80\nmethod = 1\n')
    return path


def test_each_source_overrides_the_one_before_and_is_remembered(toml: Path) -> None:
    env = {"FACELIGHT_CLIP__QUALITY": "70", "FACELIGHT_CLIP__MAX_FRAMES": "30"}
    loaded = load_settings({"clip.max_frames": 20, "region": None}, toml, env)
    clip = loaded.settings.clip
    assert (clip.method, clip.quality, clip.max_frames) == (1, 70, 20)
    assert loaded.origins["clip.method"] == str(toml)
    assert loaded.origins["clip.quality"] == "environment"
    assert loaded.origins["clip.max_frames"] == "command line"
    assert ("clip.focus", "every", "default") in loaded.rows()


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        pytest.param({"clip.qualty": 1}, r"clip: unknown key 'qualty'", id="unknown key"),
        pytest.param({"nonsense": 1}, r"nonsense: unknown key", id="unknown section"),
        pytest.param({"clip.quality": 101}, r"clip.quality: 101 is not within 1..100", id="range"),
        pytest.param(
            {"clip.quality": "fine"}, r"clip.quality: expected a whole number", id="no number"
        ),
        pytest.param(
            {"clip.quality": 2.5}, r"clip.quality: expected a whole number", id="fraction"
        ),
        pytest.param(
            {"clip.container": "mp4"}, r"clip.container: expected one of webp", id="choice"
        ),
        pytest.param({"clip": 3}, r"clip: expected a table", id="no table"),
        pytest.param(
            {"crop.side_ied": float("nan")}, r"crop.side_ied: nan is not within", id="NaN"
        ),
    ],
)
def test_a_wrong_value_names_origin_key_and_what_was_expected(
    overrides: dict[str, Any], told: str
) -> None:
    with pytest.raises(SettingsError, match=f"command line: {told}"):
        load_settings(overrides, environment={})


def test_an_unknown_variable_of_ours_is_an_error() -> None:
    with pytest.raises(SettingsError, match="environment: endpont: unknown key"):
        load_settings(environment={"FACELIGHT_ENDPONT": "x"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("clip = [", "no valid TOML", id="syntax"),
        pytest.param(b"\xff\xfe", "no valid TOML", id="not UTF-8"),
        pytest.param(None, "cannot be read", id="missing"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str | bytes | None, told: str) -> None:
    path = tmp_path / "x.toml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError, match=rf"x\.toml: {told}"):
        load_settings(config=path, environment={})


def test_tuned_thresholds_lie_below_every_other_source(tmp_path: Path) -> None:
    tuned = tmp_path / "thresholds.toml"
    tuned.write_text("[thresholds]\nblur_drop_pct = 2.5\nyaw_drop_deg = 30.0\n")
    flags = {"thresholds_file": tuned, "thresholds.yaw_drop_deg": 20}
    loaded = load_settings(flags, environment={})
    assert loaded.settings.thresholds.blur_drop_pct == 2.5
    assert loaded.settings.thresholds.yaw_drop_deg == 20
    assert loaded.origins["thresholds.blur_drop_pct"] == str(tuned)


def test_secrets_never_become_settings() -> None:
    loaded = load_settings(environment={"FACELIGHT_KEY": "canary-key", "FACELIGHT_TOKEN": "canary"})
    assert "canary" not in repr(loaded)
    assert "canary" not in str(loaded.rows())


def test_the_hash_follows_what_changes_results_and_nothing_else() -> None:
    base = load_settings(environment={}).settings
    elsewhere = load_settings({"endpoint": "http://127.0.0.1:2"}, environment={}).settings
    sharper = load_settings({"thresholds.blur_drop_pct": 1.7}, environment={}).settings
    assert settings_hash(base) == settings_hash(elsewhere)
    assert settings_hash(base) != settings_hash(sharper)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(["clip", "thresholds", "crop", "plan", "session", "kiosk", "log", "retry"])
KEYS = st.sampled_from(["quality", "container", "colours", "extra_colours", "level", "workers"])


def refusal(table: dict[str, Any] | None = None, config: Path | None = None) -> str:
    """Return why settings are refused, nothing when they are taken; a bug is another exception."""
    try:
        load_settings(table, config, environment={})
    except SettingsError as error:
        return str(error)
    return ""


@pytest.mark.slow
@settings(max_examples=examples(100))
@given(st.dictionaries(NAMES | st.text(max_size=6), st.dictionaries(KEYS, JSON) | JSON, max_size=4))
def test_any_table_is_taken_or_refused_in_one_sentence(table: dict[str, Any]) -> None:
    assert len(refusal(table)) < 2000


@settings(
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.binary(max_size=200))
def test_any_bytes_as_a_file_are_taken_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fuzz.toml"
    path.write_bytes(content)
    told = refusal(config=path)
    assert not told or "fuzz.toml" in told
