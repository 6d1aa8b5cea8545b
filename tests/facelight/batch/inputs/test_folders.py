"""What a folder holds, and what of it is left out: the same on a disk and in a storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from facelight.batch.inputs import folders
from facelight.batch.inputs.folders import LeftOut
from facelight.batch.inputs.left_out import LeftOutFiles
from facelight.batch.inputs.listing import Expansion, InputError
from facelight.batch.inputs.storage import list_url

CASES = [
    pytest.param(["a.mp4", "b.mkv", "cover.jpg"], ["a.mp4", "b.mkv"], ["cover.jpg"], id="cover"),
    pytest.param(["1.jpg", "2.jpg"], ["."], [], id="pictures alone"),
    pytest.param(["1.jpg", "s/a.mp4"], ["s/a.mp4"], ["1.jpg"], id="cover above the videos"),
    pytest.param(["1.jpg", "s/2.jpg"], [".", "s"], [], id="pictures in both folders"),
    pytest.param(["1.jpg", "2.heic"], ["."], ["2.heic"], id="HEIC among JPEGs"),
    pytest.param(["1.heic", "2.avif"], ["."], ["1.heic", "2.avif"], id="nothing but HEIC"),
    pytest.param(["x.3gp", "y.mts", "z.wmv", "w.ts"], ["w.ts", "x.3gp", "y.mts", "z.wmv"], [],
                 id="old and foreign videos are tried"),
    pytest.param(["A.MP4", "notes.txt"], ["A.MP4"], ["notes.txt"], id="notes"),
    pytest.param(["a.mp4", "a.illumination.json", "Thumbs.db"], ["a.mp4"], [], id="companions"),
    pytest.param(["1.jpg", "frames.csv"], ["."], [], id="times of pictures"),
    pytest.param(["r.flrec/video.mkv", "r.jpg"], ["r.flrec"], ["r.jpg"], id="recording and cover"),
    pytest.param([".x/a.mp4", "1.jpg"], ["."], [], id="hidden folders"),
]  # fmt: skip


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    storage = fsspec.filesystem("memory")
    yield storage
    storage.store.clear()
    storage.pseudo_dirs[:] = [""]


@pytest.mark.parametrize(("files", "sessions", "left"), CASES)
def test_a_folder_says_what_it_takes_and_what_it_leaves(
    files: list[str], sessions: list[str], left: list[str], tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    noted: list[LeftOut] = []
    found = [Path(i.path) for i in Expansion(leave=noted.append).inputs([str(tmp_path)])]
    assert [path.relative_to(tmp_path).as_posix() for path in found] == sessions
    assert [Path(item.path).relative_to(tmp_path).as_posix() for item in noted] == left
    assert all(item.reason for item in noted)


@pytest.mark.parametrize(("files", "sessions", "left"), CASES)
def test_a_storage_is_searched_by_the_same_rule(
    files: list[str], sessions: list[str], left: list[str], memory: fsspec.AbstractFileSystem
) -> None:
    for name in files:
        memory.pipe_file(f"/top/{name}", b"x")
    noted: list[LeftOut] = []
    found = list(list_url("memory://top", noted.append))
    expected = [f"memory:///top/{name}".removesuffix("/.") for name in sessions]
    assert found == expected
    assert [item.path for item in noted] == [f"/top/{name}" for name in left]


def test_a_folder_that_leads_back_to_itself_is_searched_once(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "again").symlink_to(tmp_path)
    assert len(list(Expansion().inputs([str(tmp_path)]))) == 1


def test_a_folder_that_cannot_be_listed_is_an_input_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "z.mp4").touch()
    real = Path.iterdir

    def refused(self: Path) -> Iterator[Path]:
        if self.name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "iterdir", refused)
    found = [Path(i.path).name for i in Expansion().inputs([str(tmp_path)])]
    assert found == ["closed", "z.mp4"]


def test_a_folder_without_sessions_says_how_many_other_files_it_has(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"holds no video.*it has 1 other file"):
        list(Expansion().inputs([str(tmp_path)]))


def test_left_out_files_are_told_by_reason_and_listed_one_by_one() -> None:
    left = LeftOutFiles()
    for number in range(5):
        left.add(LeftOut(f"c{number}.jpg", folders.PICTURE_BESIDE_VIDEOS))
    left.add(LeftOut("=x.txt", folders.NO_SESSION))
    lines = list(left.lines())
    assert lines[0].startswith("left out: 5 files (c0.jpg, c1.jpg, c2.jpg, ...): a picture beside")
    assert lines[1].startswith("left out: 1 file (=x.txt): ")
    table = b"".join(left.csv()).decode().splitlines()
    assert table[0] == "path,reason"
    assert len(table) == 7
    assert table[-1].startswith("'=x.txt,")
    left.close()
