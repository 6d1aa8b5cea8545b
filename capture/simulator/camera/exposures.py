"""When a simulated camera exposes, stamps and delivers its frames: pure functions of the seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.simulator.options import PersonKind, SimulatorOptions

_LIE_MS, _LIE_PERIOD_S = 120.0, 2.9


@dataclass(frozen=True, slots=True)
class Shot:
    """The times of one frame, ns of the session's clock.

    Attributes
    ----------
    exposed_ns : the first row starts to integrate.
    read_out_ns : the last row has ended.
    stamped_ns : what the driver says; strictly increasing.
    delivered_ns : when we get it; never before its stamp.
    dropped, repeats : it never arrives; it arrives with the pixels of the one before.
    """

    seq: int
    exposed_ns: int
    read_out_ns: int
    stamped_ns: int
    delivered_ns: int
    dropped: bool
    repeats: bool


class FrameClock:
    """Plans shot after shot, from the camera's own crystal."""

    def __init__(self, options: SimulatorOptions, start_ns: int) -> None:
        camera = options.camera
        self._options = options
        self.zero_ns = start_ns
        self.period_ns = 1e9 / camera.fps * (1 + camera.clock_ppm * 1e-6)
        self.exposure_ns = round(camera.exposure_ms * 1e6)
        self.readout_ns = round(camera.readout_ms * 1e6)
        rng = np.random.default_rng(np.random.SeedSequence([options.seed, 0xCA3]))
        self._first_ns = start_ns + round(float(rng.uniform(0.1, 1.0)) * self.period_ns)
        self._last: Shot | None = None

    def next_shot(self) -> Shot:
        """Return the times of the next frame."""
        last, camera = self._last, self._options.camera
        seq = 0 if last is None else last.seq + 1
        rng = np.random.default_rng(np.random.SeedSequence([self._options.seed, 0xF4A, seq]))
        exposed_ns = self._first_ns + round(seq * self.period_ns)
        read_out_ns = exposed_ns + self.readout_ns + self.exposure_ns
        stamped_ns = exposed_ns + round(
            1e6 * (self._offset_ms(exposed_ns) + rng.normal(0, camera.stamp_jitter_ms))
        )
        late_ms = camera.delivery_ms + float(rng.normal(0, 1)) * camera.delivery_jitter_ms
        delivered_ns = read_out_ns + round(1e6 * max(0.5, late_ms))
        dropped, repeats = rng.random(2) < (camera.drops, camera.duplicates)
        if last is not None:
            stamped_ns = max(stamped_ns, last.stamped_ns + 1)
            delivered_ns = max(delivered_ns, last.delivered_ns + 1)
        delivered_ns = max(delivered_ns, stamped_ns)
        self._last = Shot(
            seq, exposed_ns, read_out_ns, stamped_ns, delivered_ns, bool(dropped), bool(repeats)
        )
        return self._last

    def _offset_ms(self, exposed_ns: int) -> float:
        """Return how long after the start of exposure the driver stamps, on average."""
        offset_ms = self._options.camera.latency_ms - self._options.screen.lag_ms
        if self._options.person.kind is PersonKind.LYING_CLOCK:
            turn = 2 * np.pi * (exposed_ns - self.zero_ns) / 1e9 / _LIE_PERIOD_S
            offset_ms -= _LIE_MS * (1 + float(np.sin(turn)))
        return offset_ms
