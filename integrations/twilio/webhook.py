"""Webhooks into events: verify, read, answer with an empty TwiML document, and nothing else. Pure; never raises.

Which kind it is goes by the path it was configured at, never by the fields: an inbound message carries `SmsStatus` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from urllib.parse import parse_qsl

from bot.channels import (
    ENGLISH,
    KOREAN,
    TEL,
    UNITED_STATES,
    Address,
    Consent,
    ConsentKind,
    ConsentWord,
    ConversationKey,
    Event,
    HttpReply,
    HttpRequest,
    MediaLink,
    Receipt,
    Received,
    Status,
    UserMessage,
)

from .errors import ErrorKind, lookup
from .settings import TwilioSettings
from .signature import HEADER, SETTINGS_HEADER, BadForm, Signature, read_form

NAME = "twilio"
REFERENCE = "ref"  # of the receipt's URL: which of our payloads it is about

_FORM = "application/x-www-form-urlencoded"
_EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
_MOST_MEDIA = 20

_STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "accepted": Status.ACCEPTED,
        "scheduled": Status.SCHEDULED,
        "queued": Status.QUEUED,
        "sending": Status.SENDING,
        "sent": Status.SENT,
        "canceled": Status.CANCELED,
        "failed": Status.FAILED,
        "undelivered": Status.UNDELIVERED,
        "partially_delivered": Status.PARTIALLY_DELIVERED,
        "delivered": Status.DELIVERED,
        "read": Status.READ,
    }
)


def read_status(text: str) -> Status | None:
    """A status as Twilio writes it; None for one it has added since, or one of inbound messages."""
    return _STATUSES.get(text)


def receive(settings: TwilioSettings, request: HttpRequest) -> Received:
    """Never raises. 403 for what is not signed by one of our secrets, 404 off our paths, 400 for what is signed but unreadable."""
    if request.path not in (settings.message_path, settings.status_path):
        return _refused(404, "unknown_path")
    if request.method != "POST":
        return _refused(405, "wrong_method")
    if request.header("Content-Type").partition(";")[0].strip().lower() != _FORM:
        return _refused(403, "no_form")
    try:
        form = read_form(request.body)
    except BadForm:
        return _refused(403, "bad_form")
    signature = Signature(request.header(HEADER), request.header(SETTINGS_HEADER))
    if not signature.covers_form(settings.webhook_secrets, settings.public_base_url + request.target, form):
        return _refused(403, "bad_signature")
    fields: dict[str, str] = {}
    for name, value in form:
        fields.setdefault(name, value)
    try:
        event = read_message(settings, request.received_at, fields) if request.path == settings.message_path else _receipt(request, fields)
    except (KeyError, ValueError):
        return _refused(400, "unreadable")
    if event is None:  # a status Twilio has added since: to be ignored, but seen
        return Received(HttpReply(200, _EMPTY_TWIML, "text/xml; charset=utf-8"), problem="unknown_status")
    return Received(HttpReply(200, _EMPTY_TWIML, "text/xml; charset=utf-8"), (event,))


def _refused(status: int, problem: str) -> Received:
    return Received(HttpReply(status), problem=problem)


def read_message(settings: TwilioSettings, received_at: datetime, fields: Mapping[str, str]) -> Consent | UserMessage:
    """A customer's message by the fields of its webhook. Raises KeyError and ValueError for what cannot be read."""
    key = ConversationKey(NAME, _address(fields["To"]), _address(fields["From"]))
    event_id = f"{NAME}:msg:{_sid(fields['MessageSid'])}"
    button = fields.get("ButtonPayload") or fields.get("ListId") or None
    text = fields.get("Body") or fields.get("ButtonText") or fields.get("ListTitle") or ""
    opt_out = fields.get("OptOutType", "").lower()
    if opt_out in ("stop", "start", "help"):  # Advanced Opt-Out knew the word, in whatever language, and has answered
        return Consent(key, event_id, received_at, fields, ConsentKind(opt_out), text, provider_replied=True)
    by_twilio = settings.provider_handles_opt_out and key.customer.scheme == TEL
    word = None if button else _consent_word(text, by_twilio)
    if word is not None:
        # Twilio acts on a bare word only; on "Stop." it does nothing, and the ledger is the customer's only protection.
        replied = by_twilio and text.strip().casefold() in _TWILIO_WORDS
        return Consent(key, event_id, received_at, fields, word.kind, text, replied, word.only_if_stopped)
    return UserMessage(key, event_id, received_at, fields, text, _media(fields), button)


# The words Twilio itself answers to, on numbers where it handles opting out.
_TWILIO_WORDS = frozenset(
    ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke", "start", "unstop", "yes", "help", "info")
)
_BY_TWILIO = UNITED_STATES | KOREAN
_BY_US = ENGLISH | KOREAN


def _consent_word(text: str, by_twilio: bool) -> ConsentWord | None:
    return (_BY_TWILIO if by_twilio else _BY_US).read(text)


def _receipt(request: HttpRequest, fields: Mapping[str, str]) -> Event | None:
    status = read_status(fields["MessageStatus"])
    sid = _sid(fields["MessageSid"])
    if status is None:
        return None
    reference = dict(parse_qsl(request.target.partition("?")[2])).get(REFERENCE)
    return Receipt(
        ConversationKey(NAME, _address(fields["From"]), _address(fields["To"])),
        f"{NAME}:receipt:{sid}:{fields['MessageStatus']}",
        request.received_at,
        fields,
        sid,
        status,
        fields.get("ErrorCode") or None,
        reference,
        closes_consent=lookup(fields.get("ErrorCode")).kind is ErrorKind.CONSENT,
    )


def _address(text: str) -> Address:
    """`+12025550101`, a short code, or `whatsapp:...`, `rcs:...`; WhatsApp may give an id in place of a number."""
    return Address.parse(text.strip())


def _sid(text: str) -> str:
    if len(text) != 34 or text[:2] not in ("SM", "MM") or not text[2:].isalnum() or not text.isascii():
        raise ValueError("no SID of a message")
    return text


def _media(fields: Mapping[str, str]) -> tuple[MediaLink, ...]:
    count = fields.get("NumMedia", "0")
    number = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    links = []
    for index in range(min(number, _MOST_MEDIA)):
        if url := fields.get(f"MediaUrl{index}"):
            links.append(MediaLink(url, fields.get(f"MediaContentType{index}", "application/octet-stream")))
    return tuple(links)
