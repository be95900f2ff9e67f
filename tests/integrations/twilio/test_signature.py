from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.twilio.signature import BadForm, Form, Signature, read_form, sign

TOKEN = "0123456789abcdef0123456789abcdef"
BASE = "https://bot.example"
URL = BASE + "/channels/twilio/messages"

# Made by the vendor's own validator (twilio 9.13.0), once.
VECTORS: dict[str, tuple[str, Form, str]] = {
    "plain": (URL, (("Body", "hello"), ("From", "+12025550101")), "XYDzgDpVPxjz3JmCEWGdwMFe7r4="),
    "blank": (URL, (("Body", ""), ("FromCity", ""), ("From", "+12025550101")), "TXlMLQk/h8vPwO36T4FSAK+ypiE="),
    "korean": (URL, (("Body", "안녕하세요 & 요금=?"),), "HAW9OWrW1iKSkTe4N9vwkTNueTs="),
    "emoji": (URL, (("Body", "👨‍👩‍👧 €"),), "9glksdlH3NovY8ApwF6rpeeqL8Y="),
    "repeated": (URL, (("Tag", "b"), ("Tag", "a"), ("Tag", "b")), "RdRo6zktMY7II3u5whPwvFzE9fw="),
    "order": (URL, (("a", "1"), ("B", "2"), ("_", "3"), ("b", "4")), "ID3pJCZGFCoMrxzAm6AIV+kfFPU="),
    "query": (URL + "?ref=turn%3A0&x=a+b", (("Body", "x"),), "Jap9CtB8VJ1RF8GTKgDIRPzQMMw="),
    "get": (URL, (), "7WBRsbag4g/Fh4v2fk6zuF7KC+A="),
}
PORTS = {
    "https://bot.example:443": "VAD1llduGcX67es5sxLIuDgkUg8=",
    "https://bot.example:8443": "N9BW45IQwPzXKX048xBVfeJY1tQ=",
}


@pytest.mark.parametrize("case", VECTORS)
def test_what_the_vendor_signs_is_accepted(case: str) -> None:
    url, form, value = VECTORS[case]
    assert sign(TOKEN, url, form) == value
    assert Signature(value).covers_form((TOKEN,), url, form)


@pytest.mark.parametrize("base", PORTS)
def test_the_port_may_be_signed_or_not(base: str) -> None:
    url, form = base + "/channels/twilio/messages", (("Body", "x"),)
    assert Signature(PORTS[base]).covers_form((TOKEN,), url, form)
    without = sign(TOKEN, URL, form)
    assert Signature(without).covers_form((TOKEN,), url, form)
    if base.endswith(":443"):
        assert Signature(PORTS[base]).covers_form((TOKEN,), URL, form)
    else:
        assert not Signature(PORTS[base]).covers_form((TOKEN,), URL, form)


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),  # TLS ends at a proxy and somebody rebuilt the URL from the request
        URL + "/",
        URL.replace("bot.example", "BOT.example"),
        URL + "?x=1",
        URL + "#rc=2",
        URL.replace("https://", "https://user:secret@"),
        URL.replace("channels", "%63hannels"),
    ],
)
def test_another_url_is_refused(url: str) -> None:
    _, form, value = VECTORS["plain"]
    assert not Signature(value).covers_form((TOKEN,), url, form)


@pytest.mark.parametrize("query", ["?x=a+b&ref=turn%3A0", "?ref=turn:0&x=a+b", "?ref=turn%3A0&x=a%20b", "?ref=turn%3a0&x=a+b", ""])
def test_a_query_written_otherwise_is_refused(query: str) -> None:
    _, form, value = VECTORS["query"]
    assert not Signature(value).covers_form((TOKEN,), URL + query, form)


@pytest.mark.parametrize(
    "form",
    [
        (("Body", "hello"),),
        (("Body", "hello"), ("From", "+12025550101"), ("New", "1")),
        (("Body", "Hello"), ("From", "+12025550101")),
        (("Body", " hello"), ("From", "+12025550101")),
        (("Body", "hello"), ("From", " 12025550101")),
    ],
)
def test_another_form_is_refused(form: Form) -> None:
    url, _, value = VECTORS["plain"]
    assert not Signature(value).covers_form((TOKEN,), url, form)


