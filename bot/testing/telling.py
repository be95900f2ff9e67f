"""Puts expectations and events into words, a line each, in the words of the test format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .scenarios import (
    ActionExecuted,
    Assertion,
    BotSays,
    ClarificationContains,
    Expectation,
    FlowEnded,
    FlowStarted,
    Judged,
    SlotNotSet,
    SlotSet,
    Uttered,
)
from .values import normal, shown


def tell(step: Expectation | Assertion) -> str:
    """What is expected, e.g. `slot_was_set: amount = 50`."""
    match step:
        case BotSays():
            return f"bot: {shown(normal(step.text))}"
        case SlotSet() | SlotNotSet():
            kind = "slot_was_set" if isinstance(step, SlotSet) else "slot_was_not_set"
            return f"{kind}: {step.name}" if step.bare else f"{kind}: {step.name} = {shown(step.value)}"
        case FlowStarted():
            return f"flow_started: {_names(step.flows, step.operator)}"
        case FlowEnded():
            return f"flow_{step.how}: {step.flow}" + (f" at {step.step}" if step.step else "")
        case ActionExecuted():
            return f"action_executed: {step.name}"
        case Uttered():
            parts = [step.response] if step.response else []
            parts += [f"text_matches {shown(step.text.pattern)}"] if step.text else []
            parts += [f"buttons {_buttons(step.buttons)}"] if step.buttons else []
            return f"{'bot_uttered' if step.wanted else 'bot_did_not_utter'}: {', '.join(parts)}"
        case ClarificationContains():
            return f"pattern_clarification_contains: {_names(step.names, step.operator)}"
        case Judged():
            return step.kind
        case _:
            return f"utter: {step.response}"


def tell_bot(event: Mapping[str, Any], *, buttons: bool = False) -> str:
    """A message of the bot: the response's name, its text, its buttons if asked for."""
    response = str(event.get("response") or "")
    text = normal(str(event.get("text") or ""))
    parts = ([response] if response else []) + ([shown(text)] if text else [])
    if buttons:
        parts.append(f"buttons {_buttons(event.get('buttons') or ())}")
    return " ".join(parts) or "something without text"


def tell_events(events: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What happened in a turn, without the single steps of flows."""
    lines = (_tell_event(event) for event in events)
    return tuple(line for line in lines if line)


def _tell_event(event: Mapping[str, Any]) -> str:
    match event["event"]:
        case "bot":
            return f"bot: {tell_bot(event, buttons=bool(event.get('buttons')))}"
        case "slot":
            return f"slot: {event.get('name')} = {shown(event.get('value'))}" + (f" (by {by})" if (by := event.get("by")) else "")
        case "commands":
            return f"commands: {', '.join(event.get('commands') or ()) or 'none'}"
        case "action":
            return f"action: {event.get('name')}"
        case "flow_started" | "flow_completed" | "flow_cancelled" | "flow_interrupted" | "flow_resumed" as kind:
            step = f" at {event['step']}" if event.get("step") and kind != "flow_started" else ""
            return f"{kind}: {event.get('flow')}{step}"
        case "handoff":
            return f"handoff: {event.get('reason')}"
        case "ignored":
            return f"ignored: {event.get('command')} ({event.get('why')})"
        case "problem":
            return f"problem: {event.get('code')} {event.get('detail')}"
        case _:
            return ""


def _names(names: Sequence[str], operator: str) -> str:
    return (" and " if operator == "all" else " or ").join(names)


def _buttons(buttons: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(" ".join(f"[{value}]" for value in button.values()) for button in buttons) or "none"
