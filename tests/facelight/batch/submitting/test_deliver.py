"""Finished directories reach the service, or the spool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from facelight.batch.one_input import Job
from facelight.batch.submitting.deliver import Deliverer, read_submission
from facelight.config.settings import Settings, load_settings
from facelight.delivery.client import endpoint_of
from facelight.delivery.credentials import LOCAL_KEY, find_credential, token_provider
from facelight.errors import OutputError, SettingsError
from facelight.result import json_bytes, read_result
from facelight.service.server import LocalService
from tests.facelight.records import record
from uploader.clock import SystemDeliveryClock
from uploader.errors import CredentialError, EndpointError
from uploader.http.credentials import BearerToken, SubscriptionKey
from uploader.spool.opening import observe_spool

RESULT = record(provenance="imported")


class ImpatientClock(SystemDeliveryClock):
    """Counts waiting instead of waiting."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.slept_s

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A finished directory whose file is a WebP in name only: good enough for the wire."""
    folder = tmp_path / "out" / "s"
    folder.mkdir(parents=True)
    entry = {"fileName": "video.webp", "frameNumber": 0, "imageCreationTimeInMilliSeconds": 1}
    metadata = {"metadata": {"imageType": 0, "imageData": [entry]}}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    (folder / "video.webp").write_bytes(b"RIFF\x00\x08\x00\x00WEBP" + bytes(2048))
    (folder / "report.html").write_text("<!--outcome--><!--/outcome-->")
    (folder / "result.json").write_bytes(json_bytes(RESULT))
    return Job("s.mkv", "s", tmp_path / "out")


def deliver(job: Job, settings: Settings, clock: ImpatientClock) -> dict[str, Any]:
    result = read_result(job.target)
    with Deliverer(settings, clock) as deliverer:
        return deliverer.deliver(job, result).to_json()


def settings_for(url: str, tmp_path: Path, **more: Any) -> Settings:
    return load_settings(
        {"endpoint": url, "spool_dir": tmp_path / "spool"} | more, None, {}
    ).settings


def test_a_final_refusal_is_told_and_not_kept(job: Job, tmp_path: Path) -> None:
    with LocalService() as service:
        found = deliver(job, settings_for(service.url, tmp_path), ImpatientClock())
    assert found["outcome"]["status"] == 400
    assert found["outcome"]["error"]["advice"]
    assert "spooled" not in found
    assert "decod" in (job.target / "report.html").read_text().lower()


def test_what_only_needs_time_is_kept_in_the_spool(job: Job, tmp_path: Path) -> None:
    clock = ImpatientClock()
    with LocalService(faults=["503:1.0"]) as service:
        settings = settings_for(service.url, tmp_path)
        found = deliver(job, settings, clock)
    assert found["outcome"]["status"] == 503
    assert "spool flush" in found["outcome"]["error"]["advice"]
    assert clock.slept_s > 0
    with observe_spool(tmp_path / "spool") as spool:
        assert [item.id for item in spool.items()] == [found["spooled"]]


def test_a_service_that_is_gone_leaves_the_submission_in_the_spool(
    job: Job, tmp_path: Path
) -> None:
    with LocalService() as service:
        url = service.url
    found = deliver(job, settings_for(url, tmp_path), ImpatientClock())
    assert found["outcome"]["status"] is None
    assert found["spooled"]


def test_the_request_of_a_directory_is_the_same_each_time(job: Job) -> None:
    first = read_submission(job.target, RESULT)
    assert first.body == read_submission(job.target, RESULT).body


@pytest.mark.parametrize(
    ("env", "files", "expected"),
    [
        pytest.param({"FACELIGHT_KEY": "k"}, {}, SubscriptionKey("k"), id="key"),
        pytest.param({"FACELIGHT_TOKEN": "t"}, {}, BearerToken("t"), id="token"),
        pytest.param({}, {"key_file": "from-file"}, SubscriptionKey("from-file"), id="file"),
        pytest.param({}, {}, SubscriptionKey(LOCAL_KEY), id="loopback needs none"),
    ],
)
def test_key_and_token_come_from_environment_and_files(
    env: dict[str, str], files: dict[str, str], expected: object, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    settings = load_settings({name: tmp_path / name for name in files}, None, {}).settings
    assert find_credential(settings, "http://127.0.0.1:1", env) == expected


def test_systemd_credentials_are_found(tmp_path: Path) -> None:
    (tmp_path / "facelight-token").write_text("from-systemd")
    settings = load_settings(environment={}).settings
    found = find_credential(settings, "https://x.example", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found == BearerToken("from-systemd")


@pytest.mark.parametrize(
    "env", [{}, {"FACELIGHT_KEY": "k", "FACELIGHT_TOKEN": "t"}], ids=["none", "both"]
)
def test_none_or_both_is_an_error_for_a_service_elsewhere(env: dict[str, str]) -> None:
    settings = load_settings(environment={}).settings
    with pytest.raises(CredentialError):
        find_credential(settings, "https://x.example", env)


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"endpoint": "https://a.example", "region": "westeurope"}, id="both"),
        pytest.param({"region": "atlantis"}, id="unknown region"),
        pytest.param({"endpoint": "http://a.example"}, id="plain http"),
    ],
)
def test_the_service_is_named_once_and_well(flags: dict[str, str]) -> None:
    with pytest.raises(EndpointError):
        endpoint_of(load_settings(flags, None, {}).settings)


@pytest.mark.parametrize(
    ("flags", "env", "there"),
    [
        pytest.param({}, {}, False, id="a key is used"),
        pytest.param({"token_command": ("echo", "t")}, {}, True, id="command"),
        pytest.param({"token_url": "https://app.example/token"}, {}, True, id="URL"),
        pytest.param({"token_file": "x"}, {}, True, id="file"),
        pytest.param({}, {"FACELIGHT_TOKEN": "t"}, True, id="environment"),
    ],
)
def test_a_kiosk_finds_the_source_of_its_tokens(
    flags: dict[str, Any], env: dict[str, str], there: bool
) -> None:
    settings = load_settings(flags, None, {}).settings
    assert (token_provider(settings, env) is not None) is there


def test_two_sources_of_tokens_are_an_error() -> None:
    flags = {"token_command": ("a",), "token_url": "https://b.example"}
    with pytest.raises(SettingsError, match="token_command and token_url"):
        token_provider(load_settings(flags, None, {}).settings, {})


def test_the_same_bytes_keep_their_request_id_however_often_they_are_read(job: Job) -> None:
    first, again = (read_submission(job.target, RESULT) for _ in range(2))
    assert first.client_request_id == again.client_request_id
    (job.target / "video.webp").write_bytes(b"RIFF\x00\x08\x00\x00WEBP" + bytes(2049))
    other = read_submission(job.target, RESULT)
    assert other.client_request_id != first.client_request_id


@pytest.mark.parametrize("status", ["rejected", "error"])
def test_a_session_that_was_not_accepted_has_nothing_to_send(job: Job, status: str) -> None:
    with pytest.raises(OutputError, match=f"holds nothing to send: the session was {status}"):
        read_submission(job.target, record(status=status))
