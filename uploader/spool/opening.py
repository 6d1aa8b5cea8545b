"""Opening a spool: as the one process that delivers, or to look on.

Whoever delivers holds the lock, has the device key, and puts right what a crash left.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uploader.clock import DeliveryClock
from uploader.errors import DiskError, SpoolError, SpoolKeyError
from uploader.spool.disk import Disk, RealDisk
from uploader.spool.item import KEPT, ItemState
from uploader.spool.keys import DeviceKey, create_key, find_key
from uploader.spool.limits import SpoolLimits
from uploader.spool.lock import OwnerLock
from uploader.spool.spool import DATABASE, ITEMS, Spool, make_private
from uploader.spool.store import TEMPORARY, Store

LOCK: Final = "spool.lock"
KEY_FILE: Final = "device.key"

_KEY_ID: Final = "device_key_id"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start found and put right."""

    adopted: int = 0
    """Files without a row; queued."""
    damaged: int = 0
    """Files without a row that cannot be unsealed; set aside."""
    lost: int = 0
    """Rows without a file."""
    destroyed: int = 0
    """Content of finished items."""
    temporary: int = 0
    """Half-written files of submissions that were never accepted."""


@contextmanager
def open_spool(
    directory: Path,
    limits: SpoolLimits | None = None,
    *,
    key_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    disk: Disk | None = None,
    clock: DeliveryClock | None = None,
) -> Iterator[Spool]:
    """Open as the one process that puts and delivers.

    Parameters
    ----------
    directory : made at first use, for its owner alone.
    key_file : the device key's file, made at first use; default ``device.key`` in ``directory``.
    environment : instead of ``os.environ``; may hold the device key.

    Raises
    ------
    SpoolBusyError
        another process has it.
    SpoolKeyError
        the device key is missing or not the one that sealed what is there; nothing is deleted.
    """
    disk = disk or RealDisk()
    surroundings = os.environ if environment is None else environment
    new = not (directory / DATABASE).exists()
    make_private(directory)
    if new:
        _sync(directory, disk)
    lock = OwnerLock(directory / LOCK)
    lock.acquire()
    try:
        key = _key(directory, key_file or directory / KEY_FILE, surroundings, disk)
        with Spool(directory, limits, key=key, disk=disk, clock=clock) as spool:
            _check_key(spool, key)
            recover(spool)
            yield spool
    finally:
        lock.release()


def observe_spool(directory: Path, *, clock: DeliveryClock | None = None) -> Spool:
    """Open to list, show, rearm or purge; needs neither key nor lock."""
    if not (directory / DATABASE).is_file():
        raise SpoolError(f"{directory}: no spool is here")
    return Spool(directory, clock=clock)


def recover(spool: Spool) -> Recovery:
    """Put right what a crash left; only for the process that holds the lock."""
    temporary = spool.store.remove_all(TEMPORARY)
    states, files = dict(spool.ledger.states()), spool.store.ids()
    adopted = [spool.adopt(item_id) for item_id in sorted(files - set(states))]
    ended = [i for i in files & set(states) if states[i] not in {*KEPT, ItemState.LOST}]
    for item_id in ended:
        spool.store.destroy(item_id)
    lost = [i for i, state in states.items() if state in KEPT and i not in files]
    for item_id in lost:
        spool.mark_lost(spool.item(item_id), "its file is gone")
    found = Recovery(adopted.count(True), adopted.count(False), len(lost), len(ended), temporary)
    if found != Recovery():
        _LOG.warning("the spool was put right: %s", found)
    return found


def _key(directory: Path, key_file: Path, environment: Mapping[str, str], disk: Disk) -> DeviceKey:
    key = find_key(key_file, environment)
    if key is not None:
        return key
    waiting = len(Store(directory / ITEMS, disk).ids())
    if waiting:
        raise SpoolKeyError(
            f"{key_file}: the device key is missing and {waiting} submissions are sealed with it; "
            "nothing is deleted",
            advice="bring the key back, or give the submissions up with `facelight spool purge`",
        )
    return create_key(key_file, disk)


def _check_key(spool: Spool, key: DeviceKey) -> None:
    noted = spool.ledger.fact(_KEY_ID)
    mine = key.key_id.hex()
    if noted not in {None, mine} and spool.store.ids():
        raise SpoolKeyError(
            f"{spool.directory}: its content was sealed with device key {noted}, this one is "
            f"{mine}; nothing is deleted"
        )
    if noted != mine:
        with spool.ledger.transaction():
            spool.ledger.set_fact(_KEY_ID, mine)


def _sync(directory: Path, disk: Disk) -> None:
    """Make the names of a new spool durable, up to the directory it was made in."""
    try:
        for path in (directory, directory.parent):
            disk.sync_directory(path)
    except OSError as error:
        raise DiskError(f"{directory}: cannot be synced: {error.strerror}") from error
