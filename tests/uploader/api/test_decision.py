"""Both documented shapes, and whatever else may come."""

from __future__ import annotations

import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SHARED
from tests.effort import examples
from tests.uploader.mutations import damaged
from tests.uploader.samples import error_of
from uploader.api.decision import LivenessDecision, parse_decision
from uploader.errors import MalformedAnswerError

SEED = SHARED / "seeds" / "000_537379be9c4c0411.txt"
FLAT = {
    "livenessDecision": "spoofface",
    "targetFaceRectangle": {"top": 50, "left": 60, "width": 100, "height": 110},
    "targetFileName": "video.webp",
    "targetFrameNumber": 1,
    "modelVersionUsed": "2020-02-15-preview.01",
}
NESTED = {
    "livenessDecision": "realface",
    "target": {
        "faceRectangle": {"top": 782, "left": 260, "width": 858, "height": 984},
        "fileName": "video.webp",
        "timeOffsetWithinFile": 0,
        "imageType": "Color",
    },
    "modelVersionUsed": "2022-10-15-preview.04",
}


def parsed(answer):
    return parse_decision(json.dumps(answer).encode())


def test_the_flat_shape():
    read = parsed(FLAT)
    assert read.decision is LivenessDecision.SPOOFFACE
    assert read.model_version == "2020-02-15-preview.01"
    assert read.target.rectangle == (60, 50, 100, 110)
    assert (read.target.file_name, read.target.frame_number) == ("video.webp", 1)


def test_the_nested_shape():
    read = parsed(NESTED)
    assert read.decision is LivenessDecision.REALFACE
    assert read.target.rectangle == (260, 782, 858, 984)
    assert read.target.time_offset_within_file == 0
    assert read.target.image_type == "Color"


def test_the_documented_example_is_read():
    if not SEED.is_file():
        pytest.skip("the service's documentation is not on this machine")
    text = SEED.read_text(encoding="utf-8").partition("Response 200")[2]
    example, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    assert parsed(example).decision is LivenessDecision.SPOOFFACE


@pytest.mark.parametrize(
    ("word", "decision"),
    [
        ("RealFace", "realface"),
        (" SPOOFFACE ", "spoofface"),
        ("Uncertain", "uncertain"),
        ("deepfake", "uncertain"),
        ("real", "uncertain"),
    ],
)
def test_words_compare_without_case_and_others_are_uncertain(word, decision):
    read = parsed({"livenessDecision": word})
    assert read.decision == decision
    assert read.raw_decision == word.strip()
    assert read.target is None


def test_what_is_unknown_is_ignored_and_trimmings_may_be_broken():
    read = parsed({**NESTED, "target": {"faceRectangle": "x", "fileName": 7}, "new": [1]})
    assert read.decision is LivenessDecision.REALFACE
    assert read.target.rectangle is None
    assert read.target.file_name is None
    assert parsed({**FLAT, "targetFaceRectangle": {"top": 1}}).target.rectangle is None


def test_a_byte_order_mark_is_no_obstacle():
    assert parse_decision(b"\xef\xbb\xbf" + json.dumps(FLAT).encode()).raw_decision == "spoofface"


def test_server_texts_cannot_drive_a_terminal():
    read = parsed({"livenessDecision": "\x1b[2Jreal\u202eface", "modelVersionUsed": "v\r\n" * 900})
    assert read.raw_decision.isprintable()
    assert read.model_version.isprintable()
    assert len(read.model_version) <= 64


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="no decision"),
        pytest.param(b'{"livenessDecision": null}', id="null decision"),
        pytest.param(b'{"livenessDecision": 1}', id="number"),
        pytest.param(b'{"livenessDecision": " "}', id="blank"),
        pytest.param(b'{"livenessDecision": NaN}', id="NaN"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"a":' * 50_000, id="deep objects"),
        pytest.param(b"9" * 100_000, id="huge number"),
        pytest.param(b"\xff\xfe\x00", id="not UTF-8"),
        pytest.param(b"<html>hi</html>", id="HTML"),
        pytest.param(b'"\\ud800"', id="lone surrogate"),
    ],
)
def test_an_answer_without_a_decision_is_malformed(body):
    with pytest.raises(MalformedAnswerError) as caught:
        parse_decision(body)
    assert str(caught.value).isprintable()


KEYS = [*FLAT, *NESTED, "faceRectangle", "top", "left", "width", "height", "imageType"]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=15,
)


@pytest.mark.slow
@given(ANY | st.binary(max_size=100))
@settings(max_examples=examples(100))
def test_any_answer_is_read_or_malformed(value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    problem = error_of(lambda: parse_decision(body))
    assert problem is None or isinstance(problem, MalformedAnswerError)


@pytest.mark.slow
def test_ten_thousand_damaged_answers_are_read_or_malformed():
    outcomes = [
        error_of(partial(parse_decision, body))
        for body in damaged([json.dumps(FLAT).encode(), json.dumps(NESTED).encode()])
    ]
    assert {type(problem) for problem in outcomes} == {type(None), MalformedAnswerError}
