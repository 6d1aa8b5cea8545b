"""Whether one and the same person stood there through all colours: presence, place, size, shape.

No embedding and nothing that identifies anybody: what is compared are the landmarks of neighbouring
frames, and nothing is kept. An exchange is a cut, between two faces that are each steady; a turn of
the head is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from preprocess.face.face import Face
from preprocess.reasons import Reason

Shape: TypeAlias = NDArray[np.float64]

ABSENT_NS = 400_000_000
"""More than the few frames that blur or a hand cost; a person who leaves and comes back takes
longer."""
_FEWEST_ABSENT = 3
JUMP_IED = 1.5
"""A head moves at most about 1 m/s: 1.5 inter-eye distances (9 cm) within a tenth of a second."""
GROWTH = 1.35
"""A head 50 cm away is 1.35 times as large after 13 cm, which a tenth of a second does not hold."""
JUMP_WINDOW_NS = 150_000_000
OTHER_SHAPE = 0.065
"""Procrustes distance of rigid landmarks; [measured] one person .038 at most over half a second,
two people .033 to .108."""
OTHER_SHAPE_MOVED = 0.042
"""The same where the face also sprang by a third of what is impossible."""
_AROUND = 8
"""Faces on either side of a cut that are compared."""
_STEADY = 0.6
"""Of the distance over the cut, what both sides may vary in themselves."""

RIGID = (
    6, 4, 10, 33, 263, 54, 284, 67, 297, 117, 346, 119, 348, 121, 350, 127, 356, 129, 358, 132,
    361, 133, 362, 136, 365, 143, 372, 147, 376, 198, 420, 205, 425,
)  # fmt: skip
"""Landmarks that talking and smiling hardly move (those of the head pose)."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where continuity ends: ``reason`` and what was seen, in words."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    t_ns: int
    face: Face


def first_break(
    frames: Sequence[tuple[int, Face | None]], begins_ns: int, ends_ns: int
) -> Break | None:
    """Return the first break between two stamps, None where one person stayed.

    ``frames`` are stamps and faces in order of time.
    """
    inside = [(t_ns, face) for t_ns, face in frames if begins_ns <= t_ns <= ends_ns]
    return _absence(inside) or _exchange([_Seen(t, face) for t, face in inside if face is not None])


def other_shape(one: Face, two: Face) -> bool:
    """Return whether two faces, one where the other cannot have come, are two people's.

    One frame of each says less than the frames around a cut do: who is much alike is not told.
    """
    shapes = _aligned([one, two])
    return _distance(shapes[0], shapes[1]) >= OTHER_SHAPE_MOVED


def _absence(frames: Sequence[tuple[int, Face | None]]) -> Break | None:
    since: int | None = None
    missed = 0
    for t_ns, face in frames:
        if face is not None:
            since, missed = None, 0
            continue
        since = t_ns if since is None else since
        missed += 1
        if missed >= _FEWEST_ABSENT and t_ns - since >= ABSENT_NS:
            told = f"nobody was there for {ABSENT_NS / 1e6:.0f} ms and more, from {since / 1e6:.0f}"
            return Break(Reason.FACE_LOST, f"{told} ms on: stay until the colours end")
    return None


def _exchange(seen: Sequence[_Seen]) -> Break | None:
    if len(seen) < 2:
        return None
    shapes = _aligned([each.face for each in seen])
    for index in range(1, len(seen)):
        before, after = seen[index - 1], seen[index]
        sprang = _spring(before, after)
        if sprang >= 1.0 or _is_other(shapes, index, moved=sprang >= 1 / 3):
            told = f"another face stands there from {after.t_ns / 1e6:.0f} ms on"
            return Break(Reason.FACE_CHANGED, f"{told}: one person for the whole session")
    return None


def _spring(before: _Seen, after: _Seen) -> float:
    """Return how much of an impossible movement or growth lies between two faces."""
    if after.t_ns - before.t_ns > JUMP_WINDOW_NS:
        return 0.0
    one, two = (each.face.landmarks_px[:, :2].mean(axis=0) for each in (before, after))
    size = max(before.face.inter_eye_px, after.face.inter_eye_px)
    least = min(before.face.inter_eye_px, after.face.inter_eye_px)
    moved = float(np.hypot(*(two - one))) / (JUMP_IED * size)
    grown = float(np.log(size / max(least, 1e-6)) / np.log(GROWTH))
    return max(moved, grown)


def _is_other(shapes: Shape, index: int, *, moved: bool) -> bool:
    """Return whether the shapes before and after ``index`` are two people's, each steady."""
    before, after = shapes[max(0, index - _AROUND) : index], shapes[index : index + _AROUND]
    if min(len(before), len(after)) < _AROUND // 2:
        return False
    apart = _distance(np.median(before, axis=0), np.median(after, axis=0))
    if apart < (OTHER_SHAPE_MOVED if moved else OTHER_SHAPE):
        return False
    return all(_spread(side) < _STEADY * apart for side in (before, after))


def _spread(side: Shape) -> float:
    half = len(side) // 2
    return _distance(np.median(side[:half], axis=0), np.median(side[half:], axis=0))


def _aligned(faces: Sequence[Face]) -> Shape:
    """(N, 33, 3) rigid landmarks, centred, of unit size, turned as the first."""
    shapes: list[Shape] = []
    for face in faces:
        points = face.landmarks_px[list(RIGID)].astype(np.float64)
        points -= points.mean(axis=0)
        points /= max(float(np.linalg.norm(points)), 1e-9)
        shapes.append(points @ _rotation(points, shapes[0]) if shapes else points)
    return np.array(shapes)


def _rotation(points: Shape, onto: Shape) -> Shape:
    """(3, 3) rotation that turns points onto others (Kabsch)."""
    left, _, right = np.linalg.svd(points.T @ onto)
    mirror = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(left @ right)))])
    rotation: Shape = left @ mirror @ right
    return rotation


def _distance(one: Shape, two: Shape) -> float:
    """Procrustes distance of two shapes, each scaled to unit size."""
    one, two = one / np.linalg.norm(one), two / np.linalg.norm(two)
    return float(np.linalg.norm(one @ _rotation(one, two) - two))
