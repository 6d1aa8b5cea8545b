"""Inputs behind URLs: listed like folders, copied privately, their faults told in one line."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from facelight.batch.inputs.listing import Expansion, InputError
from facelight.batch.inputs.storage import RemoteError, fetched, list_url
from facelight.batch.job import Job, failed
from facelight.config.settings import Settings

TREE = (
    "/in/b.mkv",
    "/in/b.illumination.json",
    "/in/a.mp4",
    "/in/notes.txt",
    "/in/deep/c.webm",
    "/in/.hidden/x.mp4",
    "/in/pictures/1.jpg",
    "/in/pictures/times.csv",
    "/in/pictures.illumination.json",
    "/in/r.flrec/video.mkv",
    "/in/r.flrec/session.json",
    "/in/r.flrec/notes.txt",
)


class LockedFileSystem(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A storage whose driver finds no credentials."""

    protocol = ("locked",)

    def isdir(self, path: str) -> bool:
        raise NoCredentialsError(f"Unable to locate credentials for {path}?sig=secret")

    def get_file(self, rpath: str, lpath: str, **_: Any) -> None:
        self.isdir(rpath)


class NoCredentialsError(Exception):
    """As botocore's: of no common root."""


@pytest.fixture(autouse=True)
def storage() -> Iterator[Any]:
    fsspec.register_implementation("locked", LockedFileSystem, clobber=True)
    memory = fsspec.filesystem("memory")
    for name in TREE:
        memory.pipe_file(name, name.encode())
    yield memory
    memory.rm("/", recursive=True)
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def expand(given: list[str]) -> Iterator[str]:
    return (item.path for item in Expansion().inputs(given))


def job(url: str) -> Job:
    return Job(url, "name", Path("out"))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param("", ["a.mp4", "b.mkv", "deep/c.webm", "pictures", "r.flrec"], id="folder"),
        pytest.param("/*.m*", ["a.mp4", "b.mkv"], id="wildcards"),
        pytest.param("/pictures", ["pictures"], id="images"),
    ],
)
def test_a_url_is_listed_like_a_path(given: str, found: list[str]) -> None:
    assert list(list_url(f"memory://in{given}")) == [f"memory:///in/{name}" for name in found]


@pytest.mark.parametrize("name", ["b.mkv", "r.flrec", "gone.mkv", "gone.mkv?versionId=1"])
def test_what_can_only_be_one_session_is_not_looked_up(name: str) -> None:
    assert list(list_url(f"locked://in/{name}")) == [f"locked://in/{name}"]


def test_a_list_file_may_name_urls(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("memory://in/b.mkv\nmemory://in/*.mp4\n")
    assert list(expand([f"@{listing}"])) == ["memory://in/b.mkv", "memory:///in/a.mp4"]


def test_a_chain_of_protocols_keeps_its_other_links(storage: Any, tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        zipped.writestr("s/a.mkv", b"zipped")
    storage.pipe_file("/x.zip", content.getvalue())
    urls = list(list_url("zip://s/*.mkv::memory://x.zip"))
    assert urls == ["zip://s/a.mkv::memory://x.zip"]
    with fetched(job(urls[0]), tmp_path) as here:
        assert here.path.read_bytes() == b"zipped"


@pytest.mark.parametrize(
    ("url", "files"),
    [
        pytest.param("memory://in/b.mkv", {"b.mkv", "b.illumination.json"}, id="video and light"),
        pytest.param("memory://in/a.mp4", {"a.mp4"}, id="video alone"),
        pytest.param(
            "memory://in/pictures",
            {"pictures/1.jpg", "pictures/times.csv", "pictures.illumination.json"},
            id="images",
        ),
        pytest.param(
            "memory://in/r.flrec", {"r.flrec/video.mkv", "r.flrec/session.json"}, id="recording"
        ),
    ],
)
def test_a_copy_is_complete_private_and_gone_afterwards(
    url: str, files: set[str], tmp_path: Path
) -> None:
    with fetched(job(url), tmp_path) as here:
        folder = here.path.parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        copied = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.relative_to(folder).as_posix() for path in copied} == files
        assert all(path.read_bytes().decode().endswith(path.name) for path in copied)
    assert not list(tmp_path.iterdir())


def test_a_copy_goes_also_when_the_work_on_it_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), fetched(job("memory://in/b.mkv"), tmp_path):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_path_is_not_copied(tmp_path: Path) -> None:
    with fetched(job("some/a.mkv"), tmp_path) as here:
        assert here.path == Path("some/a.mkv")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("nonsense://x/a.mkv", "unknown protocol nonsense://", id="protocol"),
        pytest.param("s3://bucket/a.mkv", r"pip install 'fsspec\[s3\]'", id="driver"),
        pytest.param("az://container/a.mkv", r"pip install 'fsspec\[abfs\]'", id="another driver"),
        pytest.param("locked://x/a.mkv", "are there credentials for locked://", id="credentials"),
        pytest.param("memory://in/gone.mkv", "no such file", id="missing"),
    ],
)
def test_what_cannot_be_fetched_is_told_in_one_line(url: str, told: str, tmp_path: Path) -> None:
    if "pip" in told and fsspec_has(url):
        pytest.skip("the driver is installed here")
    with pytest.raises(RemoteError, match=told) as caught, fetched(job(url), tmp_path):
        pass
    assert str(caught.value).startswith(f"{url}: ")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def fsspec_has(url: str) -> bool:
    try:
        fsspec.get_filesystem_class(url.partition("://")[0])
    except ImportError:
        return False
    return True


def test_a_listing_that_fails_is_an_error_before_anything_is_processed() -> None:
    with pytest.raises(RemoteError, match="are there credentials"):
        list(expand(["locked://x"]))
    with pytest.raises((RemoteError, InputError), match="holds no video"):
        list(expand(["memory://in/deep/*.mkv"]))


def test_what_is_wrong_with_a_copy_is_told_of_the_url(tmp_path: Path) -> None:
    url = "memory://me:secret@in/b.mkv"
    local = tmp_path / "input-0" / "b.mkv"
    told = failed(Job(url, "b", tmp_path, local=local), Settings(), ValueError(f"{local}: empty"))
    assert told.error is not None
    assert told.error.message == "memory://in/b.mkv: empty"
    assert told.input == "b.mkv"
