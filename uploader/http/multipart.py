"""The request body: ``multipart/form-data`` with the exact parts, order and headers, built once.

The same metadata and files always give the same bytes: the boundary is derived from the content.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DIGEST_SCHEME: Final = "body-sha256"
"""Ours: SHA-256 over the exact request body, upper-case hex. The service's own is unpublished."""


@dataclass(frozen=True, slots=True)
class ContentFile:
    """A file of the request."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """A request body and its header."""

    data: bytes
    content_type: str


def build_body(metadata: bytes, files: Sequence[ContentFile], boundary: str | None = None) -> Body:
    """Return the body: the ``Metadata`` part, then a ``Content`` part for each file, in order."""
    edge = boundary or _boundary(metadata, files)
    parts = [
        f"--{edge}\r\n"
        'Content-Disposition: form-data; name="Metadata"\r\n'
        "Content-Type: application/json; charset=utf-8\r\n\r\n".encode("ascii"),
        metadata,
    ]
    for file in files:
        head = (
            f"\r\n--{edge}\r\n"
            f'Content-Disposition: form-data; name="Content"; filename="{file.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        parts += [head.encode("ascii"), file.data]
    parts.append(f"\r\n--{edge}--\r\n".encode("ascii"))
    return Body(b"".join(parts), f"multipart/form-data; boundary={edge}")


def digest(body: bytes) -> str:
    """Return the digest of a request body under ``body-sha256``."""
    return hashlib.sha256(body).hexdigest().upper()


def same_digest(ours: str, theirs: str) -> bool:
    """Compare two digests in constant time, without case."""
    return hmac.compare_digest(ours.upper().encode(), theirs.upper().encode())


def _boundary(metadata: bytes, files: Sequence[ContentFile]) -> str:
    whole = hashlib.sha256(metadata)
    for file in files:
        whole.update(f"\0{file.name}\0{len(file.data)}\0".encode())
        whole.update(file.data)
    counter = 0
    while True:
        edge = "facelight-" + hashlib.sha256(whole.digest() + bytes([counter])).hexdigest()[:32]
        delimiter = b"--" + edge.encode("ascii")
        if delimiter not in metadata and not any(delimiter in file.data for file in files):
            return edge
        counter += 1
