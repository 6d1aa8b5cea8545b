"""What was measured of one kiosk: a JSON or TOML file, each value with its origin."""

from __future__ import annotations

import json
import os
import tomllib
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import tomlkit
from pydantic import Field, JsonValue, field_validator, model_validator

from calibration.errors import ProfileError
from capture.camera import CameraInfo
from capture.errors import SidecarError
from capture.files.jsonfile import FieldError, StrictModel, read_json_model, validated
from capture.light.timeline import Timing

LIMIT_BYTES = 1_000_000

_ROW = Field(min_length=3, max_length=3)


class Measured(StrictModel):
    """A value with its origin.

    Attributes
    ----------
    how : what was measured, or who stated it.
    spread : median absolute deviation of the single measurements, in the value's unit.
    n : how many single measurements.
    """

    value: float
    how: str = Field(min_length=1, max_length=500)
    spread: float | None = Field(default=None, ge=0)
    n: int | None = Field(default=None, ge=1)


class ProfileOrigin(StrictModel):
    """When, from what and by which software a section was measured."""

    created: str
    software: str
    material: list[str] = Field(min_length=1)

    @field_validator("created")
    @classmethod
    def _rfc3339(cls, text: str) -> str:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise FieldError("expected an RFC 3339 time with its offset from UTC")
        return text


class TimingSection(StrictModel):
    """The lag between screen and frame stamps.

    Attributes
    ----------
    lag_ms : from a flip to the stamp of the frame in which half of its light is seen.
    latency_ms : from a flip to the stamp of an exposure that begins with its first light: the
        ``latency_ns`` of `Timing`.
    uncertainty_ms : half width of what the latency may be, unknown exposure included.
    p95_ms : 95th percentile of the single lags.
    rising_ms, falling_ms : median lag to a brighter and to a darker screen.
    steps, missed : steps that were measured, and that were lost to drop-outs.
    exposure_ms, readout_ms : None where they are not known.
    scanout_ms, settle_ms : of the display, as in `Timing`.
    """

    origin: ProfileOrigin
    method: Literal["steps", "correlation"]
    lag_ms: Measured
    latency_ms: Measured
    uncertainty_ms: float = Field(ge=0, le=500)
    p95_ms: float
    rising_ms: float | None = None
    falling_ms: float | None = None
    steps: int = Field(ge=1)
    missed: int = Field(ge=0)
    exposure_ms: Measured | None = None
    readout_ms: Measured | None = None
    scanout_ms: float = Field(ge=0, le=100)
    settle_ms: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        if not -1000 <= self.latency_ms.value <= 1000:
            raise FieldError(f"expected -1000 to 1000, got {self.latency_ms.value:g}", "latency_ms")
        return self

    def timing(self) -> Timing:
        """Return lag and guards for labelling; unknown exposure and readout keep their bounds."""
        known: dict[str, Any] = {
            name: round(measured.value * 1e6)
            for name, measured in (
                ("exposure_ns", self.exposure_ms),
                ("readout_ns", self.readout_ms),
            )
            if measured is not None
        }
        return Timing(
            latency_ns=round(self.latency_ms.value * 1e6),
            latency_uncertainty_ns=round(self.uncertainty_ms * 1e6),
            scanout_ns=round(self.scanout_ms * 1e6),
            settle_ns=round(self.settle_ms * 1e6),
            **known,
        )


class LightSection(StrictModel):
    """How much of the light is the screen's, and what the camera makes of its colours.

    Attributes
    ----------
    ambient_share : of the light on the face under a white screen.
    strength : light of a white screen over the ambient, on the face.
    crosstalk : rows are the camera's red, green, blue; columns the screen's; a row sums to 1.
    crosstalk_sd : standard error of each entry.
    clipped_share : share of clipped face pixels under each colour.
    exposure_factor : by which to multiply the exposure so that no face pixel clips; 1 to keep it.
    fps : measured frame rate while each colour was on; ``neutral`` between them.
    reference : whether the background's change was taken away, as where exposure was not locked.
    """

    origin: ProfileOrigin
    ambient_share: Measured
    strength: Measured
    crosstalk: list[list[float]] = _ROW
    crosstalk_sd: list[list[float]] = _ROW
    clipped_share: dict[str, float]
    exposure_factor: Measured
    fps: dict[str, float]
    reference: Literal["none", "background"]

    @field_validator("crosstalk", "crosstalk_sd")
    @classmethod
    def _square(cls, rows: list[list[float]]) -> list[list[float]]:
        for index, row in enumerate(rows):
            if len(row) != 3:
                raise FieldError(f"expected 3 numbers, got {len(row)}", index)
        return rows


