"""Sessions with a known light: computed from a model, or real faces relit in their pixels.

Both give `ChromaSample` series together with the timeline that was declared. The model holds what
disturbs the measurement (automatic exposure and white balance, highlights, drift, mains flicker,
crosstalk, a slow panel); relit footage holds real skin, real motion and real compression.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame, ImageU8
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, Flip
from capture.light.timeline import Timeline, Timing
from preprocess.light.samples import (
    LINEAR_OF_SRGB,
    ChromaSample,
    LightPatch,
    Place,
    SampleOptions,
    background_patch,
    face_patch,
    reduce_sample,
)
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker

Array = NDArray[np.float64]
Plan = tuple[tuple[str, float], ...]
"""Colour and dwell in ms, between 700 ms and 400 ms of neutral."""

LEAD_MS, TAIL_MS = 700.0, 400.0
NEUTRAL = LINEAR_OF_SRGB[list(NEUTRAL_RGB)].astype(np.float64)


@dataclass(frozen=True)
class Kiosk:
    """One draw of what differs between kiosks; ``f`` is screen over ambient light on the face."""

    f: float
    latency_ms: float
    fps: float
    drop: float
    exposure_ms: float = 16.0
    readout_ms: float = 20.0
    automatic: bool = True
    stated: bool = False
    stamp_jitter_ms: float = 1.0

    def timing(self) -> Timing:
        """Return what is declared of it: the latency, and the shutter where it is stated."""
        latency = round(self.latency_ms * 1e6)
        if not self.stated:
            return Timing(latency)
        return Timing(
            latency,
            exposure_ns=round(self.exposure_ms * 1e6),
            readout_ns=round(self.readout_ms * 1e6),
        )


def draw_kiosk(rng: np.random.Generator) -> Kiosk:
    """Draw from the ranges that the figures are promised for."""
    fps = float(rng.choice([15.0, 24.0, 30.0, 60.0]))
    return Kiosk(
        f=float(np.exp(rng.uniform(np.log(0.05), np.log(0.6)))),
        latency_ms=float(rng.uniform(40, 250)),
        fps=fps,
        drop=float(rng.choice([0.0, 0.1, 0.2])),
        exposure_ms=float(min(rng.choice([8.0, 16.0, 33.0]), 1000 / fps)),
        readout_ms=float(rng.uniform(15, 30)),
        automatic=bool(rng.random() < 0.5),
        stated=bool(rng.random() < 0.5),
    )


def draw_plan(rng: np.random.Generator) -> Plan:
    """Draw six to nine slots of three colours, no colour twice in a row."""
    count = int(rng.integers(6, 10))
    while True:
        names = rng.permutation((list(PRIMARIES)[:3] * 3)[:count])
        if np.all(names[1:] != names[:-1]):
            return tuple((str(name), float(rng.uniform(400, 600))) for name in names)


def other_plan(plan: Plan, rng: np.random.Generator) -> Plan:
    """Draw the same slots in another order: shuffled, colours exchanged, or moved along."""
    names = np.array([name for name, _ in plan])
    while True:
        kind = rng.integers(3)
        if kind == 0:
            drawn = rng.permutation(names)
        elif kind == 1:
            palette = np.unique(names)
            drawn = rng.permutation(palette)[np.searchsorted(palette, names)]
        else:
            drawn = np.roll(names, int(rng.integers(1, len(names))))
        if np.any(drawn != names):
            return tuple((str(n), dwell) for n, (_, dwell) in zip(drawn, plan, strict=True))


def timeline_of(plan: Plan, timing: Timing) -> Timeline:
    """Return the timeline of a plan whose first flip is at 0."""
    times = np.cumsum([0.0, LEAD_MS, *(dwell for _, dwell in plan)])
    names = [None, *(name for name, _ in plan), None]
    flips = [
        Flip(round(t * 1e6), name, NEUTRAL_RGB if name is None else PRIMARIES[name])
        for t, name in zip(times, names, strict=True)
    ]
    return Timeline(flips, timing)


def frame_times_ms(plan: Plan, kiosk: Kiosk, rng: np.random.Generator) -> Array:
    """Stamps of the frames that arrive."""
    total = LEAD_MS + TAIL_MS + sum(dwell for _, dwell in plan)
    times = np.arange(rng.uniform(0, 1000 / kiosk.fps), total, 1000 / kiosk.fps)
    times = np.maximum.accumulate(times + rng.normal(0, kiosk.stamp_jitter_ms, len(times)))
    times = times + np.arange(len(times)) * 1e-3
    return times[rng.random(len(times)) >= kiosk.drop]


@dataclass(frozen=True, eq=False)
class Screen:
    """Linear light (red green blue) of the flips; ``rise_ms`` of one scan-out, 0 at once."""

    times_ms: Array
    light: Array
    rise_ms: float = 0.0

    @classmethod
    def of(cls, plan: Plan, rise_ms: float = 0.0) -> Screen:
        """Return the screen that shows ``plan``."""
        flips = timeline_of(plan, Timing(0)).flips
        light = LINEAR_OF_SRGB[np.array([flip.rgb for flip in flips])].astype(np.float64)
        return cls(np.array([flip.t_ns / 1e6 for flip in flips]), light, rise_ms)

    def exposed(self, start_ms: Array, exposure_ms: float) -> Array:
        """(..., 3) mean light over exposures that begin at ``start_ms`` of display time."""
        steps = 1 if self.rise_ms == 0 else 8
        lags = (np.arange(steps) + 0.5) / steps * self.rise_ms
        total = np.zeros((*np.shape(start_ms), 3))
        for lag in lags:
            opened = np.asarray(start_ms) - lag
            total += self._integral(opened + exposure_ms) - self._integral(opened)
        return total / (steps * exposure_ms)

    def _integral(self, t_ms: Array) -> Array:
        """Light summed from the first flip to ``t_ms``; before it the first light counts too."""
        edges = np.append(self.times_ms, self.times_ms[-1] + 1e6)
        sums = np.concatenate(
            [np.zeros((1, 3)), np.cumsum(np.diff(edges)[:, None] * self.light, 0)]
        )
        inside = np.stack([np.interp(t_ms, edges, sums[:, c]) for c in range(3)], axis=-1)
        before = np.minimum(np.asarray(t_ms) - edges[0], 0.0)[..., None] * self.light[0]
        return np.asarray(inside + before)


CROSSTALK = np.array([[0.93, 0.06, 0.01], [0.05, 0.88, 0.07], [0.01, 0.08, 0.91]])
SKIN, WALL = np.array([0.45, 0.30, 0.22]), np.array([0.35, 0.33, 0.30])
AMBIENT = np.array([1.0, 0.93, 0.75])
RISE_MS = 1000 / 60
"""Scan-out of the modelled panel: half light comes half of it after the flip."""

FACE_ROW = 0.4


def modelled(plan: Plan, kiosk: Kiosk, rng: np.random.Generator) -> list[ChromaSample]:
    """Return the samples of a modelled session lit by ``plan``.

    The declared latency is to half light, so the modelled panel starts half a scan-out earlier.
    """
    t = frame_times_ms(plan, kiosk, rng)
    start = t - kiosk.latency_ms + RISE_MS / 2 + FACE_ROW * kiosk.readout_ms
    lit = Screen.of(plan, RISE_MS).exposed(start, kiosk.exposure_ms) @ CROSSTALK.T
    flicker = 1 + rng.uniform(0, 0.2) * np.sinc(kiosk.exposure_ms / 10) * np.sin(
        2 * np.pi * 0.1 * start + rng.uniform(0, 6)
    )
    ambient = AMBIENT * flicker[:, None]
    gloss = _wander(t, 0.02, 200.0, rng)[:, None] * AMBIENT
    pose = np.exp(_wander(t, 0.03, 600.0, rng))[:, None]
    face = pose * (SKIN * (ambient + kiosk.f * lit) + 0.3 * np.abs(gloss))
    wall = WALL * (ambient + rng.uniform(0.05, 0.12) * kiosk.f * lit)
    gains = _automatic(face, wall, rng) if kiosk.automatic else np.full((len(t), 3), 0.7)
    noise = rng.choice([0.003, 0.005, 0.01])
    face = face * gains * np.exp(rng.normal(0, noise, face.shape))
    wall = wall * gains * np.exp(rng.normal(0, 0.002, wall.shape))
    return [
        ChromaSample(
            round(stamp * 1e6),
            _colour(bright),
            _colour(behind),
            float(np.mean(bright > 1.0)),
            9000,
            90_000,
            FACE_ROW,
        )
        for stamp, bright, behind in zip(t, face, wall, strict=True)
    ]


def _wander(t_ms: Array, sd: float, memory_ms: float, rng: np.random.Generator) -> Array:
    """Noise with a memory: what a moving head does."""
    value, found = rng.normal(0, sd), []
    for gap in np.diff(t_ms, prepend=t_ms[0]):
        keep = np.exp(-gap / memory_ms)
        value = keep * value + rng.normal(0, sd * np.sqrt(max(1 - keep**2, 0.0)))
        found.append(value)
    return np.array(found)


def _automatic(face: Array, wall: Array, rng: np.random.Generator) -> Array:
    """Gains of a camera that keeps brightness and greyness of the whole picture."""
    gains, found = np.full(3, 0.7), []
    speed, balance = rng.uniform(0.3, 0.35), rng.uniform(0.1, 0.2)
    for bright, behind in zip(face, wall, strict=True):
        found.append(gains.copy())
        mean = (0.3 * bright + 0.7 * behind) * gains
        gains = gains * (0.3 / mean.mean()) ** speed * (mean.mean() / mean) ** balance
    return np.array(found)


def _colour(light: Array) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in np.minimum(light, 1.0))
    return red, green, blue


@dataclass(frozen=True, eq=False)
class _Region:
    patch: LightPatch
    codes: ImageU8
    shade: Array


@dataclass(frozen=True, eq=False)
class Shot:
    """What one frame of real footage gives to be relit."""

    height: int
    face: _Region
    behind: _Region


def shots(video: Path, limit: int = 130) -> list[Shot]:
    """Return the sampled regions of a plain video, with the shade of each pixel."""
    import av

    found = []
    with av.open(str(video)) as container, FaceMeshTracker() as tracker:
        for seq, frame in enumerate(container.decode(video=0)):
            if seq >= limit:
                break
            pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            face = tracker.track(Frame(seq, seq + 1, seq + 1, pixels))
            if face is None:
                continue
            size = pixels.shape[1], pixels.shape[0]
            skin, rest = face_patch(face, size), background_patch(face.rectangle, size)
            if skin is None or rest is None:
                raise ValueError(f"{video}: frame {seq} has no face region or no background")
            found.append(
                Shot(
                    pixels.shape[0],
                    *(
                        _Region(p, pixels[p.rows, p.columns], _shade(p, face.landmarks_px))
                        for p in (skin, rest)
                    ),
                )
            )
    return found


def _shade(patch: LightPatch, landmarks_px: NDArray[np.float32]) -> Array:
    """Share of the screen's light that a pixel takes: a head's curve in front, 8 % behind."""
    points = landmarks_px[:468, :2]
    (cx, cy), (rx, ry) = points.mean(axis=0), np.ptp(points, axis=0) / 2
    u, v = (patch.columns - cx) / (rx * 1.25), (patch.rows - cy) / (ry * 1.3)
    radius = u * u + v * v
    front = np.sqrt(np.clip(1 - 0.75 * radius, 0.05, 1))
    inside = 1 / (1 + np.exp(np.clip((radius - 1) * 12, -50, 50)))
    return np.asarray(0.08 * (1 - inside) + front * inside, np.float64)


def relit(
    footage: list[Shot], plan: Plan, kiosk: Kiosk, rng: np.random.Generator
) -> list[ChromaSample]:
    """Return the samples of a real face lit by ``plan``; frames run back and forth."""
    times = frame_times_ms(plan, kiosk, rng)
    screen, first = Screen.of(plan), int(rng.integers(len(footage)))
    turn = 2 * (len(footage) - 1)
    found = []
    for t in times:
        at = (first + int(t * 0.03)) % turn
        shot = footage[at if at < len(footage) else turn - at]
        face, behind = (
            _lit(r, shot.height, t, screen, kiosk, rng) for r in (shot.face, shot.behind)
        )
        place = Place(
            round(t * 1e6),
            shot.face.patch.covered_px,
            shot.behind.patch.covered_px,
            float(shot.face.patch.rows.mean()) / shot.height,
        )
        sample = reduce_sample(place, face, behind, SampleOptions())
        if sample is not None:
            found.append(sample)
    return found


def _lit(
    region: _Region,
    height: int,
    t_ms: float,
    screen: Screen,
    kiosk: Kiosk,
    rng: np.random.Generator,
) -> ImageU8:
    rows = np.arange(0, 1.01, 0.05)
    light = screen.exposed(t_ms - kiosk.latency_ms + rows * kiosk.readout_ms, kiosk.exposure_ms)
    at = region.patch.rows / height
    here = np.stack([np.interp(at, rows, light[:, c]) for c in (2, 1, 0)], axis=1)
    linear = LINEAR_OF_SRGB[region.codes] * (1 + kiosk.f * region.shade[:, None] * here) * 0.8
    linear = np.clip(linear, 0, 1)
    codes = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(codes * 255 + rng.normal(0, 1.5, codes.shape), 0, 255).astype(np.uint8)


def unlit(kiosk: Kiosk) -> Kiosk:
    """Return the kiosk with its screen dark."""
    return replace(kiosk, f=0.0)
