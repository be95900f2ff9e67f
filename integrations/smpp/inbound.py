"""Deliveries into events: texts into messages or consent, receipts into receipts. Pure; never raises."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.channels import ENGLISH, KOREAN, Consent, ConversationKey, Receipt, Status, UserMessage

from . import pdus
from .addresses import read_address
from .codings import codec_of, decode
from .parts import Place, read_header, read_sar
from .pdus import Delivery
from .settings import SmppSettings

GAP = "\u2026"
"""Stands for parts that never came."""

_RECEIPT, _INTERMEDIATE = 0x04, 0x20  # esm_class, bits 2 to 5 (SMPP 3.4, 5.2.12)
_TYPE = 0x3C

# message_state (SMPP 3.4, 5.2.28; 0 and 9 are SMPP 5's) and its words in texts (Appendix B). Of "unknown" and "accepted" no more is
# believed than that the message has left us.
_STATES: Mapping[int, Status] = MappingProxyType(
    {
        0: Status.SCHEDULED,
        1: Status.SENT,
        2: Status.DELIVERED,
        3: Status.UNDELIVERED,
        4: Status.CANCELED,
        5: Status.UNDELIVERED,
        6: Status.ACCEPTED,
        7: Status.SENT,
        8: Status.FAILED,
        9: Status.FAILED,
    }
)
_WORDS: Mapping[str, int] = MappingProxyType(
    {"SCHEDUL": 0, "ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8, "SKIPPED": 9}
)  # fmt: skip
_FIELD = re.compile(r"\b(id|stat|err):\s*(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A text as it came, or a part of one. `codec` is None for what is no text; `provider_id` "" where the SMSC names none."""

    key: ConversationKey
    octets: bytes
    codec: str | None
    place: Place | None
    provider_id: str
    digest: str

    @property
    def group(self) -> tuple[object, ...]:
        """Equal for the parts of one message."""
        return (self.key, self.place.kind, self.place.reference, self.place.total) if self.place else ()


def is_receipt(delivery: Delivery) -> bool:
    """By its class; or by its parameters, for an SMSC that sets no class."""
    named = pdus.TLV_RECEIPTED_MESSAGE_ID in delivery.tlvs and pdus.TLV_MESSAGE_STATE in delivery.tlvs
    return delivery.esm_class & _TYPE in (_RECEIPT, _INTERMEDIATE) or named


def read_piece(settings: SmppSettings, name: str, delivery: Delivery, digest: str) -> Piece:
    text, place = read_header(delivery.text) if delivery.has_header else (delivery.text, None)
    identities = (pdus.text_of(delivery.tlvs.get(tag, b"")) for tag in settings.message_id_tlvs)
    return Piece(
        _key(settings, name, delivery),
        text,
        codec_of(delivery.data_coding, settings.default_alphabet, settings.data_codings),
        place or read_sar(delivery.tlvs),
        next((identity for identity in identities if identity), ""),
        digest,
    )


def read_message(name: str, pieces: Sequence[Piece], received_at: datetime) -> UserMessage | Consent:
    """One message of one or more pieces, in order of their numbers; what is missing is marked. The id is as good as the SMSC's word:

    its own id of the message; for a long one its octets and reference, which no other has on that day; else its octets and the time.
    """
    first = pieces[0]
    text = _joined(pieces)
    if first.place is None:
        identity = first.provider_id or f"{first.digest}:{received_at.isoformat()}"
    else:
        identity = f"{':'.join(piece.digest for piece in pieces)}:{received_at.date().isoformat()}"
    event_id = f"{name}:msg:{_short(str(first.key), identity)}"
    raw = {"codec": first.codec or "binary", "provider_id": first.provider_id, "parts": str(len(pieces))}
    if first.place is not None and len(pieces) < first.place.total:
        raw["missing"] = str(first.place.total - len(pieces))
    word = (ENGLISH | KOREAN).read(text)
    if word is not None:
        return Consent(first.key, event_id, received_at, raw, word.kind, text, False, word.only_if_stopped)
    return UserMessage(first.key, event_id, received_at, raw, text)


def _joined(pieces: Sequence[Piece]) -> str:
    """Octets are joined before they are read: some phones cut through a character."""
    texts: list[str] = []
    run: list[Piece] = []

    def end_run() -> None:
        if run and run[0].codec is not None:
            texts.append(decode(b"".join(piece.octets for piece in run), run[0].codec))
        run.clear()

    expected = 1
    for piece in pieces:
        number = piece.place.number if piece.place else 1
        if number != expected or (run and run[0].codec != piece.codec):
            end_run()
        if number != expected:
            texts.append(GAP)
        run.append(piece)
        expected = number + 1
    end_run()
    last = pieces[-1].place
    return "".join(texts) + (GAP if last and last.number < last.total else "")


def read_receipt(settings: SmppSettings, name: str, delivery: Delivery, received_at: datetime) -> Receipt | None:
    """By its parameters, else by its text. None if it names no message or a state that is not known."""
    text, _ = read_header(delivery.text) if delivery.has_header else (delivery.text, None)
    codec = codec_of(delivery.data_coding, settings.default_alphabet, settings.data_codings) or "latin-1"
    words: dict[str, str] = {}
    for found in _FIELD.finditer(decode(text, codec)):
        words.setdefault(found[1].lower(), found[2])
    provider_id = pdus.text_of(delivery.tlvs.get(pdus.TLV_RECEIPTED_MESSAGE_ID, b"")) or words.get("id", "")
    told = delivery.tlvs.get(pdus.TLV_MESSAGE_STATE, b"")
    state = told[0] if len(told) == 1 else _WORDS.get(words.get("stat", "").upper()[:7])
    status = None if state is None else _STATES.get(state)
    if not provider_id or status is None:
        return None
    provider_id = _as_answered(settings, provider_id)
    error = _error(delivery.tlvs.get(pdus.TLV_NETWORK_ERROR_CODE, b""), words.get("err", ""))
    raw = {"state": str(state), "stat": words.get("stat", ""), "err": words.get("err", "")}
    event_id = f"{name}:receipt:{_short(provider_id, str(state), error or '')}"
    return Receipt(_key(settings, name, delivery), event_id, received_at, raw, provider_id, status, error)


def _key(settings: SmppSettings, name: str, delivery: Delivery) -> ConversationKey:
    business = read_address(settings, delivery.destination_ton, delivery.destination)
    return ConversationKey(name, business, read_address(settings, delivery.source_ton, delivery.source))


def _as_answered(settings: SmppSettings, provider_id: str) -> str:
    """Some SMSCs write an id in decimal in one place and in hexadecimal in the other: back to how it was answered to us."""
    try:
        match settings.receipt_ids:
            case "decimal":  # in receipts: hexadecimal in answers
                return f"{int(provider_id):x}"
            case "hexadecimal":
                return str(int(provider_id, 16))
    except ValueError:
        pass
    return provider_id


def same_id(settings: SmppSettings, answered: str) -> str:
    """An id as answered, in the form `read_receipt` gives those of receipts."""
    try:
        match settings.receipt_ids:
            case "decimal":
                return f"{int(answered, 16):x}"
            case "hexadecimal":
                return str(int(answered))
    except ValueError:
        pass
    return answered


def _error(tlv: bytes, word: str) -> str | None:
    if len(tlv) == 3:  # a kind of network and its code
        return f"{tlv[0]}:{int.from_bytes(tlv[1:], 'big')}"
    return word if word.strip("0") else None


def _short(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
