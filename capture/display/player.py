"""Plays a plan on a screen: the next slot is due a whole dwell after the *flip* of the one before.

Times are never taken from a fixed start: a screen that stalls then lengthens the plan, and cannot
compress it into flashes.
"""

from __future__ import annotations

from capture.light.illumination import IlluminationPlan, Slot


class LightPlayer:
    """Tells which slot to show; the caller shows it and reports the flip.

    ``due`` and ``flipped`` are pure functions of their arguments and the flips so far.
    """

    def __init__(self, plan: IlluminationPlan, refresh_hz: float) -> None:
        self._plan = plan
        self._refresh_ns = round(1e9 / refresh_hz)
        self._index = -1
        self._since_ns = 0
        self._last_flip_ns = 0

    def due(self, now_ns: int) -> tuple[int, Slot] | None:
        """Return index and slot for the next flip, or None when the plan is over.

        What is drawn at ``now_ns`` is seen at the next refresh: the next slot is due when that
        refresh is the nearest to the end of the dwell.
        """
        index = self._index
        seen_ns = max(now_ns, self._last_flip_ns + self._refresh_ns)
        if index < 0 or seen_ns >= self._end_ns() - self._refresh_ns // 2:
            index += 1
        return (index, self._plan.slots[index]) if index < len(self._plan.slots) else None

    def flipped(self, index: int, flipped_ns: int) -> None:
        """Report every flip: slot ``index`` (of ``due``) was on the screen at ``flipped_ns``."""
        self._last_flip_ns = flipped_ns
        if index > self._index:
            self._index, self._since_ns = index, flipped_ns

    def progress(self, now_ns: int) -> float:
        """Return the played share of the plan, 0 to 1."""
        if self._index < 0:
            return 0.0
        done_ms = sum(slot.dwell_ms for slot in self._plan.slots[: self._index])
        slot_ms = min(self._plan.slots[self._index].dwell_ms, (now_ns - self._since_ns) / 1e6)
        return min(1.0, (done_ms + slot_ms) / self._plan.duration_ms)

    def _end_ns(self) -> int:
        return self._since_ns + round(self._plan.slots[self._index].dwell_ms * 1e6)
