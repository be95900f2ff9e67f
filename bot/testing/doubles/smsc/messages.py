"""What was submitted: read strictly, judged by what the air can carry, and put together as a handset does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import alphabets
from .alphabets import Unreadable
from .wire import Cursor, Malformed

_PAYLOAD, _REFERENCE = 0x0424, 0x0204
_SAR = (0x020C, 0x020E, 0x020F)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A `submit_sm` (4.4.1). `part` is the reference, the number of parts and which one it is."""

    message_id: str
    source: tuple[int, int, str]
    destination: tuple[int, int, str]
    esm_class: int
    registered_delivery: int
    data_coding: int
    octets: bytes
    parameters: dict[int, bytes]
    part: tuple[str, int, int, int] | None

    @property
    def text(self) -> str:
        """Raises Unreadable where a character is cut through."""
        return alphabets.read(self.octets, self.data_coding)

    @property
    def user_message_reference(self) -> int | None:
        octets = self.parameters.get(_REFERENCE)
        return None if octets is None else int.from_bytes(octets, "big")


def read_submit(body: bytes, message_id: str) -> Submitted:
    """Raises Malformed, with the status an SMSC would answer."""
    cursor = Cursor(body)
    cursor.text(6)
    source = cursor.number(), cursor.number(), cursor.text(21)
    destination = cursor.number(), cursor.number(), cursor.text(21)
    esm_class = cursor.number()
    cursor.octets(2)
    cursor.text(17), cursor.text(17)
    registered = cursor.number()
    cursor.octets(1)
    coding = cursor.number()
    cursor.octets(1)
    length = cursor.number()
    if length > 254:
        raise Malformed("sm_length", 0x01)
    octets = cursor.octets(length)
    parameters = cursor.parameters()
    if octets and _PAYLOAD in parameters:
        raise Malformed("short_message and message_payload", 0x01)
    if not destination[2]:
        raise Malformed("destination_addr", 0x0B)
    octets = octets or parameters.get(_PAYLOAD, b"")
    part: tuple[str, int, int, int] | None = None
    if esm_class & 0x40:
        header, octets = octets[: octets[0] + 1], octets[octets[0] + 1 :]
        if header[:3] == b"\x05\x00\x03" and len(header) == 6:
            part = ("udh8", header[3], header[4], header[5])
        else:
            raise Malformed("user data header", 0x43)
    elif all(tag in parameters for tag in _SAR):
        if [len(parameters[tag]) for tag in _SAR] != [2, 1, 1]:
            raise Malformed("sar parameters", 0xC2)
        reference, total, number = (int.from_bytes(parameters[tag], "big") for tag in _SAR)
        part = ("sar", reference, total, number)
    return Submitted(message_id, source, destination, esm_class, registered, coding, octets, parameters, part)


def violations(message: Submitted) -> list[str]:
    """What a handset or the air would not bear."""
    found: list[str] = []
    if _PAYLOAD not in message.parameters:
        units = 160 if message.data_coding == alphabets.GSM else 140
        joined = 153 if message.data_coding == alphabets.GSM else 134
        if len(message.octets) > (joined if message.part else units):
            found.append(f"{len(message.octets)} octets are more than a message of the air holds")
    try:
        _ = message.text
    except Unreadable as unreadable:
        found.append(f"cannot be shown: {unreadable}")
    if message.part and not 1 <= message.part[3] <= message.part[2]:
        found.append("a part of no message")
    if message.destination[0] == 1 and not message.destination[2].isdigit():
        found.append("an international number that is not digits alone")
    return found


def joined(messages: Iterable[Submitted]) -> list[str]:
    """The texts a handset shows: parts by their references, when all are there, at the place of the first that came."""
    shown: list[tuple[tuple[object, ...], int, dict[int, str]]] = []
    for message in messages:
        kind, reference, total, number = message.part or ("whole", message.message_id, 1, 1)
        name = (kind, reference, total, message.source)
        parts = next((parts for known, size, parts in shown if known == name and len(parts) < size), None)
        if parts is None:
            parts = {}
            shown.append((name, total, parts))
        parts.setdefault(number, message.text)
    return ["".join(parts[number] for number in sorted(parts)) for _, total, parts in shown if len(parts) == total]
