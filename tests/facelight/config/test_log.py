"""Nothing that must not be kept gets into a log line, whoever writes it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import structlog

from facelight.config.log import LogOptions, set_up
from uploader.http.credentials import BearerToken, SubscriptionKey

CANARY = "canary-6f1c"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    out = io.StringIO()
    set_up(LogOptions(), out)
    yield out
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"key": CANARY}, id="key by name"),
        pytest.param({"auth_token": CANARY}, id="token by name"),
        pytest.param({"Authorization": f"Bearer {CANARY}"}, id="header"),
        pytest.param({"secret": SubscriptionKey(CANARY)}, id="key by type"),
        pytest.param({"who": BearerToken(CANARY)}, id="token by type"),
        pytest.param({"nested": {"list": [{"api_key": CANARY}]}}, id="deep inside"),
        pytest.param({"data": CANARY.encode()}, id="bytes"),
        pytest.param({"landmarks": [CANARY]}, id="landmarks"),
        pytest.param({"face_rectangle": CANARY}, id="rectangle"),
        pytest.param({"url": f"https://host/path?sig={CANARY}"}, id="query of a URL"),
        pytest.param({"url": f"https://user:{CANARY}@host/path"}, id="user name of a URL"),
    ],
)
def test_secrets_and_faces_never_reach_a_line(stream: io.StringIO, values: dict[str, Any]) -> None:
    structlog.get_logger("facelight").info("said", **values)
    assert CANARY not in stream.getvalue()
    assert len(lines(stream)) == 1


def test_an_array_is_told_by_its_shape(stream: io.StringIO) -> None:
    structlog.get_logger("facelight").info("said", frame=np.full((2, 3), 77))
    assert lines(stream)[0]["frame"] == "<array (2, 3)>"


def test_standard_logging_of_libraries_goes_the_same_way(stream: io.StringIO) -> None:
    logging.getLogger("uploader.spool.delivery").warning(
        "Bearer %s at https://h/p?k=%s", CANARY, CANARY
    )
    found = lines(stream)[0]
    assert CANARY not in stream.getvalue()
    assert (found["level"], found["logger"]) == ("warning", "uploader.spool.delivery")


def test_what_strangers_send_stays_one_bounded_line(stream: io.StringIO) -> None:
    logging.getLogger("x").warning("%s", "a\nb\x1b[31m\u202e" + "c" * 5000)
    found = lines(stream)
    assert len(found) == 1
    assert len(found[0]["event"]) <= 1000
    assert "\x1b" not in found[0]["event"]


def test_httpx_does_not_tell_urls(stream: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://host/path?sig=x")
    assert stream.getvalue() == ""


def test_numbers_and_plain_words_are_kept(stream: io.StringIO) -> None:
    structlog.get_logger("facelight").info("idle", after="real", attempt=2, lit=True, left=None)
    found = lines(stream)[0]
    assert (found["event"], found["after"], found["attempt"]) == ("idle", "real", 2)
    assert (found["lit"], found["left"]) == (True, None)
