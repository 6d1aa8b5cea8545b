"""Who stands where at a moment: options become figures for the scene."""

from __future__ import annotations

from dataclasses import dataclass

from capture.simulator.options import PersonKind, SimulatorOptions
from capture.simulator.person.expression import Expression
from capture.simulator.person.movement import Actor, Motion, MotionStep, Stance
from capture.simulator.person.person import Person, build_person
from capture.simulator.person.pose import HeadPose

_SECOND_SEED = 7919


@dataclass(frozen=True, slots=True)
class PosedPerson:
    """A person at a moment.

    ``lit`` is the share of the screen's light that reaches them, ``until`` the pose at the end of
    the exposure, for motion blur.
    """

    person: Person
    pose: HeadPose
    expression: Expression
    lit: float = 1.0
    until: HeadPose | None = None


class Staging:
    """The people of a session; ``figures`` may be asked for any time in any order."""

    def __init__(self, options: SimulatorOptions) -> None:
        person = options.person
        self._kind = person.kind
        self._lit = 0.0 if person.kind is PersonKind.UNLIT else 1.0
        pose = HeadPose(
            person.yaw_deg,
            person.pitch_deg,
            person.roll_deg,
            (person.x_cm, person.y_cm, -person.distance_cm),
        )
        rest = Stance(pose, Expression(person.eyes_open, person.mouth_open))
        self._cast: list[tuple[Person, Actor]] = []
        if person.kind is PersonKind.NONE:
            return
        main = build_person(options.seed, person.skin_tone, person.portrait, person.portrait_eyes)
        self._cast.append((main, Actor(rest, person.motion, options.seed)))
        second = [step for step in person.motion if step.motion is Motion.SECOND]
        if second or person.kind is PersonKind.TWO:
            self._cast.append(self._second(options, rest, second))

    @staticmethod
    def _second(
        options: SimulatorOptions, rest: Stance, steps: list[MotionStep]
    ) -> tuple[Person, Actor]:
        """Return somebody else, who stands beside and a little behind, or walks in."""
        x, y, z = rest.pose.eyes_cm
        side = -1.0 if x > 0 else 1.0
        beside = HeadPose(-6.0 * side, 0.0, 0.0, (x + side * 21.0, y - 1.5, z - 9.0))
        tone = 11.0 - options.person.skin_tone
        script = (MotionStep(Motion.SWAY), *(MotionStep(Motion.WALK_IN, s.at_s) for s in steps))
        seed = options.seed + _SECOND_SEED
        return build_person(seed, tone), Actor(Stance(beside, Expression()), script, seed)

    def main_at(self, t_s: float) -> Stance | None:
        """Return the main person's stance, None when nobody is meant to be there."""
        if not self._cast:
            return None
        stance = self._cast[0][1].at(t_s)
        return stance if stance.present else None

    def figures(self, t_s: float, exposure_s: float) -> list[PosedPerson]:
        """Return the people in the room, the farthest first, as they move during an exposure."""
        figures = []
        for person, actor in self._cast:
            now, then = actor.at(t_s), actor.at(t_s + exposure_s)
            if now.present:
                figures.append(PosedPerson(person, now.pose, now.expression, self._lit, then.pose))
        return sorted(figures, key=lambda figure: figure.pose.eyes_cm[2])
