"""A kiosk whose control port is open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from facelight.kiosk.control.port import ControlPort
from tests.facelight.kiosk.control.stepped import SteppedKiosk, served


@dataclass
class Driven:
    """A kiosk, its port and a client that holds the token."""

    kiosk: SteppedKiosk
    port: ControlPort
    client: httpx.Client

    def start(self, **wish: object) -> str:
        answer = self.client.post("/v1/sessions", json=wish)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@pytest.fixture
def driven() -> Iterator[Driven]:
    kiosk = SteppedKiosk()
    with served(kiosk) as (port, client):
        yield Driven(kiosk, port, client)
