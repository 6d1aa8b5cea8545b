"""``thresholds.toml``: the tuned levels, and all that they rest on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import tomlkit

from calibration.tuning.evaluation import Evaluation
from calibration.tuning.groups import GroupRate
from calibration.tuning.levels import Level
from calibration.tuning.limits import changes
from calibration.tuning.statistics.intervals import Rate
from calibration.tuning.tuner import Tuning


@dataclass(frozen=True, slots=True)
class TuningOrigin:
    """What the tuning itself does not know.

    Attributes
    ----------
    software : name and version of the program.
    created : RFC 3339.
    labels : where the labels came from, as the user named them.
    method_sha256 : of tracker, options and code that measured.
    """

    software: str
    created: str
    labels: str
    method_sha256: str


def thresholds_toml(tuning: Tuning, origin: TuningOrigin) -> bytes:
    """Return the file; ``[thresholds]`` holds the changed levels only, defaults stay defaults."""
    file = tomlkit.document()
    file.add(tomlkit.comment("Written by facelight tune; read with --thresholds, or as"))
    file.add(tomlkit.comment('thresholds_file = "..." in facelight.toml. What is not named under'))
    file.add(tomlkit.comment("[thresholds] keeps its default; [provenance.keys] says why."))
    table = tomlkit.table()
    for key, level in changes(tuning.limits, tuning.levels).items():
        table.add(key, level)
    file.add("thresholds", table)
    file.add("provenance", provenance(tuning, origin))
    return tomlkit.dumps(file).encode()


def provenance(tuning: Tuning, origin: TuningOrigin) -> dict[str, Any]:
    """Return data set, promise, evidence and the origin of each level as plain tables."""
    m, o, chosen = tuning.material, tuning.options, tuning.chosen
    held = {int(s) for s in set(m.subject[tuning.held_out].tolist())}
    found: dict[str, Any] = {
        "software": origin.software,
        "created": origin.created,
        "labels": origin.labels,
        "dataset_sha256": m.digest,
        "method_sha256": origin.method_sha256,
        "subjects": len(m.subjects),
        "subjects_held_out": len(held),
        "frames": len(m),
        "good_frames": int(m.good.sum()),
        "seed": o.seed,
        "target_frr": o.target_frr,
        "confidence": o.confidence,
        "limit": o.limit,
        "joint": chosen.joint.value,
        "note": chosen.note,
        "held_out": _evaluation(tuning.holdout),
        "held_out_defaults": _evaluation(tuning.before),
    }
    if tuning.groups:
        found["groups"] = {group.group: _group(group) for group in tuning.groups}
    found["keys"] = {
        one.limit.key: _level(one, tuning.holdout.rejects_of[one.limit.key])
        for one in chosen.levels
    }
    return found


def _evaluation(found: Evaluation) -> dict[str, Any]:
    return {
        "false_rejects": _rate(found.false_rejects),
        "false_accepts": _rate(found.false_accepts),
        "false_accepts_by_reason": {str(r): _rate(rate) for r, rate in found.by_reason.items()},
    }


def _level(one: Level, held_out: Rate) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status": one.status.value,
        "why": one.why,
        "default": one.limit.default,
        "unit": one.limit.unit,
        "subjects": one.subjects,
        "good_regained": _number(one.regained),
        "bad_passed": _number(one.passed),
        "held_out_false_rejects": _rate(held_out),
    }
    if one.conformal is not None:
        found["conformal"] = one.conformal
    return found


def _rate(found: Rate) -> dict[str, Any]:
    if not found.subjects:
        return {"subjects": 0}
    low, high = found.interval
    return {
        "rate": _number(found.value),
        "low": _number(low),
        "high": _number(high),
        "frames": found.frames,
        "subjects": found.subjects,
    }


def _group(found: GroupRate) -> dict[str, Any]:
    told = _rate(found.rate)
    if not math.isnan(found.gap):
        low, high = found.gap_interval
        told |= {"gap": _number(found.gap), "gap_low": _number(low), "gap_high": _number(high)}
    return told


def _number(value: float) -> float:
    return float(f"{value:.6g}")
