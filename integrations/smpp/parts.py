"""Long messages: cut for the air on the way out, and the headers that tell which part is which on the way in.

smpplib's `gsm.make_parts` cuts through characters of two octets and takes its reference from chance; here a character is never cut
and the reference is the caller's, so that sending again repeats it. Sources: 3GPP TS 23.040, 9.2.3.24; SMPP 3.4, 5.3.2.22 to 24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.channels.splitting import clusters

from .codings import encode_gsm, encode_latin

_SEPTETS_ALONE, _SEPTETS_JOINED = 160, 153
_OCTETS_ALONE, _OCTETS_JOINED = 140, 134
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08
_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER = 0x020C, 0x020E, 0x020F


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as octets, and the parts it has on the air. `ucs2` tells which of the two alphabets."""

    parts: tuple[bytes, ...]
    ucs2: bool

    @property
    def whole(self) -> bytes:
        return b"".join(self.parts)


def encode(text: str, default_alphabet: str) -> Encoded:
    """In the SMSC's default alphabet if every character is in it, else in UCS-2 (UTF-16, so that emoji get through)."""
    octets = (encode_latin if default_alphabet == "latin-1" else encode_gsm)(text)
    if octets is None:
        return Encoded(_packed([cluster.encode("utf-16-be") for cluster in clusters(text)], _OCTETS_ALONE, _OCTETS_JOINED), ucs2=True)
    units = [encode_gsm(char) or b"" for char in text]
    parts = _packed(units, _SEPTETS_ALONE, _SEPTETS_JOINED)
    if default_alphabet == "latin-1":  # cut by what the air holds, written as the SMSC reads it
        sizes, at, cut = [_characters(part) for part in parts], 0, []
        for size in sizes:
            cut.append(octets[at : at + size])
            at += size
        parts = tuple(cut)
    return Encoded(parts, ucs2=False)


def _characters(septets: bytes) -> int:
    return len(septets) - septets.count(0x1B)


def _packed(units: list[bytes], alone: int, joined: int) -> tuple[bytes, ...]:
    """As many whole units in each part as it holds. A unit longer than a part begins a new one and is cut between characters."""
    if sum(map(len, units)) <= alone:
        return (b"".join(units),)
    parts = [b""]
    for unit in units:
        if len(parts[-1]) + len(unit) <= joined:
            parts[-1] += unit
        elif len(unit) <= joined:
            parts.append(unit)
        else:
            if parts[-1]:
                parts.append(b"")
            for char in unit.decode("utf-16-be"):
                octets = char.encode("utf-16-be")
                if len(parts[-1]) + len(octets) > joined:
                    parts.append(b"")
                parts[-1] += octets
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of which message. `kind` tells apart references of different sizes, which are different references."""

    kind: str
    reference: int
    total: int
    number: int


def header(place: Place) -> bytes:
    """The user data header of a part, with a reference of 8 bits."""
    return bytes((5, _CONCATENATED_8, 3, place.reference & 0xFF, place.total, place.number))


def read_header(data: bytes) -> tuple[bytes, Place | None]:
    """The text after a user data header, and the place it names. What is no header is taken for text."""
    if not data or data[0] >= len(data):
        return data, None
    elements, text = data[1 : data[0] + 1], data[data[0] + 1 :]
    place: Place | None = None
    at = 0
    while at + 2 <= len(elements):
        kind, size = elements[at], elements[at + 1]
        value = elements[at + 2 : at + 2 + size]
        if kind == _CONCATENATED_8 and len(value) == size == 3:
            place = _place("udh8", value[0], value[1], value[2]) or place
        elif kind == _CONCATENATED_16 and len(value) == size == 4:
            place = _place("udh16", int.from_bytes(value[:2], "big"), value[2], value[3]) or place
        at += 2 + size
    return text, place


def read_sar(tlvs: Mapping[int, bytes]) -> Place | None:
    """The place the three optional parameters name, if all are there."""
    if not all(tag in tlvs for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER)):
        return None
    reference, total, number = (int.from_bytes(tlvs[tag], "big") for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER))
    return _place("sar", reference, total, number)


def _place(kind: str, reference: int, total: int, number: int) -> Place | None:
    """None where it makes no sense (3GPP TS 23.040, 9.2.3.24.1: ignore it) and for a message of one part."""
    return Place(kind, reference, total, number) if 2 <= total <= 255 and 1 <= number <= total else None
