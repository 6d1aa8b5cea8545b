"""Secrets of the environment are this process's alone."""

from __future__ import annotations

import os
import subprocess
import sys

from uploader.secret_environment import SECRET_VARIABLES, surroundings, withdraw_secrets

PRINT = "import os, sys; sys.stdout.write(' '.join(os.environ))"


def test_a_child_has_none_of_them_and_this_process_still_all(monkeypatch):
    for name in SECRET_VARIABLES:
        monkeypatch.setenv(name, f"value of {name}")
    withdraw_secrets()
    argv = [sys.executable, "-c", PRINT]
    inherited = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert "PATH" in inherited
    assert not set(inherited) & set(SECRET_VARIABLES)
    assert {name: surroundings()[name] for name in SECRET_VARIABLES} == {
        name: f"value of {name}" for name in SECRET_VARIABLES
    }


def test_what_is_set_later_wins(monkeypatch):
    monkeypatch.setenv("FACELIGHT_KEY", "old")
    withdraw_secrets()
    assert "FACELIGHT_KEY" not in os.environ
    monkeypatch.setenv("FACELIGHT_KEY", "new")
    assert surroundings()["FACELIGHT_KEY"] == "new"
    withdraw_secrets()
    assert surroundings()["FACELIGHT_KEY"] == "new"
