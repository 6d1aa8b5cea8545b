"""What a person does before the camera, as a pure function of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

import numpy as np

from capture.simulator.person.expression import Expression
from capture.simulator.person.pose import HeadPose


class Motion(StrEnum):
    """The scripts; those with an ``@`` time happen then, the others all along."""

    STILL = "still"
    SWAY = "sway"
    TALK = "talk"
    TURN = "turn"
    NOD = "nod"
    WALK_IN = "walk-in"
    LEAVE = "leave"
    SECOND = "second"


TIMED = frozenset({Motion.WALK_IN, Motion.LEAVE, Motion.SECOND})

_BLINK_CELL_S = 3.6
_BLINK_S = 0.18
_WALK_S = 1.4
_LEAVE_S = 0.9
_ASIDE_CM = 5.0
"""Who stands further right than this comes from the right."""


@dataclass(frozen=True, slots=True)
class MotionStep:
    """One script and, for the timed ones, when it starts."""

    motion: Motion
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stance:
    """Where a head is and what its face does; ``present`` False while out of the room."""

    pose: HeadPose
    expression: Expression
    present: bool = True


class Actor:
    """One person's motion; any time may be asked for, in any order.

    Parameters
    ----------
    rest : the stance from which all motion departs.
    steps : scripts that add up.
    seed : phases and blinks.
    """

    def __init__(self, rest: Stance, steps: tuple[MotionStep, ...], seed: int) -> None:
        self._rest = rest
        self._steps = steps
        self._seed = seed
        rng = np.random.default_rng(np.random.SeedSequence([seed, 0x303]))
        self._phase = rng.uniform(0, 2 * np.pi, 16)
        self._rate = rng.uniform(0.85, 1.15, 16)
        self._blink_at = lru_cache(maxsize=16)(self._draw_blink)
        self._recent = lru_cache(maxsize=8)(self._stance)

    def at(self, t_s: float) -> Stance:
        """Return the stance ``t_s`` seconds into the session."""
        return self._recent(t_s)

    def _stance(self, t_s: float) -> Stance:
        stance = self._rest
        for step in self._steps:
            stance = _SCRIPTS[step.motion](self, stance, t_s - step.at_s)
        open_now = stance.expression.eyes_open * self._lids(t_s)
        gaze = _gaze(stance.pose)
        expression = replace(
            stance.expression, eyes_open=open_now, gaze_yaw_deg=gaze[0], gaze_pitch_deg=gaze[1]
        )
        return replace(stance, expression=expression)

    def _lids(self, t_s: float) -> float:
        """Return 1 but for one blink in every cell of time."""
        cell = int(t_s // _BLINK_CELL_S)
        into = (t_s - self._blink_at(cell)) / _BLINK_S
        return 1.0 if not 0 < into < 1 else float(1 - np.sin(np.pi * into) ** 0.6)

    def _draw_blink(self, cell: int) -> float:
        """Return when the blink of a cell begins."""
        rng = np.random.default_rng(np.random.SeedSequence([self._seed, 0xB11, max(cell, 0)]))
        return float(rng.uniform(0.4, _BLINK_CELL_S - 0.4)) + cell * _BLINK_CELL_S

    def wave(self, index: int, hz: float, t_s: float) -> float:
        """Return a slow oscillation of the person's own phase, within -1..1."""
        turn = 2 * np.pi * hz * self._rate[index] * t_s + self._phase[index]
        return float(0.7 * np.sin(turn) + 0.3 * np.sin(2.3 * turn + 1.0))


def _moved(stance: Stance, angles: tuple[float, float, float], cm: tuple[float, ...]) -> Stance:
    pose = stance.pose
    x, y, z = (a + b for a, b in zip(pose.eyes_cm, cm, strict=True))
    turned = HeadPose(
        pose.yaw_deg + angles[0], pose.pitch_deg + angles[1], pose.roll_deg + angles[2], (x, y, z)
    )
    return replace(stance, pose=turned)


def _still(_: Actor, stance: Stance, __: float) -> Stance:
    return stance


def _sway(actor: Actor, stance: Stance, t_s: float) -> Stance:
    w = actor.wave
    angles = (1.6 * w(0, 0.31, t_s), 1.1 * w(1, 0.27, t_s), 0.8 * w(2, 0.22, t_s))
    return _moved(
        stance, angles, (0.5 * w(3, 0.24, t_s), 0.2 * w(4, 0.33, t_s), 0.7 * w(5, 0.19, t_s))
    )


def _talk(actor: Actor, stance: Stance, t_s: float) -> Stance:
    swayed = _sway(actor, stance, t_s)
    beat = actor.wave(6, 2.6, t_s) * (0.6 + 0.4 * actor.wave(7, 0.7, t_s))
    opened = stance.expression.mouth_open + 0.45 * max(0.0, beat)
    return replace(swayed, expression=replace(swayed.expression, mouth_open=min(1.0, opened)))


def _turn(_: Actor, stance: Stance, t_s: float) -> Stance:
    return _moved(stance, (22.0 * float(np.sin(2 * np.pi * t_s / 4.0)), 0.0, 0.0), (0, 0, 0))


def _nod(_: Actor, stance: Stance, t_s: float) -> Stance:
    return _moved(stance, (0.0, 15.0 * float(np.sin(2 * np.pi * t_s / 3.0)), 0.0), (0, 0, 0))


def _ease(share: float) -> float:
    x = min(max(share, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def _walk_in(_: Actor, stance: Stance, since_s: float) -> Stance:
    far = 1 - _ease(since_s / _WALK_S)
    step = 1.2 * far * float(np.sin(2 * np.pi * 1.9 * since_s))
    side = 1.0 if stance.pose.eyes_cm[0] > _ASIDE_CM else -1.0
    walked = _moved(stance, (-18.0 * side * far, 0.0, 0.0), (75.0 * side * far, step, -70.0 * far))
    return replace(walked, present=stance.present and since_s >= 0)


def _leave(_: Actor, stance: Stance, since_s: float) -> Stance:
    gone = _ease(since_s / _LEAVE_S)
    left = _moved(stance, (35.0 * gone, 0.0, 0.0), (85.0 * gone, -2.0 * gone, -25.0 * gone))
    return replace(left, present=stance.present and gone < 1)


_SCRIPTS = {
    Motion.STILL: _still,
    Motion.SWAY: _sway,
    Motion.TALK: _talk,
    Motion.TURN: _turn,
    Motion.NOD: _nod,
    Motion.WALK_IN: _walk_in,
    Motion.LEAVE: _leave,
    Motion.SECOND: _still,
}


def _gaze(pose: HeadPose) -> tuple[float, float]:
    """Return how far the eyes turn in the head so as to keep looking at the camera."""
    x, y, z = pose.eyes_cm
    yaw = np.degrees(np.arctan2(-x, -z)) - pose.yaw_deg
    pitch = np.degrees(np.arctan2(-y, -z)) + pose.pitch_deg
    return float(np.clip(yaw, -24, 24)), float(np.clip(pitch, -16, 16))
