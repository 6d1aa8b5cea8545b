"""Opens the tracker that the options name: ours, or one that another distribution brings."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from preprocess.errors import TrackerError
from preprocess.tracking.tracker import Tracker
from preprocess.tracking.tracker_options import TrackerOptions

GROUP: Final = "facelight.trackers"
"""Entry points of this group are called with `TrackerOptions` and return an open `Tracker`."""

_MEMBERS: Final = ("backend", "track", "reset", "close", "__enter__", "__exit__")


def adapters() -> dict[str, EntryPoint]:
    """Return what can be named as ``tracker.adapter`` on this machine."""
    return {point.name: point for point in entry_points(group=GROUP)}


def open_tracker(options: TrackerOptions | None = None) -> Tracker:
    """Return an open tracker that knows no frame yet; whoever opens it closes it.

    Raises
    ------
    TrackerError
        no adapter of that name is installed, it cannot be loaded, or it is no tracker.
    """
    options = options or TrackerOptions()
    known = adapters()
    if options.adapter not in known:
        there = ", ".join(sorted(known)) or "none, install facelight itself anew"
        raise TrackerError(
            f"tracker.adapter: no {options.adapter!r} is installed; there is {there}"
        )
    point = known[options.adapter]
    try:
        make: Any = point.load()
    except (ImportError, AttributeError) as error:
        problem = f"tracker.adapter: {options.adapter!r} ({point.value}) cannot be loaded"
        raise TrackerError(f"{problem}: {error}") from error
    tracker: Tracker = make(options)
    missing = [name for name in _MEMBERS if not hasattr(type(tracker), name)]
    if missing:
        problem = f"tracker.adapter: {options.adapter!r} ({point.value}) is no tracker"
        raise TrackerError(f"{problem}: it has no {', '.join(missing)}")
    return tracker
