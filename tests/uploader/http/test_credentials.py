"""Keys and tokens never show themselves."""

from __future__ import annotations

import copy
import json
import logging
import pickle

import pytest

from uploader.errors import CredentialError
from uploader.http.credentials import (
    BearerToken,
    SubscriptionKey,
    from_environment,
    one_credential,
    read_key_file,
    read_token_file,
)

CANARY = "canary-5ecret-0123456789"
KINDS = [SubscriptionKey, BearerToken]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "show",
    [repr, str, format, lambda s: f"{s:>40}", lambda s: f"{[s]}", lambda s: f"{ {'k': s} }"],
    ids=["repr", "str", "format", "format spec", "in a list", "in a dict"],
)
def test_no_way_of_showing_shows_the_secret(kind, show):
    assert CANARY not in show(kind(CANARY))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_a_secret_is_never_copied_out(kind, way):
    with pytest.raises(TypeError):
        way(kind(CANARY))


def test_a_secret_in_a_log_line_stays_hidden(caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").warning("using %s and %r", SubscriptionKey(CANARY), BearerToken("t"))
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    "text",
    ["", " ", "a b", "a\r\nX-Evil: 1", "schlüssel", "x" * 20_000, "a\x00b", "\x7f"],
    ids=["empty", "space", "two words", "injection", "not ASCII", "long", "NUL", "DEL"],
)
def test_what_cannot_be_a_header_is_refused_without_being_repeated(text):
    with pytest.raises(CredentialError) as caught:
        SubscriptionKey(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200
    assert "Evil" not in str(caught.value)


def test_each_kind_has_its_header():
    assert SubscriptionKey("k").headers() == {"Ocp-Apim-Subscription-Key": "k"}
    assert BearerToken("t").headers() == {"Authorization": "Bearer t"}
    assert BearerToken.parse(" bearer  t \n").reveal() == "t"
    assert BearerToken.parse('{"sessionId": "s", "authToken": "t"}').reveal() == "t"


@pytest.mark.parametrize("text", ["{", "{}", '{"authToken": 1}', '{"authToken": "a b"}'])
def test_malformed_json_is_no_token(text):
    with pytest.raises(CredentialError):
        BearerToken.parse(text)


def test_secrets_compare_by_kind_and_content():
    assert SubscriptionKey("a") == SubscriptionKey("a")
    assert SubscriptionKey("a") != SubscriptionKey("b")
    assert SubscriptionKey("a") != BearerToken("a")
    assert len({SubscriptionKey("a"), SubscriptionKey("a")}) == 1


def test_key_and_token_together_are_refused():
    with pytest.raises(CredentialError, match="both"):
        one_credential(SubscriptionKey("k"), BearerToken("t"))
    with pytest.raises(CredentialError, match="FACELIGHT_KEY"):
        one_credential(None, None)
    with pytest.raises(CredentialError, match="both"):
        from_environment({"FACELIGHT_KEY": "k", "FACELIGHT_TOKEN": "t"})


def test_the_environment_gives_either():
    assert from_environment({}) is None
    assert from_environment({"FACELIGHT_KEY": "k\n"}) == SubscriptionKey("k")
    assert from_environment({"FACELIGHT_TOKEN": "Bearer t"}) == BearerToken("t")


def test_a_file_is_the_secret_without_its_line_end(tmp_path):
    file = tmp_path / "key"
    file.write_bytes(b"\xef\xbb\xbf" + CANARY.encode() + b"\r\n")
    assert read_key_file(file).reveal() == CANARY
    assert read_token_file(file).reveal() == CANARY


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n", b"x" * 100_000, b"a b", b"\xff\xfe"],
    ids=["empty", "blank", "huge", "two words", "binary"],
)
def test_a_malformed_file_is_an_error_without_its_content(tmp_path, content):
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(CredentialError):
        read_key_file(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CredentialError, match="nowhere"):
        read_key_file(tmp_path / "nowhere")
