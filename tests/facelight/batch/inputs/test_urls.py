"""Paths and URLs are told apart by their text alone; secrets in URLs stay out of messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from facelight.batch.inputs.urls import (
    base_name,
    is_process_local,
    is_url,
    local_path,
    protocol_of,
    without_secrets,
)


@pytest.mark.parametrize(
    ("given", "is_one"),
    [
        ("s3://bucket/a.mp4", True),
        ("az://container/a.flrec", True),
        ("https://host/a.mp4?sig=1", True),
        ("zip://a.mp4::s3://bucket/x.zip", True),
        ("simplecache::s3://bucket/a.mp4", True),
        ("a.mp4", False),
        ("/x/a.mp4", False),
        ("C:\\x\\a.mp4", False),
        ("C:/x/a.mp4", False),
        ("file:///x/a.mp4", False),
        ("", False),
    ],
)
def test_a_url_is_known_by_its_protocol(given: str, is_one: bool) -> None:
    assert is_url(given) is is_one


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("file:///x/a%20b.mp4", Path("/x/a b.mp4")),
        ("file:///C:/x/a.mp4", Path("C:/x/a.mp4")),
        ("s3://bucket/a.mp4", None),
    ],
)
def test_a_file_url_is_a_path(given: str, path: Path | None) -> None:
    assert local_path(given) == path


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("x/a.mp4", "a.mp4"),
        ("s3://bucket/deep/a.mp4", "a.mp4"),
        ("https://host/a.mp4?sig=x/y", "a.mp4"),
        ("zip://in/a.mp4::s3://bucket/x.zip", "a.mp4"),
    ],
)
def test_the_name_is_the_last_part(given: str, name: str) -> None:
    assert base_name(given) == name


def test_memory_is_seen_by_one_process_alone_also_at_the_end_of_a_chain() -> None:
    assert is_process_local("memory://a.mp4")
    assert is_process_local("zip://a.mp4::memory://x.zip")
    assert not is_process_local("s3://bucket/memory.mp4")


def test_the_protocol_is_what_comes_first() -> None:
    assert protocol_of("zip://a.mp4::s3://b/x.zip") == "zip"
    assert protocol_of("simplecache::s3://b/x") == "simplecache"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://me:secret@host/a.mp4?sig=secret", "https://host/a.mp4"),
        ("cannot read s3://key:secret@b/a.mp4, sorry", "cannot read s3://b/a.mp4, sorry"),
        ("GET 'https://h/a?sig=secret' failed", "GET 'https://h/a' failed"),
    ],
)
def test_messages_hold_no_secret(text: str, told: str) -> None:
    assert without_secrets(text) == told
