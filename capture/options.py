"""How every stage declares an option: default, unit, range and the reason for the number."""

from __future__ import annotations

from dataclasses import field
from typing import Any, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

_T = TypeVar("_T")


def option(
    default: Any,
    *,
    unit: str,
    why: str,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Return a field of an `options` class.

    Its metadata makes the settings' messages and the tables of the documentation; ``low`` and
    ``high`` hold wherever the option is given (those of several values stand in their type).
    """
    plain = {"unit": unit, "why": why, "low": low, "high": high, "description": why}
    bounds = {"ge": low, "le": high}  # the names under which pydantic knows them
    if isinstance(default, tuple):
        bounds = {}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return field(default=default, metadata=plain | given)


@dataclass_transform(frozen_default=True)
def options(cls: type[_T]) -> type[_T]:
    """Make a class of options: frozen, slotted, checked by pydantic however it is made.

    From a file, the environment, a flag or Python: types and ranges are the same, and an unknown
    name is an error. What is refused raises ``pydantic.ValidationError``, a ``ValueError``.
    """
    config = ConfigDict(extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)
    return cast("type[_T]", dataclass(cls, frozen=True, slots=True, config=config))
