"""Faults on demand: what a network, a gateway or a tired service does, at a given probability."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from facelight.service.errors import (
    ApiError,
    FaultError,
    out_of_quota,
    server_error,
    timed_out,
    too_many,
)


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    STALL = "stall"
    DROP = "drop"


class DropWhen(StrEnum):
    """The moment at which a connection breaks."""

    BEFORE = "before"
    """With the request unread."""
    AFTER = "after"
    """The request was read, carried out and counted; its answer is lost."""
    DURING = "during"
    """Half of the answer arrives."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    ``seconds`` is the length of a stall, the waiting time named by a 429 or the ``Retry-After`` of
    a 5xx (None: no header); ``days`` belongs to a 403.
    """

    kind: FaultKind
    probability: float
    status: int | None = None
    seconds: float | None = None
    days: int = 2
    when: DropWhen = DropWhen.AFTER

    def error(self) -> ApiError:
        """Return the answer of a status fault."""
        if self.status == 403:
            return out_of_quota(self.days)
        if self.status == 408:
            return timed_out()
        if self.status == 429:
            return too_many(round(self.seconds if self.seconds is not None else 26))
        return server_error(
            self.status or 500, None if self.seconds is None else round(self.seconds)
        )


_FORM = "expected STATUS:PROBABILITY[:ARG] with STATUS 403, 408, 429, 500 to 599, stall or drop"


def parse_fault(text: str) -> Fault:
    """Read ``429:0.3``, ``429:0.3:7s``, ``403:0.1:2d``, ``503:0.2:5s``, ``stall:0.1:5s``,
    ``drop:0.1:before``.

    Raises
    ------
    FaultError
        names the text and what was expected.
    """  # noqa: D205
    name, _, rest = text.partition(":")
    share, _, argument = rest.partition(":")
    try:
        probability = float(share)
    except ValueError:
        raise FaultError(f"fault {text!r}: {_FORM}") from None
    if not 0.0 <= probability <= 1.0:
        raise FaultError(f"fault {text!r}: probability {share}, expected 0 to 1")
    if name == FaultKind.DROP:
        return Fault(FaultKind.DROP, probability, when=_when(text, argument))
    if name == FaultKind.STALL:
        seconds = 30.0 if not argument else _amount(text, argument, "s")
        return Fault(FaultKind.STALL, probability, seconds=seconds)
    return _status_fault(text, name, probability, argument)


def _status_fault(text: str, name: str, probability: float, argument: str) -> Fault:
    if not re.fullmatch(r"403|408|429|5\d\d", name):
        raise FaultError(f"fault {text!r}: {_FORM}")
    status = int(name)
    if status == 403:
        days = 2 if not argument else int(_amount(text, argument, "d"))
        return Fault(FaultKind.STATUS, probability, status, days=days)
    if status == 408 and argument:
        raise FaultError(f"fault {text!r}: 408 takes no argument")
    seconds = None if not argument else _amount(text, argument, "s")
    return Fault(FaultKind.STATUS, probability, status, seconds=seconds)


def _when(text: str, argument: str) -> DropWhen:
    try:
        return DropWhen(argument or DropWhen.AFTER)
    except ValueError:
        raise FaultError(f"fault {text!r}: expected before, after or during") from None


def _amount(text: str, argument: str, unit: str) -> float:
    match = re.fullmatch(rf"(\d{{1,9}}(?:\.\d{{1,9}})?){unit}?", argument)
    if match is None:
        raise FaultError(f"fault {text!r}: argument {argument!r}, expected a number like 5{unit}")
    return float(match[1])


class FaultDice:
    """Draws at most one fault for a request; the same seed draws the same sequence."""

    def __init__(self, faults: Sequence[Fault], seed: int | None = None) -> None:
        total = sum(fault.probability for fault in faults)
        if total > 1.0 + 1e-9:
            raise FaultError(f"faults: the probabilities add up to {total:g}, expected at most 1")
        self._faults = tuple(faults)
        self._random = random.Random(seed)

    def draw(self) -> Fault | None:
        """Return the fault that this request meets, if any."""
        if not self._faults:
            return None
        left = self._random.random()
        for fault in self._faults:
            left -= fault.probability
            if left < 0:
                return fault
        return None
