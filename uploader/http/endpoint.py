"""Where the service is: regions, resource endpoints, and every path of this API generation."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from uploader.errors import EndpointError
from uploader.plain_text import shown

API_PATH: Final = "/face/v1.1-preview.1"
"""What stands before the operations; a compatible service may have another."""
_DETECT: Final = "/detectLiveness/singleModal"
_API_PATH: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")

LATEST: Final = "latest"
MODEL_VERSIONS: Final = ("2020-02-15-preview.01", LATEST)

REGIONS: Final = (
    "australiaeast",
    "brazilsouth",
    "canadacentral",
    "centralindia",
    "centralus",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "germanywestcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiawest",
    "koreacentral",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "qatarcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "swedencentral",
    "switzerlandnorth",
    "switzerlandwest",
    "uaenorth",
    "uksouth",
    "westcentralus",
    "westeurope",
    "westus",
    "westus2",
    "westus3",
)

SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""The service gives GUIDs; no dot and no slash, so that an id can never walk a path."""

_MODEL_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

MAX_START: Final = 64
MAX_TOP: Final = 1000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service's address, checked, without a trailing slash; and where its API begins."""

    url: str
    api_path: str = API_PATH

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", _checked(self.url))
        object.__setattr__(self, "api_path", _checked_path(self.api_path))

    @property
    def detect_path(self) -> str:
        """Path of the detection call; sessions are below it."""
        return f"{self.api_path}{_DETECT}"

    @classmethod
    def of_region(cls, region: str, api_path: str = API_PATH) -> Endpoint:
        """Return the endpoint of one of the 32 regions; ``West Europe`` is ``westeurope``."""
        name = re.sub(r"[\s_-]", "", region).lower()
        if name not in REGIONS:
            raise EndpointError(
                f"region {shown(region, 60)!r} is not one of the service's: {', '.join(REGIONS)}"
            )
        return cls(f"https://{name}.api.cognitive.microsoft.com", api_path)

    @property
    def local(self) -> bool:
        """The service runs on this machine."""
        return is_local(self.url)

    def detect_url(self, model_version: str | None = None) -> str:
        """Return the URL of the detection call."""
        query = f"?model-version={checked_model_version(model_version)}" if model_version else ""
        return f"{self.url}{self.detect_path}{query}"

    def sessions_url(self, start: str | None = None, top: int | None = None) -> str:
        """Return the URL that creates or lists sessions."""
        return f"{self.url}{self.detect_path}/sessions{_page(start, top)}"

    def session_url(self, session_id: str) -> str:
        """Return the URL of one session."""
        return f"{self.sessions_url()}/{checked_session_id(session_id)}"

    def audit_url(self, session_id: str, start: str | None = None, top: int | None = None) -> str:
        """Return the URL of a page of a session's audit."""
        return f"{self.session_url(session_id)}/audit{_page(start, top)}"


def endpoint(
    url: str | None = None, region: str | None = None, api_path: str = API_PATH
) -> Endpoint:
    """Return the one endpoint that ``url`` or ``region`` names, with its API at ``api_path``."""
    if url and region:
        raise EndpointError("endpoint and region are both set; give one of them")
    if url:
        return Endpoint(url, api_path)
    if region:
        return Endpoint.of_region(region, api_path)
    raise EndpointError("no service is set; give --endpoint URL or --region NAME")


def is_local(url: str) -> bool:
    """Tell whether ``url`` is on this machine's loopback."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_model_version(version: str) -> str:
    """Return ``version`` when it can stand in a query; which ones there are the service knows."""
    if not _MODEL_VERSION.fullmatch(version):
        raise EndpointError(
            f"model-version {shown(version, 60)!r}: expected at most 64 letters, digits, dots and"
            f" hyphens, such as {' or '.join(MODEL_VERSIONS)}"
        )
    return version


def checked_session_id(session_id: str) -> str:
    """Return ``session_id`` when it can stand in a path and a header."""
    if not SESSION_ID.fullmatch(session_id):
        raise EndpointError(
            f"session id {shown(session_id, 80)!r} is none: "
            "expected at most 64 letters, digits and hyphens"
        )
    return session_id


def _page(start: str | None, top: int | None) -> str:
    query: dict[str, str] = {}
    if start is not None:
        if len(start) > MAX_START:
            raise EndpointError(f"start: expected at most {MAX_START} characters, got {len(start)}")
        query["start"] = start
    if top is not None:
        if not 1 <= top <= MAX_TOP:
            raise EndpointError(f"top: expected 1..{MAX_TOP}, got {top}")
        query["top"] = str(top)
    return "?" + urlencode(query, quote_via=quote) if query else ""


def _checked(url: str) -> str:
    told = f"endpoint {shown(_without_secrets(url), 120)!r}"
    if not url.isascii() or not url.isprintable() or " " in url:
        raise EndpointError(f"{told}: expected plain ASCII without spaces")
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise EndpointError(f"{told}: no valid URL: {error}") from error
    if parts.scheme not in {"https", "http"} or not host:
        raise EndpointError(f"{told}: expected https://HOST, as https://NAME.cognitive...")
    if parts.username is not None or parts.query or parts.fragment or "?" in url or "#" in url:
        raise EndpointError(f"{told}: no user name, query or fragment belongs into an endpoint")
    if parts.scheme == "http" and not is_local(url):
        raise EndpointError(f"{told}: plain http is allowed on this machine's loopback only")
    if "/face/" in f"{parts.path.lower()}/":
        raise EndpointError(f"{told}: give the endpoint without the path /face/... (api_path)")
    return url.rstrip("/")


def _checked_path(path: str) -> str:
    if not _API_PATH.fullmatch(path.rstrip("/")):
        raise EndpointError(
            f"api_path {shown(path, 80)!r}: expected a path such as {API_PATH}, or none"
        )
    return path.rstrip("/")


def _without_secrets(url: str) -> str:
    """Drop what may hold a secret before the URL is repeated in a message."""
    head, _, _tail = url.partition("?")
    scheme, mark, rest = head.partition("://")
    return scheme + mark + rest.rpartition("@")[2]
