"""When was a frame taken? The driver's word where it can be true, else its arrival.

Sources: OpenCV's V4L2 backend hands out the buffer's stamp, uvcvideo takes it from CLOCK_MONOTONIC,
which is ``time.monotonic_ns``; other backends give 0, -1, the stream's own time or a frame count.
"""

from __future__ import annotations

from collections import deque
from statistics import median

ARRIVAL = "arrival"

_TRUST_LOST_AFTER = 5
_LAGS_KEPT = 31
_STEP_NS = 1_000


class Stamper:
    """Stamps the new frames of one feed; each stamp is later than the one before.

    A stamp of the source is taken when it lies within ``limit_ns`` before the arrival and after its
    predecessor. One that does not is replaced by the arrival less the usual lag, so that a hiccup
    does not move a frame against its neighbours; after 5 in a row the arrival itself counts, for
    the rest of the feed: two time bases in one session would label wrongly.

    Parameters
    ----------
    limit_ns : how long before its arrival a frame can have been stamped.
    source : the name of who stamps, as reported by ``source``.
    floor_ns : no stamp at or before this: that of the last frame before the camera was reopened.
    """

    def __init__(self, limit_ns: int, source: str, floor_ns: int) -> None:
        self._limit_ns = limit_ns
        self._name = source
        self._last_ns = floor_ns
        self._last_source_ns: int | None = None
        self._lags: deque[int] = deque(maxlen=_LAGS_KEPT)
        self._distrust = 0

    @property
    def source(self) -> str:
        """Where stamps come from now."""
        trusted = self._lags and self._distrust < _TRUST_LOST_AFTER
        return self._name if trusted else ARRIVAL

    def advanced(self, source_ns: int | None, received_ns: int) -> bool:
        """Return whether the source's stamp is one that a new frame could have."""
        if source_ns is None or not 0 < received_ns - source_ns < self._limit_ns:
            return False
        return self._last_source_ns is None or source_ns > self._last_source_ns

    def stamp(self, source_ns: int | None, received_ns: int) -> int:
        """Return the time of a new frame in monotonic ns."""
        t_ns = max(self._judged(source_ns, received_ns), self._last_ns + _STEP_NS)
        self._last_ns = t_ns
        return t_ns

    def _judged(self, source_ns: int | None, received_ns: int) -> int:
        if self._distrust >= _TRUST_LOST_AFTER:
            return received_ns
        if source_ns is not None and self.advanced(source_ns, received_ns):
            self._distrust = 0
            self._last_source_ns = source_ns
            self._lags.append(received_ns - source_ns)
            return source_ns
        self._distrust += 1
        if self._distrust >= _TRUST_LOST_AFTER or not self._lags:
            return received_ns
        return received_ns - round(median(self._lags))
