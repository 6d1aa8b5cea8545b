"""A worker that crashes, hangs, eats memory or is killed costs one input, at its second time."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from facelight.batch.job import Job, WorkerLost
from facelight.batch.pool import slot
from facelight.batch.pool.pool import WorkerOptions, WorkerPool, usable_cores
from facelight.config.settings import Settings
from facelight.errors import SettingsError
from facelight.result import ErrorRecord, ResultRecord, read_result
from tests.facelight.misbehaving import work

pytestmark = pytest.mark.slow

OPTIONS = WorkerOptions(workers=2, timeout_s=3600.0, memory_mb=600)
"""No input of a test ends by the time limit that is to end by something else."""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def jobs(names: list[str], out: Path) -> Iterator[Job]:
    return (Job(f"{name}.mkv", name, out, place) for place, name in enumerate(names))


def results(
    names: list[str], scratch: Path, options: WorkerOptions = OPTIONS
) -> dict[str, ResultRecord]:
    out = scratch.parent / "out"
    with WorkerPool(options, scratch, work) as workers:
        done = list(workers.run(jobs(names, out), Settings()))
    return {f.job.name: f.result for f in done if f.result is not None}


def tries(scratch: Path) -> Counter[int]:
    return Counter(map(int, (scratch / "tries").read_text().split()))


def test_whatever_happens_to_one_input_the_others_are_done(scratch: Path) -> None:
    bad = {
        "segfault": "its worker was ended by SIGSEGV",
        "killed": "its worker was ended by SIGKILL",
        "greedy": "its worker needed over 600 MB (--worker-memory-mb)",
    }
    names = ["good0", "segfault", "once-exit", "killed", "good1", "greedy", "good2"]
    check_results(names, bad, scratch, OPTIONS)


def test_an_input_that_takes_too_long_costs_itself_alone(scratch: Path) -> None:
    bad = {"stubborn": "not finished within 2 s (--timeout-s)"}
    names = ["good0", "stubborn", "good1"]
    check_results(names, bad, scratch, WorkerOptions(workers=1, timeout_s=2.0, memory_mb=600))


def check_results(
    names: list[str], bad: dict[str, str], scratch: Path, options: WorkerOptions
) -> None:
    found = results(names, scratch, options)
    assert set(found) == set(names)
    assert {n for n, r in found.items() if r.status == "accepted"} == set(names) - set(bad)
    for name, told in bad.items():
        message = f"{name}.mkv: {told}, 2 times"
        assert found[name].error == ErrorRecord(code="WorkerLost", message=message)
        assert read_result(scratch.parent / "out" / name) == found[name]
    assert tries(scratch) == {i: 1 if "good" in name else 2 for i, name in enumerate(names)}


def test_a_worker_that_is_killed_between_two_inputs_costs_none(scratch: Path) -> None:
    with WorkerPool(WorkerOptions(workers=1), scratch, work) as workers:
        first = next(workers.run(jobs(["good"], scratch), Settings()))
        assert first.result
        os.kill(int(first.result.detail), signal.SIGKILL)
        names = ["slow", "good1", "good2"]
        found = [f.result for f in workers.run(jobs(names, scratch), Settings())]
    assert [result.status for result in found if result] == ["accepted"] * 3


def test_workers_that_cannot_begin_end_the_batch_with_the_reason(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "serve", os._exit)  # takes the pipe for an exit code: a TypeError
    with pytest.raises(WorkerLost, match="ended 6 times before they began"):
        results(["good"], scratch)


def test_inputs_are_taken_as_they_are_needed_by_workers_that_stay(scratch: Path) -> None:
    taken, seen = [], set()

    def stream() -> Iterator[Job]:
        for job in jobs([f"good{i}" for i in range(100)], scratch):
            taken.append(job.place)
            yield job

    with WorkerPool(WorkerOptions(workers=2), scratch, work) as workers:
        for count, finished in enumerate(workers.run(stream(), Settings()), start=1):
            assert len(taken) <= count + 3  # two may arrive at once, two are under way
            assert finished.result is not None
            seen.add(finished.result.detail)
    assert len(taken) == 100
    assert len(seen) <= 2


def test_leaving_in_the_middle_ends_the_workers_and_keeps_what_is_finished(scratch: Path) -> None:
    with WorkerPool(WorkerOptions(workers=1), scratch, work) as workers:
        stream = workers.run(jobs(["good0", "good1", "good2"], scratch), Settings())
        next(stream)
        assert next(stream).job.name == "good1"
        pipe = workers._slots[0].pipe
        assert pipe is not None
        assert pipe.poll(60.0)
        stream.close()
        left = workers.interrupted()
    assert [finished.job.name for finished in left] == ["good1", "good2"]
    assert all(finished.result for finished in left)
    assert not multiprocessing.active_children()


def test_a_directory_written_just_before_the_end_counts_as_finished(
    scratch: Path, tmp_path: Path
) -> None:
    with WorkerPool(WorkerOptions(workers=2), scratch, work) as workers:
        stream = workers.run(jobs(["good", "hang", "hang1"], tmp_path), Settings())
        next(stream)
        (tmp_path / "hang").mkdir()
        (tmp_path / "hang" / "result.json").write_text("{}")
        (tmp_path / ".hang1.0123456789ab.part").mkdir()
        stream.close()
        assert [finished.job.name for finished in workers.interrupted()] == ["good", "hang"]
    assert not list(tmp_path.glob(".*.part"))


def test_workers_do_not_hear_ctrl_c(scratch: Path) -> None:
    with WorkerPool(WorkerOptions(workers=1), scratch, work) as workers:
        stream = workers.run(jobs(["good", "slow"], scratch), Settings())
        first = next(stream).result
        assert first is not None
        worker = psutil.Process(int(first.detail))
        worker.send_signal(signal.SIGINT)
        assert next(stream).job.name == "slow"
        assert worker.is_running()


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        ({"workers": 0}, "--workers"),
        ({"workers": -1}, "--workers"),
        ({"timeout_s": 0.0}, "--timeout-s"),
        ({"timeout_s": float("nan")}, "--timeout-s"),
        ({"memory_mb": 100}, "--worker-memory-mb"),
    ],
)
def test_a_limit_out_of_range_names_its_flag(options: dict[str, Any], flag: str) -> None:
    with pytest.raises(SettingsError, match=flag):
        WorkerOptions(**options)


def test_there_is_a_core_to_use() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("spare", "workers", "inputs", "cores"),
    [
        pytest.param(True, 8, 1, 8, id="one input has the machine to itself"),
        pytest.param(True, 8, 3, 2, id="a few share it"),
        pytest.param(True, 8, 100, 1, id="a batch takes a core an input"),
        pytest.param(False, 1, 1, 1, id="workers that were asked for take one core each"),
    ],
)
def test_cores_that_no_input_needs_help_the_others(
    spare: bool, workers: int, inputs: int, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facelight.batch.pool.pool.usable_cores", lambda: 8)
    assert WorkerOptions(workers, spare_cores=spare).cores_each(inputs) == cores
