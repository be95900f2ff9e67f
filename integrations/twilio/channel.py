"""Twilio as a `MessageChannel`: SMS and MMS, WhatsApp and RCS are one API and one webhook; what they can do is data."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from bot.channels import (
    RCS,
    TEL,
    WHATSAPP,
    Absent,
    Address,
    Capabilities,
    ConversationKey,
    Event,
    HttpRequest,
    MediaFile,
    MediaLink,
    Outbound,
    Payload,
    Received,
    Reconciled,
    SendOutcome,
    Sent,
    Unknown,
    count,
    plain,
    with_choices,
    with_links,
)

from .backlog import read_backlog
from .media import MediaFetcher
from .rest import ListedMessage, NoAnswer, TwilioRest
from .settings import TwilioSettings
from .webhook import NAME, REFERENCE, receive

_MOST_CHARS = 1600
_MOST_MEDIA = 10
_WHATSAPP_WINDOW = 24 * 3600

# How far the clocks may differ.
_SKEW = timedelta(minutes=2)
_MOST_PAGES = 10


def capabilities_of(settings: TwilioSettings, scheme: str) -> Capabilities:
    """By the scheme of the customer's address. Buttons need a template on all three, so choices are numbered lines."""
    sms = Capabilities(
        max_chars=_MOST_CHARS,
        max_segments=settings.max_segments,
        media=_MOST_MEDIA,
        templates=True,
        receipts="delivered",
        segments_per_second=settings.segments_per_second,
    )
    if scheme == WHATSAPP:
        return replace(
            sms,
            max_segments=None,
            media=1,
            receipts="read",
            free_form_window_s=_WHATSAPP_WINDOW,
            markup="whatsapp",
            segments_per_second=80.0,
        )
    if scheme == RCS:
        return replace(sms, max_segments=None, media=1, receipts="read", segments_per_second=None)
    return sms


@dataclass(slots=True)
class TwilioChannel:
    """`rest` and `media` share the caller's HTTP client; the channel keeps no state of its own."""

    settings: TwilioSettings
    rest: TwilioRest
    media: MediaFetcher
    name: str = NAME

    def receive(self, request: HttpRequest) -> Received:
        return receive(self.settings, request)

    def capabilities(self, key: ConversationKey) -> Capabilities:
        return capabilities_of(self.settings, key.customer.scheme)

    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        return render(self.settings, key, message)

    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        return await self.rest.create(payload.fields)

    async def reconcile(
        self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
    ) -> Reconciled:
        wanted = _Wanted(payload, attempted_at - _SKEW, frozenset(known))
        try:
            return await self._find(wanted, payload, now - attempted_at)
        except NoAnswer as failure:
            return Unknown(failure.reason)

    async def fetch(self, link: MediaLink) -> MediaFile:
        return await self.media.fetch(link)

    async def backlog(self, since: datetime) -> Sequence[Event]:
        """Also a little older ones, for clocks differ. Raises BacklogUnavailable, which is an OSError."""
        return await read_backlog(self.settings, self.rest, since)

    async def _find(self, wanted: _Wanted, payload: Payload, elapsed: timedelta) -> Reconciled:
        # No filter on the date sent, for a message that is still queued has none; and none on the sender where a service chooses it.
        sender = None if payload.get("MessagingServiceSid") else payload.get("From")
        found: list[ListedMessage] = []
        page = ""
        for _ in range(_MOST_PAGES):
            listed = await self.rest.list(to=payload.get("To") or "", sender=sender, page=page)
            found.extend(message for message in listed.messages if wanted.matches(message))
            page = listed.next
            if not page or (listed.messages and all(wanted.too_old(message) for message in listed.messages)):
                break
        if found:  # of several, the first after the attempt
            first = min(found, key=lambda message: message.created or wanted.since)
            return Sent(first.provider_id, first.progress, first.segments)
        if page:
            return Unknown("too_many_messages")
        early = timedelta(seconds=self.settings.settling_seconds) - elapsed
        return Unknown("not_listed_yet", early.total_seconds()) if early > timedelta(0) else Absent()


@dataclass(frozen=True, slots=True)
class _Wanted:
    payload: Payload
    since: datetime
    known: frozenset[str]

    def matches(self, message: ListedMessage) -> bool:
        if not message.outbound or message.provider_id in self.known or self.too_old(message):
            return False
        if self.payload.get("ContentSid"):  # the text is made by Twilio: the rest has to do
            return True
        return message.text.split() == (self.payload.get("Body") or "").split()

    def too_old(self, message: ListedMessage) -> bool:
        return message.created is not None and message.created < self.since


def render(settings: TwilioSettings, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
    """Pure. Files go with the first part; where the network carries fewer, their addresses become lines of text."""
    bounds = capabilities_of(settings, key.customer.scheme)
    files, links = message.media[: bounds.media], message.media[bounds.media :]
    text = _sendable(with_links(with_choices(message.text, message.choices), links))
    if key.customer.scheme == TEL:
        text = plain(text)
    common = [("To", wire(key.customer)), ("From", wire(key.business))]
    if settings.messaging_service_sid:
        common.append(("MessagingServiceSid", settings.messaging_service_sid))

    def payload(number: int, own: list[tuple[str, str]], segments: int) -> Payload:
        reference = message.idempotency_key if number == 1 else f"{message.idempotency_key}/{number}"
        callback = f"{settings.status_url}?{urlencode({REFERENCE: reference})}"
        return Payload(reference, (*common, *own, ("StatusCallback", callback)), segments)

    if message.template is not None:
        variables = _json_object(dict(message.template.variables))
        own = [("ContentSid", message.template.id), *([("ContentVariables", variables)] if message.template.variables else [])]
        return (payload(1, own, 1),)
    parts = bounds.fit(text) or (("",) if files else ())
    return tuple(
        payload(
            number,
            [*([("Body", part)] if part else []), *([("MediaUrl", url) for url in files] if number == 1 else [])],
            count(part).segments if key.customer.scheme == TEL else 1,
        )
        for number, part in enumerate(parts, start=1)
    )


def wire(address: Address) -> str:
    """As Twilio writes it: bare for telephone numbers, with the network's name for the others."""
    return address.value if address.scheme == TEL else str(address)


def _sendable(text: str) -> str:
    """Half of a surrogate pair cannot be sent: two that belong together are joined, a lone one becomes a replacement mark."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _json_object(values: dict[str, str]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True)
