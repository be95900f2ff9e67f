"""What handsets send and what becomes of our messages, as the SMSC tells it: bodies of `deliver_sm`, each told until acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import alphabets, wire
from .messages import Submitted

_STATES = {"ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}


@dataclass(slots=True, eq=False)
class Told:
    """A delivery: `statuses` are all answers it got, `done` is set when the SMSC need not tell it again."""

    body: bytes
    command: int = wire.DELIVER_SM
    statuses: list[int] = field(default_factory=list)
    times: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)


def numbering(number: str) -> tuple[int, int, str]:
    """As an SMSC names a party: international, alphanumeric, or a short code."""
    if number.startswith("+"):
        return 1, 1, number[1:]
    return (3, 0, number) if number.isdigit() else (5, 0, number)


def from_phone(
    customer: str,
    business: str,
    words: str,
    *,
    coding: int | None = None,
    long: str = "udh8",
    reference: int = 7,
    careless: bool = False,
    identity: str = "",
) -> list[bytes]:
    """The bodies, one or more in order, by which a text comes. `long` is udh8, udh16, sar or payload; `identity` a message id."""
    coding = alphabets.best(words) if coding is None else coding
    octets = alphabets.write(words, coding)
    ends = numbering(customer), numbering(business)
    named = ((0x001E, wire.text(identity)),) if identity else ()
    room = 160 if coding == alphabets.GSM else 140
    if len(octets) <= room or long == "payload":
        return [wire.delivery(*ends, octets, data_coding=coding, parameters=named)]
    parts = alphabets.cut(octets, coding, careless=careless)
    bodies: list[bytes] = []
    for number, part in enumerate(parts, start=1):
        if long == "sar":
            sar = (
                (0x020C, reference.to_bytes(2, "big")),
                (0x020E, bytes((len(parts),))),
                (0x020F, bytes((number,))),
            )
            bodies.append(wire.delivery(*ends, part, data_coding=coding, parameters=(*named, *sar)))
            continue
        header = bytes((5, 0, 3, reference & 0xFF, len(parts), number))
        if long == "udh16":
            header = bytes((6, 8, 4, reference >> 8, reference & 0xFF, len(parts), number))
        bodies.append(wire.delivery(*ends, header + part, esm_class=0x40, data_coding=coding, parameters=named))
    return bodies


def receipt_body(message: Submitted, stat: str, *, form: str = "both", echo: bool = True, error: str = "000", as_id: str = "") -> bytes:
    """The receipt for a message. `form`: `text` (Appendix B), `parameters`, or both. `as_id`: another way to write its id."""
    message_id = as_id or message.message_id
    octets = b""
    if form in ("text", "both"):
        words = f"id:{message_id} sub:001 dlvrd:001 submit date:2601010900 done date:2601010901 stat:{stat} err:{error} text:"
        octets = words.encode("ascii")
    parameters: list[tuple[int, bytes]] = []
    if form in ("parameters", "both"):
        parameters += [(0x001E, wire.text(message_id)), (0x0427, bytes((_STATES[stat],)))]
        if error.strip("0"):
            parameters.append((0x0423, b"\x03" + int(error).to_bytes(2, "big")))
    if echo and message.user_message_reference is not None:
        parameters.append((0x0204, message.user_message_reference.to_bytes(2, "big")))
    return wire.delivery(message.destination, message.source, octets, esm_class=0x04, parameters=tuple(parameters))


def waiting(tellings: Sequence[Told]) -> list[Told]:
    return [told for told in tellings if not told.done.is_set()]
