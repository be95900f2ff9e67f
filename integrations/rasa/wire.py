"""The documented shapes: a call as tracker JSON, and an action's events and messages as an ActionResult. Pure functions.

Source of the formats: the action server reference of Rasa 3.x and rasa-sdk 3.21 (`rasa_sdk.events`, `rasa_sdk.executor`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult, Utterance

EVENTS = frozenset(
    [
        "user",
        "bot",
        "slot",
        "restart",
        "session_started",
        "session_ended",
        "rewind",
        "reset_slots",
        "reminder",
        "cancel_reminder",
        "undo",
        "export",
        "followup",
        "pause",
        "resume",
        "action",
        "agent",
        "active_loop",
        "form",
        "loop_interrupted",
        "form_validation",
        "action_execution_rejected",
    ]
)
"""Every event name rasa-sdk 3.21 can make."""

_MESSAGE_KEYS = frozenset(["text", "buttons", "elements", "custom", "template", "response", "image", "attachment"])
_WIPING = frozenset({"reset_slots", "restart"})


class _NotJson(ValueError):
    """A value JSON cannot hold; the message says where and which type, never the value."""


def tracker_json(call: ActionCall) -> dict[str, Any]:
    """The call as the tracker dictionary actions know. Shares no mutable value with the call."""
    metadata = {
        **plain(call.metadata),
        "idempotency_key": call.key,
        "now": call.now.isoformat(),
        "language": call.language,
        "channel": call.channel,
        "active_flow": call.active_flow,
    }
    slots = plain(call.slots)
    timestamp = call.now.timestamp()
    message = {"text": call.text, "intent": {"name": None, "confidence": 0.0}, "entities": [], "metadata": metadata}
    events = [plain(event) for event in call.events if isinstance(event.get("event"), str)]
    last_user = next((event for event in reversed(events) if event["event"] == "user"), None)
    if last_user is None or last_user.get("text") != call.text:
        events.append(
            {"event": "user", "text": call.text, "input_channel": call.channel, "metadata": plain(metadata), "timestamp": timestamp}
        )
    if call.candidate is not None:
        name, value = call.candidate[0], plain(call.candidate[1])
        slots[name] = value
        if events[-1]["event"] == "slot":  # only the candidate may trail: earlier slots were judged before
            events.append({"event": "action", "name": "action_extract_slots", "timestamp": timestamp})
        events.append({"event": "slot", "name": name, "value": plain(value), "timestamp": timestamp})
    return {
        "sender_id": call.conversation,
        "slots": slots,
        "latest_message": message,
        "latest_event_time": timestamp,
        "latest_input_channel": call.channel,
        "events": events,
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": next((e.get("name") for e in reversed(events) if e["event"] == "action"), "action_listen"),
        "stack": _stack(call),
    }


def _stack(call: ActionCall) -> list[dict[str, Any]]:
    """Frames under their documented names, bottom first."""
    frames = [plain(frame) for frame in call.stack]
    if not frames and call.active_flow:
        frames = [{"flow": call.active_flow}]
    return [
        frame
        if "flow_id" in frame
        else {
            "type": "flow",
            "frame_id": frame.get("id", ""),
            "flow_id": frame.get("flow", ""),
            "step_id": frame.get("step", ""),
            "frame_type": frame.get("kind", "regular"),
        }
        for frame in frames
    ]


def with_form(domain: Mapping[str, Any], slot: str) -> dict[str, Any]:
    """The domain with a form of one slot, so that a FormValidationAction named `validate_<slot>` judges this slot."""
    return {**domain, "forms": {**(domain.get("forms") or {}), slot: {"required_slots": [slot]}}}


def result_of(action: str, events: Any, messages: Sequence[Mapping[str, Any]]) -> ActionResult:
    """What an action returned, checked. Raises ActionFailed `bad_event`.

    Messages of the dispatcher come before `bot` events, as documented. Slots set before a `reset_slots` or `restart` are
    dropped, so the reader applies those two first and the slots afterwards.
    """
    if events is None:
        events = []
    if not isinstance(events, list | tuple):
        raise ActionFailed("bad_event", action, f"returned {type(events).__name__} instead of a list of events or None")
    slots: list[tuple[str, Any]] = []
    said = [utterance for message in messages if (utterance := _utterance(action, message)) is not None]
    others: list[Mapping[str, Any]] = []
    for event in events:
        kind = event.get("event") if isinstance(event, Mapping) else None
        if not isinstance(kind, str) or kind not in EVENTS:
            told = f"event {kind!r}" if isinstance(kind, str) and kind.isidentifier() else f"an unknown event ({type(event).__name__})"
            raise ActionFailed("bad_event", action, f"returned {told}; use the constructors of rasa_sdk.events")
        if kind == "slot":
            name = event.get("name")
            if not isinstance(name, str) or not name:
                raise ActionFailed("bad_event", action, "returned a slot event without a name")
            if name != "requested_slot":  # forms only, which the dialect refuses
                slots.append((name, _checked(action, f"slot {name}", event.get("value"))))
        elif kind == "bot":
            data = event.get("data") if isinstance(event.get("data"), Mapping) else {}
            utterance = _utterance(action, {**(data or {}), "text": event.get("text")})
            if utterance is not None:
                said.append(utterance)
        else:
            if kind == "followup" and not isinstance(event.get("name"), str):
                raise ActionFailed("bad_event", action, "returned a followup event without the name of an action")
            if kind in _WIPING:
                slots.clear()
            others.append(_checked(action, f"event {kind}", event))
    return ActionResult(slots=tuple(slots), utterances=tuple(said), events=tuple(others))


def _utterance(action: str, message: Mapping[str, Any]) -> Utterance | None:
    response = message.get("response") or message.get("template") or ""
    where = f"message {response}" if response else "message"
    if not isinstance(response, str):
        raise ActionFailed("bad_event", action, f"uttered a response whose name is {type(response).__name__}, not text")
    content = _checked(action, where, {key: message.get(key) for key in _MESSAGE_KEYS})
    values = _checked(action, where, {key: value for key, value in message.items() if key not in _MESSAGE_KEYS})
    buttons = content["buttons"] or []
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise ActionFailed("bad_event", action, f"{where}: buttons must be a list of dictionaries with title and payload")
    custom = content["custom"] or None
    if content["elements"]:
        custom = {**(custom if isinstance(custom, dict) else {"custom": custom} if custom else {}), "elements": content["elements"]}
    utterance = Utterance(
        response=response,
        text=_text(content["text"]),
        buttons=tuple(buttons),
        image=_text(content["image"]),
        attachment=content["attachment"] or None,
        custom=custom,
        values=values,
    )
    return utterance if utterance != Utterance(values=values) else None


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def plain(value: Any) -> Any:
    """A deep copy in plain dictionaries and lists; leaves are kept as they are."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _checked(action: str, where: str, value: Any) -> Any:
    try:
        return _json(value, 0)
    except _NotJson as error:
        raise ActionFailed("bad_event", action, f"{where}: {error}") from None


def _json(value: Any, depth: int) -> Any:
    """A deep copy in exactly the types JSON reads back, so that a stored result equals a fresh one."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _NotJson("NaN and infinity are not JSON; use null")
        return float(value)
    if depth > 100:
        raise _NotJson("nested more than 100 deep, or contains itself")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise _NotJson("a dictionary has keys that are not text, which JSON cannot hold")
        return {str.__str__(key): _json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item, depth + 1) for item in value]
    raise _NotJson(f"{type(value).__name__} is not JSON; use text, a number, a list or a dictionary")
