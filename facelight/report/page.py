"""Fills the templates; everything that comes from outside is escaped by them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

THUMBNAIL: Final = "thumbnail.jpg"
"""In a session's folder: its best frame, small."""


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
