"""Whether this machine keeps up: frames judged a second and late flips, from the first frame on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from capture.display.port import FlipRecord

WINDOW_NS = 3_000_000_000
"""Shorter than the notice: who stands before a slow machine has not been asked for anything yet."""
LEAST_FRAMES_PER_S = 12.0
"""Five frames in a slot of 400 ms, of which the flips at both its ends take two."""
LEAST_SHARE_OF_CAMERA = 0.6
"""For cameras that are slow themselves."""
MOST_LATE_SHARE = 0.1
"""A late flip makes a slot longer and its frames unsure: more than one in ten starve a session."""
LATE_PERIODS = 1.5
LOST_NS = 1_500_000_000
"""So long without a frame is a camera or a tracker that is lost, which is told as such."""
GOOD_WINDOWS = 2
"""In a row, before a slow machine counts as fast enough again."""

OnLoad: TypeAlias = Callable[["HostLoad"], None]


@dataclass(frozen=True, slots=True)
class HostLoad:
    """What the machine got done in one window.

    Attributes
    ----------
    frames_per_s : frames judged.
    least_frames_per_s : what a session needs from this camera.
    flips, late_flips : pictures shown, and those that came more than 1.5 refresh periods after the
        one before or after they were handed over.
    slow : one of both is too bad for a kiosk.
    """

    frames_per_s: float
    least_frames_per_s: float
    flips: int
    late_flips: int
    slow: bool

    @property
    def reason(self) -> str:
        """Say in a sentence what is too slow, and what helps."""
        return (
            f"this machine is too slow for the kiosk at present: {self.frames_per_s:.1f} frames a "
            f"second are judged, at least {self.least_frames_per_s:g} are needed; "
            f"{self.late_flips} of {self.flips} pictures came late on the screen. End other "
            "programs, let the camera deliver smaller frames, or take a faster machine"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of the event ``host``."""
        return asdict(self) | {"frames_per_s": round(self.frames_per_s, 1)}


class HostWatch:
    """Counts turn by turn of the main loop; pure but for what it calls.

    Parameters
    ----------
    camera_fps : what the camera claims; None or 0: unknown.
    on_window : called with every window's figures.
    on_change : called when the machine becomes too slow, and when it keeps up again.
    """

    def __init__(self, camera_fps: float | None, on_window: OnLoad, on_change: OnLoad) -> None:
        known = camera_fps or LEAST_FRAMES_PER_S / LEAST_SHARE_OF_CAMERA
        self._least = min(LEAST_FRAMES_PER_S, LEAST_SHARE_OF_CAMERA * known)
        self._on_window = on_window
        self._on_change = on_change
        self._start: tuple[int, int] | None = None
        self._before_ns: int | None = None
        self._newest = (0, 0)
        self._lost = False
        self._flips = self._late = 0
        self._slow = False
        self._good = 0

    def turn(self, shown: FlipRecord, looked: int) -> None:
        """Take in a flip and how many frames were judged until then."""
        now_ns = shown.flipped_ns
        if self._start is None:
            if looked > 0:  # models and screens have been loaded by then
                self._begin(now_ns, looked)
            return
        self._flips += 1
        self._late += self._is_late(shown)
        self._before_ns = now_ns
        if looked != self._newest[1]:
            self._newest = now_ns, looked
        self._lost |= now_ns - self._newest[0] > LOST_NS
        if now_ns - self._start[0] >= WINDOW_NS:
            self._close(now_ns, looked)

    def _is_late(self, shown: FlipRecord) -> bool:
        since_ns = [shown.submitted_ns]
        if self._before_ns is not None:
            since_ns.append(self._before_ns)
        allowed_ns = LATE_PERIODS * 1e9 / shown.refresh_hz
        return any(shown.flipped_ns - t_ns > allowed_ns for t_ns in since_ns)

    def _begin(self, now_ns: int, looked: int) -> None:
        self._start = now_ns, looked
        self._before_ns = now_ns
        self._newest = now_ns, looked
        self._lost = False
        self._flips = self._late = 0

    def _close(self, now_ns: int, looked: int) -> None:
        start_ns, before = self._start or (now_ns, looked)
        flips, late, lost = self._flips, self._late, self._lost
        self._begin(now_ns, looked)
        if lost:
            return
        rate = (looked - before) / ((now_ns - start_ns) / 1e9)
        slow = rate < self._least or late > MOST_LATE_SHARE * flips
        load = HostLoad(rate, self._least, flips, late, slow)
        self._on_window(load)
        self._good = 0 if slow else self._good + 1
        if slow != self._slow and (slow or self._good >= GOOD_WINDOWS):
            self._slow = slow
            self._on_change(load)
