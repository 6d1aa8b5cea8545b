"""``summary.csv`` and ``index.html`` of a batch, written as results come, kept out of memory."""

from __future__ import annotations

import csv
import io
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from facelight.batch.outputs import write_parts
from facelight.batch.tables import SUMMARY_COLUMNS, summary_row
from facelight.report.page import index_page

LISTED = 5000
"""Rows that a browser shows at once; a page of a larger batch lists what was not accepted."""

_MISSING = -1


class Summary:
    """Collects rows in a temporary file; leaving the context writes both files, also on Ctrl-C.

    Rows come in any order and are written in the order of the inputs. Of each 8 bytes stay in
    memory.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._starts = array("q")
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile("w+b")
        return self

    def has(self, place: int) -> bool:
        """Return whether the input of that place has a row."""
        return place < len(self._starts) and self._starts[place] != _MISSING

    def add(self, place: int, result: Mapping[str, Any]) -> None:
        """Add the row of one ``result.json``; ``place`` is that of its input."""
        missing = place + 1 - len(self._starts)
        self._starts.extend([_MISSING] * missing)
        self._starts[place] = self._file.tell()
        self._counts[result["status"]] += 1
        text = io.StringIO(newline="")
        csv.DictWriter(text, SUMMARY_COLUMNS, lineterminator="\n").writerow(summary_row(result))
        self._file.write(_prefixed(text.getvalue().encode()))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            write_parts(self._out / "summary.csv", self._csv())
            page = index_page(self._listed(), self._counts, LISTED)
            write_parts(self._out / "index.html", (part.encode() for part in page))

    def _csv(self) -> Iterator[bytes]:
        yield ",".join(SUMMARY_COLUMNS).encode() + b"\n"
        for start in self._starts:
            if start != _MISSING:
                self._file.seek(start)
                yield self._file.read(int.from_bytes(self._file.read(4), "little"))

    def _listed(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the page, as many as a browser bears."""
        every = self._counts.total() <= LISTED
        left = LISTED
        texts = (line.decode() for line in self._csv())
        header = next(csv.reader([next(texts)]))
        for text in texts:
            row = dict(zip(header, next(csv.reader(io.StringIO(text, newline=""))), strict=True))
            if left and (every or row["status"] != "accepted"):
                left -= 1
                yield row


def _prefixed(line: bytes) -> bytes:
    return len(line).to_bytes(4, "little") + line
