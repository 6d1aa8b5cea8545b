"""The page of a batch: one file that filters and sorts itself, and asks nothing of anybody.

Rows lie in the page as JSON and are drawn as far as they are looked at; pictures, four fifths of
the bytes, lie behind them, one a line, and come into the rows after these are seen. So thousands
of sessions open at once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from facelight.report.page import THUMBNAIL, environment
from facelight.report.reason_texts import words_of
from facelight.result import ResultRecord

STATUSES: Final = ("accepted", "rejected", "error")
_ROWS: Final = "@ROWS@"
_PICTURES: Final = "@PICTURES@"


def index_page(
    results: Iterable[ResultRecord], counts: Mapping[str, int], most: int, out: Path
) -> Iterator[bytes]:
    """Yield the page of a batch, piece by piece, UTF-8.

    Parameters
    ----------
    results : what each ``result.json`` holds that is to be listed, in the order of the inputs.
    counts : sessions by status, listed or not.
    most : rows that a page may have; a larger batch lists what was not accepted.
    out : the folder of the results, for the thumbnails that lie there.
    """
    named = {status: counts.get(status, 0) for status in STATUSES}
    total = sum(named.values())
    template = environment().get_template("index.html.j2")
    page = template.render(
        counts=named, total=total, every=total <= most, rows=_ROWS, pictures=_PICTURES
    )
    head, _, rest = page.partition(_ROWS)
    middle, _, tail = rest.partition(_PICTURES)
    names = list[str]()
    yield head.encode()
    for place, result in enumerate(results):
        yield (b",\n" if place else b"\n") + _json(row_of(result))
        names.append(result.name)
    yield middle.encode()
    for name in names:
        yield _picture(out / name / THUMBNAIL) + b"\n"
    yield tail.encode()


def row_of(result: ResultRecord) -> dict[str, Any]:
    """Return what the page shows of a session."""
    what, cure = _words(result)
    counts = result.counts
    return {
        "name": result.name,
        "input": result.input,
        "status": result.status,
        "reasons": result.reasons,
        "what": what,
        "cure": cure,
        "detail": result.detail,
        "notes": "; ".join(result.notes),
        "frames": counts and counts.frames,
        "sent": counts and counts.submitted,
        "bytes": counts and counts.bytes,
        "light": result.light.state if result.light else "",
        "decision": (result.outcome and result.outcome.decision) or "",
        "strip": result.label_runs,
    }


def _words(result: ResultRecord) -> tuple[str, str]:
    if result.error is not None:
        return result.error.message, ""
    if result.status == "rejected":
        return words_of(result.reasons)
    if result.outcome is not None and result.outcome.error is not None:
        return f"not delivered: {result.outcome.error.message}", result.outcome.error.advice
    return "", ""


def _picture(path: Path) -> bytes:
    """Return a thumbnail as base64, empty where there is none."""
    try:
        return base64.b64encode(path.read_bytes())
    except OSError:
        return b""


def _json(row: Mapping[str, Any]) -> bytes:
    """Return JSON that cannot end the script it stands in."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "backslashreplace")
