"""Structured logs on stderr, JSON one line each, that cannot hold a secret or a face.

Redaction is by construction: whatever goes through here loses bytes, arrays and secret types by
their type, named secrets and biometric values by their key, and queries and user names of URLs by
their form. Standard logging of our packages and of libraries goes through the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TextIO

from capture.options import option, options
from uploader.http.credentials import Secret

if TYPE_CHECKING:
    from structlog.types import EventDict, Processor, WrappedLogger

TEXT_LIMIT = 1000
"""No event of ours is longer; what a stranger sent may be."""
_SECRET_KEYS = re.compile(r"key$|token|secret|password|authorization|cookie|credential", re.I)
_FACE_KEYS = re.compile(r"pixel|landmark|rectangle|image|body|content|crop|thumb", re.I)
_URL_TAIL = re.compile(r"(https?://)(?:[^\s/@]*@)?([^\s?#]*)(?:[?#]\S*)?", re.I)
_BEARER = re.compile(r"(bearer\s+|ocp-apim-subscription-key\W+)\S+", re.I)
_QUIET = ("httpx", "httpcore", "uvicorn", "asyncio", "PIL", "matplotlib")


@options
class LogOptions:
    """What is logged."""

    level: Literal["debug", "info", "warning", "error"] = option(
        "info", unit="", why="ids, states and times; debug adds measures of frames, never pixels"
    )


def set_up(options: LogOptions, stream: TextIO | None = None) -> None:
    """Send the logs of every package to ``stream`` (stderr) as redacted JSON lines."""
    import structlog  # noqa: PLC0415 - with rich, a sixth of a worker's start, which logs nothing

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                structlog.processors.JSONRenderer(sort_keys=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options.level.upper())
    for name in _QUIET:
        # httpx logs whole URLs at INFO; none of these says anything an operator needs
        logging.getLogger(name).setLevel(logging.WARNING)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the event without anything that must not be kept."""
    return {key: _safe(key, value) for key, value in event.items()}


def _safe(key: str, value: Any) -> Any:
    if key.startswith("_") or isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Secret) or _SECRET_KEYS.search(key):
        return "***"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if hasattr(value, "shape"):
        return f"<array {value.shape}>"
    return "<left out>" if _FACE_KEYS.search(key) else _plain(key, value)


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _safe(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(key, item) for item in list(value)[:50]]
    return _text(str(value))


def _text(text: str) -> str:
    plain = _URL_TAIL.sub(r"\1\2", text)
    plain = _BEARER.sub(r"\1***", plain)
    plain = "".join(char if char.isprintable() or char == "\n" else "?" for char in plain)
    return plain if len(plain) <= TEXT_LIMIT else plain[: TEXT_LIMIT - 1] + "…"
