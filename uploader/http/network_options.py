"""The way to the service through a company's network: proxy, authorities, client certificate."""

from __future__ import annotations

import base64
import ssl
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import httpx
import truststore

from uploader.errors import CredentialError, EndpointError
from uploader.http.credentials import read_secret_text
from uploader.secret_environment import surroundings

PROXY_VARIABLE: Final = "FACELIGHT_PROXY_CREDENTIALS"
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """What lies between this machine and the service."""

    proxy: str | None = None
    """``http://HOST:PORT`` or ``https://HOST:PORT``; names no user: settings are shown."""
    proxy_credentials_file: Path | None = None
    """A file with ``USER:PASSWORD``; the environment's FACELIGHT_PROXY_CREDENTIALS comes first."""
    use_environment_proxy: bool = False
    """Follow HTTPS_PROXY, HTTP_PROXY and NO_PROXY where ``proxy`` is not set."""
    ca_file: Path | None = None
    """A certificate authority of one's own (PEM), besides those that the machine trusts."""
    client_certificate: Path | None = None
    """PEM; with its key in the same file, or in ``client_key``."""
    client_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy and what it is told."""

    scheme: str
    host: str
    port: int
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address, without credentials."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return what signs in at the proxy: Basic, as RFC 7617 has it."""
        if self.credentials is None:
            return []
        pair = base64.b64encode(":".join(self.credentials).encode("utf-8"))
        return [(b"Proxy-Authorization", b"Basic " + pair)]


def proxy_for(
    options: NetworkOptions, scheme: str, host: str, environment: Mapping[str, str] | None = None
) -> Proxy | None:
    """Return the proxy on the way to ``host``, None for the direct way.

    Raises
    ------
    EndpointError
        a malformed address of a proxy.
    CredentialError
        its credentials cannot be read.
    """
    known = surroundings() if environment is None else environment
    if options.proxy is not None:
        parts = _parts(options.proxy, "http.proxy")
        if parts.username is not None or parts.password is not None:
            raise EndpointError(
                "http.proxy: names a user, and settings are shown",
                advice=f"set http.proxy_credentials_file or {PROXY_VARIABLE} to USER:PASSWORD",
            )
        return _proxy(parts, _credentials(options, known))
    if not options.use_environment_proxy or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies_environment()
    given = proxies.get(scheme) or proxies.get("all")
    if not given:
        return None
    parts = _parts(given if "://" in given else f"http://{given}", f"{scheme.upper()}_PROXY")
    own = None
    if parts.username is not None:
        own = (unquote(parts.username), unquote(parts.password or ""))
    return _proxy(parts, own or _credentials(options, known))


def first_hop(options: NetworkOptions, url: str) -> tuple[str, int]:
    """Return host and port to which a connection towards ``url`` is really made."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = proxy_for(options, parts.scheme, host)
    if proxy is not None:
        return proxy.host, proxy.port
    return host, parts.port or _PORTS.get(parts.scheme, 443)


def tls_context(options: NetworkOptions) -> ssl.SSLContext:
    """Return a context that trusts what the machine trusts, and what the options name.

    Raises
    ------
    EndpointError
        a file is missing or not what it should be; one line names it.
    """
    context = _machine_trust()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if options.ca_file is not None:
        try:
            context.load_verify_locations(cafile=str(_file(options.ca_file, "http.ca_file")))
        except (ssl.SSLError, OSError) as error:
            raise _unusable("http.ca_file", options.ca_file, "certificates", error) from error
    if options.client_certificate is not None:
        _load_client(context, options.client_certificate, options.client_key)
    elif options.client_key is not None:
        raise EndpointError("http.client_key: without http.client_certificate")
    return context


def _machine_trust() -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    if sys.platform == "linux" and not (paths.cafile or paths.capath):
        # A container without a store: the public authorities as certifi lists them.
        return httpx.create_ssl_context(trust_env=False)
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _load_client(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    where = _file(certificate, "http.client_certificate")
    key_file = None if key is None else str(_file(key, "http.client_key"))
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(str(where), key_file, password=lambda: b"")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise _unusable(
            "http.client_certificate", certificate, "a certificate with its unencrypted key", error
        ) from error


def _file(path: Path, name: str) -> Path:
    if not path.is_file():
        raise EndpointError(f"{name}: {path}: no such file")
    return path


def _unusable(name: str, path: Path, wanted: str, error: Exception) -> EndpointError:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "malformed"
    return EndpointError(f"{name}: {path}: expected {wanted} in PEM form ({reason})")


def _parts(url: str, name: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        usable = usable and parts.path in {"", "/"} and not parts.query and url.isprintable()
    except ValueError:
        usable = False
    if not usable:
        raise EndpointError(f"{name}: expected http://HOST:PORT or https://HOST:PORT")
    return parts


def _proxy(parts: SplitResult, credentials: tuple[str, str] | None) -> Proxy:
    port = parts.port or _PORTS[parts.scheme]
    return Proxy(parts.scheme, parts.hostname or "", port, credentials)


def _credentials(options: NetworkOptions, environment: Mapping[str, str]) -> tuple[str, str] | None:
    text = environment.get(PROXY_VARIABLE, "").strip()
    where = PROXY_VARIABLE
    if not text and options.proxy_credentials_file is not None:
        where = str(options.proxy_credentials_file)
        text = read_secret_text(options.proxy_credentials_file)
    if not text:
        return None
    user, colon, password = text.partition(":")
    if not colon or not user or not text.isprintable():
        raise CredentialError(f"{where}: expected USER:PASSWORD")
    return user, password
