"""PDUs, by smpplib: what it knows of their fields, and none of its client.

smpplib's reading is made safe here where it trusts the other end: a text without its closing zero and a body that ends early are
errors, and optional parameters are kept as octets, for smpplib fails on those it does not expect in a command.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from smpplib import command, command_codes, exceptions, smpp  # type: ignore[import-untyped]

HEADER = 16
_LONGEST = 70_000  # a body with a message_payload of 64 KiB, and room for the rest

TLV_RECEIPTED_MESSAGE_ID = 0x001E
TLV_USER_MESSAGE_REFERENCE = 0x0204
TLV_NETWORK_ERROR_CODE = 0x0423
TLV_MESSAGE_PAYLOAD = 0x0424
TLV_MESSAGE_STATE = 0x0427


class BadPdu(ValueError):
    """Octets that are no PDU. Says which field, never what was in it."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """`command` is as in the specification, or "" for a number it does not have."""

    command: str
    status: int
    sequence: int
    body: bytes

    @property
    def response(self) -> bool:
        return self.command.endswith("_resp") or self.command == "generic_nack"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A `deliver_sm` or `data_sm`: a message from a customer or a receipt, as the SMSC wrote it."""

    source_ton: int
    source: str
    destination_ton: int
    destination: str
    esm_class: int
    data_coding: int
    text: bytes
    tlvs: Mapping[int, bytes]

    @property
    def has_header(self) -> bool:
        return bool(self.esm_class & 0x40)

    @property
    def user_message_reference(self) -> int | None:
        """Ours, where an SMSC echoes it in a receipt."""
        octets = self.tlvs.get(TLV_USER_MESSAGE_REFERENCE, b"")
        return int.from_bytes(octets, "big") if len(octets) == 2 else None


Fields = Mapping[str, int | str | bytes]
NO_FIELDS: Fields = MappingProxyType({})


def write(name: str, sequence: int, fields: Fields = NO_FIELDS, *, status: int = 0) -> bytes:
    """A PDU of ours. Fields must be within the specification's lengths: smpplib cuts what is longer."""
    pdu = smpp.make_pdu(name, sequence=sequence, **fields)
    pdu.sequence, pdu.status = sequence, status  # smpplib takes neither from its arguments
    return bytes(pdu.generate())


def write_nack(sequence: int, status: int) -> bytes:
    return write("generic_nack", sequence, status=status)


def body_length(start: bytes) -> int:
    """Octets after a header. Raises BadPdu for a length that cannot be: there is no way to find the next PDU then."""
    (length,) = struct.unpack(">L", start[:4])
    if not HEADER <= length <= _LONGEST:
        raise BadPdu("command_length")
    return int(length) - HEADER


def read(start: bytes, body: bytes) -> Pdu:
    """Of the 16 octets of a header and the body after it."""
    _, code, status, sequence = struct.unpack(">LLLL", start)
    try:
        name = command_codes.get_command_name(code)
    except exceptions.UnknownCommandError:
        name = ""
    return Pdu(name, status, sequence, body)


def read_message_id(pdu: Pdu) -> str:
    """Of a `submit_sm_resp`; "" if the SMSC gave none. Raises BadPdu."""
    octets, zero, _ = pdu.body.partition(b"\0")
    if not pdu.body:
        return ""
    text = octets.decode("latin-1")
    if not zero or len(text) > 64 or not text.isascii() or not text.isprintable():
        raise BadPdu("message_id")
    return text


def read_delivery(pdu: Pdu) -> Delivery:
    """Raises BadPdu."""
    made = (_DeliverSm if pdu.command == "deliver_sm" else _DataSm)(pdu.command, sequence=pdu.sequence)
    made.sm_length = None if pdu.command == "deliver_sm" else 0
    try:
        made.parse_params(pdu.body)
    except struct.error:
        raise BadPdu("body") from None
    if made.data_coding is None or made.sm_length is None:
        raise BadPdu("body")
    text = getattr(made, "short_message", None) or b""
    if len(text) < made.sm_length:
        raise BadPdu("short_message")
    tlvs: Mapping[int, bytes] = made.tlvs
    return Delivery(
        made.source_addr_ton,
        made.source_addr.decode("latin-1"),
        made.dest_addr_ton,
        made.destination_addr.decode("latin-1"),
        made.esm_class,
        made.data_coding,
        text or tlvs.get(TLV_MESSAGE_PAYLOAD, b""),
        tlvs,
    )


class _Careful:
    """Before a command of smpplib's: replaces two of its methods."""

    tlvs: Mapping[int, bytes] = MappingProxyType({})

    def _parse_string(self, field: str, data: bytes, pos: int, length: int | None = None) -> tuple[bytes, int]:
        end = data.find(b"\0", pos)
        if end < 0:
            raise BadPdu(field)
        setattr(self, field, data[pos:end])
        return data, end + 1

    def parse_optional_params(self, data: bytes) -> None:
        self.tlvs = read_tlvs(data)


class _DeliverSm(_Careful, command.DeliverSM):  # type: ignore[misc]
    pass


class _DataSm(_Careful, command.DataSM):  # type: ignore[misc]
    pass


def read_tlvs(data: bytes) -> dict[int, bytes]:
    """Optional parameters by tag. What is cut off at the end is left out: it is no reason to refuse a customer's message."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        tag, size = struct.unpack_from(">HH", data, at)
        value = data[at + 4 : at + 4 + size]
        if len(value) == size:
            found.setdefault(tag, value)
        at += 4 + size
    return found


def text_of(tlv: bytes) -> str:
    """A C-octet string, with or without its closing zero."""
    return tlv.partition(b"\0")[0].decode("latin-1")
