"""A tracker is chosen by its name: ours, or one of another distribution."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import facelight
from facelight.config.settings import load_settings
from preprocess.errors import TrackerError
from preprocess.tracking.opening import adapters, open_tracker
from preprocess.tracking.tracker_options import TrackerOptions

MODULE = '''
"""A tracker that sees the same face in every frame, of a distribution of its own."""

from tests.preprocess.faces import FakeTracker


class Steady(FakeTracker):
    def __init__(self, options):
        super().__init__()
        self.options = options


def unfinished(options):
    return object()
'''
POINTS = """
[facelight.trackers]
steady = steady_tracker:Steady
unfinished = steady_tracker:unfinished
gone = steady_tracker:Gone
absent = no_such_module:Tracker
"""


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution with four adapters, two of which cannot be loaded."""
    (tmp_path / "steady_tracker.py").write_text(MODULE)
    about = tmp_path / "steady_tracker-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: steady-tracker\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "steady_tracker", raising=False)


def test_ours_is_there_and_the_default() -> None:
    assert "facemesh" in adapters()
    assert TrackerOptions().adapter == "facemesh"
    with open_tracker() as tracker:
        assert tracker.backend.startswith("mediapipe/")


@pytest.mark.usefixtures("other")
def test_one_of_another_distribution_is_chosen_by_setting_and_runs_a_session() -> None:
    settings = load_settings({"tracker.adapter": "steady"}, environment={}).settings
    pixels = np.full((720, 1280, 3), 90, np.uint8)
    frames = (facelight.Frame(i, i * 33_000_000, i * 33_000_000, pixels) for i in range(5))
    session = facelight.run_session(frames, settings)
    assert [report.face is not None for report in session.reports] == [True] * 5
    assert facelight.judge_picture(pixels, settings).face is not None


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("adapter", "problem"),
    [
        pytest.param("facemsh", "no 'facemsh' is installed; there is absent, facemesh", id="name"),
        pytest.param("absent", r"\(no_such_module:Tracker\) cannot be loaded: No mod", id="load"),
        pytest.param("gone", "cannot be loaded: .*'Gone'", id="class"),
        pytest.param("unfinished", "is no tracker: it has no backend, track, reset", id="members"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_names_the_setting_and_the_cause(adapter: str, problem: str) -> None:
    with pytest.raises(TrackerError, match=f"tracker.adapter: .*{problem}"):
        open_tracker(TrackerOptions(adapter=adapter))


def test_nothing_but_its_own_room_names_the_adapter() -> None:
    root = Path(__file__).parents[3]
    naming = [
        path.relative_to(root).as_posix()
        for package in ("capture", "preprocess", "uploader", "calibration", "facelight")
        for path in (root / package).rglob("*.py")
        if "facemesh.facemesh" in path.read_text(encoding="utf-8")
        or "FaceMeshTracker" in path.read_text(encoding="utf-8")
    ]
    assert {path.rpartition("/")[0] for path in naming} == {"preprocess/tracking/facemesh"}