def test_blank_fields_count() -> None:
    url, form, value = VECTORS["blank"]
    assert not Signature(value).covers_form((TOKEN,), url, [pair for pair in form if pair[1]])
    assert read_form(b"Body=&FromCity=&From=%2B12025550101") == form


def test_old_and_new_token_both_count_while_one_is_rotated() -> None:
    url, form, value = VECTORS["plain"]
    assert Signature(value).covers_form(("f" * 32, TOKEN), url, form)
    assert Signature(value).covers_form((TOKEN, "f" * 32), url, form)
    assert not Signature(value).covers_form(("f" * 32,), url, form)


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_token_nothing_is_signed(secrets: tuple[str, ...]) -> None:
    url, form, value = VECTORS["plain"]
    assert not Signature(value).covers_form(secrets, url, form)
    assert not Signature(sign("", url, form)).covers_form(secrets, url, form)
    assert not Signature("").covers_form(secrets, url, form)


def test_a_shared_key_signs_with_sha256() -> None:
    form = (("Body", "hello"),)
    signature = Signature("fdYI2ubsneJSAy9yPsFDtnFxLQBRndNNp+RzuqO8GKg=", "key=webhooks_sharedkey_1, algorithm=hmac_sha256")
    assert signature.covers_form((TOKEN,), URL, form)
    assert not Signature(signature.value).covers_form((TOKEN,), URL, form)
    assert not Signature(signature.value, "algorithm=NONE").covers_form((TOKEN,), URL, form)
    assert not Signature("", "algorithm=NONE").covers_form((TOKEN,), URL, form)
    assert Signature(VECTORS["plain"][2], "key=x").covers_form((TOKEN,), URL, VECTORS["plain"][1])


def test_a_body_that_is_no_form_is_signed_by_its_hash_in_the_url() -> None:
    body = b'{"a":1}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = Signature("h6g9H2ZfY1lEnsMQcdHUKAmddls=")
    assert signature.covers_body((TOKEN,), url, body)
    assert not signature.covers_body((TOKEN,), url, b'{"a":2}')
    # A signature over a URL without the hash says nothing of the body.
    assert not Signature(sign(TOKEN, URL)).covers_body((TOKEN,), URL, body)
    other = f"{url}&bodySHA256={hashlib.sha256(b'{}').hexdigest()}"
    assert not Signature(sign(TOKEN, other)).covers_body((TOKEN,), other, b"{}")
    assert not Signature(sign(TOKEN, other)).covers_body((TOKEN,), other, body)


@pytest.mark.parametrize("body", [b"a" * (256 * 1024 + 1), b"\xff", b"Body=%ff", b"&".join([b"a=1"] * 1001)])
def test_what_is_no_form_of_twilios_is_refused(body: bytes) -> None:
    with pytest.raises(BadForm):
        read_form(body)


@given(st.text(), st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=5), st.text())
def test_nothing_raises(value: str, settings: str, form: list[tuple[str, str]], url: str) -> None:
    signature = Signature(value, settings)
    assert not signature.covers_form((TOKEN,), "https://" + url, form)
    assert not signature.covers_form((TOKEN,), url, form)
    assert not signature.covers_body((TOKEN,), url, b"{}")


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(names, names), max_size=8), names)
def test_as_the_vendors_own_validator(form: list[tuple[str, str]], path: str) -> None:
    validator = pytest.importorskip("twilio.request_validator", reason="the package twilio is not installed")

    class Fields(dict[str, list[str]]):
        def getlist(self, name: str) -> list[str]:
            return self[name]

    fields = Fields()
    for name, value in form:
        fields.setdefault(name, []).append(value)
    url = f"{BASE}/{path}"
    assert sign(TOKEN, url, form) == validator.RequestValidator(TOKEN).compute_signature(url, fields)
    assert sign(TOKEN, url, form, algorithm="HMAC_SHA256") == validator.RequestValidator(TOKEN).compute_signature(
        url, fields, "HMAC_SHA256"
    )
