"""Processed and delivered sessions as labelled material: the service's answers are the labels."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from calibration.errors import LabelError, MaterialError
from calibration.tuning.limits import KINDS
from calibration.tuning.material.csvfile import rows_of
from calibration.tuning.material.labels import LabelledItem
from calibration.tuning.material.table import HEAD, FrameTable
from capture.light.timeline import LabelKind
from preprocess.gate.gate import REASON_OF_MESSAGE
from preprocess.measures.measures import FIELDS
from preprocess.reasons import Reason

RESULT: Final = "result.json"
FRAMES: Final = "frames.csv"
ACCEPTED: Final = (200, 204)
NUMBERS: Final = (
    "seq", "t_ms", "face_left", "face_top", "face_width", "face_height", *FIELDS,
)  # fmt: skip

NumberOf: TypeAlias = Callable[[str], int | None]
"""Text of a service's 400 message -> its number in the contract, None for another one."""


@dataclass(frozen=True, slots=True)
class DeliveredSession:
    """Sessions that the service judged.

    Attributes
    ----------
    items, hashes, tables : one of each a session; only the frames that were submitted.
    skipped : why other sessions say nothing -> how many.
    """

    items: tuple[LabelledItem, ...]
    hashes: tuple[str, ...]
    tables: tuple[FrameTable, ...]
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose session it is."""

    subject: str
    group: str = ""


def read_results(
    folders: Sequence[Path], number_of: NumberOf, owners: Mapping[str, Owner] | None = None
) -> DeliveredSession:
    """Return every session below ``folders`` that the service accepted or turned away.

    A 200 or 204 is good, whatever the decision; message 9 and 11 to 14 are bad for the gate's
    reason of the same meaning. What failed for another cause, or was never sent, is counted and
    left out; so is message 10, which no limit of a frame could prevent.

    Parameters
    ----------
    owners : name of the session -> its subject; without it each session is a subject of its own,
        which promises too much where one person came twice.

    Raises
    ------
    LabelError
        a ``result.json`` or ``frames.csv`` that is none, a session that ``owners`` does not know.
    MaterialError
        no session below a folder, or none that says anything.
    """
    items: list[LabelledItem] = []
    tables: list[FrameTable] = []
    hashes: list[str] = []
    skipped: Counter[str] = Counter()
    for folder, path in _found(folders):
        result = _result(path)
        reasons, why = _judged(result, number_of)
        if why:
            skipped[why] += 1
            continue
        name = str(path.parent.relative_to(folder)) if path.parent != folder else folder.name
        owner = _owner(str(result.get("name") or path.parent.name), name, path, owners)
        items.append(
            LabelledItem(path.parent, name, owner.subject, reasons, owner.group, str(path))
        )
        table, content = _frames(path.parent / FRAMES)
        tables.append(table)
        hashes.append(content)
    if not items:
        told = "; ".join(f"{count} {why}" for why, count in sorted(skipped.items()))
        raise MaterialError(f"--results: no session that the service judged ({told})")
    return DeliveredSession(tuple(items), tuple(hashes), tuple(tables), dict(skipped))


def read_owners(path: Path) -> dict[str, Owner]:
    """Return the sessions' subjects from a CSV with ``name,subject`` and optionally ``group``.

    Raises
    ------
    LabelError
        unreadable, a column missing, an empty cell, a session named twice.
    """
    found: dict[str, Owner] = {}
    for line, row in rows_of(path, ("name", "subject")):
        name, subject = row["name"], row["subject"]
        if not (name and subject):
            raise LabelError(path, line, "expected a name and a subject")
        if name in found:
            raise LabelError(path, line, f"name: {name!r} is there twice")
        found[name] = Owner(subject, row.get("group", ""))
    return found


def _found(folders: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    seen: set[Path] = set()
    for folder in folders:
        paths = sorted(folder.rglob(RESULT)) if folder.is_dir() else []
        if not paths:
            raise MaterialError(f"--results {folder}: holds no processed session ({RESULT})")
        for path in paths:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield folder, path


def _result(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LabelError(path, 0, f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise LabelError(path, 0, f"no valid JSON: {error}") from error
    if not isinstance(found, dict) or "status" not in found:
        raise LabelError(path, 0, "status: is missing: no result of a processed session")
    return found


def _judged(result: Mapping[str, Any], number_of: NumberOf) -> tuple[frozenset[Reason], str]:
    """Return the reasons that the service gives, or why it gave no answer."""
    outcome = result.get("outcome")
    if not isinstance(outcome, Mapping):
        return frozenset(), f"not submitted ({result['status']})"
    status = outcome.get("status")
    if status in ACCEPTED:
        return frozenset(), ""
    if status != 400:
        return frozenset(), f"failed with {status or 'no answer'}"
    error = outcome.get("error")
    message = str(error.get("message", "")) if isinstance(error, Mapping) else ""
    number = number_of(message)
    reason = REASON_OF_MESSAGE.get(number) if number is not None else None
    if reason is None or reason is Reason.TOO_FEW_FRAMES:
        return frozenset(), f"400 with message {number or 'unknown'}, which no limit prevents"
    return frozenset({reason}), ""


def _owner(name: str, shown: str, path: Path, owners: Mapping[str, Owner] | None) -> Owner:
    if owners is None:
        return Owner(f"session {shown}")
    for known in (name, shown):
        if known in owners:
            return owners[known]
    raise LabelError(path, 0, f"session {name!r} has no subject in the file of --subjects")


def _frames(path: Path) -> tuple[FrameTable, str]:
    """Return the frames that the answer speaks of, and the hash of their file.

    The submitted ones, and the accepted ones of neutral light: exposure is judged in that alone.
    """
    rows: list[list[float]] = []
    submitted = 0
    kinds = {kind.value: number for number, kind in enumerate(KINDS)}
    columns = (*NUMBERS, "label", "accepted", "frame_number")
    for line, row in rows_of(path, columns):
        neutral = row["label"] == LabelKind.NEUTRAL and row["accepted"] == "1"
        if not row["frame_number"] and not neutral:
            continue
        if row["label"] not in kinds:
            raise LabelError(path, line, f"label: unknown {row['label']!r}")
        numbers = [_number(path, line, name, row[name]) for name in NUMBERS]
        rows.append([*numbers[:2], float(kinds[row["label"]]), *numbers[2:]])
        submitted += bool(row["frame_number"])
    if not submitted:
        raise LabelError(path, 0, "no frame with a frame_number, yet the session was submitted")
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return FrameTable.of_rows(np.array(rows)), content


assert len(NUMBERS) + 1 == len(HEAD) + len(FIELDS)  # noqa: S101  (one row of a FrameTable)


def _number(path: Path, line: int, name: str, text: str) -> float:
    try:
        return float(text) if text else math.nan
    except ValueError as error:
        raise LabelError(path, line, f"{name}: expected a number, got {text!r}") from error
