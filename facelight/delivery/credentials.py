"""Where key or token of the service come from: environment, file, systemd; never a flag."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facelight.config.settings import Settings
from facelight.errors import SettingsError
from uploader.http.credentials import (
    KEY_VARIABLE,
    TOKEN_VARIABLE,
    BearerToken,
    Credential,
    SubscriptionKey,
    one_credential,
    read_key_file,
    read_token_file,
)
from uploader.http.endpoint import is_local
from uploader.http.tokens import (
    CommandSource,
    EnvironmentSource,
    FileSource,
    TokenProvider,
    UrlSource,
)
from uploader.secret_environment import surroundings

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
    env = surroundings() if environment is None else environment
    key = _key(env, settings.key_file)
    token = _token(env, settings.token_file)
    if key is None and token is None and is_local(endpoint):
        return SubscriptionKey(LOCAL_KEY)
    return one_credential(key, token)


def token_provider(
    settings: Settings, environment: Mapping[str, str] | None = None
) -> TokenProvider | None:
    """Return where a kiosk gets a session's token for each person; None where a key is used.

    ``token_command`` or ``token_url`` make a session each; a token file is read anew each time.

    Raises
    ------
    SettingsError
        both a command and a URL.
    """
    env = surroundings() if environment is None else environment
    if settings.token_command and settings.token_url:
        raise SettingsError("token_command and token_url are both set; expected one of them")
    if settings.token_command:
        return TokenProvider(CommandSource(settings.token_command))
    if settings.token_url:
        return TokenProvider(UrlSource(settings.token_url, settings.http))
    if settings.token_file:
        return TokenProvider(FileSource(settings.token_file))
    return TokenProvider(EnvironmentSource(env)) if env.get(TOKEN_VARIABLE) else None


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
