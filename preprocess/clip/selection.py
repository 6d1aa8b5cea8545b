"""Which of the accepted frames are submitted: decided frame by frame, exact at every moment.

Frames compete only within their colour. There, each has a *rank* in its slot (0 = the best of the
slot, by badness), and the quota goes to the smallest ``(rank, badness, seq)``: the best frame of
every slot first, then the second best of every slot, and so on. So a clip is balanced over the
colours, spread over the slots of each, and made of the sharpest frames of each slot.

A later frame can only raise the rank of an earlier one. Hence what is out of the quota now is out
for ever, and keeping the quota alone gives the same answer as looking at all frames at the end.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from preprocess.clip.clip import Candidate
from preprocess.errors import EncodeError


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """The figures of the selection; ``ClipOptions`` explains each."""

    frames_per_colour: int
    max_frames: int
    spacing_ms: int = 1
    slot_gap_ms: int = 300
    window_ms: int = 500


class Offer(NamedTuple):
    """What became of a candidate, and the ``seq`` of those that it put out."""

    kept: bool
    evicted: tuple[int, ...]


class _Entry(NamedTuple):
    """Sorts by how good the frame is."""

    badness: float
    seq: int
    slot: int
    candidate: Candidate


@dataclass(slots=True)
class _Best:
    """The best candidate so far of the newest interval of ``spacing_ms``, kept or not."""

    cell: int = -1
    colour: str | None = None
    slot: int = -1
    key: tuple[float, int] = (math.inf, -1)


@dataclass(slots=True)
class _Slots:
    """Numbers the slots: runs of one colour, or windows of time without light information."""

    rule: SelectionRule
    number: int = -1
    colour: str | None = None
    last_ms: int = 0

    def of(self, colour: str | None, t_ms: int) -> int:
        if colour is None:
            return t_ms // self.rule.window_ms
        same = colour == self.colour and t_ms - self.last_ms <= self.rule.slot_gap_ms
        return self.number if same and self.number >= 0 else self.number + 1

    def enter(self, slot: int, colour: str | None, t_ms: int) -> None:
        self.colour, self.last_ms = colour, t_ms
        if colour is not None:
            self.number = slot


@dataclass(slots=True)
class Selection:
    """The candidates that can still win; memory is bounded by ``max_frames`` candidates.

    With ``colours`` the cap is shared out evenly among them; without, frames of whatever colour
    (None too) share it as the colours turn up.
    """

    rule: SelectionRule
    colours: tuple[str, ...] | None = None
    _pools: dict[str | None, list[_Entry]] = field(default_factory=dict)
    _slots: _Slots = field(init=False)
    _best: _Best = field(default_factory=_Best)
    _last: tuple[int, int] = (-1, 0)

    def __post_init__(self) -> None:
        self._slots = _Slots(self.rule)
        self._pools.update({colour: [] for colour in self.colours or ()})

    @property
    def quota(self) -> int:
        """How many frames each colour may have."""
        shared = self.rule.max_frames // max(1, len(self._pools))
        lit = any(colour is not None for colour in self._pools)
        return max(1, min(self.rule.frames_per_colour, shared) if lit else shared)

    @property
    def expected(self) -> int:
        """How many frames the clip has when no colour runs short."""
        return self.quota * max(1, len(self._pools))

    def offer(self, candidate: Candidate) -> Offer:
        """Let ``candidate``, later than all before it, compete.

        Of two frames in the same ``spacing_ms`` the better stays; the earlier where they belong to
        different slots.

        Raises
        ------
        EncodeError
            where time or ``seq`` goes back, or the colour is none of the plan's.
        """
        self._check(candidate)
        t_ms, badness = candidate.t_frame_ns // 1_000_000, candidate.badness
        key = (math.inf if math.isnan(badness) else badness, candidate.seq)
        cell = t_ms // self.rule.spacing_ms
        slot = self._slots.of(candidate.colour, t_ms)
        beaten = self._best.key[1] if cell == self._best.cell else None
        if beaten is not None and (
            (candidate.colour, slot) != (self._best.colour, self._best.slot)
            or key >= self._best.key
        ):
            return Offer(False, ())
        self._slots.enter(slot, candidate.colour, t_ms)
        self._best = _Best(cell, candidate.colour, slot, key)
        pool = self._pools.setdefault(candidate.colour, [])
        out = [entry.seq for entry in pool if entry.seq == beaten]
        if out:
            pool[:] = [entry for entry in pool if entry.seq != beaten]
        bisect.insort(pool, _Entry(*key, slot, candidate))
        out += self._trim()
        lost = (seq for seq in out if seq != candidate.seq)
        return Offer(candidate.seq not in out, tuple(sorted(lost)))

    def chosen(self) -> tuple[Candidate, ...]:
        """Return the winners in time order."""
        entries = [entry for pool in self._pools.values() for entry in pool]
        return tuple(sorted((e.candidate for e in entries), key=lambda c: (c.t_frame_ns, c.seq)))

    def counts(self) -> dict[str | None, int]:
        """Return the number of winners of each colour."""
        return {colour: len(pool) for colour, pool in self._pools.items()}

    def drop_worst(self, least: int) -> Candidate | None:
        """Take one winner away, from the colour with the most; None where each has ``least``."""
        worst = [
            (len(pool), _ranked(pool)[-1]) for pool in self._pools.values() if len(pool) > least
        ]
        if not worst:
            return None
        entry = max(worst)[1][-1]
        self._pools[entry.candidate.colour].remove(entry)
        return entry.candidate

    def _check(self, candidate: Candidate) -> None:
        last_seq, last_ns = self._last
        if candidate.seq <= last_seq or (last_seq >= 0 and candidate.t_frame_ns < last_ns):
            raise EncodeError(
                f"frame {candidate.seq} at {candidate.t_frame_ns} ns comes after"
                f" frame {last_seq} at {last_ns} ns: expected frames in time order"
            )
        if self.colours is not None and candidate.colour not in self.colours:
            raise EncodeError(
                f"frame {candidate.seq}: colour {candidate.colour!r},"
                f" expected one of {', '.join(self.colours)}"
            )
        self._last = (candidate.seq, candidate.t_frame_ns)

    def _trim(self) -> list[int]:
        """Bring each colour down to its quota; return the ``seq`` of those that have to go."""
        quota, out = self.quota, list[int]()
        for pool in self._pools.values():
            if len(pool) > quota:
                ranked = [entry for *_, entry in _ranked(pool)]
                pool[:] = sorted(ranked[:quota])
                out += [entry.seq for entry in ranked[quota:]]
        return out


def _ranked(pool: Sequence[_Entry]) -> list[tuple[int, float, int, _Entry]]:
    """Return ``(rank in the slot, badness, seq, entry)`` from the best to the worst."""
    seen: dict[int, int] = {}
    ranked = []
    for entry in pool:
        rank = seen.get(entry.slot, 0)
        seen[entry.slot] = rank + 1
        ranked.append((rank, entry.badness, entry.seq, entry))
    return sorted(ranked)


def select(
    candidates: Iterable[Candidate], rule: SelectionRule, colours: Sequence[str] | None = None
) -> tuple[Candidate, ...]:
    """Return the frames to submit out of ``candidates``, both in time order."""
    selection = Selection(rule, tuple(dict.fromkeys(colours)) if colours is not None else None)
    for candidate in candidates:
        selection.offer(candidate)
    return selection.chosen()
