"""A face lit by a plan, reduced to its samples: known light, seeded noise, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, Flip
from capture.light.timeline import Timeline, Timing
from preprocess.light.samples import LINEAR_OF_SRGB, ChromaSample

SIX = ("Red", "Green", "Blue", "Green", "Red", "Blue")
SKIN = np.array([0.30, 0.20, 0.14])
WALL = np.array([0.25, 0.24, 0.22])
EXPOSURE_MS, READOUT_MS, ROW = 16.0, 20.0, 0.4


@dataclass(frozen=True)
class Light:
    """How a session is lit and seen; ``f`` is screen over ambient light."""

    f: float = 0.2
    latency_ms: float = 85.0
    fps: float = 30.0
    dwell_ms: float = 470.0
    noise: float = 0.004
    drop: float = 0.0
    spill: float = 0.08
    background: bool = True
    gain: float = 0.0
    seed: int = 0


def flips_of(colours: tuple[str | None, ...], dwell_ms: float = 470.0) -> list[Flip]:
    names = [None, *colours, None]
    times = [0.0, *(700.0 + dwell_ms * i for i in range(len(colours) + 1))]
    return [
        Flip(round(t * 1e6), name, NEUTRAL_RGB if name is None else PRIMARIES[name])
        for t, name in zip(times, names, strict=True)
    ]


def timeline_of(colours: tuple[str | None, ...] = SIX, light: Light | None = None) -> Timeline:
    light = light or Light()
    timing = Timing(round(light.latency_ms * 1e6), exposure_ns=16_000_000, readout_ns=20_000_000)
    return Timeline(flips_of(colours, light.dwell_ms), timing)


def lit(colours: tuple[str | None, ...] = SIX, light: Light | None = None) -> list[ChromaSample]:
    """Samples of a face lit by ``colours``, with a drifting gain and seeded noise."""
    light = light or Light()
    rng = np.random.default_rng(light.seed)
    flips = flips_of(colours, light.dwell_ms)
    edges = np.array([flip.t_ns / 1e6 for flip in flips] + [1e9])
    edges[0] = -1e9
    shown = LINEAR_OF_SRGB[np.array([flip.rgb for flip in flips])]
    times = np.arange(3.0, flips[-1].t_ns / 1e6 + 400, 1000 / light.fps)
    samples = []
    for t in times[rng.random(len(times)) >= light.drop]:
        start = t - light.latency_ms + ROW * READOUT_MS
        share = np.minimum(start + EXPOSURE_MS, edges[1:]) - np.maximum(start, edges[:-1])
        screen = np.clip(share, 0, None) @ shown / EXPOSURE_MS
        gain = np.exp(light.gain * np.sin(t / 150) + rng.normal(0, 0.002))
        face = SKIN * (1 + light.f * screen) * gain * np.exp(rng.normal(0, light.noise, 3))
        wall = WALL * (1 + light.spill * light.f * screen) * gain
        behind = (float(wall[0]), float(wall[1]), float(wall[2])) if light.background else None
        red, green, blue = (float(v) for v in face)
        samples.append(
            ChromaSample(round(t * 1e6), (red, green, blue), behind, 0.0, 9000, 50_000, ROW)
        )
    return samples
