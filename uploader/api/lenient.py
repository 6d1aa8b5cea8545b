"""Field types for what services write: numbers as text, text as numbers, nothing unprintable."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from uploader.plain_text import shown

MAX_FIELD: Final = 1024


def _text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise ValueError(f"expected text, got {type(value).__name__}")
    return None if value is None else shown(value, MAX_FIELD)


def _number(value: Any) -> Any:
    if isinstance(value, str):
        value = float(value) if value.strip().isascii() and len(value) < 32 else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("expected a number")
    if not abs(value) < 1 << 53:
        raise ValueError("expected a number of usable size")
    return round(value)


Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[int, BeforeValidator(_number)]
