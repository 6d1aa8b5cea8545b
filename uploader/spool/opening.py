"""Opening a spool: as the one process that delivers, or to look on.

Whoever delivers holds the lock, has the device key, and puts right what a crash left.
"""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from uploader.clock import DeliveryClock
from uploader.errors import DiskError, ItemError, ItemUnreadableError, SpoolError, SpoolKeyError
from uploader.secret_environment import surroundings
from uploader.spool.disk import Disk, RealDisk
from uploader.spool.item import KEPT, ItemState, is_item_id, nameless_row
from uploader.spool.keys import DeviceKey, create_key, find_key
from uploader.spool.limits import SpoolLimits
from uploader.spool.lock import OwnerLock
from uploader.spool.spool import DATABASE, ITEMS, MAX_DUE_S, Recovery, Spool
from uploader.spool.store import TEMPORARY, Store
from uploader.spool.vault import key_id_of

LOCK: Final = "spool.lock"
KEY_FILE: Final = "device.key"

_KEY_ID: Final = "device_key_id"
_KEY_ID_FORM: Final = re.compile(r"[0-9a-f]{16}")
_PAUSE: Final = "pause_until_s"
_LOG = logging.getLogger(__name__)


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
    new = not (directory / DATABASE).exists()
    make_private(directory)
    if new:
        _sync(directory, disk)
    lock = OwnerLock(directory / LOCK)
    lock.acquire()
    try:
        known = surroundings() if environment is None else environment
        key = _key(directory, key_file or directory / KEY_FILE, known, disk)
        with Spool(directory, limits, key=key, disk=disk, clock=clock) as spool:
            _check_key(spool, key)
            spool.recovery = recover(spool)
            spool.reserve.fill()
            yield spool
            spool.reserve.fill()
    finally:
        lock.release()


def observe_spool(directory: Path, *, clock: DeliveryClock | None = None) -> Spool:
    """Open to list, show, rearm or purge; needs neither key nor lock.

    Where the database is gone and sealed files are there, it is made anew and empty:
    `lacks_rows` says so, and `open_spool` adopts the files.
    """
    if not is_spool(directory):
        raise SpoolError(f"{directory}: no spool is here")
    make_private(directory)
    return Spool(directory, clock=clock)


def is_spool(directory: Path) -> bool:
    """Tell whether a spool is there: its database, or at least sealed files."""
    return (directory / DATABASE).is_file() or lacks_rows(directory)


def lacks_rows(directory: Path) -> bool:
    """Tell whether sealed files are there without the database that lists them."""
    database = directory / DATABASE
    empty = not database.is_file() or database.stat().st_size == 0
    return empty and bool(Store(directory / ITEMS, RealDisk()).ids())


def recover(spool: Spool) -> Recovery:
    """Put right what a crash left; only for the process that holds the lock."""
    temporary = spool.store.remove_all(TEMPORARY)
    strangers = spool.store.set_aside_strangers()
    files = spool.store.ids()
    mended = _mend_times(spool) + _mend_rows(spool, files)
    states = dict(spool.ledger.states())
    adopted = [_adopted(spool, item_id) for item_id in sorted(files - set(states))]
    ended = [i for i in files & set(states) if states[i] not in {*KEPT, ItemState.LOST}]
    for item_id in ended:
        spool.store.destroy(item_id)
    for item_id in (i for i in files & set(states) if states[i] is ItemState.LOST):
        spool.store.set_aside(item_id)  # a crash came between row and file
    lost = [i for i, state in states.items() if state in KEPT and i not in files]
    for item_id in lost:
        spool.mark_lost(spool.item(item_id), "its file is gone")
    found = Recovery(
        adopted=adopted.count(True),
        damaged=adopted.count(False) + strangers,
        lost=len(lost),
        destroyed=len(ended),
        temporary=temporary,
        mended=mended,
        unreadable=adopted.count(None),
    )
    if found != Recovery():
        _LOG.warning("the spool was put right: %s", found)
    return found


