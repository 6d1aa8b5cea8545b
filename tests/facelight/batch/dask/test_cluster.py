"""On a Dask cluster as on one machine: what crashes costs itself alone, a lost worker nothing."""

from __future__ import annotations

import dataclasses
import fcntl
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
from distributed import Client, LocalCluster, Worker

from facelight.batch.dask import cluster as module
from facelight.batch.dask import cluster_worker
from facelight.batch.dask.cluster import Cluster, ClusterError, check_versions
from facelight.batch.dask.cluster_versions import PACKAGES, here
from facelight.batch.dask.cluster_worker import Isolation
from facelight.batch.job import Job
from facelight.batch.pool.pool import WorkerOptions
from facelight.config.settings import Settings
from facelight.errors import Exit, SettingsError
from facelight.result import ErrorRecord, ResultRecord, read_result
from tests.clusters import dask_workers, local_cluster
from tests.facelight.misbehaving import work
from tests.waiting import until

OPTIONS = WorkerOptions(timeout_s=3600.0, memory_mb=600)
"""No input of a test ends by the time limit that is to end by something else."""


def sinking(job: Job, settings: Settings, scratch: Path) -> ResultRecord | None:
    """Work that can take the whole Dask worker along, as the end of a container does."""
    if "sink" in job.name:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)
    return work(job, settings, scratch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dask")


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[LocalCluster]:
    with local_cluster(folder) as started:
        yield started


@pytest.fixture
def dask(cluster: LocalCluster) -> LocalCluster:
    """The cluster, whole again after what the last test did to it."""
    cluster.wait_for_workers(2, timeout=200)
    return cluster


@pytest.fixture(autouse=True)
def nothing_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    here = tmp_path / "cwd"
    here.mkdir()
    monkeypatch.chdir(here)
    yield
    assert not list(here.iterdir())


def jobs(names: list[str], out: Path) -> Iterator[Job]:
    return (Job(f"{name}.mkv", name, out, place) for place, name in enumerate(names))


def processes_of(dask: LocalCluster) -> list[psutil.Process]:
    return [child for worker in dask_workers(dask) for child in worker.children()]


def ours_below(folder: Path) -> list[Path]:
    return list(folder.glob("dask-scratch-space/worker-*/facelight-*"))


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """Runs work on the cluster and checks what has become of each input."""

    dask: LocalCluster
    folder: Path
    out: Path

    def check(self, options: WorkerOptions, names: list[str], bad: dict[str, str]) -> None:
        with Cluster(self.dask.scheduler_address, options, work) as engine:
            found = {f.job.name: f.result for f in engine.run(jobs(names, self.out), Settings())}
            tries = [path.read_text() for path in self.folder.glob("**/tries")]
        assert set(found) == set(names)
        good = {n for n, result in found.items() if result and result.status == "accepted"}
        assert good == set(names) - set(bad)
        for name, told in bad.items():
            written = read_result(self.out / name)
            assert written == found[name]
            message = f"{name}.mkv: {told}, 2 times"
            assert written.error == ErrorRecord(code="WorkerLost", message=message)
        counted = Counter(map(int, "".join(tries).split()))
        assert counted == {i: 1 if "good" in name else 2 for i, name in enumerate(names)}


@pytest.fixture
def outcomes(dask: LocalCluster, folder: Path, tmp_path: Path) -> Outcomes:
    return Outcomes(dask, folder, tmp_path)


@pytest.mark.slow
def test_whatever_happens_to_one_input_the_others_are_done(outcomes: Outcomes) -> None:
    bad = {
        "segfault": "its worker was ended by SIGSEGV",
        "killed": "its worker was ended by SIGKILL",
        "greedy": "its worker needed over 600 MB (--worker-memory-mb)",
    }
    names = ["good0", "segfault", "once-exit", "killed", "good1", "greedy", "good2"]
    outcomes.check(OPTIONS, names, bad)
    until(lambda: not processes_of(outcomes.dask))
    until(lambda: not ours_below(outcomes.folder))


@pytest.mark.slow
def test_an_input_that_takes_too_long_costs_itself_alone(outcomes: Outcomes) -> None:
    options = WorkerOptions(timeout_s=2.0, memory_mb=600)
    bad = {"stubborn": "not finished within 2 s (--timeout-s)"}
    outcomes.check(options, ["good0", "stubborn", "good1"], bad)


@pytest.mark.slow
def test_an_input_that_takes_its_dask_worker_along_is_reported_and_its_neighbours_are_done(
    tmp_path: Path,
) -> None:
    names = ["good0", "sink", *(f"good{i}" for i in range(1, 6))]
    with (  # it takes two of the three along; a nanny may give up on a worker that ends so soon
        local_cluster(tmp_path / "dask", workers=3, allowed_failures=0) as dask,
        Cluster(dask.scheduler_address, OPTIONS, sinking) as engine,
    ):
        found = {f.job.name: f.result for f in engine.run(jobs(names, tmp_path), Settings())}
    assert {n for n, r in found.items() if r and r.status == "accepted"} == set(names) - {"sink"}
    assert found["sink"] is not None
    message = "sink.mkv: its Dask worker was lost, 1 times"
    assert found["sink"].error == ErrorRecord(code="WorkerLost", message=message)


@pytest.mark.slow
def test_leaving_in_the_middle_keeps_what_is_finished_and_ends_the_processes(
    dask: LocalCluster, folder: Path, tmp_path: Path
) -> None:
    names = ["good0", "good1", "hang"]
    with Cluster(dask.scheduler_address, OPTIONS, work) as engine:
        stream = engine.run(jobs(names, tmp_path), Settings())
        next(stream)
        until(lambda: [f.status for f in engine._flying].count("finished") == 1)
        left = engine.interrupted()
        stream.close()
    assert sorted(finished.job.name for finished in left) == ["good0", "good1"]
    assert all(finished.result for finished in left)
    until(lambda: not processes_of(dask))
    until(lambda: not ours_below(folder))


@pytest.mark.slow
def test_inputs_are_taken_as_they_are_needed(dask: LocalCluster, tmp_path: Path) -> None:
    taken = []

    def stream() -> Iterator[Job]:
        for job in jobs([f"good{i}" for i in range(60)], tmp_path):
            taken.append(job.place)
            yield job

    with Cluster(dask.scheduler_address, OPTIONS, work) as engine:
        for count, _ in enumerate(engine.run(stream(), Settings()), start=1):
            assert len(taken) <= count + 2 * 2 * 2  # a batch of four may land, four are under way
    assert len(taken) == 60


@pytest.mark.slow
def test_a_directory_that_cannot_be_written_costs_its_input_alone(
    dask: LocalCluster, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.touch()
    given = [Job("broken.mkv", "broken", blocked, 0, tmp_path / "none"), *jobs(["good"], tmp_path)]
    with Cluster(dask.scheduler_address, OPTIONS) as engine:
        found = {f.job.name: f.result for f in engine.run(given, Settings())}
    assert found["broken"] is not None
    assert found["broken"].error is not None
    assert found["broken"].error.code == "OutputError"
    assert "good" in found


@pytest.mark.slow
def test_an_input_that_a_worker_does_not_see_ends_the_batch_with_the_cure(
    dask: LocalCluster, tmp_path: Path
) -> None:
    here = tmp_path / "session.mkv"
    with here.open("wb") as file:
        mine = fcntl.fcntl(file, fcntl.F_DUPFD, 900)  # a path that exists in this process alone
        try:
            given = Job(f"/proc/self/fd/{mine}", "session", tmp_path)
            told = "2 of 2 do not.*expected inputs on a file system that all share, or URLs"
            with (
                Cluster(dask.scheduler_address, OPTIONS, work) as engine,
                pytest.raises(ClusterError, match=told),
            ):
                list(engine.run([given], Settings()))
        finally:
            os.close(mine)


@pytest.mark.slow
def test_a_scheduler_that_ends_in_the_middle_is_told_and_what_is_finished_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        local_cluster(tmp_path / "dask", workers=1) as dask,
        Cluster(dask.scheduler_address, OPTIONS, work) as engine,
    ):
        stream = engine.run(jobs(["good", "hang"], tmp_path), Settings())
        first = next(stream)
        monkeypatch.setattr(module, "CONNECT_S", 1.0)
        dask.close()
        with pytest.raises(ClusterError, match="was lost"):
            next(stream)
        assert engine.interrupted() == [first]


@pytest.mark.slow
def test_the_address_of_a_worker_is_told(dask: LocalCluster) -> None:
    (address, *_) = dask.scheduler_info["workers"]
    with pytest.raises(ClusterError, match="is a Dask Worker, expected a scheduler"):
        Cluster(address, OPTIONS).__enter__()


@pytest.mark.slow
def test_a_scheduler_without_workers_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WORKERS_S", 0.2)
    with local_cluster(tmp_path, workers=0) as dask:
        told = "the scheduler has no workers, waited 0.2 s"
        with pytest.raises(ClusterError, match=told), Cluster(dask.scheduler_address, OPTIONS):
            pass


@pytest.mark.parametrize(
    "address",
    ["", "8786", "127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://127.0.0.1", "tcp://a:b"],
)
def test_an_address_of_another_form_is_an_error_of_usage(address: str) -> None:
    with pytest.raises(SettingsError, match="expected tcp://host:port") as error:
        Cluster(address, OPTIONS).__enter__()
    assert error.value.exit_code is Exit.USAGE


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ClusterError, match=r"no Dask scheduler answers \(TimeoutError"):
            Cluster(address, OPTIONS).__enter__()
    monkeypatch.setattr(module, "CONNECT_S", 3.0)  # time to ask at all, on a busy machine
    told = "no Dask scheduler answers"  # refused, or no time to be refused on a busy machine
    with pytest.raises(ClusterError, match=told) as error:
        Cluster(address, OPTIONS).__enter__()  # now nobody listens
    assert error.value.exit_code is Exit.FAILED


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'facelight\[cluster\]'"):
        Cluster("tcp://127.0.0.1:8786", OPTIONS).__enter__()


