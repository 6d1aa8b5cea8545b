"""Errors of the light response; a leaf of the package's tree."""

from __future__ import annotations

from preprocess.errors import PreprocessError


class LightError(PreprocessError):
    """The light of a session cannot be judged at all: there is no plan to judge it by."""
