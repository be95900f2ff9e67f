"""Plays one case against a bot, message by message, and judges what came of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from bot.dialogue import slots
from bot.dialogue.commands import parse_payload
from bot.language import Project

from .matching import Event, Happened, judge
from .results import Check, Outcome, Status, TurnResult
from .scenarios import Case, Exchange
from .scoring import MessageScore, score_message
from .session import PlayedTurn, Session
from .stubs import StubbedActions
from .telling import tell_events

Understanding = Literal["commands", "local"]

_ADDRESS = ("sender", "channel", "language")
"""Metadata that says who writes and how, which the session API takes as arguments of their own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How cases are played.

    `understanding`: `commands` replays annotated messages and skips cases that lack annotations, `local` lets the bot understand every
    message; None decides by case: replayed if it can be, else understood. `score` compares what the bot understands with the annotation
    and goes on with the annotation, so that one error does not spoil the rest; a message misunderstood is then a failure.
    `strict`: messages nobody expected are failures. `aliases`: other names of responses.
    """

    understanding: Understanding | None = None
    strict: bool = False
    score: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)


async def play(
    case: Case,
    bot: Session,
    settings: Settings = Settings(),
    *,
    conversation: str,
    timer: Callable[[], float] = perf_counter,
) -> Outcome:
    """Plays a case in a conversation that must be new. Never raises for what the bot does: an exception fails the case."""
    began = timer()
    if case.problems:
        reason = "; ".join(map(str, case.problems))
        return Outcome(case.name, case.place, "failed", f"not readable: {reason}")
    if reason := _why_skipped(case, settings):
        return Outcome(case.name, case.place, "skipped", reason)
    player = _Player(case, bot, settings, _understood(case, settings), conversation)
    turns = await player.play()
    failure = next((turn for turn in turns if turn.status == "failed"), None)
    status: Status = "failed" if failure else "passed"
    reason = f"{failure.place}: {failure.reason}" if failure else ""
    return Outcome(case.name, case.place, status, reason, tuple(turns), timer() - began)


def _understood(case: Case, settings: Settings) -> bool:
    """Whether the bot's own understanding is used, rather than the annotated commands."""
    if settings.score or settings.understanding == "local":
        return True
    return settings.understanding is None and not all(exchange.is_replayable for exchange in case.exchanges)


def _why_skipped(case: Case, settings: Settings) -> str:
    if case.only_judged:
        return "everything asserted needs a judging model"
    if settings.understanding == "commands" and not settings.score:
        for exchange in case.exchanges:
            if not exchange.is_replayable:
                return f"no commands annotated ({exchange.place})"
    return ""


class _Player:
    """One case being played."""

    def __init__(self, case: Case, bot: Session, settings: Settings, understood: bool, conversation: str) -> None:
        self._case = case
        self._bot = bot
        self._settings = settings
        self._understood = understood
        self._conversation = conversation
        self._before: tuple[Event, ...] = ()
        self._score: MessageScore | None = None

    async def play(self) -> list[TurnResult]:
        """The turns up to the first exception. A failed check does not end the case: what follows is often telling."""
        results: list[TurnResult] = []
        exchanges = self._case.exchanges
        if exchanges[0].text is not None:
            exchanges = (Exchange(self._case.place, None), *exchanges)
        for exchange in exchanges:
            silent = exchange.text is None and not exchange.checks
            self._score = None
            try:
                turn = await (self._start(exchange) if exchange.text is None else self._say(exchange, exchange.text))
                if silent:
                    self._before = tuple(turn.events)
                else:
                    results.append(self._judged(exchange, turn))
                    self._before = ()
            except Exception as error:
                results.append(TurnResult(exchange.place, exchange.text, "failed", error=describe(error), score=self._score))
                break
        return results

    async def _start(self, exchange: Exchange) -> PlayedTurn:
        """The session start; fixtures are set right after it.

        Where the bot is expected to speak first and the start alone says nothing, the conversation is opened from our side
        (`/session_start`), as a channel would.
        """
        arguments = self._arguments(exchange)
        turn = await self._bot.start_session(self._conversation, **arguments)
        if exchange.checks and not any(event["event"] == "bot" for event in turn.events):
            self._before = tuple(turn.events)
            turn = await self._bot.turn(self._conversation, "/session_start", **arguments)
        if self._case.slots:
            await self._bot.set_slots(self._conversation, dict(self._case.slots))
        return turn

    async def _say(self, exchange: Exchange, text: str) -> PlayedTurn:
        """One message: replayed, understood, or understood and then replayed as annotated."""
        arguments = self._arguments(exchange)
        if exchange.is_payload and (exchange.commands is None or parse_payload(text) is not None):
            return await self._bot.turn(self._conversation, text, **arguments)
        if not self._understood:
            return await self._bot.turn(self._conversation, text, commands=exchange.commands, **arguments)
        if exchange.commands is None:
            return await self._bot.turn(self._conversation, text, **arguments)
        if self._settings.score:
            asked = {key: arguments[key] for key in ("channel", "language", "metadata") if key in arguments}
            understanding = await self._bot.understand(self._conversation, text, **asked)
            self._score = score_message(exchange.place, text, exchange.commands, understanding.commands)
            return await self._bot.turn(self._conversation, text, commands=exchange.commands, **arguments)
        turn = await self._bot.turn(self._conversation, text, **arguments)
        predicted = turn.understanding.commands if turn.understanding else ()
        self._score = score_message(exchange.place, text, exchange.commands, predicted)
        return turn

    def _arguments(self, exchange: Exchange) -> dict[str, Any]:
        metadata = {**self._case.metadata, **exchange.metadata}
        arguments: dict[str, Any] = {key: str(metadata.pop(key)) for key in _ADDRESS if metadata.get(key) is not None}
        if metadata:
            arguments["metadata"] = metadata
        if self._case.stubs:
            arguments["actions"] = StubbedActions(self._bot.actions, self._case.stubs)
        return arguments

    def _judged(self, exchange: Exchange, turn: PlayedTurn) -> TurnResult:
        project = self._bot.project
        happened = Happened(
            events=turn.events,
            before=self._before,
            slots=slots.values(turn.state, project),
            offered=_offered(turn, project),
            aliases=self._settings.aliases,
        )
        checks = judge(exchange, happened, strict=self._settings.strict)
        score = self._score
        if score is not None and not score.is_right and self._settings.score:
            checks = (_misunderstood(score), *checks)
        failed = any(check.status == "failed" for check in checks)
        return TurnResult(exchange.place, exchange.text, "failed" if failed else "passed", checks, tell_events(happened.all), score=score)


def _misunderstood(score: MessageScore) -> Check:
    expected, predicted = (", ".join(map(str, commands)) for commands in (score.expected, score.predicted))
    return Check(score.place, f"commands: {expected}", "failed", f"understood: {predicted}")


def _offered(turn: PlayedTurn, project: Project) -> frozenset[str]:
    """Ids and names of the flows offered to choose from, in every language of the project."""
    found: set[str] = set()
    for flow_id in turn.state.offered:
        found.add(flow_id)
        if (flow := project.flows.get(flow_id)) is not None:
            found.update((flow.readable_name, *(flow.named(language) for language in project.languages)))
    return frozenset(found)


def describe(error: BaseException) -> str:
    """An exception in one line: its type, what it says, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    said = str(error).strip().partition("\n")[0][:200]
    return f"{type(error).__name__}{where}" + (f": {said}" if said else "")
