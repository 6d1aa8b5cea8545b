"""Sealed files: exact round trip, and any other byte is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.uploader.samples import WEBP, error_of, submission
from uploader.api.submission import Origin
from uploader.errors import ItemError, SpoolKeyError
from uploader.http.credentials import BearerToken
from uploader.spool.keys import DeviceKey
from uploader.spool.vault import HEAD_BYTES, OVERHEAD_BYTES, seal, unseal

KEY = DeviceKey(bytes(32))
TOKEN = "canary-token-0123456789"
SENT = submission(b"canary-pixels", Origin(session_id="s-1", token=BearerToken(TOKEN)))
SEALED = seal(KEY, "item", SENT)


def test_what_comes_out_is_what_went_in():
    assert unseal(KEY, "item", SEALED) == SENT
    token = unseal(KEY, "item", SEALED).token
    assert token is not None
    assert token.reveal() == TOKEN


def test_nothing_of_it_can_be_read():
    for plain in (b"canary", TOKEN.encode(), WEBP[:32], b"Metadata", SENT.digest.encode(), b"s-1"):
        assert plain not in SEALED
    assert len(SEALED) <= SENT.size + OVERHEAD_BYTES


def test_no_two_seals_are_alike():
    assert seal(KEY, "item", SENT)[HEAD_BYTES:] != SEALED[HEAD_BYTES:]


@given(st.integers(0, len(SEALED) - 1), st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_noticed(place, bit):
    damaged = bytearray(SEALED)
    damaged[place] ^= 1 << bit
    problem = error_of(lambda: unseal(KEY, "item", bytes(damaged)))
    assert isinstance(problem, ItemError | SpoolKeyError)


@given(st.integers(0, len(SEALED) - 1))
def test_a_file_cut_off_anywhere_is_noticed(length):
    assert isinstance(error_of(lambda: unseal(KEY, "item", SEALED[:length])), ItemError)


def test_another_items_file_is_noticed():
    with pytest.raises(ItemError, match="damaged"):
        unseal(KEY, "other", SEALED)


def test_another_device_key_is_told_from_damage():
    with pytest.raises(SpoolKeyError, match="nothing is deleted"):
        unseal(DeviceKey(bytes(31) + b"\x01"), "item", SEALED)


def test_without_its_head_the_content_is_gone():
    erased = bytes(HEAD_BYTES) + SEALED[HEAD_BYTES:]
    with pytest.raises(ItemError):
        unseal(KEY, "item", erased)
