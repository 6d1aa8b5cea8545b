"""What a file, the environment or a flag gave, made ready for pydantic, and its errors in one line.

The option classes check types and ranges themselves (`capture.options.options`). Text is what the
environment has instead of types: `read_texts` turns it into what the annotations want to see.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails


class UnreadableTextError(ValueError):
    """A text cannot be what is wanted at ``keys``."""

    def __init__(self, keys: tuple[str, ...], problem: str) -> None:
        super().__init__(f"{'.'.join(keys)}: {problem}")
        self.keys = keys
        self.problem = problem


def hints_of(kind: type[Any]) -> dict[str, Any]:
    """Return the annotation of each field of an option class or of the settings."""
    return typing.get_type_hints(kind)


def read_texts(table: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Return ``table`` with its texts read as the fields of ``kind`` want them.

    ``a,b`` or a JSON list where several values are wanted, ``none`` where there may be none. An
    empty text is refused where it means nothing, a truth value where a number is wanted: pydantic
    would take them for the current folder and for 1. Everything else is pydantic's affair.

    Raises
    ------
    UnreadableTextError
        says where, and what was expected.
    """
    return _read_table((), table, kind)


def _read_table(keys: tuple[str, ...], table: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    hints = hints_of(kind)
    return {k: _read((*keys, k), v, hints[k]) if k in hints else v for k, v in table.items()}


def _read(keys: tuple[str, ...], value: Any, hint: Any) -> Any:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _read_table(keys, value, hint) if isinstance(value, Mapping) else value
    inner = _without_none(hint)
    optional = inner is not hint
    if optional and isinstance(value, str) and value == "none" and inner is not str:
        return None
    if inner in {int, float} and isinstance(value, bool):
        wanted = "a whole number" if inner is int else "a number"
        raise UnreadableTextError(keys, f"expected {wanted}, got {value!r}")
    several = typing.get_origin(inner) is tuple
    if value == "" and (optional or several or inner is Path):
        raise UnreadableTextError(keys, "is empty; expected a value, or leave it out")
    return _listed(keys, value) if several and isinstance(value, str) else value


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) not in {typing.Union, types.UnionType}:
        return hint
    left = [one for one in typing.get_args(hint) if one is not type(None)]
    return left[0] if len(left) == 1 else hint


def _listed(keys: tuple[str, ...], value: str) -> list[Any]:
    if not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",")]
    try:
        listed: list[Any] = json.loads(value)
    except ValueError as error:
        raise UnreadableTextError(keys, f"expected a JSON list, got {value!r}") from error
    return listed


_EXPECTED: Final[Mapping[str, str]] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list of values",
    "dataclass": "a table of options",
    "path": "a path",
}


def problem_of(error: ValidationError, owner: type[Any]) -> tuple[tuple[str, ...], str]:
    """Return where the first error of an ``owner`` lies, as keys, and what was expected there."""
    first = error.errors()[0]
    keys = tuple(str(part) for part in first["loc"])
    return _located(first, keys, owner)


def _located(
    first: ErrorDetails, keys: tuple[str, ...], owner: type[Any]
) -> tuple[tuple[str, ...], str]:
    kind, context = first["type"], first.get("ctx") or {}
    owner, declared = _declared(keys, owner)
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = ", ".join(sorted(hints_of(owner)))
        named = f" {keys[-1]!r}" if len(keys) > 1 else ""
        return keys[: max(1, len(keys) - 1)], f"unknown key{named}; one of {known}"
    return keys, _expected(kind, context, first, declared)


def _expected(
    kind: str, context: Mapping[str, Any], first: ErrorDetails, declared: Mapping[str, Any]
) -> str:
    value = first["input"]
    low, high = declared.get("low"), declared.get("high")
    if kind in {"greater_than_equal", "less_than_equal", "finite_number"} and low is not None:
        unit = f" {declared['unit']}" if declared.get("unit") else ""
        return f"{value!r} is not within {low}..{high}{unit}"
    if kind == "literal_error":
        return f"expected one of {str(context['expected']).replace(chr(39), '')}, got {value!r}"
    if kind == "missing":
        return "a value is missing"
    wanted = _EXPECTED.get(kind.split("_", maxsplit=1)[0])
    if wanted is not None:
        return f"expected {wanted}, got {value!r}"
    return str(first["msg"]).removeprefix("Value error, ")


def _declared(keys: Sequence[str], owner: type[Any]) -> tuple[type[Any], Mapping[str, Any]]:
    """Return the class that a key belongs to, and what the key's option declares of itself."""
    declared: Mapping[str, Any] = {}
    for key in keys:
        fields = {f.name: f for f in _fields(owner)}
        if not key.isdigit():  # an item is held to what its list declares
            declared = fields[key].metadata if key in fields else {}
        hint = hints_of(owner).get(key)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            owner = hint
    return owner, declared


def _fields(owner: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    reader: Callable[[Any], tuple[dataclasses.Field[Any], ...]] = dataclasses.fields
    return reader(owner) if dataclasses.is_dataclass(owner) else ()
