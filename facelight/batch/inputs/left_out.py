"""Files in the folders given that are no sessions: counted, kept on disk, told at the start."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import Final

from facelight.batch.inputs.folders import LeftOut
from facelight.batch.outputs import csv_line

COLUMNS: Final = ("path", "reason")
EXAMPLES: Final = 3


class LeftOutFiles:
    """Takes what a search leaves out, in any number, and tells of it by reason."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, item: LeftOut) -> None:
        """Note one file."""
        self._counts[item.reason] += 1
        examples = self._examples.setdefault(item.reason, [])
        if len(examples) < EXAMPLES:
            examples.append(item.path)
        self._file.write(csv_line(COLUMNS, {"path": item.path, "reason": item.reason}))

    @property
    def total(self) -> int:
        """How many files were left out."""
        return self._counts.total()

    def lines(self) -> Iterator[str]:
        """Yield a line for each reason: how many, a few of them, and why."""
        for reason, count in self._counts.most_common():
            examples = self._examples[reason]
            more = ", ..." if count > len(examples) else ""
            files = "1 file" if count == 1 else f"{count} files"
            yield f"left out: {files} ({', '.join(examples)}{more}): {reason}"

    def csv(self) -> Iterator[bytes]:
        """Yield the table of all of them, piece by piece."""
        yield csv_line(COLUMNS, dict(zip(COLUMNS, COLUMNS, strict=True)))
        self._file.seek(0)
        while part := self._file.read(1 << 20):
            yield part

    def close(self) -> None:
        """Forget them."""
        self._file.close()
