"""The words of a broadcast for one recipient, and the outbox rows that carry them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bot.channels import MessageChannel, Outbound, QuietHours, Template, zones_of
from bot.conversations import Addresses, Outgoing
from bot.language import Project, Response, Variation
from bot.speaking import RenderError, render
from bot.speaking.render import fill, placeholders

from .order import BroadcastOrder, BroadcastRefused, Wording
from .recipients import Recipient, Skipped
from .timeline import Timeline

_MONEY = re.compile(r"(-?\d+(?:\.\d+)?) ?([A-Z]{3})")
_REMEMBERED = 1024

Words = tuple[str, tuple[str, ...]]
"""A text, and the addresses of files that go with it."""


class Writer:
    """Writes the message in a language with a recipient's values. Raises BroadcastRefused when the wording cannot be used.

    `languages`: those it can be written in, the project's own first. `needs`: the values it cannot do without.
    """

    def __init__(self, wording: Wording, project: Project, channel: str) -> None:
        self._wording, self._project, self._channel = wording, project, channel
        self._response = _response(wording.response, project, channel) if wording.response else None
        texts = [*wording.texts.values()]
        if self._response is None:
            given = wording.texts or wording.templates
            self.languages = (*(one for one in project.languages if one in given), *(one for one in given if one not in project.languages))
        else:
            self.languages = project.languages
            texts = [text for variation in self._response.variations for text in (variation.text, *variation.texts.values())]
        if any(not text.strip() for text in (*wording.texts.values(), *wording.templates.values())):
            raise BroadcastRefused("bad_wording", "a text of the message is empty")
        known = {name for name, value in project.initial_values.items() if value is not None} if self._response is not None else set()
        self.needs = frozenset(name for text in texts for name in placeholders(text)) - known
        self._money = frozenset(name for name in self.needs if any(f"{{{name}:money}}" in text for text in texts))
        # With a template anything may be used: its logic is not read here.
        jinja = self._response is not None and any(variation.template == "jinja" for variation in self._response.variations)
        conditions = self._response is not None and any(variation.condition is not None for variation in self._response.variations)
        self._uses_all = jinja or conditions
        self._words: Callable[[str, tuple[tuple[str, str], ...]], Words] = lru_cache(_REMEMBERED)(self._write)

    def write(self, line: int, language: str, values: Mapping[str, str]) -> tuple[str, tuple[str, ...], Template | None] | Skipped:
        """Text, files and template for one recipient."""
        if self._wording.templates:
            return "", (), Template(self._wording.templates[language], dict(values))
        used = values.items() if self._uses_all else ((name, values[name]) for name in self.needs)
        try:
            text, files = self._words(language, tuple(sorted(used)))
        except (RenderError, ArithmeticError, LookupError):  # what a template computes of one value must not end the others
            return Skipped(line, "broken_template")
        return (text, files, None) if text or files else Skipped(line, "nothing_to_say")

    def _write(self, language: str, used: tuple[tuple[str, str], ...]) -> Words:
        values = {name: self._value(name, cell) for name, cell in used}
        if self._response is None:
            return fill(self._wording.texts[language], values, None, language), ()
        slots = {**self._project.initial_values, **values}
        said = render(self._response, slots=slots, context={}, language=language, channel=self._channel)
        return ("", ()) if said is None else (said.text, (said.image,) if said.image else ())

    def _value(self, name: str, cell: str) -> Any:
        """A cell as the formats of a language take it: `69000 KRW` where the wording says `{amount:money}`."""
        money = _MONEY.fullmatch(cell) if name in self._money else None
        return {"amount": money[1], "currency": money[2]} if money else cell


def _response(name: str, project: Project, channel: str) -> Response:
    response = project.responses.get(name)
    if response is None:
        raise BroadcastRefused("unknown_response", f"the project has no response {name!r}")
    usable = tuple(variation for variation in response.variations if not variation.channel or variation.channel == channel)
    if any(_offers(variation) for variation in usable):
        raise BroadcastRefused(
            "offers_choices",
            f"response {name} has buttons or content of its own; no conversation waits for an answer to a broadcast: use text",
        )
    return Response(name, usable, response.place)


def _offers(variation: Variation) -> bool:
    return bool(variation.buttons or variation.custom or variation.attachment)


class Zones:
    """Where numbers are; `default` is for those that do not tell."""

    def __init__(self, default: ZoneInfo) -> None:
        self._default = (default,)
        self._known: dict[str, tuple[ZoneInfo, ...]] = {}

    def __call__(self, number: str) -> tuple[ZoneInfo, ...]:
        # Numbers of one exchange, ten thousand, are in one place; to look one up takes as long as all the rest.
        exchange = number[:-4]
        if exchange not in self._known:
            self._known[exchange] = zones_of(number) or self._default
        return self._known[exchange]


class Composer:
    """Makes the outbox rows of recipients, one after the other."""

    def __init__(self, order: BroadcastOrder, channel: MessageChannel, writer: Writer, timeline: Timeline, zones: Zones) -> None:
        self._order, self._channel, self._writer, self._timeline, self._zones = order, channel, writer, timeline, zones
        self.segments = 0
        """Of all rows made so far."""

    def compose(self, recipient: Recipient) -> list[Outgoing] | Skipped:
        order, key = self._order, self._order.key(recipient.number)
        written = self._writer.write(recipient.line, recipient.language, recipient.values)
        if isinstance(written, Skipped):
            return written
        text, files, template = written
        reference = f"broadcast-{order.id}:{recipient.line}"
        message = Outbound(reference, text, media=files, purpose=order.purpose, lang=recipient.language, template=template)
        payloads = self._channel.render(key, message)
        if not payloads:
            return Skipped(recipient.line, "nothing_to_say")
        segments = sum(payload.segments for payload in payloads)
        due = self._timeline.take(self._zones(recipient.number), segments)
        if due is None:
            return Skipped(recipient.line, "no_hour")
        self.segments += segments
        addresses = Addresses(order.channel, str(key.business), str(key.customer))
        # Nothing is in order but the parts of one message, which are a conversation of their own for that.
        conversation = reference if len(payloads) > 1 else ""
        return [
            Outgoing(payload.to_json(), conversation, addresses, order.purpose.value, order.priority, due, payload.reference, order.id)
            for payload in payloads
        ]


def timeline_of(order: BroadcastOrder, channel: MessageChannel, hours: QuietHours, now: datetime) -> Timeline:
    """From the time it may start on; `now` if that has passed."""
    start = max(now, order.start_at) if order.start_at else now
    return Timeline(start, order.pace(channel), hours, order.purpose)
