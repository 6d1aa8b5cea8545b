"""Fills the templates; everything that comes from outside is escaped by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def index_page(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of a batch from the rows of ``summary.csv``."""
    statuses = [row["status"] for row in rows]
    counts = {status: statuses.count(status) for status in ("accepted", "rejected", "error")}
    return environment().get_template("index.html.j2").render(rows=rows, counts=counts)
