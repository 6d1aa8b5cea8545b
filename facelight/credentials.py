"""Where key or token of the service come from: environment, file, systemd; never a flag."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from facelight.settings import Settings
from uploader.credentials import (
    KEY_VARIABLE,
    TOKEN_VARIABLE,
    BearerToken,
    Credential,
    SubscriptionKey,
    one_credential,
    read_key_file,
    read_token_file,
)
from uploader.endpoint import is_local

LOCAL_KEY = "local"
"""The key of the local service when nobody set one; sent to loopback only."""


def find_credential(
    settings: Settings, endpoint: str, environment: Mapping[str, str] | None = None
) -> Credential:
    """Return the one credential to use.

    Key and token each come from the environment, else from the file of the settings, else from the
    systemd credential ``facelight-key`` or ``facelight-token``. A service on loopback needs none.

    Raises
    ------
    uploader.errors.CredentialError
        both, none, unreadable or malformed.
    """
    env = os.environ if environment is None else environment
    key = _key(env, settings.key_file)
    token = _token(env, settings.token_file)
    if key is None and token is None and is_local(endpoint):
        return SubscriptionKey(LOCAL_KEY)
    return one_credential(key, token)


def _key(env: Mapping[str, str], file: Path | None) -> SubscriptionKey | None:
    if env.get(KEY_VARIABLE):
        return SubscriptionKey(env[KEY_VARIABLE].strip())
    path = file or _systemd(env, "facelight-key")
    return read_key_file(path) if path else None


def _token(env: Mapping[str, str], file: Path | None) -> BearerToken | None:
    if env.get(TOKEN_VARIABLE):
        return BearerToken.parse(env[TOKEN_VARIABLE])
    path = file or _systemd(env, "facelight-token")
    return read_token_file(path) if path else None


def _systemd(env: Mapping[str, str], name: str) -> Path | None:
    folder = env.get("CREDENTIALS_DIRECTORY")
    path = Path(folder) / name if folder else None
    return path if path and path.is_file() else None
