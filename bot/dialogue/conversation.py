"""One inbound message against one stored state: session start when due, language, then the turn. Commits nothing, holds no state.

`Dialogue` is what the session API, workers and the test runner all call: state in, new state and events out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.conversations import Effects
from bot.language import Project
from bot.language.builtins import BUILTIN_FILE_PREFIX

from .actions import Actions
from .commands import Command, Trigger
from .flow_graph import Graphs
from .progress import FlowVersions, Progress, Surroundings
from .state import State
from .turn import run
from .understander import Message, Understander, Understanding


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as it came in. `id` names it once and for all (a repeated delivery has the same id); `sender` is an address.

    `commands` given: nothing is understood, these are applied. `language` given: the conversation goes on in it.
    `occasion` given: no customer wrote, this happened (`timer:silence`), and the transcript says so.
    """

    text: str
    id: str
    now: datetime
    sender: str = ""
    channel: str = "text"
    language: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[Command, ...] | None = None
    occasion: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn came to: the state to be stored, the events to be recorded, how the message was understood."""

    state: State
    events: tuple[Mapping[str, Any], ...]
    understanding: Understanding


@dataclass(frozen=True)
class Dialogue:
    """Runs turns of one project."""

    project: Project
    actions: Actions
    understander: Understander
    versions: FlowVersions
    effects: Effects | None = None
    graphs: Graphs = field(default_factory=Graphs)
    handoff_available: bool = False
    max_steps: int = 250
    aliases: Mapping[str, str] = field(default_factory=dict)

    async def turn(
        self, state: State, conversation: str, inbound: Inbound, history: Sequence[Mapping[str, Any]] = (), actions: Actions | None = None
    ) -> Outcome:
        """Runs one turn. Never raises for what a customer writes; `actions` replaces the project's for this turn."""
        opened = await self.open_session(state, conversation, inbound, history, actions)
        state = opened.state.evolve(turn=opened.state.turn + 1)
        if inbound.language:
            state = state.evolve(language=inbound.language)
        local = inbound.now.astimezone(zone_of(self.project, state.language))
        message = Message(inbound.text, state.language, inbound.channel, inbound.metadata, _talk(history), local)
        around = self._around(conversation, inbound, inbound.id, message, history, inbound.commands, actions)
        progress = Progress(state)
        if inbound.occasion:
            progress = progress.emit("occasion", name=inbound.occasion, id=inbound.id)
        else:
            progress = progress.emit("user", text=inbound.text, id=inbound.id, channel=inbound.channel, **_told(inbound.metadata))
        final = await run(progress, around)
        return Outcome(final.state, (*opened.events, *final.events), final.understanding or Understanding(()))

    async def open_session(
        self, state: State, conversation: str, inbound: Inbound, history: Sequence[Mapping[str, Any]] = (), actions: Actions | None = None
    ) -> Outcome:
        """Starts a session if none is open: the first message ever, or the first after a long silence. Else changes nothing."""
        if state.session and not self._expired(state, inbound.now):
            return Outcome(state, (), Understanding(()))
        kept = dict(state.slots) if self.project.session.carry_over_slots else {}
        kept.pop("session_started_metadata", None)
        metadata = {"sender": inbound.sender, "channel": inbound.channel, "language": inbound.language, **inbound.metadata}
        kept["session_started_metadata"] = metadata
        fresh = State(
            slots=kept,
            turn=state.turn + 1,
            session=state.session + 1,
            language=inbound.language or state.language or self.project.language,
            owner=state.owner,
            stack=state.stack if state.owner != "bot" else (),
        )
        around = self._around(
            conversation,
            inbound,
            f"{inbound.id}/session",
            Message("", fresh.language, inbound.channel, inbound.metadata),
            history,
            (Trigger("pattern_session_open", {}),),
            actions,
        )
        progress = Progress(fresh).emit("session_started", session=fresh.session)
        if fresh.owner != "bot" or self._opens_silently(actions or self.actions):
            return Outcome(fresh, progress.events, Understanding(()))
        final = await run(progress, around)
        events = tuple(event for event in final.events if event["event"] != "commands")
        return Outcome(final.state, events, Understanding(()))

    def _opens_silently(self, actions: Actions) -> bool:
        """Whether nothing of the project's own happens at the start of a session: then no graph needs to run."""
        flow = self.project.flows.get("pattern_session_open")
        return "action_session_start" not in actions.names and (flow is None or flow.place.file.startswith(BUILTIN_FILE_PREFIX))

    def _expired(self, state: State, now: datetime) -> bool:
        minutes = self.project.session.expiry_minutes
        if not minutes or not state.last_active:
            return False
        return now - datetime.fromisoformat(state.last_active) >= timedelta(minutes=minutes)

    def _around(
        self,
        conversation: str,
        inbound: Inbound,
        message_id: str,
        message: Message,
        history: Sequence[Mapping[str, Any]],
        commands: tuple[Command, ...] | None,
        actions: Actions | None,
    ) -> Surroundings:
        return Surroundings(
            project=self.project,
            versions=self.versions,
            actions=actions or self.actions,
            effects=self.effects,
            understander=self.understander,
            conversation=conversation,
            message_id=message_id,
            message=message,
            now=inbound.now,
            graphs=self.graphs,
            handoff_available=self.handoff_available,
            history=history,
            commands=commands,
            max_steps=self.max_steps,
            aliases=self.aliases,
        )


def zone_of(project: Project, language: str) -> tzinfo:
    """The time zone of customers who write in a language, by the project's `timezones`; UTC where it names none, or one nobody knows."""
    name = (project.settings.get("timezones") or {}).get(language)
    try:
        return ZoneInfo(str(name)) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _told(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Files that came with a message stand in the transcript, for the person who may have to look at them."""
    return {"media": metadata["media"]} if metadata.get("media") else {}


def _talk(history: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(event["event"]), str(event.get("text", ""))) for event in history if event.get("event") in ("user", "bot"))
