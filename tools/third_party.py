"""Write ``THIRD_PARTY.md``: licences of all that is installed and bundled, and known advisories.

Run ``uv run python tools/third_party.py``; with ``--check`` it only says whether that is needed,
and fails for a package, library, model or font that nobody has looked at.
"""

from __future__ import annotations

import platform
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from third_party_facts import ADVISORIES, BUNDLED, LICENCES, OWN_FILES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "THIRD_PARTY.md"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.M)
_LIBRARY = re.compile(r"lib(.+?)(?:-[0-9a-f]{8})?(?:\.0)?\.so(?:\.[\d.]+)?")
_MARKERS = "<!-- libraries in wheels -->"

HEAD = """# Third-party software

Written by `tools/third_party.py` from the metadata of what `constraints.txt` installs; CI fails for
anything that is not in it. Tools of the development (`[dependency-groups]`) are not shipped.

A bill of materials in CycloneDX form, of the environment that runs:

```
uv sync --no-dev && uvx --from cyclonedx-bom cyclonedx-py environment --of JSON -o sbom.json .venv
```

or, in a checkout with its development tools, of the same pins:
`uv run cyclonedx-py requirements constraints.txt --of JSON -o sbom.json`.
"""


def licence(name: str, found: Distribution | None) -> str:
    """Return a package's licence: looked up by hand, else what it says in SPDX terms."""
    if name in LICENCES:
        return LICENCES[name]
    stated = None if found is None else found.metadata["License-Expression"]
    if not stated:
        raise SystemExit(f"{name}: states no SPDX licence; look and add it to third_party_facts.py")
    return str(stated)


def packages() -> list[str]:
    """Return a row for each package that is installed at run time."""
    rows = ["| package | version | licence |", "|---|---|---|"]
    for name, version in _PIN.findall((ROOT / "constraints.txt").read_text()):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            found = None  # for another system
        rows.append(f"| {name} | {version} | {licence(name, found)} |")
    return rows


def library(file: str) -> str:
    """Return a library's name without ``lib``, the wheel's hash and versions."""
    match = _LIBRARY.fullmatch(file)
    name = file if match is None else match[1]
    return re.sub(r"(-r0|64_p-r0|-2|-2\.0)?(-[0-9a-f]{8})?(\.[\d.]+(dev)?)?$", "", name)


def libraries() -> list[str]:
    """Return a row for each shared library inside the wheels that run."""
    rows = ["| wheel | library | licence |", "|---|---|---|"]
    unknown = []
    for name, _ in _PIN.findall((ROOT / "constraints.txt").read_text()):
        try:
            site = Path(str(distribution(name).locate_file("")))
        except PackageNotFoundError:
            continue
        folder = site / f"{name.replace('-', '_')}.libs"
        files = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        for item in sorted({library(file) for file in files}):
            if item not in BUNDLED:
                unknown.append(f"{name}: {item}")
            rows.append(f"| {name} | {item} | {BUNDLED.get(item, '')} |")
    if unknown:
        raise SystemExit(f"bundled and not looked at: {', '.join(unknown)} (third_party_facts.py)")
    return rows


def own_files() -> list[str]:
    """Return a row for each font of ours and each model that is loaded."""
    shipped = {p.relative_to(ROOT).as_posix() for p in (ROOT / "facelight" / "fonts").glob("*.?tf")}
    missing = shipped - set(OWN_FILES)
    if missing:
        raise SystemExit(f"fonts that nobody has looked at: {missing} (third_party_facts.py)")
    rows = ["| file | what | licence |", "|---|---|---|"]
    return rows + [f"| {file} | {what} | {terms} |" for file, (what, terms) in OWN_FILES.items()]


def advisories() -> list[str]:
    """Return a row for each known advisory of what is pinned or bundled."""
    pins = dict(_PIN.findall((ROOT / "constraints.txt").read_text()))
    rows = ["| where | advisory | reached? |", "|---|---|---|"]
    for package, version, what, why in ADVISORIES:
        if pins.get(package) != version:
            raise SystemExit(f"{package} is no longer {version}: look at its advisories again")
        rows.append(f"| {package} {version} | {what} | {why} |")
    return rows


def page(wheels: list[str]) -> str:
    """Return the whole page."""
    parts = [
        HEAD, "## Packages\n", *packages(),
        "\n## Libraries inside wheels\n",
        "Of the wheels for Linux on x86-64. Who passes wheels on, in an image or on a device,"
        " passes these on: x264 and x265 are under the GPL although av's FFmpeg calls itself LGPL."
        " facelight encodes FFV1 and never calls them; an av that is built from source against"
        " another FFmpeg does without.\n",
        _MARKERS, *wheels, _MARKERS,
        "\n## Fonts and models\n", *own_files(),
        "\n## Known advisories\n",
        "Of versions that cannot be left yet, and of what their wheels bring. Collected by hand"
        " on 2026-11-28, without an advisory database: before a release, where a network allows,"
        " `uvx pip-audit -r constraints.txt --no-deps --disable-pip` (it sees packages, not what"
        " is inside wheels).\n",
        *advisories(),
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def main() -> None:
    """Renew the page, or with ``--check`` say whether it needs that."""
    now = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    here = sys.platform == "linux" and platform.machine() == "x86_64"
    wheels = libraries() if here else now.split(_MARKERS)[1].strip("\n").split("\n")
    fresh = page(wheels)
    if "--check" in sys.argv[1:]:
        raise SystemExit(0 if fresh == now else f"{PAGE}: run tools/third_party.py")
    PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