def versions(python: str = "3.11.9.final.0", **packages: str | None) -> dict[str, Any]:
    alike: dict[str, str | None] = dict.fromkeys(PACKAGES, "1.0")
    return {"host": {"python": python}, "packages": alike | packages}


def test_versions_that_decide_on_the_bytes_agree() -> None:
    patch = versions("3.11.2.final.0", distributed="2")
    check_versions({"client": versions(), "workers": {"tcp://a:1": versions(), "tcp://b:2": patch}})
    check_versions({"client": versions(), "workers": {}})


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        pytest.param(versions("3.12.1.final.0"), "has Python 3.12, expected 3.11 as", id="python"),
        pytest.param(versions(numpy="2.0"), "has numpy 2.0, expected 1.0 as here", id="package"),
        pytest.param(versions(facelight=None), r"has facelight \(not installed\)", id="missing"),
    ],
)
def test_a_worker_with_another_version_is_named(theirs: dict[str, Any], told: str) -> None:
    found = {"client": versions(), "workers": {"tcp://a:1": versions(), "tcp://b:2": theirs}}
    with pytest.raises(ClusterError, match=f"worker tcp://b:2: {told}"):
        check_versions(found)


def make_unfit(told: str, dask_worker: Worker) -> None:
    """Do to a worker what joining with other versions does."""
    for plugin in dask_worker.plugins.values():
        if isinstance(plugin, Isolation):
            plugin.unfit = told


