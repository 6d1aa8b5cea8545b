"""A batch that is disturbed: killed workers, Ctrl-C, a killed coordinator, resumed runs."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import fsspec
import numpy as np
import psutil
import pytest

from facelight.batch.collector import Request
from facelight.batch.pool.pool import WorkerOptions
from facelight.batch.run import process_all
from facelight.config.settings import Settings
from facelight.errors import Exit
from tests.e2e.conftest import Run, is_pace, write_video
from tests.waiting import ctrl_c_reaches_children

pytestmark = pytest.mark.slow

COUNT = 8


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small videos without a face, no two alike."""
    folder = tmp_path_factory.mktemp("sessions")
    write_sessions(folder, COUNT)
    return folder


def write_sessions(folder: Path, count: int) -> None:
    """Write videos; the last two are long, so that a signal after the first meets work."""
    for index in range(count):
        length = 4 if index < count - 2 else 40
        frames = [np.full((120, 160, 3), 20 + 5 * index + k, np.uint8) for k in range(length)]
        write_video(folder / f"s{index:02d}.mkv", frames)


@pytest.fixture(scope="module")
def clean(run: Run, sessions: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All files of an undisturbed run with one worker."""
    out = tmp_path_factory.mktemp("clean")
    assert run("process", sessions, "--out", out, "--workers", 1).returncode == 0
    return files(out)


def files(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start ``facelight process`` in a group of its own and read its output line by line."""
    command = [sys.executable, "-m", "facelight", "process", *map(str, arguments)]
    env = {k: v for k, v in os.environ.items() if not k.startswith("FACELIGHT_")}
    with ctrl_c_reaches_children():
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
            start_new_session=True,
        )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def read_results(process: subprocess.Popen[str], count: int) -> None:
    """Wait for the lines of ``count`` results; a slow one says how it goes as well."""
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    for _ in islice((line for line in lines if not is_pace(line)), count):
        pass


def test_workers_that_are_killed_change_no_result(
    sessions: Path, clean: dict[str, bytes], tmp_path: Path
) -> None:
    with started(sessions, "--out", tmp_path, "--workers", 2) as process:
        read_results(process, 2)
        for worker in workers_of(process):
            worker.kill()
        told, _ = process.communicate(timeout=300)
        assert process.returncode == 0, told
    assert files(tmp_path) == clean


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_batch_keeps_what_is_finished_and_leaves_no_children(
    signal_: signal.Signals, sessions: Path, clean: dict[str, bytes], run: Run, tmp_path: Path
) -> None:
    with started(sessions, "--out", tmp_path, "--workers", 2) as process:
        read_results(process, 3)
        children = psutil.Process(process.pid).children(recursive=True)
        if signal_ is signal.SIGINT:
            os.killpg(process.pid, signal_)  # as a terminal does
        else:
            process.send_signal(signal_)
        told, _ = process.communicate(timeout=300)
        assert process.returncode == 130
        assert "Traceback" not in told
    psutil.wait_procs(children, timeout=120)
    assert not [child for child in children if child.is_running()]
    assert sorted(summary_names(tmp_path)) == sorted(whole(tmp_path))
    assert 3 <= len(whole(tmp_path)) < COUNT
    assert not list(tmp_path.glob(".*"))
    assert_resumed_once(sessions, clean, run, tmp_path)


def test_a_killed_coordinator_takes_its_workers_along_and_is_resumed(
    sessions: Path, clean: dict[str, bytes], run: Run, tmp_path: Path
) -> None:
    with started(sessions, "--out", tmp_path, "--workers", 2) as process:
        read_results(process, 3)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    gone, alive = psutil.wait_procs(children, timeout=120)
    assert not alive, gone
    assert_resumed_once(sessions, clean, run, tmp_path)


def whole(out: Path) -> list[str]:
    return [path.parent.name for path in out.glob("*/result.json") if path.parent.name[0] != "."]


