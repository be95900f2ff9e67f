from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.channels import Outbound, count
from bot.channels.splitting import clusters
from bot.testing.doubles.smsc import alphabets
from bot.testing.doubles.smsc.messages import joined, read_submit, violations
from integrations.smpp import SmppChannel, SmppSettings, pdus
from integrations.smpp.codings import codec_of, decode, decode_gsm, encode_gsm, encode_latin
from integrations.smpp.parts import Place, encode, header, read_header, read_sar
from integrations.smpp.rendering import submit_fields

from .conftest import KEY

GSM_CHARS = "".join(row for row in alphabets._ROWS).replace("\ufffd", "") + "".join(alphabets._EXTRA)
GSM_TEXTS = st.text(st.sampled_from(GSM_CHARS), min_size=1, max_size=700)
ANY_TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x1b"), min_size=1, max_size=300)
MIXED = st.text(st.sampled_from("ab한글요금😀👍🏽€é\u200d👨👩{}"), min_size=1, max_size=400)


def test_the_alphabet_is_that_of_the_other_table() -> None:
    for char in GSM_CHARS:
        assert encode_gsm(char) == alphabets.write(char, alphabets.GSM)
        assert decode_gsm(alphabets.write(char, alphabets.GSM)) == char
    assert len(GSM_CHARS) == 127 + 10
    assert encode_gsm("`") is None
    assert encode_gsm("한") is None
    assert encode_gsm("\x1b") is None


def test_octets_no_phone_should_send_are_read_all_the_same() -> None:
    assert decode_gsm(b"a\x1bZb\xe9\x1b") == "aZbé"
    assert decode_gsm(b"\x1b\x1b") == " "
    assert decode(b"\xac\x00\xd8", "utf-16-be") == "가\ufffd"


def test_codings() -> None:
    def of(coding: int) -> str | None:
        return codec_of(coding, "gsm0338", {4: "utf-8"})

    found = [of(coding) for coding in (0, 1, 3, 8, 14, 0xF0, 0xF1, 0x10, 0x18, 4)]
    assert found == ["gsm0338", "ascii", "latin-1", "utf-16-be", "cp949", "gsm0338", "gsm0338", "gsm0338", "utf-16-be", "utf-8"]
    assert [of(coding) for coding in (2, 9, 0xF4, 0x14)] == [None] * 4
    assert decode("똠방각하".encode("cp949"), "cp949") == "똠방각하"


@given(GSM_TEXTS)
def test_gsm_parts_hold_whole_characters_and_as_few_as_are_counted(text: str) -> None:
    encoded = encode(text, "gsm0338")
    assert not encoded.ucs2
    assert "".join(alphabets.read(part, alphabets.GSM) for part in encoded.parts) == text
    assert len(encoded.parts) == count(text).segments
    assert all(len(part) <= (160 if len(encoded.parts) == 1 else 153) for part in encoded.parts)


@given(ANY_TEXTS | MIXED)
def test_ucs2_parts_hold_whole_characters_and_as_few_as_are_counted(text: str) -> None:
    text += "한"
    encoded = encode(text, "gsm0338")
    assert encoded.ucs2
    assert "".join(alphabets.read(part, alphabets.UCS2) for part in encoded.parts) == text
    assert all(len(part) <= (140 if len(encoded.parts) == 1 else 134) for part in encoded.parts)
    if all(len(cluster.encode("utf-16-be")) <= 134 for cluster in clusters(text)):
        assert len(encoded.parts) == count(text).segments


@given(
    st.text(st.sampled_from("abcé€Δ{}한😀 .\n"), min_size=1, max_size=900),
    st.sampled_from(["udh", "sar", "payload"]),
    st.sampled_from(["gsm0338", "latin-1"]),
)
def test_what_is_rendered_is_what_the_handset_shows(text: str, long: str, alphabet: str) -> None:
    settings = SmppSettings("host", "bot", "secret", long_messages=long, default_alphabet=alphabet)
    payloads = SmppChannel(settings).render(KEY, Outbound("turn:0", text))
    messages = []
    for number, payload in enumerate(payloads):
        message = read_submit(pdus.write("submit_sm", 1, submit_fields(payload))[16:], str(number))
        assert payload.segments <= settings.max_segments
        if alphabet == "gsm0338":
            assert violations(message) == []
        elif message.data_coding == 0:  # the same, in the alphabet this SMSC has for 0
            message = replace(message, data_coding=alphabets.LATIN)
        messages.append(message)
    assert "".join("".join(joined(messages)).split()) == "".join(text.split())


def test_latin_has_what_both_alphabets_have() -> None:
    assert encode_latin("é@£") == b"\xe9@\xa3"
    assert encode_latin("€") is None, "on the air, but not in Latin-1"
    assert encode_latin("ê") is None, "in Latin-1, but not on the air"
    parts = encode("é{" * 60, "latin-1").parts
    assert [len(part) for part in parts] == [102, 18], "cut by what the air holds, where a brace takes two"


@given(st.integers(0, 255), st.integers(2, 255), st.data())
def test_headers(reference: int, total: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, total))
    place = Place("udh8", reference, total, number)
    assert read_header(header(place) + b"text") == (b"text", place)
    with_port = bytes((11, 5, 4, 0x0B, 0x84, 0, 0, 0, 3, reference, total, number))
    assert read_header(with_port + b"text") == (b"text", place)
    wide = bytes((6, 8, 4, 1, reference, total, number))
    assert read_header(wide + b"text") == (b"text", Place("udh16", 256 + reference, total, number))


@given(st.binary(max_size=40))
def test_no_header_breaks_reading(data: bytes) -> None:
    text, place = read_header(data)
    assert data.endswith(text)
    assert place is None or 1 <= place.number <= place.total


def test_sar_needs_all_three_and_sense() -> None:
    tlvs = {0x020C: b"\x01\x02", 0x020E: b"\x02", 0x020F: b"\x02"}
    assert read_sar(tlvs) == Place("sar", 258, 2, 2)
    assert read_sar({0x020C: b"\x01\x02", 0x020E: b"\x02"}) is None
    assert read_sar(tlvs | {0x020F: b"\x03"}) is None
