"""The sealed files of a spool: written whole or not at all, destroyed head first."""

from __future__ import annotations

import errno
import logging
import os
import secrets
from pathlib import Path
from typing import Final

from uploader.errors import DiskError, ItemError, ItemUnreadableError, SpoolFullError
from uploader.plain_text import shown
from uploader.spool.disk import Disk
from uploader.spool.item import is_item_id
from uploader.spool.vault import HEAD_BYTES

SEALED: Final = ".flsub"
TEMPORARY: Final = ".tmp"
DAMAGED: Final = ".damaged"

_FOR_GOOD: Final = frozenset(
    {
        errno.EISDIR,
        errno.EACCES,
        errno.EPERM,
        errno.ELOOP,
        errno.ENOTDIR,
        errno.ENXIO,
        errno.ENODEV,
        errno.EFBIG,
        errno.EINVAL,
    }
)
"""The file is not what we wrote. Anything else (EIO, EMFILE, ESTALE) may be the disk's fault."""

_LOG = logging.getLogger(__name__)


class Store:
    """One directory with a file for each item, named by the item's id."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self.directory = directory
        self.disk = disk
        self._undestroyed: set[str] = set()

    def write(self, item_id: str, data: bytes) -> None:
        """Return when the file survives a power cut; after an error it is not there."""
        temporary, final = self.directory / (item_id + TEMPORARY), self.path(item_id)
        try:
            with self.disk.create(temporary) as file:
                self.disk.write(file, data)
                # A failed sync may have dropped the pages: nothing of this file is trusted then.
                self.disk.sync(file)
            self.disk.rename(temporary, final)
            self.disk.sync_directory(self.directory)
        except OSError as error:
            self.remove(temporary)
            self.remove(final)
            full = error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
            kind = SpoolFullError if full else DiskError
            raise kind(f"{self.directory}: not kept: {error.strerror}") from error

    def read(self, item_id: str) -> bytes:
        """Return the sealed bytes.

        Raises
        ------
        ItemError
            the file is gone, or no plain file that we may read; another try changes nothing.
        ItemUnreadableError
            the disk fails.
        """
        try:
            return self.disk.read(self.path(item_id))
        except FileNotFoundError as error:
            raise ItemError(f"item {item_id}: its file is gone") from error
        except OSError as error:
            kind = ItemError if error.errno in _FOR_GOOD else ItemUnreadableError
            raise kind(f"item {item_id}: cannot be read: {error.strerror}") from error

    def destroy(self, item_id: str) -> None:
        """Make the content unreadable, then remove it; `destroy_rest` tries again what failed."""
        path = self.path(item_id)
        self._undestroyed.discard(item_id)
        try:
            self.disk.erase(path, HEAD_BYTES)
        except FileNotFoundError:
            return
        except OSError as error:
            _LOG.warning("item %s: cannot be overwritten: %s", item_id, error.strerror)
        try:
            self.disk.unlink(path)
            self.disk.sync_directory(self.directory)
        except OSError as error:
            self._undestroyed.add(item_id)
            _LOG.warning("item %s: cannot be removed yet: %s", item_id, error.strerror)

    def destroy_rest(self) -> None:
        """Try again to remove what could not be removed."""
        for item_id in list(self._undestroyed):
            self.destroy(item_id)

    def set_aside(self, item_id: str) -> None:
        """Rename a file that cannot be unsealed, so that it is looked at once."""
        try:
            self.disk.rename(self.path(item_id), self._unused_name(item_id))
        except OSError as error:
            _LOG.warning("item %s: cannot be set aside: %s", shown(item_id, 60), error.strerror)

    def set_aside_strangers(self) -> int:
        """Set aside sealed files whose name is no item's; return how many there were."""
        strangers = [stem for stem in self._sealed() if not is_item_id(stem)]
        for stem in strangers:
            _LOG.warning("%s: no item's name; set aside", shown(stem + SEALED, 80))
            self.set_aside(stem)
        return len(strangers)

    def bring_back(self, name: str, data: bytes) -> str | None:
        """Write a damaged file anew that can be unsealed after all; return its item's id."""
        item_id = name.partition(".")[0]
        if self.path(item_id).exists():
            return None
        self.write(item_id, data)
        self.remove(self.directory / name)
        return item_id

    def read_damaged(self, name: str) -> bytes:
        """Return the bytes of a file that was set aside; raises `OSError`."""
        return self.disk.read(self.directory / name)

    def damaged(self) -> list[str]:
        """Return the names of the files that were set aside and carry an item's id."""
        names = sorted(name for name in self._names() if name.endswith(DAMAGED))
        return [name for name in names if is_item_id(name.partition(".")[0])]

    def count(self, ending: str) -> int:
        """Return how many files have that ending."""
        return sum(name.endswith(ending) for name in self._names())

    def ids(self) -> set[str]:
        """Return the ids that have a sealed file."""
        return {stem for stem in self._sealed() if is_item_id(stem)}

    def remove_all(self, ending: str) -> int:
        """Remove every file with that ending; return how many there were."""
        found = [name for name in self._names() if name.endswith(ending)]
        for name in found:
            self.remove(self.directory / name)
        return len(found)

    def remove(self, path: Path) -> None:
        """Remove a file without content worth protecting."""
        try:
            self.disk.unlink(path)
        except OSError as error:
            _LOG.warning("%s: cannot be removed: %s", path.name, error.strerror)

    def free_bytes(self) -> int:
        """Return what is free where the files lie."""
        try:
            return self.disk.free_bytes(self.directory)
        except OSError as error:
            raise DiskError(f"{self.directory}: {error.strerror}") from error

    def path(self, item_id: str) -> Path:
        """Return where the item's file is."""
        return self.directory / (item_id + SEALED)

    def _sealed(self) -> list[str]:
        return [n.removesuffix(SEALED) for n in self._names() if n.endswith(SEALED)]

    def _unused_name(self, item_id: str) -> Path:
        """Return a name for a damaged file that destroys no earlier one."""
        stem = item_id if is_item_id(item_id) else f"stranger-{secrets.token_hex(4)}"
        numbered = ("", *(f".{number}" for number in range(2, 100)))
        paths = (self.directory / f"{stem}{number}{DAMAGED}" for number in numbered)
        unused = self.directory / f"{stem}.{secrets.token_hex(4)}{DAMAGED}"
        return next((path for path in paths if not os.path.lexists(path)), unused)

    def _names(self) -> list[str]:
        try:
            return self.disk.names(self.directory)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DiskError(f"{self.directory}: cannot be listed: {error.strerror}") from error
