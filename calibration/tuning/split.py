"""Training and hold-out subjects: never the frames of one person on both sides."""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from calibration.errors import MaterialError
from calibration.tuning.material.material import Material


def held_out(material: Material, share: float, seed: int) -> NDArray[np.bool_]:
    """Return (n,) whether a frame belongs to a subject that is held out.

    Subjects are ordered by a hash of seed and name within those that have good frames, bad ones or
    both, so that both sides get some of each and a subject more changes little.

    Raises
    ------
    MaterialError
        a side without good frames.
    """
    frames_of: list[tuple[bool, bool]] = [(False, False)] * len(material.subjects)
    for subject, good in set(zip(material.subject.tolist(), material.good.tolist(), strict=True)):
        has_good, has_bad = frames_of[subject]
        frames_of[subject] = (has_good or good, has_bad or not good)
    strata: defaultdict[tuple[bool, bool], list[int]] = defaultdict(list)
    for subject, has in enumerate(frames_of):
        strata[has].append(subject)
    chosen = np.zeros(len(material.subjects), np.bool_)
    carried = 0.0
    for has in sorted(strata, reverse=True):
        ordered = sorted(strata[has], key=lambda s: _rank(material.subjects[s], seed))
        wanted = share * len(ordered) + carried
        count = min(round(wanted), len(ordered))
        carried = wanted - count
        chosen[ordered[:count]] = True
    side: NDArray[np.bool_] = chosen[material.subject]
    for name, there in (("hold-out", side), ("training", ~side)):
        if not (material.good & there).any():
            raise MaterialError(
                f"the {name} side has no good frame: {len(material.subjects)} subjects at "
                f"--holdout {share:g}; label good frames of more subjects"
            )
    return side


def _rank(subject: str, seed: int) -> str:
    return sha256(f"{seed}:{subject}".encode()).hexdigest()
