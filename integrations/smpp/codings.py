"""Texts as octets and back: the GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1) one septet an octet, and SMPP's data codings.

smpplib's own table has no section sign and encodes characters that are not in the alphabet, so the table is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

GSM = "gsm0338"
UCS2 = "utf-16-be"
UCS2_CODING = 0x08

_ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Mapping[int, str] = MappingProxyType(
    {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}
)
_TO_GSM: Mapping[str, bytes] = MappingProxyType(
    {char: bytes((code,)) for code, char in enumerate(_BASIC) if code != _ESCAPE}
    | {char: bytes((_ESCAPE, code)) for code, char in _EXTENSION.items()}
)

# SMPP 3.4, 5.2.19. 0 is the SMSC's default and configured. Korean SMSCs mean the whole of Hangul by 14: cp949, which contains EUC-KR.
_CODECS: Mapping[int, str] = MappingProxyType(
    {0x01: "ascii", 0x03: "latin-1", 0x05: "shift_jis", 0x06: "iso8859_5", 0x07: "iso8859_8", 0x08: UCS2, 0x0D: "euc_jp", 0x0E: "cp949"}
)


def encode_gsm(text: str) -> bytes | None:
    """One septet an octet; None when a character is not in the alphabet."""
    try:
        return b"".join([_TO_GSM[char] for char in text])
    except KeyError:
        return None


def encode_latin(text: str) -> bytes | None:
    """In Latin-1, for an SMSC whose default that is; None for what is not in both: the air has the GSM alphabet all the same."""
    if encode_gsm(text) is None:
        return None
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def decode_gsm(data: bytes) -> str:
    """Never fails: an escape before what is no extension is passed over, octets above 127 are taken for Latin-1."""
    chars: list[str] = []
    escaped = False
    for octet in data:
        if octet == _ESCAPE and not escaped:
            escaped = True
            continue
        found = _EXTENSION.get(octet) if escaped else None
        escaped = False
        if found is None:
            found = " " if octet == _ESCAPE else _BASIC[octet] if octet < 0x80 else chr(octet)
        chars.append(found)
    return "".join(chars)


def codec_of(coding: int, default: str, own: Mapping[int, str]) -> str | None:
    """The codec of a `data_coding`; None for what is no text. `own` are the SMSC's own meanings, which go first."""
    if coding in own:
        return own[coding]
    if coding == 0:
        return default
    if coding in _CODECS:
        return _CODECS[coding]
    if coding & 0xF0 == 0xF0:  # GSM message class control
        return None if coding & 0x04 else default
    if coding & 0xF0 == 0x10:  # GSM general data coding with a message class
        return {0x00: default, 0x08: UCS2}.get(coding & 0x0C)
    return None


def decode(data: bytes, codec: str) -> str:
    """Never fails; what cannot be read becomes U+FFFD."""
    if codec == GSM:
        return decode_gsm(data)
    return data.decode(codec, "replace")
