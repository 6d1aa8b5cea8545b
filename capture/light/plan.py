"""Illumination plans: colours in an order nobody can foresee, safe by construction and checked.

Order and jitter come from SHA-256 of the seed in counter mode: the same seed gives the same plan on
every Python and every machine, and a seed from ``secrets`` cannot be foreseen.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from capture.errors import PlanError
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, IlluminationPlan, Rgb, Slot
from capture.light.photosensitivity import (
    DEFAULT_SCREEN_NITS,
    DWELL_FLOOR_MS,
    RED_GAP_MS,
    is_saturated_red,
    require_safe,
)
from capture.options import option, options

SEED_BITS = 53
"""A seed survives every JSON reader, also those that keep numbers as doubles."""

_TRIES = 2000


@options
class PlanOptions:
    """What a plan is made of; the defaults last about 3 s."""

    colours: tuple[str, ...] = option(
        ("Red", "Green", "Blue"),
        unit="names",
        why="three directions of colour; white adds nothing to them and saturates near faces",
    )
    repeats: int = option(
        2, unit="slots a colour", low=1, high=8, why="a colour seen twice shows drift and chance"
    )
    dwell_ms: float = option(
        400.0,
        unit="ms",
        low=DWELL_FLOOR_MS,
        high=2000.0,
        why="9 clean frames a slot at 30 fps; below 334 ms edges come too fast for BT.1702",
    )
    jitter_ms: float = option(
        40.0,
        unit="ms",
        low=0.0,
        high=200.0,
        why="added at random: multiples of the frame time would sample edges at one phase only",
    )
    lead_in_ms: float = option(
        340.0, unit="ms", low=DWELL_FLOOR_MS, high=2000.0, why="neutral baseline before the light"
    )
    tail_ms: float = option(
        340.0, unit="ms", low=DWELL_FLOOR_MS, high=2000.0, why="neutral baseline after the light"
    )
    order: Literal["random", "fixed"] = option(
        "random", unit="", why="a replayed video shows another order"
    )
    extra_colours: tuple[tuple[str, Rgb], ...] = option(
        (), unit="(name, sRGB)", why="softer or other colours than the four primaries"
    )


def make_plan(
    options: PlanOptions | None = None,
    seed: int | None = None,
    screen_nits: float = DEFAULT_SCREEN_NITS,
) -> IlluminationPlan:
    """Return a plan that passes ``require_safe`` for a screen of ``screen_nits`` cd/m2.

    ``seed`` None draws one from the system's CSPRNG; it is recorded in the plan.

    Raises
    ------
    PlanError
        the colours are none, or no order of these colours is safe at this dwell.
    """
    options = options or PlanOptions()
    palette = _palette(options)
    if seed is None:
        seed = secrets.randbits(SEED_BITS)
    if not 0 <= seed < 1 << SEED_BITS:
        raise PlanError(f"plan seed: {seed}, expected 0 to 2**{SEED_BITS} - 1")
    draw = _Draw(seed)
    colours = _ordered(options, palette, draw)
    slots = [Slot(None, NEUTRAL_RGB, options.lead_in_ms)]
    slots += [Slot(colour, palette[colour], _jittered(options, draw)) for colour in colours]
    slots.append(Slot(None, NEUTRAL_RGB, options.tail_ms))
    plan = IlluminationPlan(tuple(slots), seed)
    require_safe(plan, screen_nits)
    return plan


def repeat_plan(
    plan: IlluminationPlan,
    slots: Sequence[int],
    screen_nits: float = DEFAULT_SCREEN_NITS,
) -> IlluminationPlan:
    """Return a plan that shows the coloured ``slots`` (indices into ``plan.slots``) once more.

    Neutral stands before, between and after them, as long as the plan's own lead-in and tail,
    longer where two red slots need it.

    Raises
    ------
    PlanError
        an index names no coloured slot.
    """
    wanted = []
    for index in slots:
        if not 0 <= index < len(plan.slots) or plan.slots[index].colour is None:
            raise PlanError(f"slot {index} of the plan is no coloured slot that could be repeated")
        wanted.append(plan.slots[index])
    if not wanted:
        raise PlanError("no slot to repeat, expected at least one index")
    neutral_ms = min(plan.slots[0].dwell_ms, plan.slots[-1].dwell_ms)
    repeated = [Slot(None, NEUTRAL_RGB, neutral_ms)]
    since_red_ms = float("inf")
    for slot in wanted:
        if is_saturated_red(slot.rgb):
            missing_ms = max(0.0, RED_GAP_MS - since_red_ms)
            repeated[-1] = Slot(None, NEUTRAL_RGB, repeated[-1].dwell_ms + missing_ms)
            since_red_ms = 0.0
        repeated += [slot, Slot(None, NEUTRAL_RGB, neutral_ms)]
        since_red_ms += slot.dwell_ms + neutral_ms
    again = IlluminationPlan(tuple(repeated), plan.seed)
    require_safe(again, screen_nits)
    return again


class _Draw:
    """Uniform numbers from SHA-256 of the seed and a counter."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def below(self, limit: int) -> int:
        """Return an integer of [0, limit); the bias of the modulo is below 2**-200."""
        block = hashlib.sha256(f"facelight-plan-1:{self._seed}:{self._count}".encode()).digest()
        self._count += 1
        return int.from_bytes(block) % limit

    def shuffled(self, items: Sequence[str]) -> list[str]:
        """Return ``items`` in an order drawn by Fisher and Yates."""
        shuffled = list(items)
        for last in range(len(shuffled) - 1, 0, -1):
            other = self.below(last + 1)
            shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        return shuffled


