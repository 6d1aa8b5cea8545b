"""Cheap fuzzing: ten thousand damaged copies of valid texts, the same ones every time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tests.effort import examples

CASES = examples(10_000)

TOKENS = (
    b"null",
    b"true",
    b"-1",
    b"1e400",
    b"9" * 40,
    b'""',
    b'"\\ud800"',
    b"[]",
    b"{}",
    b'"\\u001b[2J"',
    b"NaN",
    b"[" * 300,
    b"\x00",
    b"\xff",
    b'"2026-01-01T00:00:00Z"',
)


def damaged(seeds: Sequence[bytes], cases: int = CASES) -> Iterator[bytes]:
    """Yield ``cases`` texts, each a seed with one to four injuries."""
    rng = random.Random(20260105)
    for _ in range(cases):
        text = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            _injure(rng, text)
        yield bytes(text)


def _injure(rng: random.Random, text: bytearray) -> None:
    at = rng.randrange(len(text) + 1)
    end = min(len(text), at + rng.randint(0, 12))
    kind = rng.randrange(5)
    if kind == 0:
        del text[at:end]
    elif kind == 1:
        text[at:end] = rng.choice(TOKENS)
    elif kind == 2:
        text[at:at] = text[rng.randrange(len(text) + 1) :][: rng.randint(0, 60)]
    elif kind == 3 and text:
        text[at - 1] ^= 1 << rng.randrange(8)
    else:
        del text[at:]
