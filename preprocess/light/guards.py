"""Which guards a session's labels need, by what the light itself tells of delay and exposure.

Like is compared with like: `Timing.latency_ns` counts from a flip to its first light, a measured
delay to half of it, which comes half a scan-out and the panel's time constant later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capture.light.timeline import Timing
from preprocess.light.verdict import Exposures

FIRST_LIGHT_NS = Timing(0).scanout_ns // 2 + Timing(0).settle_ns // 3
"""From first to half light of the slowest panel: what is first touched must be kept out."""

TYPICAL_RISE_NS = 8_400_000
"""The same of an ordinary panel (scan-out 12 ms, time constant 3.5 ms)."""

TYPICAL_SETTLING_NS = 12_000_000
"""From half light to 95 % of it on that panel."""

STATED_SD_NS = 3_000_000
"""Nobody states a delay more exactly, whatever is written."""

AGREEING_NS = 10_000_000
"""So far a statement may lie from the measurement, besides two sd, before it is disbelieved."""

JITTER_NS = 4_000_000
"""Stamps of single frames, and edges that the panel's figures do not foresee."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the guards of a timing leave on both sides of a slot, in ns; negative: too little.

    ``after_ns`` behind the flip that begins it, ``before_ns`` before the flip that ends it; ``sd``
    of each.
    """

    after_ns: int
    after_sd_ns: int
    before_ns: int
    before_sd_ns: int

    @property
    def surely_exceeded(self) -> bool:
        """Whether frames under two lights are called clean, beyond doubt."""
        return (
            self.after_ns < -2 * self.after_sd_ns - JITTER_NS
            or self.before_ns < -2 * self.before_sd_ns - JITTER_NS
        )


def coverage(timing: Timing, seen: Exposures) -> Coverage:
    """Compare the window that a timing allows for with the one that the face was exposed in.

    With an ordinary panel, so that only what no panel explains is surely exceeded.
    """
    delay = seen.delay
    first = delay.delay_ns - (0 if seen.rise_ns else TYPICAL_RISE_NS)
    settled = first + TYPICAL_RISE_NS + TYPICAL_SETTLING_NS
    opens = timing.latency_ns + timing.latency_uncertainty_ns - timing.row_top * timing.readout_ns
    opens += timing.scanout_ns + timing.settle_ns
    closes = (
        timing.latency_ns
        - timing.latency_uncertainty_ns
        - timing.row_bottom * timing.readout_ns
        - timing.exposure_ns
    )
    seen_opens = settled - seen.row_top * seen.readout_ns
    seen_closes = first - seen.row_bottom * seen.readout_ns - delay.exposure_ns
    return Coverage(
        after_ns=round(opens - seen_opens),
        after_sd_ns=_edge_sd_ns(seen),
        before_ns=round(seen_closes - closes),
        before_sd_ns=_edge_sd_ns(seen),
    )


def disagreement_ns(timing: Timing, seen: Exposures) -> int:
    """Return stated less measured delay, both to half light."""
    rise = 0 if seen.rise_ns else TYPICAL_RISE_NS
    return timing.latency_ns + rise - seen.delay.delay_ns


def agrees(timing: Timing, seen: Exposures) -> bool:
    """Return whether the measurement leaves a stated delay standing."""
    allowed = AGREEING_NS + 2 * seen.delay.sd_ns + timing.latency_uncertainty_ns
    return abs(disagreement_ns(timing, seen)) <= allowed


def measured_timing(bounds: Timing, seen: Exposures) -> Timing:
    """Return a timing by the measurement alone, guards two sd wide around it.

    ``bounds`` gives readout, scan-out and settling, which a session does not tell.
    """
    spread = 2 * float(np.hypot(seen.delay.middle_sd_ns, JITTER_NS / 4)) + JITTER_NS / 2
    return _timing(bounds, seen, _middle_ns(seen), _middle_ns(seen), spread)


def confirmed_timing(stated: Timing, seen: Exposures) -> Timing:
    """Return a timing whose guards hold both by the stated delay and by the measured one.

    Exposure and rows are those of the face, as measured: closer than bounds that suit any camera.
    """
    half = seen.delay.exposure_ns / 2
    spread = float(np.hypot(seen.delay.middle_sd_ns, JITTER_NS / 2))
    said = stated.latency_ns - half
    margin = STATED_SD_NS + stated.latency_uncertainty_ns
    measured = _middle_ns(seen)
    low, high = min(said - margin, measured - spread), max(said + margin, measured + spread)
    return _timing(stated, seen, low, high, 0.0)


def _timing(bounds: Timing, seen: Exposures, low: float, high: float, spread: float) -> Timing:
    """Return the timing whose exposures have their middle between ``low`` and ``high`` ns.

    Both count from first light, to the middle of an exposure of the first row.
    """
    longest = seen.delay.exposure_ns + 2 * seen.delay.exposure_sd_ns
    if not seen.exposure_stated:
        longest = min(longest, max(seen.interval_ns, seen.delay.exposure_ns))
    # the middle of the face is known; another readout moves the first row against it
    moved = seen.row * (bounds.readout_ns - seen.readout_ns)
    latency = (low + high) / 2 + longest / 2 + moved
    return replace(
        bounds,
        latency_ns=round(latency),
        latency_uncertainty_ns=round((high - low) / 2 + spread),
        exposure_ns=round(longest),
        exposure_stated=seen.exposure_stated,
        row_top=max(min(seen.row_top, 0.98), 0.0),
        row_bottom=min(max(seen.row_bottom, seen.row_top + 0.01), 1.0),
    )


def _middle_ns(seen: Exposures) -> float:
    return seen.delay.middle_ns - (0 if seen.rise_ns else FIRST_LIGHT_NS)


def _edge_sd_ns(seen: Exposures) -> int:
    return round(float(np.hypot(seen.delay.middle_sd_ns, seen.delay.exposure_sd_ns / 2)))
