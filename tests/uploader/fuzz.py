"""Coverage-guided fuzzing of what reads strangers' bytes; by hand, outside CI.

::

    uv run --with atheris python -m tests.uploader.fuzz answer -runs=1000000

The first argument names the reader (answer, error, audit, metadata, token, sealed); what follows
goes to libFuzzer. Anything but an error of our own tree ends the run with a traceback.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable
from typing import Any

from uploader.api.audit import to_csv, verify
from uploader.api.audit_entry import parse_entries
from uploader.api.decision import parse_decision
from uploader.api.wire import Metadata
from uploader.clock import SystemDeliveryClock
from uploader.errors import UploaderError
from uploader.http.answers import Answer, error_of
from uploader.http.tokens import parse_token
from uploader.spool.keys import DeviceKey
from uploader.spool.vault import unseal

KEY = DeviceKey(bytes(32))


def audit(data: bytes) -> None:
    entries = parse_entries(Answer(200, {}, data))
    to_csv(entries, verify(entries, [], "body-sha256"))


READERS: dict[str, Callable[[bytes], Any]] = {
    "answer": parse_decision,
    "error": lambda data: str(error_of(Answer(400 + len(data) % 200, {}, data))),
    "audit": audit,
    "metadata": Metadata.parse,
    "token": lambda data: parse_token(data.decode("utf-8", "replace"), SystemDeliveryClock().utc()),
    "sealed": lambda data: unseal(KEY, "item", data),
}


def main() -> None:
    name, *flags = sys.argv[1:] or [""]
    if name not in READERS:
        sys.exit(f"expected one of {', '.join(READERS)}")
    atheris: Any = importlib.import_module("atheris")
    read = READERS[name]

    def one(data: bytes) -> None:
        with contextlib.suppress(UploaderError):
            read(data)

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *flags], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
