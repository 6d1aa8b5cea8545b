"""The lag of a kiosk, from steps of its screen or from the light of its sessions.

Two conventions meet here. What is measured is the lag to *half* of a change's light, at the height
of the face in the frame. What labels need is the latency of `Timing`: from the flip to the stamp of
an exposure that begins with the change's *first* light, in the first row. Between them lie half of
the exposure, the readout down to the face, and half of the display's own rise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.errors import MeasurementError
from calibration.profile import Measured, ProfileOrigin, TimingSection
from calibration.timing.steps import StepLags
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, IlluminationPlan, Slot
from capture.light.photosensitivity import require_safe
from capture.light.timeline import Timing
from capture.options import option, options
from preprocess.light.fitting.template import TYPICAL_EXPOSURE_NS, TYPICAL_READOUT_NS
from preprocess.light.verdict import LightResponse, LightState

UNKNOWN_EXPOSURE_MS = 8.0
"""Half of what a webcam's exposure differs from the typical 16 ms in lit rooms, 8 to 33 ms."""

UNKNOWN_READOUT_MS = 10.0
"""What a rolling shutter's readout differs from the typical 20 ms at most."""

LEAST_MS = 3.0
"""No lag is known better than this: stamps jitter by 1 to 3 ms."""


@options
class StepPlanOptions:
    """The steps that are shown."""

    steps: int = option(24, unit="steps", low=8, high=200, why="median within 2 ms at 30 fps")
    dwell_low_ms: float = option(
        600.0, unit="ms", low=500, high=5000, why="longer than any lag, so steps cannot be confused"
    )
    dwell_high_ms: float = option(
        1000.0, unit="ms", low=500, high=10_000, why="random: edges fall on all phases of a frame"
    )
    lead_ms: float = option(
        1500.0, unit="ms", low=200, high=10_000, why="exposure settles before it is locked"
    )


def step_plan(seed: int, options: StepPlanOptions | None = None) -> IlluminationPlan:
    """Return grey and white in turn, of random dwell; safe by the photosensitivity check.

    Raises
    ------
    PlanError
        the dwell makes it unsafe.
    """
    options = options or StepPlanOptions()
    rng = np.random.default_rng(seed)
    white = PRIMARIES["White"]
    slots = [Slot(None, NEUTRAL_RGB, options.lead_ms)]
    for index in range(options.steps):
        dwell_ms = round(float(rng.uniform(options.dwell_low_ms, options.dwell_high_ms)), 1)
        bright = index % 2 == 0
        slots.append(
            Slot("White", white, dwell_ms) if bright else Slot(None, NEUTRAL_RGB, dwell_ms)
        )
    slots.append(Slot(None, NEUTRAL_RGB, options.dwell_low_ms))
    plan = IlluminationPlan(tuple(slots), seed)
    require_safe(plan)
    return plan


@dataclass(frozen=True, slots=True)
class Hardware:
    """What is known of shutter and display, in ms; None where it is not.

    ``how`` says who knows it. A screen without scan-out rises at once: scan-out and settling 0.
    """

    exposure_ms: float | None = None
    readout_ms: float | None = None
    scanout_ms: float = Timing(0).scanout_ns / 1e6
    settle_ms: float = Timing(0).settle_ns / 1e6
    how: str = "stated"

    @classmethod
    def of(cls, timing: Timing, how: str) -> Hardware:
        """Take what a recording states; the bounds of `Timing` state nothing."""
        bound = Timing(0)
        known = timing.exposure_ns < bound.exposure_ns
        return cls(
            exposure_ms=timing.exposure_ns / 1e6 if known else None,
            readout_ms=None if timing.readout_ns == bound.readout_ns else timing.readout_ns / 1e6,
            scanout_ms=timing.scanout_ns / 1e6,
            settle_ms=timing.settle_ns / 1e6,
            how=how,
        )

    @property
    def rise_ms(self) -> float:
        """From first to half light: half the scan-out and the panel's time constant."""
        return self.scanout_ms / 2 + self.settle_ms / 3

    def stated(self, value_ms: float | None) -> Measured | None:
        """Return a value as it goes into the profile."""
        return None if value_ms is None else Measured(value=value_ms, how=self.how)


