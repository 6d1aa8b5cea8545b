"""Opens the tracker that the options name."""

from __future__ import annotations

from preprocess.tracking.facemesh.facemesh import FaceMeshTracker, TrackerOptions
from preprocess.tracking.tracker import Tracker


def open_tracker(options: TrackerOptions | None = None) -> Tracker:
    """Return an open tracker; whoever opens it closes it.

    Raises
    ------
    TrackerError
        its models cannot be loaded.
    """
    return FaceMeshTracker(options)
