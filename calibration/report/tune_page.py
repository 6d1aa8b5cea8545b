"""The tuner's page: what was found, why, and sliders that count again in the browser."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from calibration.report.tune_charts import Figure, det_svg, distribution_svg, figure_of
from calibration.report.tune_figures import figure_files
from calibration.tuning.evaluation import SESSION_FRAMES
from calibration.tuning.levels import Level, Status
from calibration.tuning.statistics.intervals import Rate
from calibration.tuning.thresholds_file import TuningOrigin, provenance
from calibration.tuning.tuner import Tuning

TITLES: Final[Mapping[str, str]] = {
    "cut_share": "Face cut by the frame's edge",
    "face_side_px": "Size of the face",
    "ied_px": "Distance between the eyes",
    "second_face_ratio": "Second face",
    "yaw_deg": "Turned left or right",
    "pitch_deg": "Turned up or down",
    "roll_deg": "Tilted",
    "over_grey_share": "Over-exposed, grey",
    "over_any_share": "Over-exposed, any channel",
    "over_two_share": "Over-exposed, two channels",
    "over_lit_share": "Over-exposed, lit channel",
    "frame_bright_codes": "Brightest spot of the frame",
    "eyes_bright_codes": "Whites of the eyes before a bright background",
    "snr": "Signal over noise",
    "side_light_stops": "Light from the side",
    "speed_ied_s": "Motion",
    "blur_pct": "Blur",
    "occluded_share": "Covered face",
    "eyes_contrast": "Covered eyes",
    "eyes_open_t": "Eyes open",
    "mouth_open_t": "Mouth open",
}


@dataclass(frozen=True, slots=True)
class TuneReport:
    """The page, and its figures as file name -> CSV."""

    page: str
    figures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class _Card:
    """One limit on the page."""

    one: Level
    title: str
    distribution: Markup
    det: Markup
    frames: int
    unassessed: int
    equal_error: str


@cache
def environment() -> Environment:
    """Return the templates' environment: escaping on, undefined names are errors."""
    made = Environment(
        loader=PackageLoader("calibration.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = percent
    made.filters["rate"] = rate_text
    for name in ("style.css", "tune.css", "tune.js"):
        text = files("calibration.report").joinpath(name).read_text(encoding="utf-8")
        made.globals[name.replace(".", "_")] = Markup(text)  # noqa: S704  (our own files)
    return made


def tune_report(
    tuning: Tuning,
    origin: TuningOrigin,
    notes: Sequence[str],
    pictures: Mapping[int, str],
    figures_folder: str,
) -> TuneReport:
    """Return page and figures; the numbers are those of ``tuning``, and of the command line.

    Parameters
    ----------
    notes : what was left out.
    pictures : frame -> data URI; see ``thumbnails``.
    figures_folder : where the CSV files will lie, relative to the page.
    """
    figures = [figure_of(tuning, number) for number in range(len(tuning.limits))]
    page = (
        environment()
        .get_template("tune.html.j2")
        .render(
            t=tuning,
            origin=origin,
            notes=notes,
            folder=figures_folder,
            cards=_cards(tuning, figures),
            reasons=_reason_rows(tuning),
            session_frames=SESSION_FRAMES,
            provenance=_flat(provenance(tuning, origin)),
            pictures=len(pictures),
            data=_script_json(_data(tuning, figures, pictures)),
        )
    )
    return TuneReport(page, figure_files(tuning, figures))


def percent(value: float) -> str:
    """Return a share as text, as the page's script writes it."""
    return "-" if math.isnan(value) else f"{100 * value:.2f} %"


def rate_text(found: Rate) -> str:
    """Return a rate with its interval; "-" without a frame."""
    if not found.subjects:
        return "-"
    low, high = (100 * end for end in found.interval)
    return f"{percent(found.value)} ({low:.1f} to {high:.1f})"


def _cards(tuning: Tuning, figures: Sequence[Figure]) -> list[_Card]:
    """Return the limits, those first that changed, then those with a trade-off, empty ones last."""
    cards = [_card(one, figure) for one, figure in zip(tuning.chosen.levels, figures, strict=True)]
    return sorted(
        cards, key=lambda card: (card.one.status is Status.KEPT, not card.det, not card.frames)
    )


def _card(one: Level, figure: Figure) -> _Card:
    limit = one.limit
    title = TITLES.get(limit.rule.measure, limit.rule.measure)
    distribution = distribution_svg(figure, one, f"{title}: distribution")
    det = det_svg(figure, f"{title}: trade-off") if figure.trades else ""
    return _Card(
        one,
        title,
        Markup(distribution),  # noqa: S704  (charts escape their texts)
        Markup(det),  # noqa: S704
        int(figure.good.sum() + figure.bad.sum()),
        figure.unassessed,
        percent(figure.det.equal_error),
    )


def _reason_rows(tuning: Tuning) -> list[tuple[str, Rate, Rate]]:
    return [
        (str(reason), tuning.before.by_reason[reason], rate)
        for reason, rate in tuning.holdout.by_reason.items()
    ]


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the provenance without the levels, which have a table of their own."""
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        if key in {"keys", "held_out", "held_out_defaults", "groups"}:
            continue
        rows.append((prefix + key, f"{value:g}" if isinstance(value, float) else str(value)))
    return rows


def _data(tuning: Tuning, figures: Sequence[Figure], pictures: Mapping[int, str]) -> dict[str, Any]:
    m = tuning.material
    mask = np.zeros(len(m), np.uint32)
    for bit, reason in enumerate(m.reasons):
        mask |= m.bad_for(reason).astype(np.uint32) << np.uint32(bit)
    return {
        "items": [item.name for item in m.items],
        "subjects": len(m.subjects),
        "good": _packed(m.good, "u1"),
        "held": _packed(tuning.held_out, "u1"),
        "subject": _packed(m.subject, "<i4"),
        "item": _packed(m.item, "<i4"),
        "seq": _packed(m.seq, "<i4"),
        "mask": _packed(mask, "<u4"),
        "limits": [
            {
                "key": limit.key,
                "acceptKey": limit.accept_key,
                "acceptRatio": limit.accept_ratio,
                "low": limit.low,
                "high": limit.high,
                "sign": limit.rule.sign,
                "rejects": limit.rejects,
                "default": limit.default,
                "level": tuning.levels[limit.key],
                "reason": m.reasons.index(limit.reason) if limit.reason in m.reasons else -1,
                "span": figure.span,
                "badness": _packed(badness, "<f8"),
            }
            for limit, figure, badness in zip(tuning.limits, figures, tuning.badness, strict=True)
        ],
        "pictures": {str(frame): uri for frame, uri in pictures.items()},
    }


def _packed(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values.astype(kind)).tobytes()).decode("ascii")


def _script_json(data: Mapping[str, Any]) -> Markup:
    """Return JSON that no name can end: neither ``</script>`` nor ``<!--`` can occur in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704
