"""A bot that follows a script: what it does for a text, a command or a session start is written down as events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult, Actions, NoActions, Utterance
from bot.dialogue.commands import Command, SetSlot, parse, parse_payload
from bot.dialogue.state import State
from bot.dialogue.understander import Understanding
from bot.language import Flow, Project, Slot

Event = Mapping[str, Any]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def bot(response: str = "", text: str = "", **more: Any) -> Event:
    return {"event": "bot", "response": response, "text": text, **more}


def slot(name: str, value: Any, by: str = "message") -> Event:
    return {"event": "slot", "name": name, "value": value, "by": by}


def started(flow: str) -> Event:
    return {"event": "flow_started", "flow": flow, "frame": "1.0", "kind": "regular"}


def completed(flow: str, step: str = "") -> Event:
    return {"event": "flow_completed", "flow": flow, "frame": "1.0", "step": step}


def cancelled(flow: str, step: str = "") -> Event:
    return {"event": "flow_cancelled", "flow": flow, "frame": "1.0", "step": step}


def action(name: str) -> Event:
    return {"event": "action", "name": name, "flow": "f", "step": "s"}


def offer(*flows: str) -> Event:
    """A clarification that offers flows."""
    return {**started("pattern_clarification"), "offered": flows}


@dataclass(frozen=True)
class FakeTurn:
    events: tuple[Event, ...]
    state: State
    understanding: Understanding | None


@dataclass
class FakeBot:
    """`script` is keyed by a text or a written command; `meanings` says what texts are understood to mean."""

    script: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    meanings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    greeting: Sequence[Event] = ()
    actions: Actions = field(default_factory=NoActions)
    errors: Mapping[str, Exception] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    project: Project = field(
        default_factory=lambda: Project(
            root=Path("."),
            flows={
                "pay_bill": Flow("pay_bill", "pays", (), "1", name="pay a bill", names={"ko": "요금 내기"}),
                "see_bill": Flow("see_bill", "shows", (), "1"),
            },
            slots={"plan": Slot("plan", initial_value="basic"), "amount": Slot("amount")},
            responses={},
            actions={},
            additional_languages=("ko",),
        )
    )

    async def start_session(self, conversation: str, **given: Any) -> FakeTurn:
        self.calls.append(("<start>", given))
        return await self._play(conversation, self.greeting, given, None)

    async def turn(self, conversation: str, text: str, *, commands: Sequence[Command] | None = None, **given: Any) -> FakeTurn:
        self.calls.append((text, {**given, "commands": commands}))
        if text in self.errors:
            raise self.errors[text]
        understanding = None
        if commands is None and (payload := parse_payload(text)) is not None:
            events: list[Event] = [slot(c.name, c.value, "payload") for c in payload if isinstance(c, SetSlot)]
            events += self.script.get(text, ())
        elif commands is None:
            understanding = Understanding(tuple(parse(meaning) for meaning in self.meanings.get(text, ())))
            keys = [text, *map(str, understanding.commands)]
            events = [event for key in keys for event in self.script.get(key, ())]
        else:
            events = [event for command in commands for event in self.script.get(str(command), ())]
        return await self._play(conversation, events, given, understanding)

    async def understand(self, conversation: str, text: str, **given: Any) -> Understanding:
        self.calls.append((f"understand {text}", given))
        return Understanding(tuple(parse(meaning) for meaning in self.meanings.get(text, ())))

    async def set_slots(self, conversation: str, slots: Mapping[str, Any]) -> None:
        self.calls.append(("<slots>", dict(slots)))
        state = self.states[conversation]
        self.states[conversation] = state.evolve(slots={**state.slots, **slots})

    async def _play(
        self, conversation: str, events: Sequence[Event], given: Mapping[str, Any], understanding: Understanding | None
    ) -> FakeTurn:
        state = self.states.get(conversation, State()).evolve(offered=())
        done: list[Event] = []
        for event in events:
            done.append(event)
            if event["event"] == "action":
                done += await self._run(conversation, str(event["name"]), given)
            if "offered" in event:
                state = state.evolve(offered=tuple(event["offered"]))
        for event in done:
            if event["event"] == "slot":
                state = state.evolve(slots={**state.slots, str(event["name"]): event["value"]})
        self.states[conversation] = state
        return FakeTurn(tuple(done), state, understanding)

    async def _run(self, conversation: str, name: str, given: Mapping[str, Any]) -> list[Event]:
        actions: Actions = given.get("actions") or self.actions
        if name not in actions.names:
            return []
        result = await actions.run(call(name, conversation))
        events = [slot(key, value, "action") for key, value in result.slots]
        return events + [bot(u.response, u.text, buttons=list(u.buttons)) for u in result.utterances]

    def opener(self) -> Callable[[], AbstractAsyncContextManager[FakeBot]]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[FakeBot]:
            self.calls.append(("<open>", {}))
            yield self
            self.calls.append(("<close>", {}))

        return opened

    def texts(self) -> list[str]:
        return [text for text, _ in self.calls]


def call(name: str, conversation: str = "c") -> ActionCall:
    return ActionCall(action=name, key="k", conversation=conversation, slots={}, text="", now=NOW, language="en", channel="text", domain={})


class RealActions:
    """Two actions that work, one that never does."""

    names = frozenset({"action_balance", "action_terms", "action_broken"})

    async def run(self, call: ActionCall) -> ActionResult:
        if call.action == "action_broken":
            raise ActionFailed("failed", call.action, "it never works")
        return ActionResult((("source", call.action),), (Utterance(text=f"really {call.action}"),))
