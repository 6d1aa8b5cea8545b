"""Results in an object storage, on real servers: whole, or clearly not; one line for a fault."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from facelight.batch.collector import Request
from facelight.batch.inputs.storage import RemoteError
from facelight.batch.pool.pool import WorkerOptions
from facelight.batch.run import process_all
from facelight.batch.storage_out import StorageOut
from facelight.config.settings import Settings
from facelight.errors import Exit, SettingsError
from tests.e2e.conftest import write_video
from tests.waiting import until

AZURITE_KEY = (  # the emulator's own, the same everywhere
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: answers(port))
            yield
        finally:
            server.kill()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Run an S3 server with one bucket."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    port = free_port()
    variables = {
        "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }  # fmt: skip
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with pytest.MonkeyPatch.context() as patch, running(command, port):
        for name, value in variables.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").mkdir("bucket")
        yield "s3://bucket"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an Azure Blob server with one container."""
    pytest.importorskip("adlfs")
    program = shutil.which("azurite-blob", path=os.environ.get("AZURITE", "") or None)
    if program is None:
        pytest.skip("azurite-blob (npm install azurite) is not on this machine")
    port, folder = free_port(), tmp_path_factory.mktemp("azurite")
    command = [program, "--blobPort", str(port), "--location", str(folder), "--silent",
               "--skipApiVersionCheck"]  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}/devstoreaccount1"
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
        f"AccountKey={AZURITE_KEY};BlobEndpoint={endpoint};"
    )
    with pytest.MonkeyPatch.context() as patch, running(command, port):
        patch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
        fsspec.filesystem("az").mkdir("container")
        yield "az://container"


@pytest.fixture(params=["memory", "s3", "azure"])
def storage(request: pytest.FixtureRequest) -> str:
    """Return a URL below which nothing is, one a server."""
    name = str(request.param)
    root = "memory://results" if name == "memory" else request.getfixturevalue(name)
    return f"{root}/{uuid.uuid4().hex}"


def made(out: StorageOut, name: str, **files: bytes) -> None:
    folder = out.folder / name
    folder.mkdir()
    for inner, content in files.items():
        (folder / inner.replace("_", ".")).write_bytes(content)


def objects(url: str) -> dict[str, bytes]:
    system, root = fsspec.core.url_to_fs(url)
    system.invalidate_cache()
    found = system.find(root)
    begin = root.rstrip("/") + "/"
    return {path.removeprefix(begin): system.cat_file(path) for path in found}


@pytest.mark.slow
def test_a_session_is_sent_whole_and_leaves_its_thumbnail_here(
    storage: str, tmp_path: Path
) -> None:
    with StorageOut(storage, tmp_path / "made") as out:
        made(out, "a", result_json=b"{}", video_webp=b"v" * 100_000, thumbnail_jpg=b"t")
        out.send("a")
        assert list(out.failed(leave=0)) == []
        (out.folder / "summary.csv").write_bytes(b"name\n")
        out.send_tables()
        left = sorted(p.name for p in (out.folder / "a").iterdir())
    assert left == ["thumbnail.jpg"]
    found = objects(storage)
    assert sorted(found) == ["a/result.json", "a/thumbnail.jpg", "a/video.webp", "summary.csv"]
    assert found["a/video.webp"] == b"v" * 100_000


@pytest.mark.slow
def test_a_session_that_is_made_anew_leaves_nothing_of_the_old_one(
    storage: str, tmp_path: Path
) -> None:
    for turn, files in enumerate(({"video_webp": b"old"}, {"frames_csv": b"new"})):
        with StorageOut(storage, tmp_path / str(turn)) as out:
            out.bring("a", whole=True)
            assert (out.folder / "a").exists() is bool(turn)
            shutil.rmtree(out.folder / "a", ignore_errors=True)
            made(out, "a", result_json=b"{}", **files)
            out.send("a")
            assert list(out.failed(leave=0)) == []
    assert sorted(objects(storage)) == ["a/frames.csv", "a/result.json"]


class _Full:
    """A storage that refuses one object, and notes what it is asked for."""

    def __init__(self, inner: Any, refused: str) -> None:
        self._inner = inner
        self._refused = refused

    def put_file(self, local: str, path: str) -> None:
        if path.endswith(self._refused):
            raise OSError("no space")
        self._inner.put_file(local, path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize("refused", ["video.webp", "result.json"])
def test_a_session_that_cannot_be_written_is_clearly_not_there(
    refused: str, tmp_path: Path
) -> None:
    url = f"memory://full/{uuid.uuid4().hex}"
    with StorageOut(url, tmp_path / "1") as out:
        made(out, "a", result_json=b"old", video_webp=b"old")
        out.send("a")
        assert list(out.failed(leave=0)) == []
    with StorageOut(url, tmp_path / "2") as out:
        out._storage = _Full(out._storage, refused)
        made(out, "a", result_json=b"{}", video_webp=b"v")
        out.send("a")
        ((name, error),) = out.failed(leave=0)
    assert name == "a"
    assert "cannot be written" in str(error)
    assert "a/result.json" not in objects(url)


@pytest.mark.slow
@pytest.mark.parametrize("server", ["s3", "azure"])
def test_a_bucket_that_is_not_there_is_one_line(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    scheme = str(request.getfixturevalue(server)).partition("://")[0]
    url = f"{scheme}://{uuid.uuid4().hex}/x"
    with pytest.raises(RemoteError, match=url) as refused, StorageOut(url, tmp_path / "made"):
        pass
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://host/x", "zip://a::s3://b"])
def test_what_cannot_be_written_to_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--out: expected"):
        StorageOut(url, tmp_path)


@pytest.mark.slow
def test_a_batch_goes_to_a_storage_and_resumes_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        (tmp_path / "in").mkdir(exist_ok=True)
        frames = [np.full((120, 160, 3), 20 + 5 * number + k, np.uint8) for k in range(4)]
        write_video(tmp_path / "in" / f"s{number}.mkv", frames)
    (tmp_path / "in" / "damaged.mkv").write_bytes(b"no video")
    url = f"memory://batch/{uuid.uuid4().hex}"
    request = Request((str(tmp_path / "in"),), Path(), resume=True, storage=url)
    options = WorkerOptions()
    assert process_all(request, Settings(), options) is Exit.FAILED
    first = objects(url)
    assert {"s0/result.json", "s0/report.html", "damaged/result.json"} < set(first)
    assert {"summary.csv", "results.jsonl", "index.html"} < set(first)
    (tmp_path / "in" / "damaged.mkv").unlink()
    capsys.readouterr()
    assert process_all(request, Settings(), options) is Exit.DONE
    second = objects(url)
    assert second["s0/result.json"] == first["s0/result.json"]
    assert second["summary.csv"].count(b"\n") == 3
