"""Sharing a file's bytes out to its frames; sizes only, no pixels.

Every frame of an expected clip has the same share. A still above it is encoded again, at once and
from its pixels, at the quality whose size closes in on the share. That depends on nothing but the
frame, so no thread waits for another and the bytes are the same for any number of workers. When
the clip is complete, ``fit`` needs new stills only where the clip is shorter than expected, or
where frames at the lowest quality are above their share and the others have to make room.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

CLOSE = 0.88
"""Near enough under a share while capturing: 1 to 2 tries a frame, where 0.94 takes 2 to 3."""

CLOSER = 0.96
"""Near enough at the end, when the clip turned out not to be full."""

FULL = 0.91
"""A clip this near under its target is full; the promise is 0.9."""

GUESSES = 4
"""From the model while no quality fits, by interpolation after."""

_RELATIVE_SIZE = (
    (0, 0.11), (20, 0.24), (40, 0.33), (60, 0.41), (75, 0.49), (80, 0.58), (85, 0.73), (90, 1.0),
    (95, 1.75), (100, 3.2),
)  # fmt: skip
"""Bytes at a quality over those at 90, faces at 720 pixels, method 2: a guess to start from."""

Sizes = Mapping[int, int]
"""Bytes for each quality at which a frame has been encoded; the highest is the wanted one."""


def close_in(
    size_at: Callable[[int], int], known: Sizes, share: int, *, lowest: int, close: float = CLOSE
) -> dict[int, int]:
    """Encode until one size is under ``share`` and near it; return all the sizes.

    ``size_at`` encodes at a quality and returns the bytes. Sizes do not always rise with quality:
    the search keeps one quality that fits and one above that does not, and believes no other.
    Nothing is encoded when the wanted quality fits, or when that is clear from ``known``.
    """
    sizes = dict(known)
    steps = 0
    while not settled(sizes, share, lowest, close):
        low, high = _bracket(sizes, share, lowest)
        # A guess usually ends the search; halving always does.
        quality = (
            _guess(sizes, (1 + close) / 2 * share, low, high)
            if steps < GUESSES
            else (low + high) // 2
        )
        sizes[quality] = size_at(quality)
        steps += 1
    return sizes


def settled(sizes: Sizes, share: int, lowest: int, close: float) -> bool:
    """Whether no further encoding would bring the frame nearer to its share."""
    if sizes[max(sizes)] <= share:
        return True
    low, high = _bracket(sizes, share, lowest)
    return high <= lowest or high - low == 1 or (low in sizes and sizes[low] >= close * share)


def _bracket(sizes: Sizes, share: int, lowest: int) -> tuple[int, int]:
    """Return the best quality that fits (``lowest - 1``: none known) and the next that does not."""
    low = max((q for q, size in sizes.items() if size <= share), default=lowest - 1)
    return low, min(q for q, size in sizes.items() if q > low and size > share)


def _guess(sizes: Sizes, aim: float, low: int, high: int) -> int:
    """Return a quality between the two, not either, for not more than ``aim`` bytes.

    The logarithm of the size is taken as a straight line over the model's: noise makes it steeper,
    and two known sizes tell how much.
    """
    other = low if low in sizes else max(sizes)
    slope = 1.0
    if other != high:
        rise = math.log(sizes[other] / sizes[high])
        slope = max(rise / (_log_model(other) - _log_model(high)), 0.2)
    wanted = math.log(max(1.0, aim) / sizes[high]) / slope + _log_model(high)
    fits = [quality for quality in range(low + 1, high) if _log_model(quality) <= wanted]
    return fits[-1] if fits else low + 1


def _log_model(quality: int) -> float:
    for (q0, s0), (q1, s1) in pairwise(_RELATIVE_SIZE):
        if quality <= q1:
            part = (quality - q0) / (q1 - q0)
            return (1 - part) * math.log(s0) + part * math.log(s1)
    return math.log(_RELATIVE_SIZE[-1][1])


def allot(frames: Sequence[Sizes], budget: int) -> list[int] | None:
    """Return a quality for each frame so that all fit, None where even the smallest do not.

    Starts from the smallest of each; then the frame of the lowest quality goes up first.
    """
    picks = [min(sizes, key=lambda q, s=sizes: (s[q], -q)) for sizes in frames]  # type: ignore[misc]
    used = sum(sizes[pick] for sizes, pick in zip(frames, picks, strict=True))
    if used > budget:
        return None
    steps = sorted(
        (quality, index)
        for index, sizes in enumerate(frames)
        for quality in sizes
        if quality > picks[index]
    )
    for quality, index in steps:
        more = frames[index][quality] - frames[index][picks[index]]
        if used + more <= budget:
            used += more
            picks[index] = quality
    return picks


def level(frames: Sequence[Sizes], lowest: int, budget: int) -> int:
    """Return the common share: frames that need less take less, those that cannot, more.

    The largest ``share`` for which ``sum(clamp(share, at the lowest quality, at the wanted one))``
    stays within the budget; 0 where even the lowest quality of all does not.
    """

    def used(share: int) -> int:
        return sum(max(min(share, sizes[max(sizes)]), sizes.get(lowest, 0)) for sizes in frames)

    low, high = 0, max(budget, 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if used(middle) <= budget else (low, middle - 1)
    return low


def fit(
    frames: Sequence[Sizes],
    budget: int,
    lowest: int,
    recode: Callable[[Sequence[int], int], Sequence[Sizes]],
) -> list[int] | None:
    """Return a quality for each frame, None where frames have to go.

    ``recode(indices, share)`` brings these frames to ``CLOSER`` and returns all their sizes. It is
    asked only where what is known does not fill the budget, or does not fit into it.
    """
    if not frames:
        return None
    known = list(frames)
    for _ in range(len(known) + 2):
        picks = allot(known, budget)
        if picks is not None and _full(known, picks, budget):
            return picks
        share = level(known, lowest, budget)
        todo = [i for i, sizes in enumerate(known) if not settled(sizes, share, lowest, CLOSER)]
        if share <= 0 or not todo:
            return picks
        for index, sizes in zip(todo, recode(todo, share), strict=True):
            known[index] = sizes
    return allot(known, budget)


def _full(frames: Sequence[Sizes], picks: Sequence[int], budget: int) -> bool:
    used = sum(sizes[pick] for sizes, pick in zip(frames, picks, strict=True))
    wanted = all(pick == max(sizes) for sizes, pick in zip(frames, picks, strict=True))
    return wanted or used >= FULL * budget
