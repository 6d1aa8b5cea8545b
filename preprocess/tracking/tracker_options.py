"""What every tracker is told; an adapter that has no use for a figure leaves it."""

from __future__ import annotations

from dataclasses import field

from capture.options import option, options
from preprocess.face.pose import Intrinsics
from preprocess.face.rectangle import RectangleOptions


@options
class TrackerOptions:
    """Which tracker, and when a face counts as found, lost or another one."""

    adapter: str = option(
        "facemesh", unit="", why="an entry point of the group facelight.trackers; see `check`"
    )

    found_score: float = option(
        0.5, unit="probability", low=0.0, high=1.0, why="mediapipe's default for a new face"
    )
    kept_score: float = option(
        0.3, unit="probability", low=0.0, high=1.0, why="a known face may turn, blink or go dark"
    )
    presence: float = option(
        0.5, unit="probability", low=0.0, high=1.0, why="mediapipe's default for following a face"
    )
    watch_every: int = option(
        10, unit="frames", low=1, high=300, why="a third of a second; the detector costs 3 ms"
    )
    doubts: int = option(
        3, unit="watches", low=1, high=100, why="a mesh that the detector never sees is a ghost"
    )
    regrown: float = option(
        1.3,
        unit="ratio",
        low=1.01,
        high=10.0,
        why="nobody comes nearer so fast in .3 s: look again",
    )
    take_over: float = option(
        1.2, unit="area ratio", low=1.0, high=10.0, why="two equal faces must not take turns"
    )
    rectangle: RectangleOptions = field(default_factory=RectangleOptions)
    intrinsics: Intrinsics | None = None
