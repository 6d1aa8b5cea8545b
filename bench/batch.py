"""``facelight process`` with one worker, with two, and on a Dask cluster of two."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, Section, markdown, spread
from bench.footage import recordings

COPIES = 8
ROUNDS = 2
COMMAND = Path(sys.executable).with_name("facelight")
CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,
                      local_directory=sys.argv[1]) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def run() -> Section:
    """Measure the command, start-up included, in turns."""
    with tempfile.TemporaryDirectory(prefix="facelight-bench-") as name:
        folder = Path(name)
        made, told = recordings(folder)
        inputs = folder / "in"
        inputs.mkdir()
        for path in made:
            for copy in range(COPIES):
                _linked(path, inputs, copy)
        count = COPIES * len(made)
        script = folder / "cluster.py"
        script.write_text(CLUSTER, encoding="utf-8")
        command = [sys.executable, str(script), str(folder)]
        took: dict[str, list[float]] = {"1 worker": [], "2 workers": [], "Dask, 2 workers": []}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as cluster:
            assert cluster.stdout is not None
            scheduler = cluster.stdout.readline().strip()
            for turn in range(ROUNDS):
                for what, more in (
                    ("1 worker", ["--workers", "1"]),
                    ("2 workers", ["--workers", "2"]),
                    ("Dask, 2 workers", ["--scheduler", scheduler]),
                ):
                    took[what].append(_took(inputs, folder / f"out-{turn}-{what[:6]}", more))
            cluster.communicate("")
    base = statistics.median(took["1 worker"])
    rows = [
        (what, spread(times, 1), f"{60 * count / statistics.median(times):.1f}",
         f"{base / statistics.median(times):.2f}")
        for what, times in took.items()
    ]  # fmt: skip
    body = (
        f"{count} inputs: each {COPIES} times of {told}; the whole command with its start;"
        f" {ROUNDS} rounds in turns. The cluster's workers stand already, their models do not.\n\n"
        + markdown(("", "s, median (5 % to 95 %)", "inputs a minute", "times one worker"), rows)
    )
    ratio = base / statistics.median(took["2 workers"])
    cluster_ratio = base / statistics.median(took["Dask, 2 workers"])
    return Section(
        body,
        (
            Figure("2 workers over 1", ratio, ">= 1.8"),
            Figure("a cluster of 2 over 1 worker", cluster_ratio, ">= 1.8"),
        ),
    )


def _linked(path: Path, folder: Path, copy: int) -> None:
    """Put an input there under another name, with its sidecar."""
    sidecar = path.with_name(f"{path.stem}.illumination.json")
    for one in (path, sidecar):
        if one.exists():
            kind = one.name.removeprefix(path.stem)
            (folder / f"{path.stem}-{copy}{kind}").symlink_to(one)


def _took(inputs: Path, out: Path, more: list[str]) -> float:
    command = [str(COMMAND), "process", str(inputs), "--out", str(out), *more]
    env = {k: v for k, v in os.environ.items() if not k.startswith("FACELIGHT_")}
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=env)
    return time.perf_counter() - start
