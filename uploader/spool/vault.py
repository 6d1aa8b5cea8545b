"""One submission as one sealed file: AES-256-GCM with a key of its own, wrapped by the device key.

Layout of version 1: magic (6), device key id (8), wrap nonce (12), wrapped key (32 + 16), content
nonce (12), sealed content. Both seals bind the item's id, so that files cannot be swapped. The
content is a JSON head and the request body. Without the head of the file the content is lost for
good: deleting begins by erasing it.
"""

from __future__ import annotations

import json
import secrets
import struct
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uploader.api.submission import Submission
from uploader.errors import CredentialError, ItemError, SpoolKeyError
from uploader.http.credentials import BearerToken
from uploader.spool.keys import KEY_BYTES, DeviceKey

MAGIC: Final = b"FLSUB1"
_NONCE: Final = 12
_TAG: Final = 16
_HEAD = struct.Struct(f">6s8s{_NONCE}s{KEY_BYTES + _TAG}s{_NONCE}s")
HEAD_BYTES: Final = _HEAD.size
OVERHEAD_BYTES: Final = HEAD_BYTES + _TAG + 4096
"""What a sealed file is longer than the body at most; the JSON head holds a token."""

_LENGTH = struct.Struct(">I")


def seal(key: DeviceKey, item_id: str, submission: Submission) -> bytes:
    """Return the sealed file of ``submission``."""
    own_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
    wrap_nonce, nonce = secrets.token_bytes(_NONCE), secrets.token_bytes(_NONCE)
    wrapped = AESGCM(key.reveal()).encrypt(wrap_nonce, own_key, _bound(b"key", item_id))
    head = _head_of(submission)
    plain = b"".join((_LENGTH.pack(len(head)), head, submission.body))
    sealed = AESGCM(own_key).encrypt(nonce, plain, _bound(b"content", item_id))
    return _HEAD.pack(MAGIC, key.key_id, wrap_nonce, wrapped, nonce) + sealed


def unseal(key: DeviceKey, item_id: str, data: bytes) -> Submission:
    """Return the submission of a sealed file.

    Raises
    ------
    SpoolKeyError
        it was sealed with another device key.
    ItemError
        it is damaged, or another item's.
    """
    if len(data) < HEAD_BYTES + _TAG or not data.startswith(MAGIC):
        raise ItemError(f"item {item_id}: no sealed submission, or a damaged one")
    _, key_id, wrap_nonce, wrapped, nonce = _HEAD.unpack_from(data)
    if key_id != key.key_id:
        raise SpoolKeyError(
            f"item {item_id}: sealed with device key {key_id.hex()}, this one is "
            f"{key.key_id.hex()}; nothing is deleted"
        )
    try:
        own_key = AESGCM(key.reveal()).decrypt(wrap_nonce, wrapped, _bound(b"key", item_id))
        plain = AESGCM(own_key).decrypt(
            nonce, memoryview(data)[HEAD_BYTES:], _bound(b"content", item_id)
        )
    except InvalidTag as error:
        raise ItemError(f"item {item_id}: the sealed content is damaged") from error
    try:
        (length,) = _LENGTH.unpack_from(plain)
        head = json.loads(plain[_LENGTH.size : _LENGTH.size + length])
        return _submission_of(head, plain[_LENGTH.size + length :])
    except (struct.error, ValueError, TypeError, KeyError, CredentialError) as error:
        # What opens was sealed by us: only another version writes another head.
        raise ItemError(f"item {item_id}: sealed by another version of facelight") from error


def relabelled(key: DeviceKey, data: bytes) -> bytes:
    """Return a sealed file with the id of ``key`` in its head: the id alone may be damaged."""
    return data[: len(MAGIC)] + key.key_id + data[len(MAGIC) + len(key.key_id) :]


def key_id_of(data: bytes) -> bytes | None:
    """Return the id of the device key that sealed a file, None when it is no sealed file."""
    if len(data) < HEAD_BYTES + _TAG or not data.startswith(MAGIC):
        return None
    found: bytes = _HEAD.unpack_from(data)[1]
    return found


def _bound(what: bytes, item_id: str) -> bytes:
    return b"\0".join((b"facelight-spool", MAGIC, what, item_id.encode("ascii")))


def _head_of(submission: Submission) -> bytes:
    head = {
        "content_type": submission.content_type,
        "client_request_id": submission.client_request_id,
        "digest": submission.digest,
        "digest_scheme": submission.digest_scheme,
        "provenance": submission.provenance,
        "created": submission.created.isoformat(),
        "session_id": submission.session_id,
        "token": None if submission.token is None else submission.token.reveal(),
    }
    return json.dumps(head).encode("ascii")


def _submission_of(head: dict[str, Any], body: bytes) -> Submission:
    token = head.pop("token")
    created = datetime.fromisoformat(head.pop("created"))
    own = None if token is None else BearerToken(token)
    return Submission(body=body, created=created, token=own, **head)
