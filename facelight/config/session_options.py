"""How patient and how strict a session at the kiosk is."""

from __future__ import annotations

from typing import Literal

from capture.options import option, options


@options
class SessionOptions:
    """How patient and how strict a session is."""

    consent: bool = option(False, unit="", why="the operator's law may ask for a written release")
    light: bool = option(True, unit="", why="off: no colours for anybody, no illumination sent")
    start: Literal["presence", "touch", "request"] = option(
        "presence",
        unit="",
        why="who steps up; touch: who touches Start; request: only who kiosk.control sends",
    )
    touch_to_start: bool = option(
        False, unit="", why="most kiosks have no touch screen; the notice then goes on by itself"
    )
    seen_ms: int = option(
        500, unit="ms", low=300, high=5000, why="longer than a passer-by's glance"
    )
    absent_ms: int = option(
        1500, unit="ms", low=1000, high=10_000, why="a turned head is not a person who left"
    )
    idle_ms: int = option(
        1000, unit="ms", low=1000, high=10_000, why="screens may not flash by quick touches"
    )
    again_ms: int = option(
        0,
        unit="ms",
        low=0,
        high=3_600_000,
        why="0: who stays after a result starts no new session; tests and demos may",
    )
    notice_ms: int = option(
        5000, unit="ms", low=2000, high=30_000, why="time to read the notice before it goes on"
    )
    spoken_limit_ms: int = option(
        40_000, unit="ms", low=5000, high=120_000, why="a page waits so long for its spoken words"
    )
    consent_limit_ms: int = option(
        90_000, unit="ms", low=10_000, high=600_000, why="time to read and answer"
    )
    position_limit_ms: int = option(
        45_000, unit="ms", low=5000, high=300_000, why="most people stand right within 10 s"
    )
    hint_ms: int = option(
        1500, unit="ms", low=1500, high=5000, why="a hint that changes faster is not acted on"
    )
    hint_useless_ms: int = option(
        6000, unit="ms", low=3000, high=30_000, why="then another hint that applies has its turn"
    )
    off_centre_share: float = option(
        0.15, unit="of the width", low=0.05, high=0.4, why="farther off, the oval cuts the face"
    )
    off_height_share: float = option(
        0.25, unit="of the height", low=0.1, high=0.4, why="tall and sitting people stay inside"
    )
    near_share: float = option(
        0.78, unit="of the height", low=0.5, high=1.0, why="a face at 40 cm has 0.65 of the height"
    )
    hold_ms: int = option(
        600, unit="ms", low=300, high=5000, why="a good moment is not yet a person who stands still"
    )
    settle_ms: int = option(
        800, unit="ms", low=700, high=5000, why="auto exposure reaches neutral grey within 0.7 s"
    )
    settle_limit_ms: int = option(
        4000, unit="ms", low=1500, high=20_000, why="a camera that refuses a lock goes unlocked"
    )
    lost_ms: int = option(
        100, unit="ms", low=0, high=1000, why="three frames: a tracker may miss one as colours turn"
    )
    moved_ms: int = option(
        250,
        unit="ms",
        low=0,
        high=2000,
        why="a shiver costs a slot; a turn of the head the attempt",
    )
    silent_ms: int = option(
        700,
        unit="ms",
        low=200,
        high=5000,
        why="no judged frame for so long: nobody watches the light",
    )
    light_limit_ms: int = option(
        15_000, unit="ms", low=2000, high=60_000, why="plan and repeat take 6 s with the defaults"
    )
    plain_ms: int = option(
        2500, unit="ms", low=500, high=20_000, why="as many frames without light as with it"
    )
    repeat_slots: int = option(
        3, unit="slots", low=0, high=16, why="more bad slots than this: better begin anew"
    )
    finish_limit_ms: int = option(
        20_000, unit="ms", low=2000, high=120_000, why="encoding runs while capturing; 1 s remains"
    )
    deliver_limit_ms: int = option(
        45_000, unit="ms", low=2000, high=300_000, why="nobody waits longer; the spool goes on"
    )
    result_ms: int = option(5000, unit="ms", low=1500, high=60_000, why="time to read two lines")
    problem_ms: int = option(4000, unit="ms", low=1500, high=60_000, why="time to read two lines")
    attempts: int = option(
        3, unit="attempts", low=1, high=10, why="a session token allows three calls"
    )
