"""JSON that strangers wrote: bounded depth, no NaN, one typed error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from uploader.errors import Context, MalformedAnswerError
from uploader.plain_text import shown


def parse_object(body: bytes, context: Context | None = None) -> Mapping[str, Any]:
    """Read a JSON object of an answer."""
    parsed = parse_json(body, context)
    if not isinstance(parsed, dict):
        raise MalformedAnswerError(
            f"the answer is no JSON object but {type(parsed).__name__}", context
        )
    return parsed


def parse_json(body: bytes, context: Context | None = None) -> Any:
    """Read JSON from a stranger: bounded depth, no NaN."""
    try:
        return from_json(body.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        problem = shown(str(error), 80) if body else "it is empty"
        raise MalformedAnswerError(f"the answer is no JSON: {problem}", context) from error
