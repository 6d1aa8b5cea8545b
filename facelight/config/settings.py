"""Settings from ``facelight.toml`` < environment ``FACELIGHT_*`` < command line.

Every value knows where it came from; unknown keys are errors. A section is a stage's own option
dataclass, so defaults, units and ranges have one home. In the environment a section's key is
written ``FACELIGHT_SECTION__KEY``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calibration.errors import CalibrationError
from calibration.profile import read_profile
from capture.light.plan import PlanOptions
from capture.live.options import LiveOptions
from facelight.config.kiosk_options import KioskOptions, TimingOptions
from facelight.config.log import LogOptions
from facelight.config.sections import UnreadableTextError, problem_of, read_texts
from facelight.config.session_options import SessionOptions
from facelight.errors import SettingsError
from preprocess.clip.clip_options import ClipOptions
from preprocess.clip.crop import CropOptions
from preprocess.gate.gate import GateOptions
from preprocess.gate.thresholds import Thresholds
from preprocess.light.options import ResponseOptions
from preprocess.tracking.tracker_options import TrackerOptions
from uploader.http.endpoint import API_PATH
from uploader.http.exchange import HttpOptions
from uploader.retry import RetryPolicy
from uploader.secret_environment import SECRET_VARIABLES
from uploader.spool.limits import SpoolLimits

PREFIX = "FACELIGHT_"
DEFAULT_FILE = Path("facelight.toml")
NOT_SETTINGS = frozenset(SECRET_VARIABLES)
"""Secrets: read by ``facelight.delivery.credentials`` alone, never part of the settings."""


class Settings(BaseModel):
    """Everything that can be set; see ``facelight check`` for the values in force."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str | None = None
    region: str | None = None
    api_path: str = API_PATH
    model_version: str | None = None
    key_file: Path | None = None
    token_file: Path | None = None
    token_command: tuple[str, ...] = ()
    token_url: str | None = None
    allow_simulated: bool = False
    spool_dir: Path | None = None
    device_key_file: Path | None = None
    profile: Path | None = None
    profile_any_camera: bool = False
    thresholds_file: Path | None = None
    output_umask: Annotated[str, Field(pattern=r"^0?[0-7]{3}$")] = "077"
    thumbnails: bool = True
    tracker: TrackerOptions = TrackerOptions()
    crop: CropOptions = CropOptions()
    thresholds: Thresholds = Thresholds()
    clip: ClipOptions = ClipOptions()
    gate: GateOptions = GateOptions()
    camera: LiveOptions = LiveOptions()
    plan: PlanOptions = PlanOptions()
    session: SessionOptions = SessionOptions()
    timing: TimingOptions = TimingOptions()
    kiosk: KioskOptions = KioskOptions()
    log: LogOptions = LogOptions()
    light: ResponseOptions = ResponseOptions()
    http: HttpOptions = HttpOptions()
    retry: RetryPolicy = RetryPolicy()
    spool: SpoolLimits = SpoolLimits()


def spool_dir(settings: Settings) -> Path:
    """Return where submissions wait: as set, else in the user's state directory."""
    return settings.spool_dir or Path(platformdirs.user_state_dir("facelight")) / "spool"


def output_umask(settings: Settings) -> int:
    """Return the permissions that results do not get: faces lie in them in the clear."""
    return int(settings.output_umask, 8)


RESULT_SECTIONS = ("tracker", "crop", "thresholds", "clip", "light")
"""The sections that change what comes out of a recording; only they are hashed."""

SPEED_ONLY = {"clip": ("workers", "pending_crops", "hold_back", "hold_back_lit", "stall_s")}
"""Of these sections, what changes no byte."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings in force and, for each dotted key that was set, where it was set."""

    settings: Settings
    origins: Mapping[str, str]

    def rows(self) -> list[tuple[str, str, str]]:
        """Return key, value and origin of every setting; secrets are not settings."""
        flat = _flatten(plain(self.settings))
        return [(key, str(value), self.origins.get(key, "default")) for key, value in flat.items()]


