from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import Address, Capabilities, Choice, ConversationKey, Outbound, Payload, with_choices, with_links


@given(st.sampled_from(("tel", "whatsapp", "rcs", "web")), st.text(min_size=1, max_size=30))
def test_an_address_is_read_as_written(scheme: str, value: str) -> None:
    assert Address.parse(str(Address(scheme, value))) == Address(scheme, value)


def test_without_a_scheme_it_is_a_telephone_number() -> None:
    assert Address.parse("+12025550101") == Address("tel", "+12025550101")
    assert Address.parse("whatsapp:+12025550101") == Address("whatsapp", "+12025550101")


@pytest.mark.parametrize("text", ["", ":", "tel:", ":+1"])
def test_half_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an address"):
        Address.parse(text)


def test_addresses_do_not_show_in_logs() -> None:
    key = ConversationKey("twilio", Address("tel", "+12025550100"), Address("tel", "+12025550101"))
    assert repr(key.customer) == "Address('tel:...01')"
    assert "20255" not in repr(key)
    assert str(key) == "twilio|tel:+12025550100|tel:+12025550101"
    assert repr(Address("web", "7")) == "Address('web:...')"


def test_choices_and_links_are_lines_where_there_are_no_buttons() -> None:
    assert with_choices("Which?", (Choice("a", "One"), Choice("b", "Two"))) == "Which?\n1. One\n2. Two"
    assert with_choices("", (Choice("a", "One"),)) == "1. One"
    assert with_links("See", ("https://bot.example/a.png",)) == "See\nhttps://bot.example/a.png"


def test_texts_fit_what_the_channel_counts() -> None:
    text = "A sentence of some length. " * 20
    assert len(Capabilities().fit(text)) == 1
    assert all(len(part) <= 100 for part in Capabilities(max_chars=100).fit(text))
    assert len(Capabilities(max_segments=1).fit(text)) == 4


def test_a_payload_is_kept_as_json() -> None:
    payload = Payload("turn:0", (("To", "+12025550101"), ("MediaUrl", "https://a"), ("MediaUrl", "https://b")), 2)
    assert Payload.from_json(payload.to_json()) == payload
    assert payload.get("MediaUrl") == "https://a"
    assert payload.get("Body") is None
    assert "12025550101" not in repr(payload)
    assert "secret words" not in repr(Outbound("turn:0", "secret words"))
