"""One simulated session that several tests look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.facelight.kiosk.simulated import Run, recorded, run_simulated


@dataclass
class Recorded:
    """A finished session and its recording."""

    run: Run
    path: Path


@pytest.fixture(scope="session")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A session of a real person, delivered and recorded; some ten seconds, once."""
    folder = tmp_path_factory.mktemp("records")
    run = run_simulated(extras=recorded(folder))
    (path,) = folder.glob("*.flrec")
    return Recorded(run, path)