def summary_names(out: Path) -> list[str]:
    with (out / "summary.csv").open(newline="") as file:
        return [row["name"] for row in csv.DictReader(file)]


def assert_resumed_once(sessions: Path, clean: dict[str, bytes], run: Run, out: Path) -> None:
    """Resume; what was finished is not done again, all is as in the clean run."""
    before = {name: (out / name / "result.json").stat().st_mtime_ns for name in whole(out)}
    assert before
    done = run("process", sessions, "--out", out, "--workers", 2, "--resume")
    assert done.returncode == 0, done.stderr
    found = files(out)
    leftovers = {name for name in found if name.startswith(".")}
    assert {name: found[name] for name in found if name not in leftovers} == clean
    after = {name: (out / name / "result.json").stat().st_mtime_ns for name in before}
    assert after == before


def test_resuming_redoes_what_changed_and_what_failed(
    sessions: Path, call: Run, tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for index in range(4):
        (folder / f"s{index}.mkv").write_bytes((sessions / f"s0{index}.mkv").read_bytes())
    (folder / "s3.mkv").write_bytes(b"broken")
    assert call("process", folder, "--out", out).returncode == 1
    times = done_at(out)

    (folder / "s1.mkv").write_bytes((sessions / "s05.mkv").read_bytes())
    (folder / "s3.mkv").write_bytes((sessions / "s03.mkv").read_bytes())
    assert call("process", folder, "--out", out, "--resume").returncode == 0
    assert changed(out, times) == {"s1", "s3"}

    times = done_at(out)
    speed = ["--set", "clip.workers=7", "--set", "clip.hold_back=0"]
    assert call("process", folder, "--out", out, "--resume", *speed).returncode == 0
    assert changed(out, times) == set()
    assert call("process", folder, "--out", out, "--resume", "--target-bytes", 9000).returncode == 0
    assert changed(out, times) == {"s0", "s1", "s2", "s3"}


def done_at(out: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("*/result.json")}


def changed(out: Path, before: dict[str, int]) -> set[str]:
    return {name for name, at in done_at(out).items() if at != before[name]}


def test_urls_give_the_results_of_files_and_leave_no_copy(
    sessions: Path, clean: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    memory = fsspec.filesystem("memory")
    memory.put(str(sessions) + "/", "/batch/", recursive=True)
    try:
        request = Request(("memory://batch", "memory://batch/gone.mkv"), tmp_path / "out")
        assert process_all(request, Settings(), WorkerOptions(workers=2)) is Exit.FAILED
    finally:
        memory.rm("/batch", recursive=True)
    assert not list((tmp_path / "tmp").iterdir())
    found = files(tmp_path / "out")
    told = json.loads(found.pop("gone/result.json"))["error"]["message"]
    assert told == "memory://batch/gone.mkv: no such file or folder"
    sessions_only = {name for name in clean if "/" in name}
    assert {name: found[name] for name in sessions_only} == {n: clean[n] for n in sessions_only}


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_thousand_inputs_stream_through_bounded_memory(tmp_path: Path) -> None:
    count = 2000
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for index in range(20):
        frames = [np.full((120, 160, 3), 20 + 5 * index + k, np.uint8) for k in range(4)]
        write_video(folder / f"s{index:04d}.mkv", frames)
    for index in range(20, count):
        (folder / f"s{index:04d}.mkv").hardlink_to(folder / f"s{index % 20:04d}.mkv")
    held = []
    with started(folder, "--out", out, "--workers", 2) as process:
        coordinator = psutil.Process(process.pid)
        for done in range(count // 50):
            read_results(process, 50)
            held.append(coordinator.memory_info().rss / 1e6)
            if done % 10 == 5:
                workers_of(process)[0].kill()
        process.communicate(timeout=300)
        assert process.returncode == 0
    (tmp_path / "figures.txt").write_text(f"{held}\n")
    assert len(whole(out)) == len(summary_names(out)) == count
    assert max(held[4:]) - held[3] < 10
