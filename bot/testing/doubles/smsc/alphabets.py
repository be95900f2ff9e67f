"""Texts as handsets and SMSCs write them, and how they are cut (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

# By rows of 16, as in the table of 23.038, 6.2.1. The tenth of the second row is the escape.
_ROWS = (
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞ\ufffdÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
)
_EXTRA = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}
_ESCAPE = 0x1B

GSM, ASCII, LATIN, UCS2, KOREAN = 0x00, 0x01, 0x03, 0x08, 0x0E
_CODECS = {ASCII: "ascii", LATIN: "iso8859_1", UCS2: "utf_16_be", KOREAN: "euc_kr"}


class Unreadable(ValueError):
    """Octets that no handset could show."""


def write(text: str, coding: int) -> bytes:
    """Raises ValueError for what the alphabet does not have."""
    if coding != GSM:
        return text.encode(_CODECS[coding])
    written = bytearray()
    for char in text:
        row = next((number for number, chars in enumerate(_ROWS) if char in chars), None)
        if char in _EXTRA:
            written += bytes((_ESCAPE, _EXTRA[char]))
        elif row is None or char == "\ufffd":
            raise ValueError("not in the alphabet")
        else:
            written.append(16 * row + _ROWS[row].index(char))
    return bytes(written)


def read(octets: bytes, coding: int) -> str:
    """Strict: raises Unreadable for half a character, and for what is in no table."""
    if coding != GSM:
        try:
            return octets.decode(_CODECS[coding])
        except (UnicodeDecodeError, KeyError):
            raise Unreadable(f"data_coding {coding}") from None
    chars: list[str] = []
    rest = iter(octets)
    for octet in rest:
        if octet == _ESCAPE:
            code = next(rest, None)
            chars.append(next((char for char, extra in _EXTRA.items() if extra == code), "\ufffd"))
        elif octet < 0x80:
            chars.append(_ROWS[octet >> 4][octet & 15])
        else:
            raise Unreadable("an octet above 127")
    if "\ufffd" in chars:
        raise Unreadable("half of an extended character, or one that is not in the table")
    return "".join(chars)


def best(text: str) -> int:
    """What a handset writes a text in."""
    try:
        write(text, GSM)
    except ValueError:
        return UCS2
    return GSM


def cut(octets: bytes, coding: int, *, careless: bool = False) -> list[bytes]:
    """Into what one message of the air holds beside a header of six octets. `careless`: through characters, as some phones do."""
    room = 153 if coding == GSM else 134
    parts: list[bytes] = []
    while octets:
        size = min(room, len(octets))
        if size < len(octets) and not careless:
            if coding == GSM and octets[size - 1] == _ESCAPE:
                size -= 1
            elif coding == UCS2 and 0xD8 <= octets[size - 2] <= 0xDB:
                size -= 2
        parts.append(octets[:size])
        octets = octets[size:]
    return parts
