"""A running service, real faces as small clips, and requests written byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facelight.service.server import LocalService
from tests.facelight.service.requests import Clip, portrait


@pytest.fixture(scope="module")
def service() -> Iterator[LocalService]:
    with LocalService() as running:
        yield running


@pytest.fixture(scope="module")
def face(footage: Path) -> Clip:
    """Four equal frames of a frontal, sharp, well-lit face."""
    return Clip.of([portrait(footage / "portraits" / "obama-1080p.jpg")] * 4)
