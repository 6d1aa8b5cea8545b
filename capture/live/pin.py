"""The one camera that a kiosk takes, as ``camera.pin`` names it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PIN = re.compile(
    r"(?P<vendor>[0-9a-fA-F]{4}):(?P<product>[0-9a-fA-F]{4})"
    r"(?::(?P<serial>[^@\s]+))?(?:@(?P<port>[\w.:-]+))?"
)


@dataclass(frozen=True, slots=True)
class Pin:
    """USB ids in lower case; serial and port None match any."""

    vendor: str
    product: str
    serial: str | None = None
    port: str | None = None


def parse_pin(text: str) -> Pin:
    """Return the pin of ``VENDOR:PRODUCT[:SERIAL][@PORT]``.

    Raises
    ------
    ValueError
        it is none; says what was expected.
    """
    match = _PIN.fullmatch(text)
    if match is None:
        raise ValueError(
            f"pin: expected VENDOR:PRODUCT[:SERIAL][@PORT] such as 046d:082d:1A2B3C4D@1-4, as "
            f"'facelight cameras' prints it, got {text!r}"
        )
    found = match.groupdict()
    return Pin(found["vendor"].lower(), found["product"].lower(), found["serial"], found["port"])
