"""Reads a CSV that a person wrote: what is wrong with it is told by file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from calibration.errors import LabelError


def rows_of(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells, stripped, of each row; headings in lower case.

    Raises
    ------
    LabelError
        unreadable, no UTF-8, a column missing or there twice, a row too short or too long.
    """
    line = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            given = [name.strip().casefold() for name in reader.fieldnames or ()]
            _check_header(path, given, columns)
            reader.fieldnames = given
            line = reader.line_num
            for row in reader:
                line = reader.line_num
                if None in row or None in row.values():
                    raise LabelError(path, line, f"expected {len(given)} cells")
                yield line, {key: value.strip() for key, value in row.items()}
    except OSError as error:
        raise LabelError(path, 0, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise LabelError(path, line + 1, "no UTF-8 text from here on") from error
    except csv.Error as error:
        raise LabelError(path, line + 1, f"no valid CSV: {error}") from error


def _check_header(path: Path, given: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in given]
    if missing:
        told = f"expected the columns {','.join(columns)}"
        raise LabelError(path, 1, f"no column {', '.join(missing)}; {told}")
    if len(set(given)) != len(given):
        raise LabelError(path, 1, "a column is there twice")
