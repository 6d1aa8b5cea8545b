"""Every figure of the tuner's page as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

from calibration.report.tune_charts import Figure, thinned
from calibration.tuning.evaluation import Evaluation, beyond_levels, rejected_by_any
from calibration.tuning.statistics.intervals import Rate
from calibration.tuning.tuner import Tuning

RATE_COLUMNS = ("rate", "low", "high", "errors", "frames", "subjects")


def figure_files(tuning: Tuning, figures: Sequence[Figure]) -> dict[str, bytes]:
    """Return file name -> CSV."""
    files = {
        "levels.csv": _levels(tuning),
        "rates.csv": _rates(tuning),
        "sessions.csv": _sessions(tuning),
        "frames.csv": _frames(tuning),
    }
    if tuning.groups:
        files["groups.csv"] = _groups(tuning)
    for figure, limit in zip(figures, tuning.limits, strict=True):
        files[f"{figure.key}.distribution.csv"] = _distribution(figure)
        if figure.trades:
            files[f"{figure.key}.det.csv"] = _det(figure, limit.rule.sign)
    return files


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return _no_formula(value)
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.6g}"


def _no_formula(text: str) -> str:
    """Return text of others (names, paths) as a cell that no spreadsheet executes."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return f"'{visible}" if visible[:1] in {"=", "+", "-", "@"} else visible


def _rate(found: Rate) -> list[Any]:
    return [found.value, *found.interval, found.errors, found.frames, found.subjects]


def _levels(tuning: Tuning) -> bytes:
    columns = (
        "key", "measure", "reason", "unit", "default", "conformal", "level", "status", "why",
        "training_subjects", "training_bad_frames", "good_regained", "bad_passed",
    )  # fmt: skip
    return _csv(
        columns,
        (
            (
                one.limit.key, one.limit.rule.measure, str(one.limit.reason), one.limit.unit,
                one.limit.default, math.nan if one.conformal is None else one.conformal,
                one.level, one.status.value, one.why, one.subjects, one.bad_frames,
                one.regained, one.passed,
            )
            for one in tuning.chosen.levels
        ),
    )  # fmt: skip


def _sides(tuning: Tuning) -> tuple[tuple[str, str, Evaluation], ...]:
    return (
        ("held out", "tuned", tuning.holdout),
        ("held out", "defaults", tuning.before),
        ("training", "tuned", tuning.training),
    )


def _rates(tuning: Tuning) -> bytes:
    rows: list[list[Any]] = []
    for side, levels, found in _sides(tuning):
        rows.append([side, levels, "false rejects", "all limits", *_rate(found.false_rejects)])
        rows.append([side, levels, "false accepts", "all limits", *_rate(found.false_accepts)])
        for reason, rate in found.by_reason.items():
            rows.append([side, levels, "false accepts", str(reason), *_rate(rate)])
        for key, rate in found.rejects_of.items():
            rows.append([side, levels, "false rejects", key, *_rate(rate)])
            rows.append([side, levels, "false accepts", key, *_rate(found.accepts_of[key])])
    return _csv(("side", "levels", "error", "of", *RATE_COLUMNS), rows)


def _sessions(tuning: Tuning) -> bytes:
    rows = [
        (side, levels, s.count, s.failed, s.median_ms, s.p95_ms)
        for side, levels, found in _sides(tuning)
        for s in (found.sessions,)
    ]
    return _csv(("side", "levels", "sessions", "not_acquired", "median_ms", "p95_ms"), rows)


def _groups(tuning: Tuning) -> bytes:
    rows = (
        (g.group, *_rate(g.rate), g.gap, *g.gap_interval, int(g.accepted)) for g in tuning.groups
    )
    return _csv(("group", *RATE_COLUMNS, "gap", "gap_low", "gap_high", "accepted"), rows)


def _frames(tuning: Tuning) -> bytes:
    m = tuning.material
    now, before = (
        rejected_by_any(tuning.limits, beyond_levels(tuning.limits, tuning.badness, levels))
        for levels in (tuning.levels, tuning.defaults)
    )
    native = [
        limit.rule.sign * badness
        for limit, badness in zip(tuning.limits, tuning.badness, strict=True)
    ]
    items = m.item.tolist()
    rows = (
        (
            m.items[items[i]].name, int(m.seq[i]), m.items[items[i]].subject,
            m.items[items[i]].group, "held out" if tuning.held_out[i] else "training",
            "good" if m.good[i] else "bad", " ".join(sorted(m.items[items[i]].reasons)),
            int(before[i]), int(now[i]), *(float(values[i]) for values in native),
        )
        for i in range(len(m))
    )  # fmt: skip
    columns = (
        "input", "seq", "subject", "group", "side", "label", "reasons", "rejected_by_defaults",
        "rejected", *(limit.key for limit in tuning.limits),
    )  # fmt: skip
    return _csv(columns, rows)


def _distribution(figure: Figure) -> bytes:
    edges = figure.edges.tolist()
    rows = zip(edges[:-1], edges[1:], figure.good.tolist(), figure.bad.tolist(), strict=True)
    return _csv(("from", "to", "good_frames", "bad_frames"), rows)


def _det(figure: Figure, sign: int) -> bytes:
    det = figure.det
    rows = (
        (sign * float(det.badness[i]), float(det.frr[i]), float(det.far[i])) for i in thinned(det)
    )
    return _csv(("level", "good_rejected", "bad_accepted"), rows)
