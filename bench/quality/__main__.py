"""``python -m bench.quality [NAME...]``: run the benches, print their tables, 1 on a miss."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time

import bench.quality
from bench.figures import table
from bench.quality.material import DATA


def names() -> list[str]:
    """Return the benches: the modules here that have a ``run``."""
    found = [m.name for m in pkgutil.iter_modules(bench.quality.__path__) if m.name != "__main__"]
    return [n for n in found if hasattr(importlib.import_module(f"bench.quality.{n}"), "run")]


def main(wanted: list[str]) -> int:
    """Run the named benches, all without a name; return the exit code."""
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(
            f"no bench named {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr
        )
        return 2
    if not DATA.is_dir():
        print("skipped: real footage (../shared/data) is not on this machine")
        return 0
    missed = 0
    for name in wanted or names():
        module = importlib.import_module(f"bench.quality.{name}")
        start = time.perf_counter()
        figures = module.run(DATA)
        missed += sum(not figure.met for figure in figures)
        seconds = time.perf_counter() - start
        print(
            table(f"{name}: {(module.__doc__ or '').splitlines()[0]} ({seconds:.0f} s)", figures),
            "\n",
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
