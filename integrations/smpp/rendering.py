"""Replies into requests: every part of a long message is a payload of its own, so that each attempt has one outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from bot.channels import TEL, Address, Capabilities, ConversationKey, Outbound, Payload, plain, split_characters, with_choices, with_links

from .addresses import write_address
from .codings import UCS2_CODING
from .parts import Encoded, Place, encode, header
from .settings import SmppSettings

INTEGERS = (
    "source_addr_ton", "source_addr_npi", "dest_addr_ton", "dest_addr_npi", "esm_class", "registered_delivery", "data_coding",
    "user_message_reference", "sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum",
)  # fmt: skip
TEXTS = ("service_type", "source_addr", "destination_addr")
OCTETS = ("short_message", "message_payload")

_UDHI = 0x40
_UCS2_ALONE, _UCS2_JOINED = 70, 67


def capabilities_of(settings: SmppSettings) -> Capabilities:
    return Capabilities(max_segments=settings.max_segments, receipts="delivered", segments_per_second=settings.segments_per_second)


def render(settings: SmppSettings, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
    """Pure. Raises ValueError for an address no SMSC can carry."""
    text = _sendable(plain(with_links(with_choices(message.text, message.choices), message.media)))
    payloads: list[Payload] = []
    for number, piece in enumerate(_pieces(settings, text)):
        encoded = encode(piece, settings.default_alphabet)
        # Different for each message of a reply, and the same whenever that is rendered.
        reference = (digest16(message.idempotency_key) + number) & 0xFF
        if settings.long_messages == "payload" and len(encoded.parts) > 1:
            payloads.append(_payload(settings, key, message, len(payloads), encoded, encoded.whole, None))
            continue
        for index, part in enumerate(encoded.parts, start=1):
            place = Place("", reference, len(encoded.parts), index) if len(encoded.parts) > 1 else None
            payloads.append(_payload(settings, key, message, len(payloads), encoded, part, place))
    return tuple(payloads)


def _payload(
    settings: SmppSettings, key: ConversationKey, message: Outbound, before: int, encoded: Encoded, octets: bytes, place: Place | None
) -> Payload:
    reference = message.idempotency_key if before == 0 else f"{message.idempotency_key}/{before + 1}"
    source = write_address(settings, Address(TEL, settings.source) if settings.source else key.business)
    destination = write_address(settings, key.customer)
    headed = place is not None and settings.long_messages == "udh"
    whole = place is None and len(encoded.parts) > 1
    fields = [
        ("service_type", settings.service_type),
        ("source_addr_ton", str(source[0].ton)),
        ("source_addr_npi", str(source[0].npi)),
        ("source_addr", source[1]),
        ("dest_addr_ton", str(destination[0].ton)),
        ("dest_addr_npi", str(destination[0].npi)),
        ("destination_addr", destination[1]),
        ("esm_class", str(_UDHI if headed else 0)),
        ("registered_delivery", "1"),
        ("data_coding", str(UCS2_CODING if encoded.ucs2 else 0)),
        ("user_message_reference", str(digest16(reference))),
    ]
    if place is not None and not headed:
        fields += [
            ("sar_msg_ref_num", str(place.reference)),
            ("sar_total_segments", str(place.total)),
            ("sar_segment_seqnum", str(place.number)),
        ]
    octets = header(place) + octets if place is not None and headed else octets
    fields.append(("message_payload" if whole else "short_message", octets.hex()))
    return Payload(reference, tuple(fields), len(encoded.parts) if whole else 1)


def submit_fields(payload: Payload) -> dict[str, int | str | bytes]:
    """A stored payload as the fields of a `submit_sm`. Raises ValueError for what `render` did not make."""
    fields: dict[str, int | str | bytes] = {}
    for name, value in payload.fields:
        if name in INTEGERS:
            fields[name] = int(value)
        elif name in OCTETS:
            fields[name] = bytes.fromhex(value)
        elif name in TEXTS:
            fields[name] = value
        else:
            raise ValueError(f"a payload has an unknown field: {name}")
    if not fields.get("destination_addr") or not (fields.get("short_message") or fields.get("message_payload")):
        raise ValueError("a payload has no destination or no text")
    return fields


def digest16(text: str) -> int:
    """A number of 16 bits that is always the same for a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:2], "big")


def _pieces(settings: SmppSettings, text: str) -> Iterator[str]:
    most = settings.max_segments
    for piece in capabilities_of(settings).fit(text):
        if len(encode(piece, settings.default_alphabet).parts) <= most:
            yield piece
        else:  # it needs UCS-2 only because the SMSC's default alphabet lacks what the air has
            yield from split_characters(piece, max_chars=_UCS2_ALONE if most == 1 else _UCS2_JOINED * most)


def _sendable(text: str) -> str:
    """Without the character that would begin an escape; half of a surrogate pair becomes a replacement mark."""
    return text.replace("\x1b", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
