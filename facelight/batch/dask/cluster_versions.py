"""What the bytes of a result depend on, here and on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

PACKAGES: Final = ("facelight", "mediapipe", "opencv-python", "numpy", "pillow", "av")
"""Versions are those of the installed distributions."""

Versions: TypeAlias = dict[str, str | None]
"""Of Python and of each of `PACKAGES`; None for one that is not installed."""


def decisive(versions: Mapping[str, Any]) -> Versions:
    """Return what decides; ``versions`` as of ``distributed.versions.get_versions``."""
    python = ".".join(str(versions["host"]["python"]).split(".")[:2])
    return {"Python": python} | {name: versions["packages"].get(name) for name in PACKAGES}


def here() -> Versions:
    """Return the versions of this process."""
    from distributed.versions import get_versions  # noqa: PLC0415

    return decisive(get_versions(packages=list(PACKAGES)))


def difference(ours: Versions, theirs: Versions) -> str:
    """Return what a worker has instead of ours, empty when all agree."""
    for name, version in ours.items():
        if theirs.get(name) != version:
            there = f"{name} {theirs.get(name) or '(not installed)'}"
            return f"has {there}, expected {version} as here"
    return ""
