from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capture.errors import CameraError
from capture.simulator.options import (
    CameraOptions,
    ControlLock,
    PersonKind,
    PersonOptions,
    SimulatorOptions,
)
from capture.simulator.person.movement import Motion, MotionStep
from capture.simulator.sim_spec import OPTIONS, SpecError, parse_spec


def test_the_bare_scheme_is_the_default_person() -> None:
    assert parse_spec("sim:") == SimulatorOptions()


def test_the_documented_line_is_read() -> None:
    options = parse_spec(
        "sim:person=real,distance=60cm,yaw=5,skin=4,ambient=300lx,fps=30,size=1280x720,"
        "latency=85ms,drops=0.05,seed=3,motion=sway"
    )
    assert options.person == PersonOptions(
        distance_cm=60, yaw_deg=5, skin_tone=4, motion=(MotionStep(Motion.SWAY),)
    )
    assert options.camera == CameraOptions(fps=30, latency_ms=85, drops=0.05)
    assert options.room.ambient_lx == 300
    assert options.seed == 3


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("still", (MotionStep(Motion.STILL),)),
        ("sway+leave@2.0s", (MotionStep(Motion.SWAY), MotionStep(Motion.LEAVE, 2.0))),
        ("walk-in@0+talk", (MotionStep(Motion.WALK_IN, 0.0), MotionStep(Motion.TALK))),
        ("second@1.5", (MotionStep(Motion.SECOND, 1.5),)),
    ],
)
def test_motions_add_up(text: str, steps: tuple[MotionStep, ...]) -> None:
    assert parse_spec(f"sim:motion={text}").person.motion == steps


def test_every_other_kind_of_value_is_read() -> None:
    options = parse_spec(
        "sim:person=lying-clock,lock=refused,idle=10/20/30,portrait=a b/face.png,"
        "portrait-eyes=10/20/30.5/21,mjpeg=85,duration=2.5s,refresh=60Hz,screen=15.6in,clock=-20ppm"
    )
    assert options.person.kind is PersonKind.LYING_CLOCK
    assert options.camera.control is ControlLock.REFUSED
    assert options.screen.idle_rgb == (10, 20, 30)
    assert options.person.portrait == "a b/face.png"
    assert options.person.portrait_eyes == (10, 20, 30.5, 21)
    assert (options.duration_s, options.camera.clock_ppm) == (2.5, -20)


@pytest.mark.parametrize(
    ("spec", "option", "message"),
    [
        pytest.param("usb", "", "starts with 'sim:'", id="not sim"),
        pytest.param("sim:persn=real", "persn", "did you mean 'person'", id="typing error"),
        pytest.param("sim:zzz=1", "zzz", "valid ones: person, skin", id="unknown"),
        pytest.param("sim:person=ghost", "person", "one of real, replay", id="unknown person"),
        pytest.param("sim:distance=6m", "distance", "'1' or '1cm', got '6m'", id="wrong unit"),
        pytest.param("sim:distance=600", "distance", "20 to 300 cm, got 600", id="too far"),
        pytest.param("sim:drops=nan", "drops", "expected a number", id="nan"),
        pytest.param("sim:drops=1_0", "drops", "expected a number", id="python's own number"),
        pytest.param("sim:fps", "fps", "expected a value", id="no value"),
        pytest.param("sim:fps=", "fps", "expected a number", id="empty value"),
        pytest.param("sim:fps=30,", "''", "unknown option", id="trailing comma"),
        pytest.param("sim:seed=1,seed=2", "seed", "given twice", id="twice"),
        pytest.param("sim:seed=-1", "seed", "whole number", id="negative seed"),
        pytest.param("sim:seed=4294967296", "seed", "expected 0 to", id="seed too large"),
        pytest.param("sim:size=1280", "size", "WIDTHxHEIGHT", id="half a size"),
        pytest.param("sim:motion=leave", "motion", "a time, as in 'leave@2.0s'", id="no time"),
        pytest.param("sim:motion=sway@1", "motion", "no time after 'sway'", id="a time too many"),
        pytest.param("sim:motion=leave@-1s", "motion", "a time from 0 s", id="before the start"),
        pytest.param("sim:motion=", "motion", "one of still, sway", id="no motion"),
        pytest.param("sim:idle=1/2/300", "idle", "R/G/B", id="not a colour"),
        pytest.param("sim:portrait-eyes=1/2/3", "portrait-eyes", "X/Y/X/Y", id="three numbers"),
        pytest.param("sim:portrait=", "portrait", "expected a path", id="no path"),
    ],
)
def test_a_wrong_line_is_refused_by_name(spec: str, option: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    assert caught.value.option == option
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def outcome(spec: str) -> SimulatorOptions | CameraError:
    try:
        return parse_spec(spec)
    except CameraError as refusal:
        return refusal


@given(st.text(max_size=60))
@example("person=real,,")
@example("seed=²")
@example("size=²x²")
@example("distance=infcm")
def test_any_text_gives_options_or_a_refusal(text: str) -> None:
    got = outcome(f"sim:{text}")
    assert isinstance(got, SimulatorOptions) or str(got).startswith("sim: ")


@given(st.sampled_from(OPTIONS), st.text(alphabet="0123456789.-/x@+cmslay", max_size=12))
def test_any_value_gives_options_or_a_refusal(name: str, value: str) -> None:
    got = outcome(f"sim:{name}={value}")
    assert isinstance(got, SimulatorOptions | SpecError)


def test_every_option_of_a_session_can_be_said() -> None:
    """All but the lamps' tint, which no line needs."""
    told = len(OPTIONS)
    options = SimulatorOptions()
    nested = (options.person, options.camera, options.screen, options.room)
    assert told == sum(len(fields(part)) for part in nested) - 1 + 2


def test_there_is_no_file_behind_parsing(tmp_path: Path) -> None:
    assert parse_spec(f"sim:portrait={tmp_path / 'none.png'}").person.portrait.endswith("none.png")
