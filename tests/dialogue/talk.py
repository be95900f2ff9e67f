"""A conversation with the engine alone: commands in, names of responses out; the state goes through JSON after every turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.conversations import Effects
from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult, NoActions
from bot.dialogue.commands import CannotHandle, Command, parse, parse_payload
from bot.dialogue.conversation import Dialogue, Inbound
from bot.dialogue.state import State
from bot.dialogue.understander import Message, Understanding
from bot.language import Flow, Project, load


class FakeActions:
    """Custom actions from functions: name -> (call -> result)."""

    def __init__(self, **functions: Any) -> None:
        self.functions = functions
        self.calls: list[ActionCall] = []

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.functions)

    async def run(self, call: ActionCall) -> ActionResult:
        self.calls.append(call)
        if call.action not in self.functions:
            raise ActionFailed("unknown", call.action, "no such action")
        result = self.functions[call.action](call)
        return result if isinstance(result, ActionResult) else ActionResult(slots=tuple((result or {}).items()))


async def _cannot(message: Message, state: State, project: Project) -> Understanding:
    return Understanding((CannotHandle(),))


def project_of(folder: Path, text: str, compat: Any = "3.11", **files: str) -> Project:
    """A project in the documented layout, from the text of one file (flows and domain together)."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "all.yml").write_text(text, encoding="utf-8")
    (folder / "domain.yml").write_text("version: '3.1'\n", encoding="utf-8")
    loaded = load(folder, compat=compat)
    assert not loaded.errors, [str(problem) for problem in loaded.errors]
    return loaded.project


class Talk:
    """`say("StartFlow(a)", "SetSlot(b, c)")` plays one turn and returns what was said: response names, or texts where there is no name."""

    def __init__(
        self, project: Project, actions: Any = None, *, effects: Effects | None = None, handoff: bool = False, max_steps: int = 250
    ):
        self.old: dict[tuple[str, str], Flow] = {}
        self.dialogue = Dialogue(
            project=project,
            actions=actions or NoActions(),
            understander=_cannot,
            versions=lambda flow, version: self.old.get((flow, version)),
            effects=effects,
            handoff_available=handoff,
            max_steps=max_steps,
        )
        self.state = State()
        self.events: tuple[Mapping[str, Any], ...] = ()
        self.now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
        self.number = 0

    @property
    def project(self) -> Project:
        return self.dialogue.project

    async def type(self, text: str) -> list[str]:
        """What a customer types, word for word: nothing is given to the engine but the text."""
        self.number += 1
        outcome = await self.dialogue.turn(self.state, "c", Inbound(text, f"m{self.number}", self.now))
        self.events, self.state = outcome.events, outcome.state
        return self.said()

    async def say(self, *commands: str | Command, text: str = "words", **inbound: Any) -> list[str]:
        parsed: list[Command] = []
        for command in commands:
            if isinstance(command, str) and command.startswith("/"):
                parsed.extend(parse_payload(command) or ())
            else:
                parsed.append(parse(command) if isinstance(command, str) else command)
        self.number += 1
        self.now += timedelta(seconds=10)
        message = Inbound(text, f"m{self.number}", self.now, commands=tuple(parsed), **inbound)
        outcome = await self.dialogue.turn(self.state, "c", message)
        self.events = outcome.events
        stored = json.loads(json.dumps(outcome.state.to_json(), ensure_ascii=False))
        self.state = State.from_json(stored)
        assert self.state == outcome.state, "the state does not survive JSON"
        return self.said()

    def said(self) -> list[str]:
        return [event["response"] or event["text"] for event in self.events if event["event"] == "bot"]

    def texts(self) -> list[str]:
        return [event["text"] for event in self.events if event["event"] == "bot"]

    def problems(self) -> list[str]:
        return [event["code"] for event in self.events if event["event"] == "problem"]

    def slot(self, name: str) -> Any:
        if name in self.state.slots:
            return self.state.slots[name]
        return self.project.initial_values.get(name)

    def owner(self) -> str:
        return self.state.owner

    def stack(self) -> list[str]:
        return [frame.flow for frame in self.state.stack]
