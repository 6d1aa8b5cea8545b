"""All labelled frames in one table, with the light, the label and the subject of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from calibration.errors import MaterialError
from calibration.tuning.limits import KINDS
from calibration.tuning.material.labels import LabelledItem
from calibration.tuning.material.table import FrameTable
from capture.light.timeline import LabelKind
from preprocess.reasons import Reason


@dataclass(frozen=True, eq=False)
class Material:
    """Labelled and measured frames; those of mixed light are left out, they are never submitted.

    Attributes
    ----------
    items : the labelled inputs.
    hashes : SHA-256 of each input's content.
    item : (n,) int32 index in ``items`` of each frame.
    seq, t_ms, kind, box, values : as in ``FrameTable``.
    """

    items: tuple[LabelledItem, ...]
    hashes: tuple[str, ...]
    item: NDArray[np.int32]
    seq: NDArray[np.int64]
    t_ms: NDArray[np.float64]
    kind: NDArray[np.uint8]
    box: NDArray[np.float64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Everyone who is seen, sorted."""
        return tuple(sorted({item.subject for item in self.items}))

    @cached_property
    def subject(self) -> NDArray[np.int32]:
        """(n,) index in ``subjects`` of each frame."""
        index = {name: number for number, name in enumerate(self.subjects)}
        return self._each([index[item.subject] for item in self.items]).astype(np.int32)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups given, sorted; empty when there is none."""
        return tuple(sorted({item.group for item in self.items} - {""}))

    @cached_property
    def group(self) -> NDArray[np.int32]:
        """(n,) index in ``groups`` of each frame, -1 without one."""
        index = {name: number for number, name in enumerate(self.groups)}
        return self._each([index.get(item.group, -1) for item in self.items]).astype(np.int32)

    @cached_property
    def good(self) -> NDArray[np.bool_]:
        """(n,) whether the frame is labelled good."""
        return self._each([item.good for item in self.items]).astype(np.bool_)

    def bad_for(self, reason: Reason) -> NDArray[np.bool_]:
        """(n,) whether the frame is labelled bad for this reason."""
        return self._each([reason in item.reasons for item in self.items]).astype(np.bool_)

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons that anything is labelled with, in the order of ``Reason``."""
        given = {reason for item in self.items for reason in item.reasons}
        return tuple(reason for reason in Reason if reason in given)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over every input's content, label, subject and group; order is nothing."""
        rows = [
            f"{content} {item.subject!r} {sorted(item.reasons)} {item.group!r}"
            for content, item in zip(self.hashes, self.items, strict=True)
        ]
        return sha256("\n".join(sorted(rows)).encode()).hexdigest()

    def _each(self, of_item: Sequence[int]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = np.asarray(of_item, dtype=np.int64)[self.item]
        return found


def join(
    items: Sequence[LabelledItem], hashes: Sequence[str], tables: Sequence[FrameTable]
) -> tuple[Material, tuple[str, ...]]:
    """Return all frames as one material, and notes on what was left out.

    The same content labelled twice alike counts once.

    Raises
    ------
    MaterialError
        the same content labelled differently; only one subject; nothing good; nothing bad.
    """
    notes: list[str] = []
    kept = _without_doubles(items, hashes, notes)
    _check(items, kept)
    parts, index = [], []
    for number, position in enumerate(kept):
        data = tables[position].data
        data = data[data[:, 2] != KINDS.index(LabelKind.TRANSITION)]
        if not len(data):
            notes.append(f"{items[position].where}: every frame is of mixed light, none is used")
        parts.append(data)
        index.append(np.full(len(data), number, np.int32))
    table = FrameTable(np.concatenate(parts))
    material = Material(
        tuple(items[p] for p in kept),
        tuple(hashes[p] for p in kept),
        np.concatenate(index),
        table.seq,
        table.t_ms,
        table.kind,
        table.box,
        table.values,
    )
    return material, tuple(notes)


def _without_doubles(
    items: Sequence[LabelledItem], hashes: Sequence[str], notes: list[str]
) -> list[int]:
    same: defaultdict[str, list[int]] = defaultdict(list)
    for position, content in enumerate(hashes):
        same[content].append(position)
    for first, *others in same.values():
        for other in others:
            a, b = items[first], items[other]
            if (a.subject, a.reasons, a.group) != (b.subject, b.reasons, b.group):
                told = "has the same content with another label, subject or group"
                raise MaterialError(f"{b.where}: {b.name} {told} as {a.name} ({a.where})")
            notes.append(f"{b.where}: the same content as {a.where}, counted once")
    return sorted(positions[0] for positions in same.values())


def _check(items: Sequence[LabelledItem], kept: Sequence[int]) -> None:
    found = [items[position] for position in kept]
    source = found[0].where.rpartition(":")[0] or found[0].where
    if len({item.subject for item in found}) < 2:
        told = "splitting by subject needs two and a promise many more"
        raise MaterialError(f"{source}: all is of one subject, {found[0].subject!r}; {told}")
    if all(item.good for item in found):
        raise MaterialError(f"{source}: all is good; without anything bad no limit can be weighed")
    if not any(item.good for item in found):
        raise MaterialError(f"{source}: all is bad; false rejects are counted on good ones")
