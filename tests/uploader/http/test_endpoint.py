"""Regions, URLs and paths of this API generation."""

from __future__ import annotations

import re

import pytest

from tests.conftest import SHARED
from uploader.errors import EndpointError
from uploader.http.endpoint import (
    MODEL_VERSIONS,
    REGIONS,
    Endpoint,
    checked_model_version,
    endpoint,
    is_local,
)

SEEDS = sorted((SHARED / "seeds").glob("*.txt"))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda p: p.stem[:3])
def test_the_regions_are_those_of_the_documentation(seed):
    named = re.findall(r" - ([a-z0-9]+)\.api\.cognitive\.microsoft\.com", seed.read_text("utf-8"))
    assert tuple(named) == REGIONS
    assert len(REGIONS) == 32


@pytest.mark.parametrize("name", REGIONS)
def test_every_region_is_a_url(name):
    url = Endpoint.of_region(name).detect_url()
    assert url == (
        f"https://{name}.api.cognitive.microsoft.com/face/v1.1-preview.1/detectLiveness/singleModal"
    )


@pytest.mark.parametrize("name", ["West Europe", "WESTEUROPE", "west-europe"])
def test_a_region_may_be_written_as_people_write_it(name):
    assert Endpoint.of_region(name).url == "https://westeurope.api.cognitive.microsoft.com"


@pytest.mark.parametrize("name", ["", "mars", "westeurope.evil.example", "westeurope/", "\x1b[31m"])
def test_an_unknown_region_is_refused_and_the_known_ones_named(name):
    with pytest.raises(EndpointError, match="westus3") as caught:
        Endpoint.of_region(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("https://a.example/", "https://a.example", id="one slash"),
        pytest.param("https://a.example///", "https://a.example", id="three slashes"),
        pytest.param("https://a.example:8443/gw/", "https://a.example:8443/gw", id="path"),
        pytest.param("http://127.0.0.1:8765", "http://127.0.0.1:8765", id="loopback"),
        pytest.param("http://[::1]:80/", "http://[::1]:80", id="loopback v6"),
        pytest.param("http://localhost", "http://localhost", id="localhost"),
    ],
)
def test_a_trailing_slash_is_dropped(given, kept):
    assert Endpoint(given).url == kept
    assert "//face" not in Endpoint(given).detect_url()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://a.example", id="plain http elsewhere"),
        pytest.param("http://127.0.0.1.evil.example", id="loopback look-alike"),
        pytest.param("http://localhost.evil.example", id="localhost look-alike"),
        pytest.param("http://10.0.0.1", id="plain http in the house"),
        pytest.param("ftp://a.example", id="other scheme"),
        pytest.param("a.example", id="no scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https://[::1", id="broken v6"),
        pytest.param("https://a.example:99999", id="port"),
        pytest.param("https://user:pass@a.example", id="user"),
        pytest.param("https://a.example?key=1", id="query"),
        pytest.param("https://a.example?", id="empty query"),
        pytest.param("https://a.example#x", id="fragment"),
        pytest.param("https://a.example/face/v1.1-preview.1", id="with the path"),
        pytest.param("https://a.example/\r\nX: y", id="header injection"),
        pytest.param("https://ä.example", id="not ASCII"),
        pytest.param("https://a b.example", id="space"),
    ],
)
def test_an_unusable_url_is_refused_in_one_printable_line(url):
    with pytest.raises(EndpointError) as caught:
        Endpoint(url)
    assert str(caught.value).isprintable()
    assert "pass@" not in str(caught.value)
    assert "key=1" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/x", True),
        ("https://localhost", True),
        ("http://[::1]", True),
        ("http://127.8.8.8", True),
        ("https://westus.api.cognitive.microsoft.com", False),
        ("http://192.168.0.1", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_only_loopback_is_local(url, local):
    assert is_local(url) is local


@pytest.mark.parametrize(
    ("path", "url"),
    [
        pytest.param("/face/v1.2-preview.1", "/face/v1.2-preview.1/detectLiveness", id="version"),
        pytest.param("/liveness/v2/", "/liveness/v2/detectLiveness", id="another place"),
        pytest.param("", "/detectLiveness", id="none"),
    ],
)
def test_a_compatible_service_may_have_its_api_elsewhere(path, url):
    where = endpoint("https://a.example/gateway", None, path)
    assert where.detect_url() == f"https://a.example/gateway{url}/singleModal"
    assert where.audit_url("s-1") == f"{where.detect_url()}/sessions/s-1/audit"


@pytest.mark.parametrize("path", ["face", "/../x", "/a//b", "/a?b", "/a b", "//a", "/a/./b"])
def test_a_path_that_leads_elsewhere_is_refused(path):
    with pytest.raises(EndpointError, match="api_path"):
        endpoint("https://a.example", None, path)


def test_endpoint_or_region_but_not_both_and_not_none():
    assert endpoint(region="eastus").url == Endpoint.of_region("eastus").url
    with pytest.raises(EndpointError, match="both"):
        endpoint("https://a.example", "eastus")
    with pytest.raises(EndpointError, match="--endpoint"):
        endpoint()


@pytest.mark.parametrize("version", [*MODEL_VERSIONS, "2022-10-15-preview.04"])
def test_a_model_version_goes_into_the_query(version):
    assert Endpoint("https://a.example").detect_url(version).endswith(f"?model-version={version}")


@pytest.mark.parametrize("version", ["", "a b", "latest&x=1", "x" * 65])
def test_a_model_version_that_cannot_stand_in_a_query_is_refused(version):
    with pytest.raises(EndpointError, match="latest"):
        checked_model_version(version)


HOSTILE_IDS = ["", ".", "..", "../../x", "a/b", "a%2fb", "a b", "a\r\nb", "a?b", "x" * 65, "é"]


@pytest.mark.parametrize("session_id", HOSTILE_IDS)
def test_a_session_id_never_walks_the_path(session_id):
    with pytest.raises(EndpointError, match="session id"):
        Endpoint("https://a.example").session_url(session_id)


def test_pages_are_bounded_and_escaped():
    where = Endpoint("https://a.example")
    assert where.audit_url("s1", "a&top=9", 7).endswith(
        "/sessions/s1/audit?start=a%26top%3D9&top=7"
    )
    for top in (0, 1001):
        with pytest.raises(EndpointError, match=r"1\.\.1000"):
            where.sessions_url(top=top)
    with pytest.raises(EndpointError, match="64"):
        where.sessions_url(start="x" * 65)
