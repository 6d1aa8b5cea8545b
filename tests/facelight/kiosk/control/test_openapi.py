"""The published document is that of the models, and the port keeps to it whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from facelight.kiosk.control.openapi import document
from tests.effort import examples
from tests.facelight.kiosk.control.stepped import TOKEN, SteppedKiosk, served

PUBLISHED = Path(__file__).parents[4] / "docs" / "control-openapi.json"

schema = schemathesis.openapi.from_dict(document())
finite = schema.exclude(path_regex="events$")  # streams of the kiosk never end


@pytest.fixture(scope="module")
def kiosk() -> Iterator[tuple[SteppedKiosk, str]]:
    stepped = SteppedKiosk()
    with served(stepped) as (port, _):
        yield stepped, f"http://{port.address}"


def test_the_published_document_is_that_of_the_models() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == document()


@pytest.mark.slow
@finite.parametrize()
@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_the_port_answers_as_its_document_says(case: Any, kiosk: tuple[SteppedKiosk, str]) -> None:
    """No 5xx, no answer that the document lacks, no body of another shape."""
    stepped, url = kiosk
    stepped.sessions.inbox()
    stepped.told("refused", {"why": "cancelled"})  # frees the kiosk for the next start
    case.call_and_validate(
        base_url=url,
        headers={"Authorization": f"Bearer {TOKEN}"},
        excluded_checks=[positive_data_acceptance],  # which languages are offered is a setting
    )
