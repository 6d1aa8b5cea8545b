"""``labels.csv``: which pictures are good, which are bad and for which reason, and whose they are.

``path,subject,label,reason`` and optionally ``group``; other columns are passed over. Paths are
relative to the file. A row labels everything its path holds: an image, or every frame of a video,
a recording or a folder of images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calibration.errors import LabelError
from calibration.tuning.material.csvfile import rows_of
from preprocess.reasons import Reason

COLUMNS: Final = ("path", "subject", "label", "reason")

GOOD: Final = frozenset({"good", "ok", "accept", "accepted", "pass", "1", "true", "yes"})
BAD: Final = frozenset({"bad", "reject", "rejected", "fail", "0", "false", "no"})

SESSION_REASONS: Final = frozenset(
    {
        Reason.TOO_FEW_FRAMES, Reason.TOO_FEW_PER_COLOUR, Reason.TOO_SMALL_FILE,
        Reason.TOO_LARGE_FILE, Reason.LIGHT_NONE, Reason.LIGHT_WEAK, Reason.LIGHT_MISMATCH,
        Reason.LIGHT_DELAY, Reason.LIGHT_BACKGROUND, Reason.STAMPS_IN_DOUBT, Reason.FACE_LOST,
        Reason.FACE_CHANGED,
    }
)  # fmt: skip
"""Said of whole sessions; they label no frame."""

FRAME_REASONS: Final = tuple(reason for reason in Reason if reason not in SESSION_REASONS)

SYNONYMS: Final[Mapping[str, Reason]] = {
    "blur": Reason.BLURRED,
    "blurry": Reason.BLURRED,
    "defocus": Reason.BLURRED,
    "out_of_focus": Reason.BLURRED,
    "motion": Reason.MOVING,
    "motion_blur": Reason.MOVING,
    "overexposed": Reason.OVER_EXPOSED,
    "over_exposure": Reason.OVER_EXPOSED,
    "bright": Reason.OVER_EXPOSED,
    "underexposed": Reason.UNDER_EXPOSED,
    "under_exposure": Reason.UNDER_EXPOSED,
    "dark": Reason.UNDER_EXPOSED,
    "pose": Reason.NOT_FRONTAL,
    "turned": Reason.NOT_FRONTAL,
    "small": Reason.FACE_TOO_SMALL,
    "too_small": Reason.FACE_TOO_SMALL,
    "too_far": Reason.FACE_TOO_SMALL,
    "cut": Reason.FACE_CUT,
    "cropped": Reason.FACE_CUT,
    "multiple_faces": Reason.SEVERAL_FACES,
    "two_faces": Reason.SEVERAL_FACES,
    "back_light": Reason.BACKLIT,
    "backlight": Reason.BACKLIT,
    "side_lit": Reason.SIDE_LIGHT,
    "closed_eyes": Reason.EYES_CLOSED,
    "open_mouth": Reason.MOUTH_OPEN,
    "occlusion": Reason.OCCLUDED,
}


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One labelled input.

    Attributes
    ----------
    path : an image, a video, a recording, a folder of images, or a processed session's directory.
    name : as it was written, for people.
    subject : who is seen; all of a subject goes to one side of the split.
    reasons : what is wrong with it; empty when it is good.
    group : for the report by group; "" when none is given.
    where : file and line of its label.
    """

    path: Path
    name: str
    subject: str
    reasons: frozenset[Reason]
    group: str
    where: str

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.reasons


def read_labels(path: Path) -> tuple[LabelledItem, ...]:
    """Return the rows of a labels file in its order.

    Raises
    ------
    LabelError
        unreadable, a column missing, an unknown label or reason, a path that is not there or named
        twice, a subject in two groups; names the line.
    """
    items: list[LabelledItem] = []
    lines: dict[Path, int] = {}
    groups: dict[str, tuple[str, int]] = {}
    for line, row in rows_of(path, COLUMNS):
        item = _item(path, line, row)
        real = item.path.resolve()
        if real in lines:
            raise LabelError(path, line, f"path: {item.name} was labelled in line {lines[real]}")
        lines[real] = line
        group, first = groups.setdefault(item.subject, (item.group, line))
        if item.group != group:
            told = f"{item.subject} is of {item.group!r} here and of {group!r} in line {first}"
            raise LabelError(path, line, f"group: {told}; expected one group a subject")
        items.append(item)
    if not items:
        raise LabelError(path, 0, "labels nothing: there is no row below the header")
    return tuple(items)


def read_reason(text: str) -> Reason:
    """Return the reason that a word stands for; case, spaces and hyphens do not matter.

    Raises
    ------
    ValueError
        unknown, or said of whole sessions.
    """
    word = "_".join(text.strip().casefold().replace("-", " ").replace("_", " ").split())
    found = SYNONYMS.get(word)
    if found is not None:
        return found
    expected = ", ".join(FRAME_REASONS)
    if word not in set(Reason):
        raise ValueError(f"unknown {text.strip()!r}, expected one of {expected}")
    if Reason(word) in SESSION_REASONS:
        raise ValueError(f"{word} is said of whole sessions, expected one of {expected}")
    return Reason(word)


def _item(source: Path, line: int, row: dict[str, str]) -> LabelledItem:
    for column in ("path", "subject", "label"):
        if not row[column]:
            raise LabelError(source, line, f"{column}: is empty")
    path = source.parent / row["path"]
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        raise LabelError(source, line, f"path: {row['path']!r}: {error}") from error
    if not there:
        raise LabelError(source, line, f"path: {path}: no such file or folder")
    reasons = _reasons(source, line, row)
    where = f"{source}:{line}"
    return LabelledItem(path, row["path"], row["subject"], reasons, row.get("group", ""), where)


def _reasons(source: Path, line: int, row: dict[str, str]) -> frozenset[Reason]:
    label, words = row["label"].casefold(), [w for w in row["reason"].split(";") if w.strip()]
    if label in GOOD:
        if words:
            raise LabelError(source, line, f"reason: {row['reason']!r}, but the label is good")
        return frozenset()
    if label not in BAD:
        raise LabelError(source, line, f"label: unknown {row['label']!r}, expected good or bad")
    if not words:
        expected = ", ".join(FRAME_REASONS)
        raise LabelError(source, line, f"reason: is empty, but the label is bad; one of {expected}")
    try:
        return frozenset(read_reason(word) for word in words)
    except ValueError as error:
        raise LabelError(source, line, f"reason: {error}") from error
