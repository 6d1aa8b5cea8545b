"""The exact bytes of the request body."""

from __future__ import annotations

import email
import email.policy
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.http.multipart import ContentFile, build_body, digest, same_digest

FILES = [ContentFile("b.jpg", b"\x00\r\n--x"), ContentFile("a.jpg", b"two")]


def test_the_body_is_byte_for_byte_this():
    body = build_body(b'{"metadata":{}}', FILES[:1], boundary="EDGE")
    assert body.content_type == "multipart/form-data; boundary=EDGE"
    assert body.data == (
        b"--EDGE\r\n"
        b'Content-Disposition: form-data; name="Metadata"\r\n'
        b"Content-Type: application/json; charset=utf-8\r\n"
        b"\r\n"
        b'{"metadata":{}}\r\n'
        b"--EDGE\r\n"
        b'Content-Disposition: form-data; name="Content"; filename="b.jpg"\r\n'
        b"Content-Type: application/octet-stream\r\n"
        b"\r\n"
        b"\x00\r\n--x\r\n"
        b"--EDGE--\r\n"
    )


def test_an_independent_parser_finds_the_parts_in_order():
    body = build_body(b"{}", FILES)
    head = f"Content-Type: {body.content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body.data, policy=email.policy.HTTP)
    parts = list(message.iter_parts())
    assert [p.get_param("name", header="content-disposition") for p in parts] == [
        "Metadata",
        "Content",
        "Content",
    ]
    assert [p.get_filename() for p in parts] == [None, "b.jpg", "a.jpg"]
    assert [p.get_payload(decode=True) for p in parts] == [b"{}", b"\x00\r\n--x", b"two"]


def test_the_same_content_gives_the_same_bytes_and_other_content_another_boundary():
    assert build_body(b"{}", FILES) == build_body(b"{}", list(FILES))
    others = [
        build_body(b"{ }", FILES),
        build_body(b"{}", FILES[::-1]),
        build_body(b"{}", [ContentFile("c.jpg", FILES[0].data), FILES[1]]),
    ]
    assert len({body.content_type for body in [build_body(b"{}", FILES), *others]}) == 4


@given(st.binary(max_size=300), st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_the_boundary_occurs_only_where_it_delimits(metadata, contents):
    files = [ContentFile(f"{n}.jpg", data) for n, data in enumerate(contents)]
    body = build_body(metadata, files)
    edge = body.content_type.partition("boundary=")[2].encode()
    assert body.data.count(b"--" + edge) == len(files) + 2
    assert re.fullmatch(rb"[0-9A-Za-z'()+_,./:=?-]{1,70}", edge)


def test_a_file_that_holds_the_boundary_gets_another_one(monkeypatch):
    first = build_body(b"{}", [ContentFile("a.jpg", b"x")])
    edge = first.content_type.partition("boundary=")[2]
    real = __import__("hashlib").sha256
    fixed = real(b"fixed")
    calls = iter(["0" * 64, "1" * 64])

    class Collides:
        def __init__(self, data=b""):
            self.data = data

        def update(self, data):
            pass

        def digest(self):
            return fixed.digest()

        def hexdigest(self):
            return next(calls)

    monkeypatch.setattr("uploader.http.multipart.hashlib.sha256", Collides)
    body = build_body(b"{}", [ContentFile("a.jpg", b"--facelight-" + b"0" * 32)])
    assert body.content_type.endswith("facelight-" + "1" * 32)
    assert len(edge) == len("facelight-") + 32


def test_the_digest_is_sha_256_in_upper_case_hex():
    assert digest(b"abc") == "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [("AB", "ab", True), ("AB", "AC", False), ("AB", "", False), ("AB", "äé", False)],
)
def test_digests_compare_without_case_and_without_stumbling(ours, theirs, same):
    assert same_digest(ours, theirs) is same