@pytest.mark.slow
def test_a_worker_that_joined_with_other_versions_is_left_alone(
    dask: LocalCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = "has numpy 2.0, expected 1.0 as here"
    names = [f"good{i}" for i in range(8)]
    with (
        Cluster(dask.scheduler_address, OPTIONS, work) as engine,
        Client(dask.scheduler_address, set_as_default=False) as other,
    ):
        first, second = other.scheduler_info()["workers"]
        other.run(make_unfit, told, workers=[first])
        found = {f.job.name: f.result for f in engine.run(jobs(names, tmp_path), Settings())}
        statuses = {name: result and result.status for name, result in found.items()}
        assert statuses == dict.fromkeys(names, "accepted")
        assert caplog.messages == [f"worker {first} is not used: {told}"]
        other.run(make_unfit, told, workers=[second])
        with pytest.raises(ClusterError, match=f"worker {second}: {told}, and there is no other"):
            list(engine.run(jobs(["late"], tmp_path), Settings()))


def test_a_worker_tells_what_it_has_instead(tmp_path: Path) -> None:
    worker = cast("Worker", SimpleNamespace(local_directory=str(tmp_path)))
    for theirs, told in (
        (here(), ""),
        (here() | {"av": "1.0"}, f"has av {here()['av']}, expected 1.0 as here"),
    ):
        isolation = Isolation(OPTIONS, work, versions=theirs)
        isolation.setup(worker)
        isolation.teardown(worker)
        assert isolation.unfit == told


@pytest.mark.slow
def test_processes_end_by_themselves_when_the_coordinator_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_worker, "IDLE_S", 0.1)
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", False)  # type: ignore[attr-defined]
    host = cast("Worker", SimpleNamespace(local_directory=str(tmp_path)))
    isolation = Isolation(OPTIONS, work)
    isolation.setup(host)
    (job,) = jobs(["good"], tmp_path)
    result, files = isolation.process(job, Settings())
    assert result
    assert files == {}
    until(lambda: not psutil.pid_exists(int(result.detail)))
    isolation.teardown(host)
    assert not list(tmp_path.glob("facelight-*"))


@pytest.mark.slow
def test_a_dask_worker_that_is_killed_in_the_middle_loses_nothing(
    dask: LocalCluster, tmp_path: Path
) -> None:
    """The last of the module: on a busy machine its nanny does not always start it again."""
    names = [f"slow{i}" for i in range(6)]
    with Cluster(dask.scheduler_address, OPTIONS, work) as engine:
        stream = engine.run(jobs(names, tmp_path), Settings())
        found = [next(stream)]
        worker = dask_workers(dask)[0]
        children = worker.children()
        worker.kill()
        found += stream
    assert sorted(f.job.name for f in found) == names
    assert all(f.result and f.result.status == "accepted" for f in found)
    gone, alive = psutil.wait_procs(children, timeout=120)
    assert gone
    assert not alive
