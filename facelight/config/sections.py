"""Checks a stage's option dataclass against what a file, the environment or a flag gave."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BeforeValidator


def checked(kind: type[Any]) -> BeforeValidator:
    """Return a validator that builds the dataclass ``kind`` from a table of plain values.

    Unknown keys, wrong types and values out of the declared range are errors that name the key
    and what was expected. Text is converted where a number is wanted: the environment has no types.
    """

    def build(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a table of options, got {value!r}")
        known = {f.name: f for f in dataclasses.fields(kind)}
        unknown = sorted(set(value) - set(known))
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}; one of {', '.join(sorted(known))}")
        hints = typing.get_type_hints(kind)
        given = {k: _one(k, v, hints[k], known[k].metadata) for k, v in value.items()}
        return kind(**given)

    return BeforeValidator(build)


def _one(key: str, value: Any, hint: Any, meta: Mapping[str, Any]) -> Any:
    try:
        made = _coerce(value, hint)
    except (ValueError, TypeError) as error:
        raise ValueError(_under(key, str(error))) from error
    low, high = meta.get("low"), meta.get("high")
    for number in made if isinstance(made, tuple) else (made,):
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        below, above = low is not None and number < low, high is not None and number > high
        if math.isnan(number) or below or above:
            unit = f" {meta['unit']}" if meta.get("unit") else ""
            raise ValueError(_under(key, f"{value!r} is not within {low}..{high}{unit}"))
    return made


def _under(key: str, told: str) -> str:
    """Return what was told of ``key``, with a dot in front: the caller puts its own key there."""
    return f".{key}{told}" if told.startswith(".") else f".{key}: {told}"


def _coerce(value: Any, hint: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _coerce_union(value, args)
    if origin is typing.Literal:
        if value not in args:
            raise ValueError(f"expected one of {', '.join(map(str, args))}, got {value!r}")
        return value
    if origin is tuple:
        return _coerce_tuple(value, args)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return checked(hint).func(value)  # type: ignore[call-arg]
    return _SCALARS.get(hint, lambda v: _instance(v, hint))(value)


def _coerce_union(value: Any, args: Iterable[Any]) -> Any:
    options = [a for a in args if a is not type(None)]
    if value is None or (value == "none" and str not in options):
        return None
    return _coerce(value, options[0])


def _coerce_tuple(value: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    items = value.split(",") if isinstance(value, str) else list(value)
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_coerce(item, args[0]) for item in items)
    if len(items) != len(args):
        raise ValueError(f"expected {len(args)} values, got {len(items)}")
    return tuple(_coerce(item, hint) for item, hint in zip(items, args, strict=True))


def _boolean(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError(f"expected true or false, got {value!r}")


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"expected a whole number, got {value!r}")
    try:
        return int(value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"expected a whole number, got {value!r}") from error


def _real(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError(f"expected a number, got {value!r}")
    try:
        return float(value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"expected a number, got {value!r}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {value!r}")
    return value


def _instance(value: Any, hint: Any) -> Any:
    if isinstance(hint, type) and isinstance(value, hint):
        return value
    return hint(value)


_SCALARS: dict[Any, Callable[[Any], Any]] = {
    bool: _boolean,
    int: _integer,
    float: _real,
    str: _text,
}
