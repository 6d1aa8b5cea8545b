"""A peer may repeat what we sent: the secret is masked in whatever way it can come back."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import Final

MASK: Final = "***"


def masked(text: str, secret: str) -> str:
    """Return ``text`` without ``secret``: plain, escaped as in JSON, HTML or a URL, or base64."""
    if not secret:
        return text
    plain = text.replace(secret, MASK)
    for encoded in _base64_forms(secret):
        plain = plain.replace(encoded, MASK)
    # Without any escape character there is nothing left to find.
    return _pattern(secret).sub(MASK, plain) if re.search(r"[\\%&]", plain) else plain


def masked_bytes(body: bytes, secret: str) -> bytes:
    """Return ``body`` without ``secret``; other bytes stay as they are."""
    return masked(body.decode("latin-1"), secret).encode("latin-1") if secret else body


@lru_cache(maxsize=8)
def _pattern(secret: str) -> re.Pattern[str]:
    """Match the secret, each character plain or escaped by itself."""
    return re.compile("".join(map(_character, secret)))


def _character(char: str) -> str:
    code = ord(char)
    escapes = (
        rf"\\+u00(?i:{code:02x})",
        rf"\\+x(?i:{code:02x})",
        rf"%(?i:{code:02x})",
        rf"&#0*{code};",
        rf"&#[xX]0*(?i:{code:x});",
        *((rf"\\+{re.escape(char)}",) if not char.isalnum() else ()),
        re.escape(char),  # last: a secret may end as an escape begins
    )
    return f"(?:{'|'.join(escapes)})"


@lru_cache(maxsize=8)
def _base64_forms(secret: str) -> tuple[str, ...]:
    """Return what of base64 is the same wherever the secret begins within three bytes."""
    forms = []
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + secret.encode("utf-8")).decode("ascii")
        first = (shift * 8 + 5) // 6  # characters that the bytes before it take part in
        last = len(encoded.rstrip("="))
        whole = encoded[first : last - (1 if encoded.endswith("=") else 0)]
        forms += [whole, whole.replace("+", "-").replace("/", "_")]
    return tuple(form for form in dict.fromkeys(forms) if len(form) >= 8)
