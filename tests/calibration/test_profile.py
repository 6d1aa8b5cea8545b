"""The profile file: what it holds, what it refuses, and what it never overwrites."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calibration.errors import ProfileError
from calibration.profile import (
    LightSection,
    Measured,
    Profile,
    ProfileOrigin,
    TimingSection,
    now,
    read_profile,
    require_camera,
    write_profile,
)
from capture.camera import CameraInfo, Provenance

ORIGIN = ProfileOrigin(created=now(), software="test", material=["a.flrec"])
IDENTITY = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
SUFFIXES = [".json", ".toml"]


def timing(latency_ms: float = 84.0, exposure_ms: float | None = None) -> TimingSection:
    return TimingSection(
        origin=ORIGIN,
        method="steps",
        lag_ms=Measured(value=77.0, how="steps", spread=2.5, n=24),
        latency_ms=Measured(value=latency_ms, how="steps", n=24),
        uncertainty_ms=9.5,
        p95_ms=85.0,
        steps=24,
        missed=1,
        exposure_ms=None if exposure_ms is None else Measured(value=exposure_ms, how="stated"),
        scanout_ms=16.7,
        settle_ms=12.0,
    )


def light() -> LightSection:
    return LightSection(
        origin=ORIGIN,
        ambient_share=Measured(value=0.8, how="fit"),
        strength=Measured(value=0.25, how="fit"),
        crosstalk=IDENTITY,
        crosstalk_sd=IDENTITY,
        clipped_share={"Red": 0.0},
        exposure_factor=Measured(value=1.0, how="nothing clips"),
        fps={"Red": 30.0},
        reference="none",
    )


def profile(camera: str = "cam-1", **sections: object) -> Profile:
    info = CameraInfo(camera, "a webcam", (1280, 720), 30.0, Provenance.CAMERA)
    empty = Profile.of(info, {"exposure": {"locked": True, "exposure_ms": 10.0}})
    return empty.model_copy(update=sections)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"kiosk{suffix}"
    whole = profile(timing=timing(exposure_ms=10.0), light=light())
    write_profile(path, whole)
    assert read_profile(path) == whole
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_it_gives_the_timing_that_labels_need() -> None:
    known = timing(exposure_ms=10.0).timing()
    assert (known.latency_ns, known.latency_uncertainty_ns) == (84_000_000, 9_500_000)
    assert (known.exposure_ns, known.scanout_ns) == (10_000_000, 16_700_000)
    assert timing().timing().exposure_ns == 33_333_333


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_section_that_is_missing_is_added(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"kiosk{suffix}"
    write_profile(path, profile(timing=timing()))
    whole = write_profile(path, profile(light=light()))
    assert whole == read_profile(path)
    assert whole.timing is not None
    assert whole.light is not None


def test_a_section_that_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.json"
    write_profile(path, profile(timing=timing(), light=light()))
    before = path.read_bytes()
    with pytest.raises(ProfileError, match=r"has a timing section already.*--force"):
        write_profile(path, profile(timing=timing(99.0)))
    assert path.read_bytes() == before
    forced = write_profile(path, profile(timing=timing(99.0)), force=True)
    assert forced.timing is not None
    assert forced.timing.latency_ms.value == 99.0
    assert forced.light is not None


def test_the_profile_of_another_camera_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.json"
    write_profile(path, profile(timing=timing()))
    before = path.read_bytes()
    with pytest.raises(ProfileError, match=r"profile of camera 'cam-1', this is 'cam-2'"):
        write_profile(path, profile("cam-2", light=light()))
    assert path.read_bytes() == before
    replaced = write_profile(path, profile("cam-2", light=light()), force=True)
    assert replaced.timing is None


def test_a_file_that_is_no_profile_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text('{"mine": 1}')
    with pytest.raises(ProfileError, match=r"notes\.json"):
        write_profile(path, profile(timing=timing()))
    assert path.read_text() == '{"mine": 1}'
    write_profile(path, profile(timing=timing()), force=True)
    assert read_profile(path).timing is not None


def test_it_is_for_one_camera_unless_told() -> None:
    one = profile(timing=timing())
    require_camera(one, "kiosk.json", "cam-1")
    require_camera(one, "kiosk.json", "cam-2", any_camera=True)
    with pytest.raises(ProfileError, match=r"kiosk\.json: was measured with camera 'cam-1'.*cam-2"):
        require_camera(one, "kiosk.json", "cam-2")


def edited(**changes: object) -> dict[str, object]:
    document = profile(timing=timing()).model_dump(mode="json", exclude_none=True)
    return {**document, **changes}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("", "not valid JSON", id="empty"),
        pytest.param("[]", "expected", id="no object"),
        pytest.param(json.dumps(edited(format="other")), "format", id="another format"),
        pytest.param(json.dumps(edited(version=2)), "version", id="a later version"),
        pytest.param(json.dumps(edited(extra=1)), "extra", id="unknown key"),
        pytest.param(json.dumps(edited(camera={"id": ""})), "camera", id="no camera"),
        pytest.param(
            json.dumps(edited()).replace('"value": 84.0', '"value": 8400.0'),
            "latency_ms",
            id="a latency of seconds",
        ),
        pytest.param(
            json.dumps(edited()).replace('"value": 84.0', '"value": NaN'), "latency_ms", id="NaN"
        ),
        pytest.param(
            json.dumps(edited()).replace(ORIGIN.created, "yesterday"), "created", id="no time"
        ),
    ],
)
def test_what_cannot_be_a_profile_names_the_field(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "kiosk.json"
    path.write_text(content)
    with pytest.raises(ProfileError, match=told) as caught:
        read_profile(path)
    assert str(caught.value).count("kiosk.json") == 1
    assert "\n" not in str(caught.value)


def test_crosstalk_must_be_three_by_three(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.json"
    document = profile(light=light()).model_dump(mode="json", exclude_none=True)
    document["light"]["crosstalk"][1] = [0.0, 1.0]
    path.write_text(json.dumps(document))
    with pytest.raises(ProfileError, match=r"light\.crosstalk\[1\]: expected 3 numbers, got 2"):
        read_profile(path)


@pytest.mark.parametrize("name", ["missing.json", "missing.toml"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProfileError, match=f"{name}: cannot be read"):
        read_profile(tmp_path / name)


def test_broken_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text("camera = [")
    with pytest.raises(ProfileError, match=r"kiosk\.toml: not valid TOML"):
        read_profile(path)


def test_a_folder_that_cannot_be_written_is_named_and_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfileError, match="cannot be written"):
        write_profile(tmp_path / "file" / "kiosk.json", profile(timing=timing()))
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
