"""The service that the settings name, and a client for it."""

from __future__ import annotations

from facelight.config.settings import Settings
from facelight.delivery.credentials import find_credential
from uploader.api.detect import DetectClient, DetectOptions
from uploader.http.endpoint import Endpoint, endpoint


def endpoint_of(settings: Settings) -> Endpoint:
    """Return the service that the settings name.

    Raises
    ------
    uploader.errors.EndpointError
        none, both an endpoint and a region, or a malformed one.
    """
    return endpoint(settings.endpoint, settings.region, settings.api_path)


def open_client(settings: Settings, *, own_tokens: bool = False) -> DetectClient:
    """Return a client for the service of the settings, with the one credential there is.

    With ``own_tokens`` it has none: each submission carries its own session's token.
    """
    where = endpoint_of(settings)
    options = DetectOptions(
        http=settings.http,
        model_version=settings.model_version,
        allow_simulated=settings.allow_simulated,
    )
    credential = None if own_tokens else find_credential(settings, where.url)
    return DetectClient(where, credential, options)
