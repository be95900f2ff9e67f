"""Between inbox rows and the dialogue: what rows mean as one inbound message, and what an outcome is as one change of the database. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels import Address, ConversationKey, MessageChannel, Outbound
from bot.conversations import InboxRow, OpenTurn, Outgoing, Timer, TurnChange
from bot.conversations.outbox import CONFIRMATION
from bot.dialogue.commands import Command, SetSlot, StartFlow, Trigger, parse_payload
from bot.dialogue.conversation import Inbound, Outcome
from bot.dialogue.state import State
from bot.language import Project
from bot.speaking import render
from bot.understanding import detect_language

from .replies import rendered, replies

SILENCE = "silence"
"""The timer that asks a customer who was asked something and says nothing."""

_REMINDER = "reminder:"
_CHANNEL_OF_SCHEME = {"tel": "sms"}
"""What flow designers call a channel, where it is not the scheme of the customer's address."""


@dataclass(frozen=True, slots=True)
class Composer:
    """`silence`: after how long a customer who was asked something is asked once more; None: never."""

    project: Project
    channels: Mapping[str, MessageChannel]
    silence: timedelta | None = None

    def inbound(self, turn: OpenTurn, rows: Sequence[InboxRow]) -> Inbound | None:
        """Rows of one burst as one message; None for what the dialogue need not know of."""
        first, last = rows[0], rows[-1]
        match first.event.kind:
            case "message":
                text, commands = _words(rows), _attached(rows)
            case "timer" if not first.stale and turn.owner == "bot" and turn.state is not None:
                text, commands = "", self._due(first, turn.state)
                if not commands:
                    return None
            case _:
                return None
        address = Address.parse(turn.addresses.customer) if turn.addresses.customer else None
        files = [file for row in rows for file in row.event.payload.get("media") or ()]
        return Inbound(
            text=text,
            id=first.event.event_id,
            now=last.received_at,
            sender=address.value if address else "",
            channel=_CHANNEL_OF_SCHEME.get(address.scheme, address.scheme) if address else "text",
            language=str(last.event.payload.get("language") or ""),
            metadata={"media": files} if files else {},
            commands=commands,
            occasion=f"timer:{first.event.timer}" if first.event.kind == "timer" else "",
        )

    def _due(self, row: InboxRow, state: Mapping[str, Any]) -> tuple[Command, ...] | None:
        """What a fired timer asks for; None when it has lost its sense meanwhile."""
        if row.event.timer == SILENCE:
            return (Trigger("pattern_user_silence", {}),) if state["stack"] else None
        payload = row.event.payload
        if not row.event.timer.startswith(_REMINDER) or (payload.get("kill") and payload.get("turn") != state["turn"]):
            return None
        intent = str(payload.get("intent") or "")
        start = (StartFlow(intent),) if intent in self.project.flows else parse_payload(f"/{intent}")
        if start is None:
            return None
        return (*start, *(SetSlot(str(entity["entity"]), entity.get("value")) for entity in payload.get("entities") or ()))

    def change(self, turn: OpenTurn, rows: Sequence[InboxRow], outcome: Outcome) -> TurnChange:
        """All that a turn came to."""
        state = outcome.state
        timers, cancelled = list(_reminders(outcome)), list(_cancelled(outcome))
        if self.silence is not None:
            asked_already = rows[0].event.timer == SILENCE
            if state.top is not None and state.owner == "bot" and not asked_already:
                timers.append(Timer(SILENCE, rows[-1].received_at + self.silence))
            else:
                cancelled.append(SILENCE)
        return TurnChange(
            state.to_json(),
            outcome.events,
            self._said(turn, outcome.events, state.language),
            timers,
            cancelled,
            done=[row.id for row in rows],
        )

    def without_turn(self, turn: OpenTurn, rows: Sequence[InboxRow]) -> TurnChange:
        """Rows that are taken in and recorded without the dialogue: words of consent, timers that came to nothing."""
        event = rows[0].event
        state = turn.state if turn.state is not None else State(language=self.project.language).to_json()
        done = [row.id for row in rows]
        if event.kind != "consent":
            return TurnChange(state, done=done)
        told = {"event": "consent", "kind": event.payload["kind"], "id": event.event_id}
        answer = event.payload.get("answer")
        if not answer:
            return TurnChange(state, [told], done=done)
        language = str(state.get("language") or "") if turn.state is not None else ""
        said = self._sentence(turn, f"utter_consent_{answer}", language or self._language(event.payload.get("text", "")), CONFIRMATION)
        return TurnChange(state, [told], said, done=done)

    def apology(self, turn: OpenTurn, rows: Sequence[InboxRow], cause: str) -> TurnChange:
        """Rows given up: the customer who wrote them is told, the person who looks at the transcript sees why."""
        state = turn.state if turn.state is not None else State(language=self.project.language).to_json()
        events: list[dict[str, Any]] = [
            {"event": "user", "text": row.event.payload.get("text", ""), "id": row.event.event_id}
            for row in rows
            if row.event.kind == "message"
        ]
        told = bool(events) and turn.owner == "bot"
        events.append({"event": "problem", "code": "dead-letter", "detail": cause, "flow": "", "step": ""})
        said: list[Outgoing] = []
        if told:
            said = self._sentence(turn, "utter_internal_error", str(state.get("language") or self.project.language))
        return TurnChange(state, events, said, done=[], dead={row.id: cause for row in rows})

    def _said(self, turn: OpenTurn, events: Sequence[Mapping[str, Any]], language: str) -> list[Outgoing]:
        place = self._place(turn)
        return replies(*place, turn.id, events, language) if place else []

    def _sentence(self, turn: OpenTurn, name: str, language: str, purpose: str = "") -> list[Outgoing]:
        """One response outside the dialogue."""
        response, place = self.project.responses.get(name), self._place(turn)
        said = render(response, slots={}, context={}, language=language, channel="sms") if response else None
        if said is None or place is None:
            return []
        channel, key = place
        return rendered(channel, key, Outbound(f"{turn.id}:0", said.text, lang=language or None), purpose=purpose)

    def _place(self, turn: OpenTurn) -> tuple[MessageChannel, ConversationKey] | None:
        """Where the conversation's replies go; None for one whose channel is not connected here."""
        where = turn.addresses
        channel = self.channels.get(where.channel)
        if channel is None or not where.business or not where.customer:
            return None
        return channel, ConversationKey(where.channel, Address.parse(where.business), Address.parse(where.customer))

    def _language(self, text: str) -> str:
        found = detect_language(text)
        return found if found in self.project.languages else self.project.language


def _words(rows: Sequence[InboxRow]) -> str:
    payloads = [row.event.payload for row in rows]
    return "\n".join(text for payload in payloads if (text := str(payload.get("choice") or payload.get("text") or "").strip()))


def _attached(rows: Sequence[InboxRow]) -> tuple[Command, ...] | None:
    """A picture without words is nothing to be understood: a pattern answers it."""
    with_files = any(row.event.payload.get("media") for row in rows)
    return (Trigger("pattern_attachment", {}),) if with_files and not _words(rows) else None


def _reminders(outcome: Outcome) -> Iterator[Timer]:
    for event in outcome.events:
        if event["event"] == "reminder" and (due := _moment(event.get("at"))) is not None:
            kept = {key: event.get(key) for key in ("intent", "entities", "kill")}
            yield Timer(f"{_REMINDER}{event['name'] or event.get('intent')}", due, {**kept, "turn": outcome.state.turn})


def _cancelled(outcome: Outcome) -> Iterator[str]:
    return (f"{_REMINDER}{event['name']}" for event in outcome.events if event["event"] == "reminder_cancelled")


def _moment(text: object) -> datetime | None:
    """A time as rasa-sdk writes it (ISO 8601); without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
