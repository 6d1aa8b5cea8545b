"""Fills the templates; everything that comes from outside is escaped by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def environment() -> Environment:
    """Return the templates' environment: escaping on, undefined names are errors."""
    made = Environment(
        loader=PackageLoader("facelight.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = files("calibration.report").joinpath("style.css").read_text(encoding="utf-8")
    made.globals["style"] = Markup(style)  # noqa: S704  (our own file)
    return made


def index_page(
    rows: Iterable[Mapping[str, Any]], counts: Mapping[str, int], most: int
) -> Iterator[str]:
    """Yield the page of a batch, piece by piece.

    Parameters
    ----------
    rows : of ``summary.csv``, those that are to be listed.
    counts : sessions by status, listed or not.
    most : rows that a page may have; a larger batch lists what was not accepted.
    """
    named = {status: counts.get(status, 0) for status in ("accepted", "rejected", "error")}
    total = sum(named.values())
    page = environment().get_template("index.html.j2")
    return page.generate(rows=rows, counts=named, total=total, every=total <= most)
