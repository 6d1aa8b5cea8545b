"""The border where a JSON file becomes a checked model: each fault is one line naming its field."""

from __future__ import annotations

import json
import reprlib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from capture.errors import SidecarError

Model = TypeVar("Model", bound=BaseModel)

_BOUNDED = reprlib.Repr()
_BOUNDED.maxlevel = 2


class FieldError(ValueError):
    """Raised by a model's own checks: what was expected, and where below the model."""

    def __init__(self, problem: str, *location: int | str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.location = location


class StrictModel(BaseModel):
    """Unknown keys are errors, nothing is coerced, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def read_json_model(path: Path, model: type[Model], limit_bytes: int) -> Model:
    """Return the file's content as ``model``.

    Raises
    ------
    SidecarError
        unreadable, larger than ``limit_bytes``, no JSON, or a field with a value that cannot be.
    """
    return validated(path, model, _parsed(path, _content(path, limit_bytes)))


def validated(path: Path, model: type[Model], document: Any) -> Model:
    """Return ``document`` as ``model``; the first fault found becomes a SidecarError."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        fault: dict[str, Any] = dict(error.errors(include_url=False)[0])
        own = fault.get("ctx", {}).get("error")
        if isinstance(own, FieldError):
            raise SidecarError(path, _field((*fault["loc"], *own.location)), own.problem) from error
        raise SidecarError(path, _field(fault["loc"]), _problem(model, fault)) from error


def shortened(value: object, length: int = 60) -> str:
    """Return a one-line, bounded, printable form of a value from outside."""
    text = _BOUNDED.repr(value).encode("ascii", "backslashreplace").decode("ascii")
    return text if len(text) <= length else f"{text[:length]}..."


def _content(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise SidecarError(path, "", f"cannot be read: {error.strerror or error}") from error
    if len(content) > limit_bytes:
        raise SidecarError(path, "", f"expected at most {limit_bytes} bytes, the file is larger")
    return content


def _parsed(path: Path, content: bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise SidecarError(path, shortened(twice), "expected once, found twice")
        return members

    try:
        return json.loads(content, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SidecarError(path, "", f"not valid JSON at {place}: {error.msg}") from error
    except UnicodeDecodeError as error:
        problem = f"not valid JSON: byte {error.start} is no {error.encoding} text"
        raise SidecarError(path, "", problem) from error
    except RecursionError as error:
        raise SidecarError(path, "", "not valid: nested too deeply") from error
    except ValueError as error:  # an integer of more than 4300 digits
        raise SidecarError(path, "", "not valid: a number has too many digits") from error


def _field(location: tuple[int | str, ...]) -> str:
    """Return ``flips[3].rgb[1]`` for ``("flips", 3, "rgb", 1)``."""
    name = ""
    for part in location:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += f".{_key(part)}" if name else _key(part)
    return name


def _key(part: str) -> str:
    return part if part.isidentifier() and len(part) <= 60 else shortened(part)


def _problem(model: type[BaseModel], fault: dict[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        at_top = len(fault["loc"]) == 1
        known = f"; expected one of {', '.join(model.model_fields)}" if at_top else ""
        return f"unknown key{known}"
    if fault["type"] == "missing":
        return "missing"
    expected = str(fault["msg"]).replace("Input should be ", "expected ", 1)
    return f"{expected}, got {shortened(fault['input'])}"
