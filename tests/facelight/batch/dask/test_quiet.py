"""What a cluster's library would say of a lost scheduler is said by us, in one line."""

from __future__ import annotations

import logging

import pytest

from facelight.batch.dask.cluster import _quiet


@pytest.mark.parametrize("name", ["loudpackage", "loudpackage.client", "loudpackage.client.inner"])
def test_loggers_with_a_level_of_their_own_are_silent_too(name: str) -> None:
    logging.getLogger("loudpackage.client").setLevel(logging.WARNING)
    neighbour = logging.getLogger("loudpackages")
    neighbour.setLevel(logging.INFO)
    _quiet("loudpackage")
    assert not logging.getLogger(name).isEnabledFor(logging.ERROR)
    assert neighbour.isEnabledFor(logging.INFO)
