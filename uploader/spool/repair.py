"""Repairing a spool in one step, and saying what was found."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from uploader.clock import DeliveryClock
from uploader.errors import DiskError, ItemError, SpoolDamagedError, SpoolError, SpoolKeyError
from uploader.spool.disk import RealDisk
from uploader.spool.item import new_row
from uploader.spool.ledger import Ledger
from uploader.spool.limits import SpoolLimits
from uploader.spool.lock import OwnerLock
from uploader.spool.opening import LOCK, is_spool, lacks_rows, open_spool
from uploader.spool.spool import DATABASE, ITEMS, Recovery, Spool
from uploader.spool.store import DAMAGED, Store
from uploader.spool.vault import relabelled, unseal

_BESIDE: Final = ("", "-wal", "-shm")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found and did."""

    old_database: Path | None = None
    """Where a database that could not be read was moved; None: it was sound, or there was none."""
    recovery: Recovery = field(default_factory=Recovery)
    brought_back: int = 0
    """Files that were set aside and open after all; queued."""
    still_damaged: int = 0
    """Files that were set aside and stay so."""

    @property
    def sound(self) -> bool:
        """Nothing was wrong."""
        return self == Repaired()


def repair_spool(
    directory: Path,
    limits: SpoolLimits | None = None,
    *,
    key_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    clock: DeliveryClock | None = None,
) -> Repaired:
    """Move an unreadable database away, adopt the sealed files, try the damaged ones again.

    Raises
    ------
    SpoolBusyError
        another process delivers from it.
    SpoolKeyError
        the device key is missing or another one; nothing is changed but the database.
    SpoolError
        no spool is there, or a later version wrote it.
    """
    if not is_spool(directory):
        raise SpoolError(f"{directory}: no spool is here")
    old = _set_database_aside(directory)
    with open_spool(
        directory, limits, key_file=key_file, environment=environment, clock=clock
    ) as spool:
        back = [_brought_back(spool, name) for name in spool.store.damaged()]
        return Repaired(old, spool.recovery, back.count(True), spool.store.count(DAMAGED))


def purge_sealed(directory: Path) -> int:
    """Destroy sealed files that no database lists; needs no key. Return how many.

    For a spool whose key and database are both gone; with a database, `Spool.purge`.
    """
    lock = OwnerLock(directory / LOCK)
    lock.acquire()
    try:
        store = Store(directory / ITEMS, RealDisk())
        ids = store.ids() if lacks_rows(directory) else set()
        for item_id in ids:
            store.destroy(item_id)
        return len(ids)
    finally:
        lock.release()


def _set_database_aside(directory: Path) -> Path | None:
    """Move a damaged database out of the way, with its helpers; return where to."""
    lock = OwnerLock(directory / LOCK)
    lock.acquire()
    try:
        if not (directory / DATABASE).exists():
            return None
        return None if _readable(directory / DATABASE) else _move(directory)
    finally:
        lock.release()


def _readable(database: Path) -> bool:
    try:
        ledger = Ledger(database)
    except SpoolDamagedError as error:
        _LOG.warning("%s", error.message)
        return False
    try:
        ledger.check()
        ledger.counts()
    except SpoolDamagedError as error:
        _LOG.warning("%s", error.message)
        return False
    finally:
        ledger.close()
    return True


def _move(directory: Path) -> Path:
    ending = f".damaged-{secrets.token_hex(3)}"
    try:
        for beside in _BESIDE:
            source = directory / (DATABASE + beside)
            if source.exists():
                source.rename(directory / (DATABASE + ending + beside))
    except OSError as error:
        raise DiskError(f"{directory}: {DATABASE} cannot be moved: {error.strerror}") from error
    return directory / (DATABASE + ending)


def _brought_back(spool: Spool, name: str) -> bool:
    """Queue a file that was set aside, if its content opens; only its head's label may be wrong."""
    item_id = name.partition(".")[0]
    try:
        data = relabelled(spool.key, spool.store.read_damaged(name))
        submission = unseal(spool.key, item_id, data)
    except (ItemError, SpoolKeyError, OSError) as error:
        _LOG.warning("%s: stays set aside: %s", name, error)
        return False
    if not spool.store.bring_back(name, data):
        return False
    with spool.ledger.transaction():
        spool.ledger.forget_item(item_id)
        spool.ledger.insert(new_row(item_id, submission, spool.time.now_s()))
    return True
