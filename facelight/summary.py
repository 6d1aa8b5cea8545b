"""``summary.csv`` and ``index.html`` of a batch, written as results come, kept out of memory."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from facelight.outputs import write_file
from facelight.report.page import index_page
from facelight.rows import SUMMARY_COLUMNS, summary_row


class Summary:
    """Collects rows in a temporary file; leaving the context writes both files, also on Ctrl-C."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._file, SUMMARY_COLUMNS, lineterminator="\n")
        self._writer.writeheader()
        return self

    def add(self, result: Mapping[str, Any]) -> None:
        """Add the row of one ``result.json``."""
        self._writer.writerow(summary_row(result))

    def __exit__(self, *_error: object) -> None:
        with self._file as file:
            file.seek(0)
            text = file.read()
        write_file(self._out / "summary.csv", text.encode())
        rows = list(csv.DictReader(text.splitlines()))
        write_file(self._out / "index.html", index_page(rows).encode())
