"""Write the exact version of every dependency into the project's own files, without a host name.

``uv.lock`` names download hosts on every line, so it stays out of git. What is committed instead:
``constraint-dependencies`` in ``pyproject.toml`` (all groups and extras, what uv resolves with) and
``constraints.txt`` (what runs, with hashes, for pip). Run ``uv run python tools/pin.py`` after a
change of dependencies, with ``--upgrade`` to take newer versions, with ``--check`` to verify.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path

import tomlkit

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = ROOT / "pyproject.toml"
CONSTRAINTS = ROOT / "constraints.txt"
HEADER = """\
# Written by tools/pin.py. For pip:
#   pip install --require-hashes --no-deps -r constraints.txt && pip install --no-deps .
"""


def pins() -> list[str]:
    """Return ``name==version`` for every package of the lock, sorted."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    found = []
    for package in lock["package"]:
        if package["name"] == "facelight":
            continue
        markers = package.get("resolution-markers", [])
        marker = " ; " + " or ".join(f"({m})" for m in markers) if markers else ""
        found.append(f"{package['name']}=={package['version']}{marker}")
    return sorted(found)


def exported() -> str:
    """Return the run-time requirements with hashes, as uv exports them from the lock."""
    command = ["uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project"]
    done = subprocess.run(
        [*command, "--no-header", "--no-annotate", "--format", "requirements-txt"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return HEADER + done.stdout


def pinned_pyproject(text: str, versions: list[str]) -> str:
    """Return ``text`` with ``constraint-dependencies`` set to ``versions``."""
    document = tomlkit.parse(text)
    listed = tomlkit.array()
    listed.extend(versions)
    listed.multiline(multiline=True)
    document["tool"]["uv"]["constraint-dependencies"] = listed  # type: ignore[index]
    return tomlkit.dumps(document)


def main() -> int:
    """Lock, write both files; with ``--check`` write nothing and fail on a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the files are out of date")
    parser.add_argument("--upgrade", action="store_true", help="take the newest allowed versions")
    asked = parser.parse_args()
    before = PYPROJECT.read_text()
    if asked.upgrade:
        PYPROJECT.write_text(pinned_pyproject(before, []))
        (ROOT / "uv.lock").unlink(missing_ok=True)
    if subprocess.run(["uv", "lock", "--quiet"], cwd=ROOT, check=False).returncode:
        PYPROJECT.write_text(before)
        print("the pinned versions no longer fit the dependencies; run with --upgrade")
        return 1
    wanted = {PYPROJECT: pinned_pyproject(before, pins()), CONSTRAINTS: exported()}
    stale = [p.name for p, text in wanted.items() if not p.exists() or p.read_text() != text]
    if asked.check:
        if stale:
            print(f"out of date: {', '.join(stale)}; run: uv run python tools/pin.py")
        return 1 if stale else 0
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
