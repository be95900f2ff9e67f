"""Judges one answer of the bot by what a test expects of it. Pure: events and slots in, checks out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.language import PATTERN_PREFIX

from .results import Check
from .scenarios import (
    ANY_ANSWER,
    ActionExecuted,
    Assertion,
    BotSays,
    ClarificationContains,
    Exchange,
    FlowEnded,
    FlowStarted,
    Judged,
    SlotNotSet,
    SlotSet,
    Uttered,
    Utters,
)
from .telling import tell, tell_bot
from .values import alike, normal, shown

Event = Mapping[str, Any]
CLARIFICATION = f"{PATTERN_PREFIX}clarification"


@dataclass(frozen=True, slots=True)
class Happened:
    """What an answer consists of. `events` are the turn's own, in order; `before` those of a session start just before it.

    What happened before may fulfil an expectation but never counts as surplus. `slots` holds every slot's value at the end of the turn;
    `offered` the ids and names of the flows the customer may choose from. `aliases` gives responses their names here.
    """

    events: Sequence[Event]
    before: Sequence[Event] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)
    offered: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Event, ...]:
        return (*self.before, *self.events)

    def same_response(self, expected: str, event: Event) -> bool:
        actual = str(event.get("response") or "")
        return bool(actual) and self.aliases.get(expected, expected) == self.aliases.get(actual, actual)


def judge(exchange: Exchange, happened: Happened, *, strict: bool = False) -> tuple[Check, ...]:
    """One check for each expectation, in order; with `strict` one more for each message nobody expected."""
    if exchange.assertions:
        return _judge_assertions(exchange, happened)
    return _judge_plain(exchange, happened, strict)


def _judge_plain(exchange: Exchange, happened: Happened, strict: bool) -> tuple[Check, ...]:
    """Plain steps: messages in order with others between them allowed, slots whenever they were set in the turn."""
    events = happened.all
    messages = [i for i, event in enumerate(events) if event["event"] == "bot"]
    matched: set[int] = set()
    cursor = 0
    checks: list[Check] = []
    for step in exchange.expected:
        if isinstance(step, SlotSet | SlotNotSet):
            checks.append(_slot_check(step, happened, events))
            continue
        fits = [i for i in messages if _says(step, events[i], happened)]
        found = next((i for i in fits if i >= cursor), None)
        if found is not None:
            matched.add(found)
            cursor = found + 1
            checks.append(_passed(step))
        elif any(i not in matched for i in fits):
            checks.append(_failed(step, "said, but before the messages expected above"))
        else:
            checks.append(_failed(step, _said_instead([events[i] for i in messages if i not in matched])))
    if strict:
        for i in messages:
            if i >= len(happened.before) and i not in matched:
                checks.append(Check(exchange.place, "no other message (strict)", "failed", f"said {tell_bot(events[i])}"))
    return tuple(checks)


def _says(step: BotSays | Utters, event: Event, happened: Happened) -> bool:
    if isinstance(step, BotSays):
        return normal(step.text) == normal(str(event.get("text") or ""))
    return step.response == ANY_ANSWER or happened.same_response(step.response, event)


def _slot_check(step: SlotSet | SlotNotSet, happened: Happened, events: Sequence[Event]) -> Check:
    holds = _holds(step, happened.slots.get(step.name)) or bool(_setters(step, events))
    if holds is isinstance(step, SlotSet):
        return _passed(step)
    return _failed(step, _slot_history(step.name, happened, events))


def _holds(step: SlotSet | SlotNotSet, value: Any) -> bool:
    return value is not None if step.bare else alike(step.value, value)


def _setters(step: SlotSet | SlotNotSet, events: Sequence[Event]) -> list[int]:
    """Where the slot was set so. What the end of a flow resets, or a rule refuses right away, was not set."""
    found: list[int] = []
    refused = False
    for i, event in reversed(list(enumerate(events))):
        if event["event"] != "slot" or event.get("name") != step.name:
            continue
        by = event.get("by")
        if by not in ("reset", "rejected") and not refused and _holds(step, event.get("value")):
            found.append(i)
        refused = by == "rejected" or (by == "fitted" and refused)
    return found[::-1]


def _slot_history(name: str, happened: Happened, events: Sequence[Event]) -> str:
    values = [shown(event.get("value")) for event in events if event["event"] == "slot" and event.get("name") == name]
    now = shown(happened.slots.get(name))
    if not values:
        return f"it is {now}, and was not set in this turn"
    return f"it was set to {', then '.join(values)} in this turn, and is {now} at its end"


def _judge_assertions(exchange: Exchange, happened: Happened) -> tuple[Check, ...]:
    """Assertions hold anywhere in the turn; ordered ones, each behind the one before it."""
    events = happened.all
    cursor = 0
    checks: list[Check] = []
    for assertion in exchange.assertions:
        start = cursor if exchange.ordered else 0
        check, at = _JUDGES[type(assertion)](assertion, happened, events, start)
        if check.status == "failed" and start and _JUDGES[type(assertion)](assertion, happened, events, 0)[0].status == "passed":
            check = _failed(assertion, "it happened, but before what is asserted above it (assertion_order_enabled)")
        checks.append(check)
        if at is not None and check.status == "passed":
            cursor = max(cursor, _behind(at, happened))
    return tuple(checks)


def _behind(at: int, happened: Happened) -> int:
    """Where to go on looking behind an event. The commands of a message are applied at once: what they set and start has no order."""
    first = len(happened.before)
    doing = (i for i, event in enumerate(happened.events, first) if event["event"] in ("step", "action", "bot"))
    return first if first <= at < next(doing, first + len(happened.events)) else at + 1


Judgement = tuple[Check, int | None]
"""A check, and the index of the event that fulfilled it, if one did."""


def _flow_started(step: FlowStarted, happened: Happened, events: Sequence[Event], start: int) -> Judgement:
    began = {str(e["flow"]): i for i, e in reversed(list(enumerate(events))) if i >= start and e["event"] == "flow_started"}
    found = [began[flow] for flow in step.flows if flow in began]
    if len(found) == len(step.flows) or (step.operator == "any" and found):
        return _passed(step), (max(found) if step.operator == "all" else min(found))
    started = [str(event["flow"]) for event in events if event["event"] == "flow_started"]
    return _failed(step, f"started: {', '.join(started) or 'nothing'}"), None


def _flow_ended(step: FlowEnded, happened: Happened, events: Sequence[Event], start: int) -> Judgement:
    kind = f"flow_{step.how}"
    for i, event in enumerate(events):
        if i >= start and event["event"] == kind and event["flow"] == step.flow and step.step in ("", event.get("step")):
            return _passed(step), i
    ended = [f"{event['flow']} at {event.get('step') or 'its start'}" for event in events if event["event"] == kind]
    return _failed(step, f"{step.how}: {', '.join(ended) or 'nothing'}"), None


def _action_executed(step: ActionExecuted, happened: Happened, events: Sequence[Event], start: int) -> Judgement:
    for i, event in enumerate(events):
        if i >= start and (
            (event["event"] == "action" and event["name"] == step.name)
            or (event["event"] == "bot" and happened.same_response(step.name, event))
        ):
            return _passed(step), i
    ran = dict.fromkeys(str(event["name"]) for event in events if event["event"] == "action")
    return _failed(step, f"ran: {', '.join(ran) or 'nothing'}"), None


def _slot_set(step: SlotSet, happened: Happened, events: Sequence[Event], start: int) -> Judgement:
    setters = _setters(step, events)
    at = next((i for i in setters if i >= start), None)
    if at is not None:
        return _passed(step), at
    if not setters and _holds(step, happened.slots.get(step.name)):
        return _passed(step), None
    return _failed(step, _slot_history(step.name, happened, events)), None


def _slot_not_set(step: SlotNotSet, happened: Happened, events: Sequence[Event], start: int) -> Judgement:
    return _slot_check(step, happened, events), None


def _uttered(step: Uttered, happened: Happened, events: Sequence[Event], start: int) -> Judgement:
    if not step.wanted:
        for event in happened.events:
            if event["event"] == "bot" and _fits(step, event, happened):
                return _failed(step, f"said {tell_bot(event)}"), None
        return _passed(step), None
    for i, event in enumerate(events):
        if i >= start and event["event"] == "bot" and _fits(step, event, happened):
            return _passed(step), i
    return _failed(step, _said_instead([event for event in events if event["event"] == "bot"], buttons=bool(step.buttons))), None


def _fits(step: Uttered, event: Event, happened: Happened) -> bool:
    if step.response and not happened.same_response(step.response, event):
        return False
    if step.text and not step.text.search(str(event.get("text") or "")):
        return False
    there = event.get("buttons") or ()
    return all(
        any(all(normal(str(button.get(key, ""))) == normal(text) for key, text in wanted.items()) for button in there)
        for wanted in step.buttons
    )


def _clarification(step: ClarificationContains, happened: Happened, events: Sequence[Event], start: int) -> Judgement:
    at = next((i for i, e in enumerate(events) if i >= start and e["event"] == "flow_started" and e["flow"] == CLARIFICATION), None)
    if at is None:
        return _failed(step, "nothing was offered to choose from"), None
    found = [name for name in step.names if name in happened.offered]
    if len(found) == len(step.names) or (step.operator == "any" and found):
        return _passed(step), at
    return _failed(step, f"offered: {', '.join(sorted(happened.offered)) or 'nothing'}"), None


def _judged(step: Judged, happened: Happened, events: Sequence[Event], start: int) -> Judgement:
    return Check(step.place, tell(step), "skipped", "needs a judging model"), None


_JUDGES: Mapping[type[Assertion], Callable[[Any, Happened, Sequence[Event], int], Judgement]] = {
    FlowStarted: _flow_started,
    FlowEnded: _flow_ended,
    ActionExecuted: _action_executed,
    SlotSet: _slot_set,
    SlotNotSet: _slot_not_set,
    Uttered: _uttered,
    ClarificationContains: _clarification,
    Judged: _judged,
}


def _said_instead(messages: Sequence[Event], *, buttons: bool = False) -> str:
    said = "; ".join(tell_bot(message, buttons=buttons) for message in messages)
    return f"said instead: {said}" if said else "nothing else was said"


def _passed(step: Assertion | BotSays | Utters) -> Check:
    return Check(step.place, tell(step), "passed")


def _failed(step: Assertion | BotSays | Utters, actual: str) -> Check:
    return Check(step.place, tell(step), "failed", actual)
