from __future__ import annotations

import pytest

from capture.simulator.person.expression import Expression
from capture.simulator.person.movement import Actor, Motion, MotionStep, Stance
from capture.simulator.person.pose import HeadPose

REST = Stance(HeadPose(0, 0, 0, (0.0, 0.0, -55.0)), Expression())


def actor(*steps: MotionStep, seed: int = 0) -> Actor:
    return Actor(REST, steps, seed)


def test_any_time_may_be_asked_for_in_any_order() -> None:
    swaying = actor(MotionStep(Motion.SWAY))
    forwards = [swaying.at(t / 10) for t in range(20)]
    backwards = [swaying.at(t / 10) for t in reversed(range(20))]
    assert forwards == backwards[::-1]


def test_still_is_still_but_for_blinks() -> None:
    still = actor(MotionStep(Motion.STILL))
    assert {still.at(t / 7).pose for t in range(50)} == {REST.pose}
    lids = [still.at(t / 30).expression.eyes_open for t in range(30 * 8)]
    assert min(lids) < 0.3
    assert sum(lid == 1.0 for lid in lids) > 0.8 * len(lids)


def test_sway_is_small_and_seeds_sway_differently() -> None:
    poses = [actor(MotionStep(Motion.SWAY)).at(t / 10).pose for t in range(100)]
    assert 1.0 < max(abs(pose.yaw_deg) for pose in poses) < 3.0
    assert max(abs(pose.eyes_cm[0]) for pose in poses) < 1.0
    other = actor(MotionStep(Motion.SWAY), seed=1).at(1.0).pose
    assert other != actor(MotionStep(Motion.SWAY)).at(1.0).pose


def test_talking_opens_and_shuts_the_mouth() -> None:
    mouth = [actor(MotionStep(Motion.TALK)).at(t / 30).expression.mouth_open for t in range(150)]
    assert min(mouth) == 0.0
    assert 0.2 < max(mouth) <= 1.0


@pytest.mark.parametrize(("motion", "field"), [(Motion.TURN, "yaw_deg"), (Motion.NOD, "pitch_deg")])
def test_turning_and_nodding_go_both_ways(motion: Motion, field: str) -> None:
    angles = [getattr(actor(MotionStep(motion)).at(t / 10).pose, field) for t in range(50)]
    assert min(angles) < -12
    assert max(angles) > 12


def test_who_walks_in_is_absent_before_and_at_rest_after() -> None:
    walking = actor(MotionStep(Motion.WALK_IN, 1.0))
    assert not walking.at(0.99).present
    assert walking.at(1.2).present
    assert walking.at(1.2).pose.eyes_cm[2] < -80
    assert walking.at(3.0).pose == REST.pose


def test_who_leaves_is_gone_a_second_later() -> None:
    leaving = actor(MotionStep(Motion.LEAVE, 2.0))
    assert leaving.at(1.9).pose == REST.pose
    assert leaving.at(2.5).pose.eyes_cm[0] > 20
    assert not leaving.at(3.0).present


def test_the_eyes_stay_on_the_camera() -> None:
    turned = Actor(Stance(HeadPose(15, 10, 0, (0, 0, -55.0)), Expression()), (), 0).at(0.0)
    assert turned.expression.gaze_yaw_deg == pytest.approx(-15)
    assert turned.expression.gaze_pitch_deg == pytest.approx(10)


@pytest.mark.parametrize(("x", "from_side"), [(0.0, -1), (21.0, 1)])
def test_people_come_from_their_own_side_and_look_where_they_go(x: float, from_side: int) -> None:
    rest = Stance(HeadPose(0, 0, 0, (x, 0.0, -60.0)), Expression())
    coming = Actor(rest, (MotionStep(Motion.WALK_IN, 0.0),), 0).at(0.1).pose
    assert (coming.eyes_cm[0] - x) * from_side > 50
    assert coming.yaw_deg * from_side < -10
