"""``summary.csv``, ``results.jsonl`` and ``index.html`` of a batch, kept out of memory."""

from __future__ import annotations

import io
import json
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from facelight.batch.outputs import PRIVATE, csv_line, write_parts
from facelight.batch.tables import SUMMARY_COLUMNS, summary_row
from facelight.report.index_page import index_page
from facelight.result import ResultRecord

LISTED = 10_000
"""Rows that a browser shows at once; a page of a larger batch lists what was not accepted."""

_MISSING = -1


class Summary:
    """Collects results in temporary files; leaving the context writes all tables, also on Ctrl-C.

    Results come in any order and are written in the order of the inputs. Of each 8 bytes a table
    stay in memory.
    """

    def __init__(self, out: Path, umask: int = PRIVATE) -> None:
        self._out = out
        self._umask = umask
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._rows = _Ordered()
        self._results = _Ordered()
        return self

    def has(self, place: int) -> bool:
        """Return whether the input of that place has a row."""
        return self._rows.has(place)

    def add(self, place: int, result: ResultRecord) -> None:
        """Add one ``result.json``; ``place`` is that of its input."""
        row = csv_line(SUMMARY_COLUMNS, summary_row(result))
        line = json.dumps(result.to_json(), ensure_ascii=False).encode() + b"\n"
        self._rows.add(place, row)
        self._results.add(place, line)
        self._counts[result.status] += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._rows, self._results:
            write_parts(self._out / "summary.csv", self._csv(), self._umask)
            write_parts(self._out / "results.jsonl", self._results, self._umask)
            page = index_page(self._listed(), self._counts, LISTED, self._out)
            write_parts(self._out / "index.html", page, self._umask)

    def _csv(self) -> Iterator[bytes]:
        yield csv_line(SUMMARY_COLUMNS, dict(zip(SUMMARY_COLUMNS, SUMMARY_COLUMNS, strict=True)))
        yield from self._rows

    def _listed(self) -> Iterator[ResultRecord]:
        """Yield the results of the page, as many as a browser bears."""
        every = self._counts.total() <= LISTED
        left = LISTED
        for line in self._results:
            result = ResultRecord.model_validate_json(line)
            if left and (every or result.status != "accepted"):
                left -= 1
                yield result


class _Ordered:
    """Lines in a temporary file, added in any order, read in that of their places."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115
        self._starts = array("q")

    def has(self, place: int) -> bool:
        return place < len(self._starts) and self._starts[place] != _MISSING

    def add(self, place: int, line: bytes) -> None:
        missing = place + 1 - len(self._starts)
        self._starts.extend([_MISSING] * missing)
        self._file.seek(0, io.SEEK_END)
        self._starts[place] = self._file.tell()
        self._file.write(len(line).to_bytes(4, "little") + line)

    def __iter__(self) -> Iterator[bytes]:
        for start in self._starts:
            if start != _MISSING:
                self._file.seek(start)
                yield self._file.read(int.from_bytes(self._file.read(4), "little"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()
