"""``docs/openapi.yaml`` is true of the local service, whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from jsonschema_rs import validator_for
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from facelight.service.options import API_ROOT
from facelight.service.server import LocalService
from tests.effort import examples
from tests.facelight.service.requests import KEY, Clip, noise, post
from uploader.http.endpoint import API_PATH

PUBLISHED = Path(__file__).parents[3] / "docs" / "openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))
NEW = {"livenessOperationMode": "Passive", "deviceCorrelationId": "d", "sendResultsToClient": True}

schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def service() -> Iterator[LocalService]:
    with LocalService() as running:
        yield running


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_the_service_answers_as_the_document_says(case: Any, service: LocalService) -> None:
    """No 5xx, no status, type or body that the document lacks; nothing without a credential."""
    case.call_and_validate(
        base_url=service.url + API_PATH,
        headers=KEY,
        excluded_checks=[
            positive_data_acceptance,  # well-formed pictures without a face, ids without a session
            negative_data_rejection,  # a parameter that nobody knows is ignored
            unsupported_method,  # the gateway's answer is 404
        ],
    )


def test_the_answers_of_a_whole_session_are_those_of_the_document(service: LocalService) -> None:
    schemas = {"components": DOCUMENT["components"]}

    def conforms(name: str, body: Any) -> None:
        validator_for({**schemas, "$ref": f"#/components/schemas/{name}"}).validate(body)

    sessions = f"{service.url}{API_ROOT}/sessions"
    made = httpx.post(sessions, headers=KEY, json=NEW).json()
    conforms("Created", made)
    bearer = {"Authorization": f"Bearer {made['authToken']}"}
    conforms("Error", post(service.url, Clip.of([noise()]), **bearer).json())
    one = f"{sessions}/{made['sessionId']}"
    conforms("Session", shown := httpx.get(one, headers=KEY).json())
    assert shown["status"] == "ResultAvailable"
    (entry,) = httpx.get(f"{one}/audit", headers=KEY).json()
    conforms("AuditEntry", entry)
    conforms("SessionItem", httpx.get(sessions, headers=KEY).json()[-1])
    conforms("Metadata", json.loads(Clip.of([noise()]).metadata))
    with pytest.raises(ValueError, match="required"):
        conforms("AuditEntry", {"id": 1})
