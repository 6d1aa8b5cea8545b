"""``process --scheduler`` gives what ``process --workers`` gives, whatever happens on the way."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import fsspec
import psutil
import pytest
from distributed import LocalCluster

from facelight.batch.collector import Request
from facelight.batch.dask import cluster as module
from facelight.batch.pool.pool import WorkerOptions
from facelight.batch.run import process_all
from facelight.config.settings import Settings
from facelight.errors import Exit
from facelight.service.server import LocalService
from tests.clusters import dask_workers, local_cluster
from tests.e2e.conftest import Run, is_pace, read_video, write_video
from tests.e2e.test_batch import (
    files,
    read_results,
    started,
    summary_names,
    whole,
    write_sessions,
)

pytestmark = pytest.mark.slow

COUNT = 8
BROKEN = "s05"


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small videos without a face, no two alike, and one that is none."""
    folder = tmp_path_factory.mktemp("sessions")
    write_sessions(folder, COUNT)
    (folder / f"{BROKEN}.mkv").write_bytes(b"broken")
    return folder


@pytest.fixture(scope="module")
def clean(run: Run, sessions: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All files of a run on this machine."""
    out = tmp_path_factory.mktemp("clean")
    assert run("process", sessions, "--out", out, "--workers", 1).returncode == Exit.FAILED
    return files(out)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with local_cluster(tmp_path_factory.mktemp("dask")) as running:
        yield running


@pytest.fixture
def dask(cluster: LocalCluster) -> LocalCluster:
    cluster.wait_for_workers(2, timeout=200)
    return cluster


def test_every_byte_is_that_of_a_local_run_and_resuming_does_nothing_again(
    dask: LocalCluster, sessions: Path, clean: dict[str, bytes], run: Run, tmp_path: Path
) -> None:
    out, here = tmp_path / "out", tmp_path / "cwd"
    here.mkdir()
    batch = ("process", sessions, "--out", out, "--scheduler", dask.scheduler_address)
    done = run(*batch, cwd=here)
    assert done.returncode == Exit.FAILED
    (told,) = [line for line in done.stderr.splitlines() if not is_pace(line)]
    assert told.startswith(f"error: {sessions / BROKEN}.mkv: no video")
    assert files(out) == clean
    assert not list(here.iterdir())
    times = {name: (out / name / "result.json").stat().st_mtime_ns for name in whole(out)}
    assert run(*batch, "--resume", cwd=here).returncode == Exit.FAILED
    assert files(out) == clean
    changed = {n for n, at in times.items() if (out / n / "result.json").stat().st_mtime_ns != at}
    assert changed == {BROKEN}


def test_an_interrupted_batch_keeps_what_is_finished_and_is_resumed_anywhere(
    dask: LocalCluster, sessions: Path, clean: dict[str, bytes], run: Run, tmp_path: Path
) -> None:
    address = dask.scheduler_address
    with started(sessions, "--out", tmp_path, "--scheduler", address) as process:
        read_results(process, 2)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=300)
        assert process.returncode == 130, told
    assert "Traceback" not in told
    assert 2 <= len(whole(tmp_path)) <= COUNT
    assert sorted(summary_names(tmp_path)) == sorted(whole(tmp_path))
    assert not list(tmp_path.glob(".*"))
    children = [child for worker in dask_workers(dask) for child in worker.children()]
    _, alive = psutil.wait_procs(children, timeout=120)
    assert not alive
    run("process", sessions, "--out", tmp_path, "--workers", 2, "--resume")
    assert files(tmp_path) == clean


def test_real_faces_are_encoded_alike_and_delivered_from_here(
    dask: LocalCluster, footage: Path, run: Run, service: LocalService, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "face.mkv", read_video(footage / "videos" / "s18.mp4", 40))
    few = ("--set", "clip.max_frames=8")
    local, sent = tmp_path / "local", tmp_path / "sent"
    assert run("process", video, "--out", local, "--workers", 1, *few).returncode == 0
    far = ("--scheduler", dask.scheduler_address, "--submit", "--endpoint", service.url)
    done = run("process", video, "--out", sent, *far, *few)
    assert done.returncode == 0, done.stderr
    for name in ("video.webp", "metadata.json", "frames.csv"):
        assert (sent / "face" / name).read_bytes() == (local / "face" / name).read_bytes()
    outcome = json.loads((sent / "face" / "result.json").read_text())["outcome"]
    assert (outcome["status"], outcome["error"]) == (200, None)


def test_what_only_this_process_sees_is_brought_to_workers_that_share_the_disk(
    dask: LocalCluster, sessions: Path, clean: dict[str, bytes], tmp_path: Path
) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(sessions / "s00.mkv"), "/far/s00.mkv")
    try:
        given = ("memory://far/s00.mkv", "memory://far/gone.mkv")
        request = Request(given, tmp_path, scheduler=dask.scheduler_address)
        assert process_all(request, Settings(), WorkerOptions()) is Exit.FAILED
    finally:
        memory.rm("/far", recursive=True)
    found = files(tmp_path)
    told = json.loads(found["gone/result.json"])["error"]["message"]
    assert told == "memory://far/gone.mkv: no such file or folder"
    names = {name for name in clean if name.startswith("s00/")}
    assert {name: found[name] for name in names} == {name: clean[name] for name in names}


@pytest.mark.parametrize(
    ("address", "code", "told"),
    [
        ("127.0.0.1:8786", 2, "error: --scheduler: expected tcp://host:port, got '127.0.0.1:8786'"),
        ("tcp://127.0.0.1:9", 1, "error: --scheduler tcp://127.0.0.1:9: no Dask scheduler answers"),
    ],
)
def test_a_scheduler_that_is_none_is_one_line(
    address: str, code: int, told: str, call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 0.3)
    video = tmp_path / "session.mkv"
    video.touch()
    done = call("process", video, "--out", tmp_path / "out", "--scheduler", address)
    assert done.returncode == code
    assert done.stderr.startswith(told)
    assert len(done.stderr.splitlines()) == 1
    assert not whole(tmp_path / "out")


def test_workers_and_scheduler_exclude_each_other(call: Run, tmp_path: Path) -> None:
    both = ("--workers", 2, "--scheduler", "tcp://127.0.0.1:8786")
    done = call("process", tmp_path, "--out", tmp_path, *both)
    assert done.returncode == 2
    assert "--workers and --scheduler exclude each other" in done.stderr


def test_a_dask_worker_killed_in_the_middle_changes_no_result(
    dask: LocalCluster, sessions: Path, clean: dict[str, bytes], tmp_path: Path
) -> None:
    """The last of the module: on a busy machine its nanny does not always start it again."""
    good = [path for path in sorted(sessions.iterdir()) if path.stem != BROKEN]
    address = dask.scheduler_address
    with started(*good, "--out", tmp_path, "--scheduler", address) as process:
        read_results(process, 1)
        dask_workers(dask)[0].kill()
        told, _ = process.communicate(timeout=300)
        assert process.returncode == 0, told
    assert "Traceback" not in told
    found = files(tmp_path)
    assert sorted(summary_names(tmp_path)) == [path.stem for path in good]
    folders = {name for name in clean if "/" in name and not name.startswith(BROKEN)}
    assert {name: found[name] for name in folders} == {name: clean[name] for name in folders}