def timing_from_steps(
    lags: StepLags, row: float, hardware: Hardware, origin: ProfileOrigin
) -> TimingSection:
    """Return the timing that the steps of a screen show at height ``row`` of the picture."""
    exposure_ms, readout_ms = _shutter_ms(hardware)
    to_first_row_ms = row * readout_ms + exposure_ms / 2
    found = len(lags.lags_ms)
    how = f"{found} grey and white steps, crossings of half of the step"
    latency_ms = lags.median_ms + to_first_row_ms - hardware.rise_ms
    return TimingSection(
        origin=origin,
        method="steps",
        lag_ms=Measured(value=_tenth(lags.median_ms), how=how, spread=_tenth(lags.mad_ms), n=found),
        latency_ms=Measured(
            value=_tenth(latency_ms),
            how=f"lag, {to_first_row_ms:.1f} ms to the first row, {hardware.rise_ms:.1f} ms rise",
            n=found,
        ),
        uncertainty_ms=_uncertainty_ms(lags.mad_ms, found, row, hardware),
        p95_ms=_tenth(lags.p95_ms),
        rising_ms=_tenth(lags.median_of(rising=True)),
        falling_ms=_tenth(lags.median_of(rising=False)),
        steps=found,
        missed=lags.missed,
        exposure_ms=hardware.stated(hardware.exposure_ms),
        readout_ms=hardware.stated(hardware.readout_ms),
        scanout_ms=hardware.scanout_ms,
        settle_ms=hardware.settle_ms,
    )


def timing_from_sessions(
    responses: Sequence[LightResponse], row: float, hardware: Hardware, origin: ProfileOrigin
) -> TimingSection:
    """Return the timing that lit sessions show; each gives one delay to half light.

    Raises
    ------
    MeasurementError
        no session whose light answers the plan.
    """
    usable = [r for r in responses if r.state in (LightState.OK, LightState.WEAK)]
    delays = np.array([r.delay_ns / 1e6 for r in usable if r.delay_ns is not None])
    if not len(delays):
        states = ", ".join(sorted({r.state.value for r in responses})) or "none at all"
        raise MeasurementError(
            f"no session answers its light, states are {states}: record with the screen's light "
            "on a face"
        )
    median_ms = float(np.median(delays))
    mad_ms = float(np.median(np.abs(delays - median_ms)))
    sd_ms = float(np.median([r.delay_sd_ns / 1e6 for r in usable if r.delay_sd_ns is not None]))
    exposure_ms, readout_ms = _shutter_ms(hardware)
    how = f"correlation of face and plan in {len(delays)} sessions"
    return TimingSection(
        origin=origin,
        method="correlation",
        lag_ms=Measured(
            value=_tenth(median_ms - row * readout_ms - exposure_ms / 2),
            how=how,
            spread=_tenth(mad_ms),
            n=len(delays),
        ),
        latency_ms=Measured(
            value=_tenth(median_ms - hardware.rise_ms),
            how=f"{how}, {hardware.rise_ms:.1f} ms rise",
            spread=_tenth(mad_ms),
            n=len(delays),
        ),
        uncertainty_ms=_uncertainty_ms(max(mad_ms, sd_ms), len(delays), row, hardware),
        p95_ms=_tenth(float(np.percentile(delays, 95)) - row * readout_ms - exposure_ms / 2),
        steps=len(delays),
        missed=len(responses) - len(delays),
        exposure_ms=hardware.stated(hardware.exposure_ms),
        readout_ms=hardware.stated(hardware.readout_ms),
        scanout_ms=hardware.scanout_ms,
        settle_ms=hardware.settle_ms,
    )


def _shutter_ms(hardware: Hardware) -> tuple[float, float]:
    return (
        TYPICAL_EXPOSURE_NS / 1e6 if hardware.exposure_ms is None else hardware.exposure_ms,
        TYPICAL_READOUT_NS / 1e6 if hardware.readout_ms is None else hardware.readout_ms,
    )


def _uncertainty_ms(mad_ms: float, n: int, row: float, hardware: Hardware) -> float:
    """Two standard errors of a median, and what the unknown shutter adds."""
    noise_ms = 2 * 1.2533 * 1.4826 * mad_ms / np.sqrt(n)
    unknown_ms = 0.0 if hardware.exposure_ms is not None else UNKNOWN_EXPOSURE_MS
    unknown_ms += 0.0 if hardware.readout_ms is not None else row * UNKNOWN_READOUT_MS
    return _tenth(max(float(noise_ms), LEAST_MS) + unknown_ms)


def _tenth(value_ms: float) -> float:
    return round(value_ms, 1)
