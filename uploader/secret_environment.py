"""Secrets of the environment, held where only this process has them.

A child process inherits the environment, and anybody who breaks into a decoder in it reads keys
from there. So they are withdrawn before the first child is started; whoever needs one asks here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

SECRET_VARIABLES: Final = (
    "FACELIGHT_KEY",
    "FACELIGHT_TOKEN",
    "FACELIGHT_DEVICE_KEY",
    "FACELIGHT_PROXY_CREDENTIALS",
)

_HELD: dict[str, str] = {}


def withdraw_secrets() -> None:
    """Take the secrets out of ``os.environ``; children that are started later have none."""
    for name in SECRET_VARIABLES:
        value = os.environ.get(name)
        if value is not None:
            _HELD[name] = value  # before it goes: another thread finds it in one place or both
            os.environ.pop(name, None)


def surroundings() -> Mapping[str, str]:
    """Return the environment with the secrets that were withdrawn; a newly set one wins."""
    current = dict(os.environ)
    return _HELD | current


def forget_secrets() -> None:
    """Drop what was withdrawn; for tests."""
    _HELD.clear()