def load_settings(
    overrides: Mapping[str, Any] | None = None,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Read every source and return what is in force.

    Parameters
    ----------
    overrides : dotted key -> value from the command line; None values are ignored.
    config : the file to read; without one ``facelight.toml`` in the current folder, if there.
    environment : instead of ``os.environ``.

    Raises
    ------
    SettingsError
        unknown key, wrong value, unreadable file; names the origin.
    """
    environment = dict(os.environ if environment is None else environment)
    given = {k: v for k, v in (overrides or {}).items() if v is not None}
    path, table = _file_table(config)
    layers = [
        (str(path), table),
        ("environment", _environment_table(environment)),
        ("command line", _nested(given)),
    ]
    layers = [(name, _read(name, layer)) for name, layer in layers]
    origins = {key: name for name, layer in layers for key in _flatten(layer)}
    tuned = _tuned_thresholds(layers, origins)
    merged: dict[str, Any] = {"thresholds": tuned} if tuned else {}
    if measured := _profile_timing(layers, origins):
        merged["timing"] = measured
    for _, layer in layers:
        merged = _merge(merged, layer)
    try:
        return Loaded(Settings.model_validate(merged), origins)
    except ValidationError as error:
        raise SettingsError(_problem(*problem_of(error, Settings), origins)) from error


def settings_hash(settings: Settings) -> str:
    """Return SHA-256 (hex) over the sections that change results."""
    values = plain(settings)
    chosen = {
        name: {k: v for k, v in values[name].items() if k not in SPEED_ONLY.get(name, ())}
        for name in RESULT_SECTIONS
    }
    if settings.profile is not None:
        chosen["timing"] = values["timing"]
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def plain(settings: Settings) -> dict[str, Any]:
    """Return the settings as tables of plain values."""
    return {name: _plain(getattr(settings, name)) for name in type(settings).model_fields}


def _file_table(config: Path | None) -> tuple[Path, dict[str, Any]]:
    path = config or DEFAULT_FILE
    if config is None and not path.is_file():
        return path, {}
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: no valid TOML: {error}") from error


def _environment_table(environment: Mapping[str, str]) -> dict[str, Any]:
    ours = {
        name[len(PREFIX) :].lower().replace("__", "."): value
        for name, value in environment.items()
        if name.upper().startswith(PREFIX) and name.upper() not in NOT_SETTINGS
    }
    return _nested(ours)


def _tuned_thresholds(
    layers: list[tuple[str, dict[str, Any]]], origins: dict[str, str]
) -> dict[str, Any]:
    """Read ``thresholds_file`` (written by ``facelight tune``); any other source overrides it."""
    named = [layer["thresholds_file"] for _, layer in layers if layer.get("thresholds_file")]
    if not named:
        return {}
    path, table = _file_table(Path(named[-1]))
    tuned = table.get("thresholds")
    if not isinstance(tuned, dict):
        raise SettingsError(f"{path}: expected a table [thresholds]")
    for key in tuned:
        origins.setdefault(f"thresholds.{key}", str(path))
    return tuned


def _profile_timing(
    layers: list[tuple[str, dict[str, Any]]], origins: dict[str, str]
) -> dict[str, Any]:
    """Read the timing of ``profile`` (written by ``calibrate``); any other source overrides it."""
    named = [layer["profile"] for _, layer in layers if layer.get("profile")]
    if not named:
        return {}
    try:
        section = read_profile(named[-1]).timing
    except CalibrationError as error:
        raise SettingsError(f"profile: {error}") from error
    if section is None:
        raise SettingsError(f"profile: {named[-1]}: holds no timing; run: calibrate timing")
    timing = section.timing()
    measured = {
        "latency_ms": timing.latency_ns / 1e6,
        "uncertainty_ms": timing.latency_uncertainty_ns / 1e6,
        "exposure_ms": timing.exposure_ns / 1e6,
        "readout_ms": timing.readout_ns / 1e6,
        "scanout_ms": timing.scanout_ns / 1e6,
        "settle_ms": timing.settle_ns / 1e6,
    }
    for key in measured:
        origins.setdefault(f"timing.{key}", str(named[-1]))
    return measured


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for dotted, value in flat.items():
        *parents, key = dotted.split(".")
        level = table
        for parent in parents:
            level = level.setdefault(parent, {})
            if not isinstance(level, dict):
                raise SettingsError(f"{dotted}: {parent} is set as a value, too")
        level[key] = value
    return table


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _read(origin: str, layer: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return read_texts(layer, Settings)
    except UnreadableTextError as error:
        raise SettingsError(f"{origin}: {error}") from error


def _problem(keys: tuple[str, ...], problem: str, origins: Mapping[str, str]) -> str:
    key = ".".join(keys)
    above = (".".join(keys[:end]) for end in range(len(keys), 0, -1))  # an item: its list's
    below = (known for known in origins if known.startswith(f"{key}."))
    origin = next((origins[one] for one in (*above, *below) if one in origins), "default")
    return f"{origin}: {key}: {problem}"