def _adopted(spool: Spool, item_id: str) -> bool | None:
    """Adopt a file; True when it is good, False when it is damaged, None when nobody can say."""
    try:
        return spool.adopt(item_id)
    except ItemUnreadableError as error:
        _LOG.error("%s", error)
        return None


def _mend_times(spool: Spool) -> int:
    """Let times begin anew when what they refer to is lost; return whether it was."""
    mended = 0
    if not spool.time.sound:
        with spool.ledger.transaction():
            spool.ledger.restart_time()
            spool.time.anchor(restarted=True)
        mended += 1
    if spool.ledger.fact(_PAUSE) is not None and spool.ledger.seconds(_PAUSE) is None:
        spool.set_pause(0.0, named=False)
        mended += 1
    return mended


def _mend_rows(spool: Spool, files: set[str]) -> int:
    """Give altered rows sound values; the sealed file says best what a kept item is."""
    now_s = spool.time.now_s()
    unsound = spool.ledger.unsound(now_s, MAX_DUE_S)
    with spool.ledger.transaction():
        for seq, item_id, state in unsound:
            if state is None or state in KEPT:
                # With a file: adopted anew. Without one: told as lost, if the id is one.
                spool.ledger.forget(seq)
                if item_id not in files and is_item_id(item_id):
                    spool.ledger.insert(nameless_row(item_id, now_s))
            else:
                whole = item_id if is_item_id(item_id) else uuid.uuid4().hex
                spool.ledger.mend(seq, whole, state, now_s)
    return len(unsound)


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
    if noted != mine:
        sealed_with = _keys_of(spool.store)
        others = sorted(sealed_with - {mine})
        known = noted is not None and _KEY_ID_FORM.fullmatch(noted)
        # Without a noted key the files decide: one that this key opens makes the spool its own.
        if others and (known or mine not in sealed_with):
            raise SpoolKeyError(
                f"{spool.directory}: its content was sealed with device key "
                f"{noted if known else others[0]}, this one is {mine}; nothing is deleted",
                advice="bring the key back, or give the submissions up with "
                "`facelight spool purge`",
            )
        with spool.ledger.transaction():
            spool.ledger.set_fact(_KEY_ID, mine)


def _keys_of(store: Store) -> set[str]:
    """Return the ids of the device keys that sealed what is there, as far as it can be read."""
    found = set()
    for item_id in store.ids():
        try:
            key_id = key_id_of(store.read(item_id))
        except (ItemError, ItemUnreadableError):
            continue  # told and set aside where it is adopted or delivered
        if key_id is not None:
            found.add(key_id.hex())
    return found


def _sync(directory: Path, disk: Disk) -> None:
    """Make the names of a new spool durable, up to the directory it was made in."""
    try:
        for path in (directory, directory.parent):
            disk.sync_directory(path)
    except OSError as error:
        raise DiskError(f"{directory}: cannot be synced: {error.strerror}") from error


def make_private(directory: Path) -> None:
    """Make the directory and the database's file, so that SQLite's helpers inherit its mode."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_private(directory)
        (directory / ITEMS).mkdir(mode=0o700, exist_ok=True)
        _check_private(directory / ITEMS)
        os.close(os.open(directory / DATABASE, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DiskError(f"{directory}: no usable spool: {error.strerror}") from error


def _check_private(directory: Path) -> None:
    """Refuse a directory of another user or one that others may enter; not on Windows."""
    if os.name == "nt":
        return
    status = directory.stat()
    if status.st_uid != os.geteuid():
        raise SpoolError(
            f"{directory}: belongs to user {status.st_uid}, this is user {os.geteuid()}",
            advice=f"run it as its user (sudo -u '#{status.st_uid}' ...), or: "
            f"chown -R {os.geteuid()} '{directory}'",
        )
    if status.st_mode & 0o077:
        raise SpoolError(
            f"{directory}: open to other users (mode {status.st_mode & 0o777:o})",
            advice=f"make it yours alone: chmod 700 '{directory}'",
        )
