"""What the queue asks of a machine when ten thousand submissions wait."""

from __future__ import annotations

import datetime
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.figures import Figure, Section, markdown, spread
from uploader.api.submission import Submission
from uploader.spool.item import KEPT, ItemState, new_row
from uploader.spool.limits import SpoolLimits
from uploader.spool.opening import open_spool
from uploader.spool.spool import Spool

COUNT: Final = 10_000
ROUNDS: Final = 15
LIMIT_MS: Final = 20
CALLS: Final[dict[str, Callable[[Spool], object]]] = {
    "picking the next one": lambda spool: spool.first_due(),
    "when the next one is due": lambda spool: spool.seconds_to_next(),
    "asking for room": lambda spool: spool.ensure_room(1000),
    "counting": lambda spool: spool.ledger.counts(),
    "the first page of 500": lambda spool: spool.ledger.page(KEPT, 0, 500),
    "the last page of 500": lambda spool: spool.ledger.page(KEPT, COUNT - 500, 500),
    "a page of any state": lambda spool: spool.ledger.page(list(ItemState), COUNT // 2, 500),
    "listing all in brief": lambda spool: list(spool.listing(KEPT)),
}


def run() -> Section:
    """Fill a spool and time each call; picking is held to the limit."""
    rows, figures = [], []
    with tempfile.TemporaryDirectory() as folder:
        limits = SpoolLimits(max_items=2 * COUNT, min_free_bytes=0)
        with open_spool(Path(folder) / "spool", limits, environment={}) as spool:
            _fill(spool)
            for name, call in CALLS.items():
                took_ms = [_took_ms(call, spool) for _ in range(ROUNDS)]
                rows.append((name, spread(took_ms, 1)))
                if name.startswith("picking"):
                    figures.append(
                        Figure(name, sorted(took_ms)[ROUNDS // 2], f"< {LIMIT_MS}", "ms")
                    )
    head = (f"{COUNT:,} queued submissions", "ms, median (5 % to 95 %)")
    return Section(markdown(head, rows), tuple(figures))


def _fill(spool: Spool) -> None:
    form = "multipart/form-data; boundary=x"
    now = datetime.datetime.now(datetime.UTC)
    sent = Submission(bytes(1000), form, "bench", "0" * 64, "bench", "simulated", now)
    with spool.ledger.transaction():
        for number in range(COUNT):
            spool.ledger.insert(new_row(f"{number:032x}", sent, spool.time.now_s()))


def _took_ms(call: Callable[[Spool], object], spool: Spool) -> float:
    start = time.perf_counter()
    call(spool)
    return (time.perf_counter() - start) * 1000
