"""A secret that comes back is masked in whatever form."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.http.redaction import masked, masked_bytes

KEY = "CANARYKEY0123456789abcdef"
VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='\\"')
SECRETS = st.text(VISIBLE, min_size=8, max_size=60)


def unicode_escapes(text):
    return "".join(f"\\u{ord(char):04X}" for char in text)


FORMS = [
    pytest.param(lambda s: s, id="plain"),
    pytest.param(unicode_escapes, id="unicode escapes"),
    pytest.param(lambda s: s[:3] + unicode_escapes(s[3:6]) + s[6:], id="some escaped"),
    pytest.param(lambda s: json.dumps(s)[1:-1], id="JSON"),
    pytest.param(lambda s: unicode_escapes(s).replace("\\", "\\\\"), id="escapes in JSON in JSON"),
    pytest.param(lambda s: "".join(f"\\x{ord(c):02x}" for c in s), id="hex escapes"),
    pytest.param(lambda s: "".join(f"%{ord(c):02x}" for c in s), id="URL"),
    pytest.param(lambda s: quote(s, safe=""), id="URL where needed"),
    pytest.param(lambda s: "".join(f"&#{ord(c)};" for c in s), id="HTML"),
    pytest.param(lambda s: "".join(f"&#x{ord(c):x};" for c in s), id="HTML, hex"),
]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@given(secret=SECRETS)
def test_no_form_of_a_secret_is_left(form, secret):
    told = masked(f"before {form(secret)} after", secret)
    assert told == "before *** after"


@pytest.mark.parametrize("prefix", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_wherever_it_begins(prefix, encode):
    encoded = encode((prefix + KEY + "more").encode()).decode()
    told = masked(encoded, KEY)
    assert "***" in told
    assert len(told) < 20  # what is left holds fewer than eight of its characters


@given(body=st.binary(max_size=200))
def test_other_bytes_stay_as_they_are(body):
    assert masked_bytes(body, KEY) == body
    assert masked_bytes(body, "") == body
