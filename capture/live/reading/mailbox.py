"""A place for one frame: the newest wins, and waiting for it always ends."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Hands the newest item from one thread to another."""

    def __init__(self) -> None:
        self._item: Item | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> bool:
        """Leave an item; returns whether an older one was thrown away for it."""
        with self._changed:
            displaced = self._item is not None
            self._item = item
            self._changed.notify_all()
        return displaced

    def take(self, timeout_s: float) -> Item | None:
        """Return the item once there is one; None after ``timeout_s`` or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            return None if self._closed else item

    def empty(self) -> bool:
        """Throw away what lies there; returns whether there was something."""
        with self._changed:
            displaced = self._item is not None
            self._item = None
        return displaced

    def close(self) -> None:
        """Send everybody who waits home."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()
