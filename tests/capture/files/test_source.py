"""One door to all sessions: which kind a path is, its light, its name, its hash."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from capture.camera import CameraInfo, Provenance
from capture.errors import SidecarError, SourceError
from capture.files.recording import RecordingHead, RecordingWriter
from capture.files.source import content_sha256, name_of, open_source
from capture.frame import Frame
from capture.light.timeline import LabelKind
from tests.capture.files.made_videos import make_video, picture

MS = 1_000_000
LIGHT = {
    "latency_ms": 20,
    "exposure_ms": 10,
    "readout_ms": 10,
    "flips": [
        {"t_ms": 0, "colour": None, "rgb": [128, 128, 128]},
        {"t_ms": 200, "colour": "Red", "rgb": [255, 0, 0]},
    ],
}


def video(folder: Path, light: object = None) -> Path:
    path = make_video(folder / "clip.mkv")
    if light is not None:
        (folder / "clip.illumination.json").write_text(json.dumps(light))
    return path


def images(folder: Path, *, timed: bool, light: object = None) -> Path:
    path = folder / "shots"
    path.mkdir()
    for i in range(8):
        Image.fromarray(picture(i)[..., ::-1]).save(path / f"{i}.png")
    if timed:
        rows = "".join(f"{i}.png,{i * 50}\n" for i in range(8))
        (path / "frames.csv").write_text("file,t_ms\n" + rows)
    if light is not None:
        (folder / "shots.illumination.json").write_text(json.dumps(light))
    return path


def recording(path: Path) -> Path:
    info = CameraInfo("sim", "sim", (64, 48), 25.0, Provenance.SIMULATED)
    with RecordingWriter(path, RecordingHead("session-9", info)) as writer:
        for i in range(4):
            writer.write(Frame(i, i * 40 * MS, i * 40 * MS, picture(i)))
        return writer.finish()


def test_a_video_with_a_sidecar_is_labelled(tmp_path: Path) -> None:
    with open_source(video(tmp_path, LIGHT)) as source:
        assert (source.kind, source.name) == ("video", "clip")
        assert (source.provenance, source.session_id) == (Provenance.IMPORTED, None)
        assert source.timeline is not None
        labels = [source.timeline.label(f.t_frame_ns).kind for f in iter(source.camera.read, None)]
    assert labels.count(LabelKind.CLEAN) == 3
    assert source.timeline.timing.exposure_ns == 10 * MS


def test_a_video_without_a_sidecar_has_no_light(tmp_path: Path) -> None:
    with open_source(video(tmp_path)) as source:
        assert source.timeline is None


def test_an_undeclared_exposure_follows_the_videos_rate(tmp_path: Path) -> None:
    light = {key: value for key, value in LIGHT.items() if key != "exposure_ms"}
    with open_source(video(tmp_path, light)) as source:
        assert source.timeline is not None
        assert source.timeline.timing.exposure_ns == 40 * MS


def test_a_sidecar_of_another_length_is_refused(tmp_path: Path) -> None:
    late = [{"t_ms": t, "colour": "Blue", "rgb": [0, 0, 255]} for t in (900, 1300)]
    flips = [*LIGHT["flips"], *late]  # type: ignore[misc]
    with pytest.raises(SidecarError, match=r"flips\[2\].t_ms: longer than the video") as caught:
        open_source(video(tmp_path, LIGHT | {"flips": flips}))
    assert caught.value.path == str(tmp_path / "clip.illumination.json")


def test_a_recording_brings_its_provenance_and_id(tmp_path: Path) -> None:
    path = recording(tmp_path / "night.flrec")
    for named in (path, shutil.copytree(path, tmp_path / "renamed")):
        with open_source(named) as source:
            assert source.kind == "recording"
            assert (source.provenance, source.session_id) == (Provenance.SIMULATED, "session-9")
            assert source.timeline is None


def test_timed_images_with_a_sidecar_are_labelled(tmp_path: Path) -> None:
    with open_source(images(tmp_path, timed=True, light=LIGHT)) as source:
        assert (source.kind, source.name) == ("images", "shots")
        assert source.timeline is not None


def test_a_sidecar_for_images_without_times_is_refused(tmp_path: Path) -> None:
    """Times that are only assumed would put colours on the wrong frames."""
    with pytest.raises(SidecarError, match=r"expected frames\.csv"):
        open_source(images(tmp_path, timed=False, light=LIGHT))


@pytest.mark.parametrize(
    ("path", "is_folder", "name"),
    [
        pytest.param("a.mp4", False, "a", id="video"),
        pytest.param("a.b.mkv", False, "a.b", id="video with a dot"),
        pytest.param("night.flrec", True, "night", id="recording"),
        pytest.param("2024.05.01", True, "2024.05.01", id="folder with dots"),
    ],
)
def test_the_name_is_the_input_without_its_ending(
    tmp_path: Path, path: str, is_folder: bool, name: str
) -> None:
    if is_folder:
        (tmp_path / path).mkdir()
    assert name_of(tmp_path / path) == name


def test_the_current_folder_has_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert name_of(Path()) == tmp_path.name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        pytest.param("nowhere.mp4", "no such file", id="missing"),
        pytest.param("folder", "no images", id="empty folder"),
        pytest.param("folder.flrec", "session.json", id="empty recording"),
        pytest.param("note.mp4", "no video", id="text"),
    ],
)
def test_what_is_no_session_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.flrec").mkdir()
    (tmp_path / "note.mp4").write_text("nothing to see here")
    with pytest.raises(SourceError, match=problem):
        open_source(tmp_path / name)


@pytest.mark.parametrize("path", [".", "../shots"])
def test_a_folder_may_be_named_from_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(images(tmp_path, timed=True, light=LIGHT))
    with open_source(path) as source:
        assert source.name == "shots"
        assert source.timeline is not None


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        open_source("x" * 5000 + ".mp4")


def test_the_hash_follows_the_content_and_nothing_else(tmp_path: Path) -> None:
    path = video(tmp_path, LIGHT)
    hashes = [content_sha256(path)]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    copy = shutil.copy(path, elsewhere / "other.mkv")
    shutil.copy(tmp_path / "clip.illumination.json", elsewhere / "other.illumination.json")
    assert content_sha256(copy) == hashes[0]
    (tmp_path / "clip.illumination.json").write_text(json.dumps(LIGHT | {"latency_ms": 21}))
    hashes.append(content_sha256(path))
    (tmp_path / "clip.illumination.json").unlink()
    hashes.append(content_sha256(path))
    path.write_bytes(path.read_bytes() + b"\0")
    hashes.append(content_sha256(path))
    assert len(set(hashes)) == 4
    assert all(len(h) == 64 for h in hashes)


def test_the_hash_of_images_follows_names_and_times(tmp_path: Path) -> None:
    path = images(tmp_path, timed=True)
    hashes = [content_sha256(path)]
    (path / "notes.txt").write_text("not part of the session")
    assert content_sha256(path) == hashes[0]
    (path / "0.png").rename(path / "9.png")
    hashes.append(content_sha256(path))
    (path / "frames.csv").unlink()
    hashes.append(content_sha256(path))
    assert len(set(hashes)) == 3


def test_the_hash_of_a_recording_covers_both_files(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.flrec")
    first = content_sha256(path)
    content = (path / "session.json").read_text()
    (path / "session.json").write_text(content + " ")
    assert content_sha256(path) != first
    (path / "session.json").unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        content_sha256(path)