def _palette(options: PlanOptions) -> dict[str, Rgb]:
    """Check the colours and return them by name."""
    palette = PRIMARIES | dict(options.extra_colours)
    if not options.colours or len(set(options.colours)) != len(options.colours):
        raise PlanError(f"plan colours: {options.colours}, expected different names, at least one")
    unknown = [name for name in options.colours if name not in palette]
    if unknown:
        raise PlanError(f"plan colours: {unknown[0]!r} is none of {', '.join(palette)}")
    for name, rgb in options.extra_colours:
        if not all(0 <= value <= 255 for value in rgb):
            raise PlanError(f"plan colour {name!r}: {rgb}, expected three values of 0 to 255")
    return palette


def _ordered(options: PlanOptions, palette: dict[str, Rgb], draw: _Draw) -> list[str]:
    """Return the colours in a fixed order, or in one drawn uniformly from all admissible ones."""
    colours = list(options.colours) * options.repeats
    red = {name for name in options.colours if is_saturated_red(palette[name])}
    if options.order == "fixed":
        if any(a == b for a, b in pairwise(colours)):
            raise PlanError(
                f"plan: {colours[0]} follows itself, expected a second colour or repeats 1"
            )
        return colours
    least_red_steps = math.ceil(RED_GAP_MS / options.dwell_ms)
    for _ in range(_TRIES):
        drawn = draw.shuffled(colours)
        reds = [index for index, name in enumerate(drawn) if name in red]
        if all(a != b for a, b in pairwise(drawn)) and all(
            b - a >= least_red_steps for a, b in pairwise(reds)
        ):
            return drawn
    raise PlanError(
        f"plan: no order of {len(colours)} slots of {', '.join(options.colours)} keeps equal "
        f"colours apart and red slots {RED_GAP_MS:.0f} ms apart: lengthen dwell_ms "
        f"({options.dwell_ms:g}) or lower repeats"
    )


def _jittered(options: PlanOptions, draw: _Draw) -> float:
    """Return a dwell in whole tenths of a ms, so that it survives any text format."""
    return round(options.dwell_ms + options.jitter_ms * draw.below(1001) / 1000, 1)
