"""Keys and tokens as types that cannot be shown, logged or pickled by accident."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, NoReturn, Self

from uploader.errors import CredentialError

KEY_VARIABLE: Final = "FACELIGHT_KEY"
TOKEN_VARIABLE: Final = "FACELIGHT_TOKEN"  # noqa: S105 - a name, no secret

MAX_SECRET_FILE: Final = 64 * 1024
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,16384}")


class Secret:
    """A text that goes into one header and nowhere else."""

    __slots__ = ("_text",)
    _text: str
    what = "secret"
    header: ClassVar[str]
    prefix: ClassVar[str] = ""

    def __init__(self, text: str) -> None:
        if not _VISIBLE_ASCII.fullmatch(text):
            raise CredentialError(
                f"{self.what}: expected one word of plain ASCII, got {_shape(text)}"
            )
        self._text = text

    def reveal(self) -> str:
        """Return the text; for the header that needs it."""
        return self._text

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._text))

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError(f"a {self.what} is never pickled or copied")

    def headers(self) -> Mapping[str, str]:
        """Return the header that carries it."""
        return {self.header: self.prefix + self._text}


class SubscriptionKey(Secret):
    """The resource's key: what an application server holds."""

    __slots__ = ()
    what = "subscription key"
    header = "Ocp-Apim-Subscription-Key"


class BearerToken(Secret):
    """A session's token: what a kiosk should hold."""

    __slots__ = ()
    what = "session token"
    header = "Authorization"
    prefix = "Bearer "

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the token of ``TOKEN``, ``Bearer TOKEN`` or JSON with ``authToken``."""
        stripped = text.strip()
        if stripped.startswith("{"):
            return cls(_auth_token(stripped))
        head, _, rest = stripped.partition(" ")
        return cls(rest.strip() if head.lower() == "bearer" else stripped)


Credential = SubscriptionKey | BearerToken


def one_credential(
    key: SubscriptionKey | None, token: BearerToken | None, *, where: str = "key and token"
) -> Credential:
    """Return the only credential given; both or none is an error."""
    if key and token:
        raise CredentialError(f"{where}: a key and a token are both given; use one of them")
    found = key or token
    if found is None:
        raise CredentialError(
            f"{where}: no credential; set {KEY_VARIABLE} or {TOKEN_VARIABLE}, "
            "or give --key-file or --token-file",
            code="credential_missing",
        )
    return found


def from_environment(environment: Mapping[str, str]) -> Credential | None:
    """Return the credential of ``FACELIGHT_KEY`` or ``FACELIGHT_TOKEN``, None without either."""
    key, token = environment.get(KEY_VARIABLE), environment.get(TOKEN_VARIABLE)
    if not key and not token:
        return None
    return one_credential(
        SubscriptionKey(key.strip()) if key else None,
        BearerToken.parse(token) if token else None,
        where=f"{KEY_VARIABLE} and {TOKEN_VARIABLE}",
    )


def read_key_file(path: Path) -> SubscriptionKey:
    """Return the key that is the whole text of ``path``."""
    return SubscriptionKey(read_secret_text(path))


def read_token_file(path: Path) -> BearerToken:
    """Return the token that is the whole text of ``path``."""
    return BearerToken.parse(read_secret_text(path))


def read_secret_text(path: Path) -> str:
    """Return the stripped text of a small file, without ever repeating it in an error."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_FILE + 1)
    except OSError as error:
        raise CredentialError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_SECRET_FILE:
        raise CredentialError(f"{path}: too long for a key or token")
    text = data.decode("utf-8-sig", errors="replace").strip()
    if not text:
        raise CredentialError(f"{path}: the file is empty")
    return text


def _auth_token(text: str) -> str:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CredentialError("session token: malformed JSON") from error
    token = parsed.get("authToken")
    if not isinstance(token, str):
        raise CredentialError("session token: the JSON holds no authToken")
    return token


def _shape(text: str) -> str:
    """Describe a malformed secret without a character of it."""
    if not text:
        return "nothing"
    if any(char.isspace() for char in text):
        return f"{len(text)} characters with white space"
    return f"{len(text)} characters, some not plain ASCII"
