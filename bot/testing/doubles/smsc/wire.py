"""PDUs as octets (SMPP 3.4, chapters 3 to 5), written from the specification and sharing nothing with the adapter it tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

GENERIC_NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x00000001, 0x00000002, 0x00000009
SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK, DATA_SM = 0x00000004, 0x00000005, 0x00000006, 0x00000015, 0x00000103
RESPONSE = 0x80000000

BINDS = (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER)


class Malformed(Exception):
    """A PDU that breaks the specification. `status` is what an SMSC answers."""

    def __init__(self, what: str, status: int = 0x02) -> None:
        super().__init__(what)
        self.status = status


@dataclass(frozen=True, slots=True)
class Frame:
    command: int
    status: int
    sequence: int
    body: bytes = b""

    def octets(self) -> bytes:
        head = (16 + len(self.body), self.command, self.status, self.sequence)
        return b"".join(number.to_bytes(4, "big") for number in head) + self.body


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """Raises EOFError or OSError at the end, Malformed for a length that cannot be."""
    head = await reader.readexactly(16)
    length, command, status, sequence = (int.from_bytes(head[at : at + 4], "big") for at in (0, 4, 8, 12))
    if not 16 <= length <= 1 << 17:
        raise Malformed("command_length")
    return Frame(command, status, sequence, await reader.readexactly(length - 16))


class Cursor:
    """Reads a body from the front. Raises Malformed."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._body)

    def octets(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise Malformed("the body ends early")
        self._at += count
        return taken

    def number(self, size: int = 1) -> int:
        return int.from_bytes(self.octets(size), "big")

    def text(self, most: int) -> str:
        """A C-octet string of at most `most` octets with its closing zero."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise Malformed("a text has no end")
        taken = self.octets(end + 1 - self._at)
        if len(taken) > most:
            raise Malformed(f"a text of more than {most} octets")
        return taken[:-1].decode("ascii")

    def parameters(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while not self.ended:
            tag = self.number(2)
            found[tag] = self.octets(self.number(2))
        return found


def text(value: str) -> bytes:
    return value.encode("latin-1") + b"\0"


def parameter(tag: int, value: bytes) -> bytes:
    return tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def delivery(
    source: tuple[int, int, str],
    destination: tuple[int, int, str],
    octets: bytes,
    *,
    esm_class: int = 0,
    data_coding: int = 0,
    parameters: tuple[tuple[int, bytes], ...] = (),
) -> bytes:
    """The body of a `deliver_sm` (4.6.1). Octets that do not fit go into `message_payload`."""
    short, extra = (octets, b"") if len(octets) <= 254 else (b"", parameter(0x0424, octets))
    return b"".join(
        (
            text(""),  # service_type
            bytes(source[:2]), text(source[2]),
            bytes(destination[:2]), text(destination[2]),
            bytes((esm_class, 0, 0)),  # protocol_id, priority_flag
            text(""), text(""),  # schedule_delivery_time, validity_period
            bytes((0, 0, data_coding, 0, len(short))), short,
            extra,
            *(parameter(tag, value) for tag, value in parameters),
        )
    )  # fmt: skip
