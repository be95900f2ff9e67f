"""The composition root and the session API: `async with Bot.open(project) as bot: replies = await bot.say("conversation", "text")`.

The only module that knows both the framework and the integrations.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from bot.conversations import Conversations, Effects, FlowArchive, MemoryArchive, MemoryConversations, MemoryEffects, Stored, Waiting
from bot.dialogue.actions import Actions
from bot.dialogue.commands import Command
from bot.dialogue.conversation import Dialogue, Inbound, Outcome
from bot.dialogue.slots import with_value
from bot.dialogue.state import State
from bot.dialogue.understander import Message, Understander, Understanding
from bot.language import Compat, Flow, Loaded, Problem, Project, load
from bot.language.codec import flow_from_json, flow_to_json
from integrations.rasa.names import RESPONSE_ALIASES
from integrations.rasa.versions import documented_version

Clock = Callable[[], datetime]


class ProjectBroken(Exception):
    """A project with errors that keep it from running. `problems` says where and what to do."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems[:20])
        super().__init__(f"the project has {len(problems)} error(s); run `switchboard check`:\n{lines}")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to the customer. `response` names the response it came from, "" for literal text."""

    text: str
    response: str = ""
    buttons: tuple[Mapping[str, str], ...] = ()
    image: str = ""
    attachment: Any = None
    custom: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """A finished turn: what is said, what happened (plain dicts, in order), the state afterwards, how the message was understood."""

    replies: tuple[Reply, ...]
    events: tuple[Mapping[str, Any], ...]
    state: State
    understanding: Understanding


class Bot:
    """A project that answers. Open one with `Bot.open`; any number of conversations may talk to it at once."""

    def __init__(
        self,
        dialogue: Dialogue,
        *,
        store: Conversations,
        archive: FlowArchive,
        clock: Clock,
        problems: tuple[Problem, ...] = (),
        bss: Any = None,
    ) -> None:
        self._dialogue = dialogue
        self._store = store
        self._archive = archive
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._kept: dict[tuple[str, str], Flow] = {}
        self._archived: set[tuple[str, str]] = set()
        self._remembered = int((dialogue.project.settings.get("actions") or {}).get("history", 0))
        self.problems = problems
        self.bss = bss
        """The operator's systems this bot's actions use; None when the project needs none."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        project: Path | str | Project,
        *,
        compat: Compat | None = None,
        bss: Any = None,
        services: Mapping[str, object] | None = None,
        actions: Actions | None = None,
        understander: Understander | None = None,
        store: Conversations | None = None,
        archive: FlowArchive | None = None,
        effects: Effects | None = None,
        clock: Clock | None = None,
        lenient: bool = False,
    ) -> AsyncIterator[Bot]:
        """Opens a project's folder (or a loaded `Project`) as a bot; everything given replaces the embedded default.

        `bss` is handed to actions that ask for it; without one, a project whose actions ask for it gets the embedded operator.
        With `lenient`, actions that cannot be loaded are missing instead of an error, and told in `problems`: for trying a project out.
        `store` keeps conversations and `archive` the flow versions they run on (defaults: in memory).
        Raises ProjectNotFound, ProjectBroken, or ActionsImportError, each saying what to do.
        """
        now = clock or (lambda: datetime.now(UTC))
        problems: tuple[Problem, ...] = ()
        if not isinstance(project, Project):
            loaded = load_project(Path(project), compat)
            project, problems = loaded.project, loaded.problems
            if loaded.errors:
                raise ProjectBroken(loaded.errors)
        async with AsyncExitStack() as closing:
            offered = dict(services or {})
            if actions is None:
                actions, bss, missing = await _actions_of(project, offered, bss, now, closing, lenient)
                problems = (*problems, *missing)
            kept_flows: dict[tuple[str, str], Flow] = {}
            dialogue = Dialogue(
                project=project,
                actions=actions,
                understander=understander or LocalOnDemand(now),
                versions=lambda flow, version: kept_flows.get((flow, version)),
                effects=effects or MemoryEffects(),
                handoff_available=project.settings.get("handoff") == "queue",
                max_steps=int(project.settings.get("max_steps_per_turn", 250)),
                aliases=RESPONSE_ALIASES,
            )
            store = store or MemoryConversations()
            bot = cls(dialogue, store=store, archive=archive or _archive_of(store), clock=now, problems=problems, bss=bss)
            bot._kept = kept_flows
            yield bot

    @property
    def project(self) -> Project:
        return self._dialogue.project

    @property
    def dialogue(self) -> Dialogue:
        """The engine behind this bot, for tools that drive turns themselves."""
        return self._dialogue

    @property
    def actions(self) -> Actions:
        """The custom actions the bot runs unless a turn brings its own."""
        return self._dialogue.actions

    async def say(
        self,
        conversation: str,
        text: str,
        *,
        sender: str = "",
        channel: str = "text",
        language: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> list[Reply]:
        """Says something as the customer; returns what the bot answers. See `turn` for the arguments."""
        turn = await self.turn(conversation, text, sender=sender, channel=channel, language=language, metadata=metadata)
        return list(turn.replies)

    async def warm_up(self) -> None:
        """Does now what the first message would wait for, such as training the local understanding."""
        prepare = getattr(self._dialogue.understander, "prepare", None)
        if prepare is not None:
            await prepare(self.project)

    async def answer(
        self, conversation: str, stored: Mapping[str, Any] | None, inbound: Inbound, *, actions: Actions | None = None
    ) -> Outcome:
        """Runs one turn on a state that the caller loaded (None: the conversation begins) and will store itself: what a worker calls.

        Raises StateError for a state of another schema.
        """
        state = State() if stored is None else State.from_json(stored)
        await self._fetch_versions(state)
        inbound = replace(inbound, language=self._language(inbound.text, inbound.language, state))
        history = await self._store.events(conversation, self._remembered) if self._remembered and stored is not None else []
        outcome = await self._dialogue.turn(state, conversation, inbound, history, actions)
        await self._archive_versions(outcome.state)
        return outcome

    async def turn(
        self,
        conversation: str,
        text: str,
        *,
        commands: Sequence[Command] | None = None,
        sender: str = "",
        channel: str = "text",
        language: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        message_id: str = "",
        actions: Actions | None = None,
    ) -> Turn:
        """Runs one turn and stores it.

        `sender` is the customer's address (a phone number), known to `action_session_start`; `language` switches the conversation.
        With `commands` nothing is understood: they are applied as they are. `message_id` makes effects of a repeated delivery
        repeatable; by default it is the number of the turn. Raises ConflictError when another process took a turn meanwhile.
        """
        async with self._lock(conversation):
            stored = await self._store.load(conversation)
            inbound = Inbound(
                text=text,
                id=message_id or f"turn-{stored.version + 1 if stored else 1}",
                now=self._clock(),
                sender=sender,
                channel=channel,
                language=language or "",
                metadata=metadata or {},
                commands=tuple(commands) if commands is not None else None,
            )
            outcome = await self.answer(conversation, stored.state if stored else None, inbound, actions=actions)
            await self._store.save(conversation, outcome.state.to_json(), stored.version if stored else 0, outcome.events)
            return Turn(_replies(outcome.events), outcome.events, outcome.state, outcome.understanding)

    async def start_session(
        self,
        conversation: str,
        *,
        sender: str = "",
        channel: str = "text",
        language: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        actions: Actions | None = None,
    ) -> Turn:
        """Starts a conversation's session without a message, as `action_session_start` would before the first one."""
        async with self._lock(conversation):
            state, stored = await self._load(conversation)
            inbound = Inbound(
                "", f"session-{stored.version + 1 if stored else 1}", self._clock(), sender, channel, language or "", metadata or {}
            )
            outcome = await self._dialogue.open_session(state, conversation, inbound, (), actions)
            await self._save(conversation, outcome.state, stored, outcome.events)
            return Turn(_replies(outcome.events), outcome.events, outcome.state, outcome.understanding)

    async def understand(
        self,
        conversation: str,
        text: str,
        *,
        channel: str = "text",
        language: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Understanding:
        """What a message would be taken to mean now. Changes nothing."""
        state, _ = await self._load(conversation)
        message = Message(
            text, self._language(text, language or "", state) or state.language or self.project.language, channel, metadata or {}
        )
        return await self._dialogue.understander(message, state, self.project)

    async def set_slots(self, conversation: str, slots: Mapping[str, Any]) -> None:
        """Sets slots from outside the conversation (fixtures, an agent's desk). Raises KeyError for a slot the project lacks."""
        async with self._lock(conversation):
            state, stored = await self._load(conversation)
            events = []
            for name, value in slots.items():
                if name not in self.project.slots:
                    raise KeyError(f"there is no slot {name!r} in this project")
                state = with_value(state, self.project, name, value)
                events.append({"event": "slot", "name": name, "value": value, "by": "fixture"})
            await self._save(conversation, state, stored, events)

    async def state(self, conversation: str) -> State:
        """Where a conversation stands; the empty state for one that has not begun."""
        return (await self._load(conversation))[0]

    async def transcript(self, conversation: str, last: int = 100) -> list[dict[str, Any]]:
        """The latest events of a conversation, oldest first."""
        return await self._store.events(conversation, last)

    async def waiting(self) -> list[Waiting]:
        """Who waits for a person: most urgent first, then longest waiting, each with reason, summary, slots and path."""
        return await self._store.waiting()

    def publish(self, project: Project) -> None:
        """Takes a new version of the project into use. Conversations in a flow finish on the version they began."""
        for flow in self.project.flows.values():
            self._kept[flow.id, flow.version] = flow
        self._dialogue = replace(self._dialogue, project=project)

    # --- inside --------------------------------------------------------------------------------------------------------------------

    def _lock(self, conversation: str) -> asyncio.Lock:
        lock = self._locks.get(conversation)
        if lock is None:
            lock = self._locks[conversation] = asyncio.Lock()
        return lock

    async def _load(self, conversation: str) -> tuple[State, Stored | None]:
        stored = await self._store.load(conversation)
        if stored is None:
            return State(), None
        state = State.from_json(stored.state)
        await self._fetch_versions(state)
        return state, stored

    async def _fetch_versions(self, state: State) -> None:
        """Brings flow versions that a conversation still runs on, and that are not the published ones, from the archive."""
        for frame in state.stack:
            key = (frame.flow, frame.version)
            published = self.project.flows.get(frame.flow)
            if (published is not None and published.version == frame.version) or key in self._kept:
                continue
            if (body := await self._archive.find(*key)) is not None:
                self._kept[key] = flow_from_json(body)

    async def _save(self, conversation: str, state: State, stored: Stored | None, events: Sequence[Mapping[str, Any]]) -> None:
        await self._archive_versions(state)
        await self._store.save(conversation, state.to_json(), stored.version if stored else 0, events)

    async def _archive_versions(self, state: State) -> None:
        """Keeps the flow versions a conversation is in, before it is stored that it is in them."""
        for frame in state.stack:
            key = (frame.flow, frame.version)
            if key not in self._archived and (flow := self.project.flows.get(frame.flow)) is not None and flow.version == frame.version:
                await self._archive.keep(*key, flow_to_json(flow))
                self._archived.add(key)

    def _language(self, text: str, given: str, state: State) -> str:
        """The language to go on in: the one given, else the one the customer evidently writes in, else "" (no change).

        Korean speakers mix in English words ("agent", "ok"): leaving Korean takes a sentence of at least three words without Hangul.
        """
        if given:
            return given
        if len(self.project.languages) < 2 or text.startswith("/"):
            return ""
        from bot.understanding import detect_language

        detected = detect_language(text)
        if state.language == "ko" and state.turn > 1 and len(text.split()) < 3:
            return ""
        return detected if detected in self.project.languages and detected != state.language else ""


def _replies(events: Sequence[Mapping[str, Any]]) -> tuple[Reply, ...]:
    return tuple(
        Reply(
            text=event["text"],
            response=event["response"],
            buttons=tuple(event["buttons"]),
            image=event["image"],
            attachment=event["attachment"],
            custom=event["custom"],
            metadata=event.get("metadata") or {},
        )
        for event in events
        if event["event"] == "bot"
    )


def load_project(folder: Path, compat: Compat | None = None) -> Loaded:
    """Loads a project's folder, documented names of responses translated, its version of the dialect guessed if nothing names one.

    Raises ProjectNotFound.
    """
    guess = None
    if compat is None and not (folder / "switchboard.yml").exists() and folder.is_dir():
        guess = documented_version(folder)
    loaded = load(folder, compat=compat or (guess.compat if guess else None), aliases=RESPONSE_ALIASES)
    if guess is None:
        return loaded
    message = f"taken to be written for {guess.compat}, because of {guess.evidence!r}"
    note = Problem(guess.place, "info", "compat-guessed", message, "say it yourself: `compat` in switchboard.yml, or --compat")
    return replace(loaded, problems=(*loaded.problems, note))


def _archive_of(store: Conversations) -> FlowArchive:
    """A store that keeps flow versions itself is its own archive."""
    return store if isinstance(store, FlowArchive) else MemoryArchive()


class LocalOnDemand:
    """The local understander, trained when the first message needs it: replayed tests and tools never do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._trained: tuple[Project, Understander] | None = None
        self._training = asyncio.Lock()

    async def __call__(self, message: Message, state: State, project: Project) -> Understanding:
        return await (await self.prepare(project))(message, state, project)

    async def prepare(self, project: Project) -> Understander:
        """Trained for this project."""
        async with self._training:
            if self._trained is None or self._trained[0] is not project:
                from bot.understanding import LocalUnderstander

                self._trained = (project, await asyncio.to_thread(LocalUnderstander.train, project, now=self._clock))
            return self._trained[1]


async def _actions_of(
    project: Project, services: dict[str, object], bss: Any, clock: Clock, closing: AsyncExitStack, lenient: bool
) -> tuple[Actions, Any, tuple[Problem, ...]]:
    """The project's own actions in process, those of `actions.url` over HTTP. `operator: embedded` brings the embedded operator along."""
    from integrations.rasa import HttpActions, InProcessActions, MixedActions

    settings = project.settings.get("actions") or {}
    timeout = float(settings.get("timeout", 30))
    if bss is None and "bss" not in services and project.settings.get("operator") == "embedded":
        from integrations.bss.embedded import EmbeddedOperator

        bss = await closing.enter_async_context(EmbeddedOperator.open(now=clock))
    if bss is not None:
        services.setdefault("bss", bss)
    local = InProcessActions(project.root, services=services, timeout=timeout, lenient=lenient)
    closing.callback(local.close)
    if url := settings.get("url"):
        remote = HttpActions(str(url), timeout=timeout)
        closing.push_async_callback(remote.close)
        await remote.refresh()
        return MixedActions(local, remote), bss, local.problems
    return local, bss, local.problems