class CameraSection(StrictModel):
    """The camera that a profile is of; ``id`` is what a kiosk's camera is compared with."""

    id: str = Field(min_length=1)
    name: str = ""
    size_wh: list[int] = Field(min_length=2, max_length=2)
    fps: float | None = Field(default=None, gt=0)


class Profile(StrictModel):
    """Everything that calibration knows of one kiosk; sections that were not measured are None.

    ``controls`` is what the camera let us lock, and to which values, as it said itself.
    """

    format: Literal["facelight-profile"] = "facelight-profile"
    version: Literal[1] = 1
    provenance: Literal["camera", "simulated", "imported"]
    camera: CameraSection
    controls: dict[str, JsonValue] = Field(default_factory=dict)
    timing: TimingSection | None = None
    light: LightSection | None = None

    @classmethod
    def of(cls, info: CameraInfo, controls: Mapping[str, JsonValue]) -> Profile:
        """Return an empty profile of a camera."""
        camera = CameraSection(
            id=info.id or info.name or "unknown",
            name=info.name,
            size_wh=list(info.size_wh),
            fps=info.fps,
        )
        return cls(provenance=info.provenance.value, camera=camera, controls=dict(controls))

    def joined(self, other: Profile) -> Profile:
        """Return this profile with the sections that ``other`` has."""
        sections = {
            name: getattr(other, name) for name in ("timing", "light") if getattr(other, name)
        }
        return self.model_copy(update={"controls": other.controls or self.controls, **sections})


def now() -> str:
    """Return the time of day as RFC 3339, for `Origin.created`."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_profile(path: str | Path) -> Profile:
    """Read a profile, TOML where the name ends in ``.toml``, JSON otherwise.

    Raises
    ------
    ProfileError
        unreadable, no profile, a newer version, or a value that cannot be; names the field.
    """
    path = Path(path)
    try:
        if path.suffix == ".toml":
            return validated(path, Profile, tomllib.loads(path.read_text("utf-8")))
        return read_json_model(path, Profile, LIMIT_BYTES)
    except SidecarError as error:
        where = f"{error.field}: " if error.field else ""
        problem = error.problem.removeprefix(where)
        raise ProfileError(path, f"{where}{problem}") from error
    except OSError as error:
        raise ProfileError(path, f"cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(path, f"not valid TOML: {error}") from error


def require_camera(
    profile: Profile, path: str | Path, camera_id: str, *, any_camera: bool = False
) -> None:
    """Refuse a profile that was measured with another camera, unless ``any_camera``.

    Raises
    ------
    ProfileError
        names both cameras and the cure.
    """
    if any_camera or profile.camera.id == camera_id:
        return
    raise ProfileError(
        path,
        f"was measured with camera {profile.camera.id!r}, this is {camera_id!r}: "
        "calibrate this camera, or say that the profile is for any camera",
    )


def write_profile(path: str | Path, profile: Profile, *, force: bool = False) -> Profile:
    """Write a profile whole or not at all, and return what the file now holds.

    A file that is there is kept, but for one case: a profile of the same camera gains sections that
    it has not yet. ``force`` replaces sections that it has, and any other file.

    Raises
    ------
    ProfileError
        something would be overwritten, or the file system refuses.
    """
    path = Path(path)
    if path.exists():
        profile = _onto(path, profile, force=force)
    _place(path, _text(path, profile).encode())
    return profile


def _onto(path: Path, profile: Profile, *, force: bool) -> Profile:
    try:
        there = read_profile(path)
    except ProfileError:
        if force:
            return profile
        raise
    if there.camera.id != profile.camera.id:
        if force:
            return profile
        problem = f"is the profile of camera {there.camera.id!r}, this is {profile.camera.id!r}"
        raise ProfileError(path, f"{problem}; give another --out, or --force to replace it")
    if not force:
        _refuse_taken(path, there, [n for n in ("timing", "light") if getattr(profile, n)])
    return there.joined(profile)


def check_free(path: Path, section: Literal["timing", "light"], *, force: bool) -> None:
    """Say before half a minute of measuring what `write_profile` would say after it.

    Raises
    ------
    ProfileError
        the file is no profile, or holds that section already.
    """
    if path.exists() and not force:
        _refuse_taken(path, read_profile(path), [section])


def _refuse_taken(path: Path, there: Profile, sections: Sequence[str]) -> None:
    taken = [name for name in sections if getattr(there, name)]
    if taken:
        problem = f"has a {' and a '.join(taken)} section already"
        raise ProfileError(path, f"{problem}; give another --out, or --force to replace it")


def _text(path: Path, profile: Profile) -> str:
    document: dict[str, Any] = profile.model_dump(mode="json", exclude_none=True)
    if path.suffix == ".toml":
        return tomlkit.dumps(document)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _place(path: Path, content: bytes) -> None:
    part = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ProfileError(path, f"cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
