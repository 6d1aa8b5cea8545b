"""Fixtures for all tests: real footage where it is, nothing on the network but loopback.

No test leaves a thread behind, and none logs an error that it does not assert.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.effort import examples
from uploader.secret_environment import forget_secrets

# Rewriting the assertions of all tests takes longer than importing them: it is kept for the
# next run, also where the environment says that nothing is to be kept.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes is the machine's affair.
settings.register_profile(
    "facelight",
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("facelight")


gc.disable()  # until all is collected: a third of the time went into looking at what stays


def pytest_collection_finish() -> None:
    """Leave what was collected alone from now on: it stays, and is a million objects."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put modules that hold slow tests first, whole commands before all: see ``addopts``."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, "e2e" not in item.path.parts))


SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def footage() -> Path:
    """The folder of real footage beside the checkout."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip("real footage (../shared/data) is not on this machine")
    return data


@pytest.fixture(scope="session")
def checks() -> Path:
    """The folder of black-box checks beside the checkout."""
    folder = SHARED / "checks"
    if not folder.is_dir():
        pytest.skip("black-box checks (../shared/checks) are not on this machine")
    return folder


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        local = isinstance(address, str | bytes) or str(address[0]).startswith("127.")
        if not (local or address[0] in {"::1", "localhost"}):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    for name in ("FACELIGHT_KEY", "FACELIGHT_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep a test's settings and state out of the developer's home."""
    forget_secrets()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


class ErrorLog(logging.Handler):
    """The errors that were logged and that the test has not looked at yet."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        # A cluster in the test's own process says much of workers that the test kills.
        if not record.name.startswith("distributed"):
            self._records.append(record)

    def taken(self) -> list[str]:
        """Return the messages so far; they are the test's from now on."""
        records, self._records = self._records, []
        return [record.getMessage() for record in records]


@pytest.fixture(autouse=True)
def error_log() -> Iterator[ErrorLog]:
    """Fail a test that logs an error and does not take it from here."""
    log = ErrorLog()
    logging.getLogger().addHandler(log)
    try:
        yield log
    finally:
        logging.getLogger().removeHandler(log)
    left = log.taken()
    assert not left, f"logged as errors and not asserted by error_log.taken(): {left}"


SHARED_THREADS = (
    "fsspecIO",  # one loop for all storages of a process
    "AnyIO worker thread",  # of a service that serves a whole module; ends when it has been idle
    "asyncio_",
    "Dask-Offload",  # one pool for all clusters and clients of a process
    "AsyncProcess Dask",  # of a module's cluster, for a worker that it starts anew
    "QueueFeederThread",  # likewise
)
"""Threads that something longer-lived than a test starts while a test runs."""


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test whose threads do not end with it."""
    before = set(threading.enumerate())
    yield
    started = [t for t in threading.enumerate() if t not in before]
    mine = [t for t in started if not t.name.startswith(SHARED_THREADS)]
    for thread in mine:
        thread.join(60)
    left = [thread.name for thread in mine if thread.is_alive()]
    assert not left, f"threads that the test left behind: {left}"
