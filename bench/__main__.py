"""``python -m bench [SECTION...]``: run the benches and write ``bench/results.md``.

Without a name all sections run, about three quarters of an hour; with names only these are
measured anew and the others stay as they are in the file. Exit code 1 when a target is missed.
``python -m bench.quality`` is the bench of what is right rather than fast.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.figures import Section, markdown
from facelight import __version__

RESULTS: Final = Path(__file__).parent / "results.md"
SECTIONS: Final = {
    "a": ("encode", "Wait after the last frame, and bytes at equal PSNR (a, h)"),
    "b": ("naive", "`process` beside the script that one would write (b)"),
    "c": ("stages", "Cost of each stage (c)"),
    "d": ("live", "The live loop (d)"),
    "e": ("batch", "Workers and cluster (e)"),
    "f": ("memory", "Memory over many sessions (f)"),
    "g": ("start", "Start and end (g)"),
    "i": ("spool", "A queue of ten thousand (i)"),
}
HEAD: Final = """# Results of the benches

Written by `uv run python -m bench`; each section says when, on what and with which load. Peers
run in the same run as what they are compared with. Ratios travel between machines, times do not.
"""
_SECTION: Final = re.compile(r"^<!-- (\w) -->\n(.*?)(?=^<!-- \w -->\n|\Z)", re.M | re.S)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named sections, all without a name; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS], help="default: all")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file to write")
    asked = parser.parse_args(arguments)
    kept = sections_of(asked.out)
    missed = 0
    for letter in asked.sections or SECTIONS:
        name, title = SECTIONS[letter]
        print(f"({letter}) {title} ...", flush=True)
        start_s, load = time.monotonic(), os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        section: Section = importlib.import_module(f"bench.{name}").run()
        about = f"{_machine()}, load before {load:.1f}, took {time.monotonic() - start_s:.0f} s"
        kept[letter] = f"## {title}\n\n{about}.\n\n{section.body}\n{_targets(section)}\n"
        print(kept[letter], flush=True)
        missed += sum(not figure.met for figure in section.figures)
        write(asked.out, kept)
    return 1 if missed else 0


def sections_of(path: Path) -> dict[str, str]:
    """Return the sections that the file holds, by letter."""
    if not path.is_file():
        return {}
    return dict(_SECTION.findall(path.read_text(encoding="utf-8")))


def write(path: Path, sections: dict[str, str]) -> None:
    """Replace the file."""
    parts = [f"<!-- {letter} -->\n{sections[letter]}" for letter in SECTIONS if letter in sections]
    text = HEAD + "\n" + "".join(parts)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def _targets(section: Section) -> str:
    if not section.figures:
        return ""
    rows = [
        (f.name, f"{f.value:.3g} {f.unit}".strip(), f.target, "met" if f.met else "**missed**")
        for f in section.figures
    ]
    return "\n" + markdown(("figure", "measured", "target", ""), rows) + "\n"


def _machine() -> str:
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{day}, facelight {__version__}, Python {platform.python_version()},"
        f" {cores} cores ({_processor()})"
    )


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*: (.*)$", told, re.MULTILINE)
    return found.group(1) if found else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
