"""What a message asks for, in typed form: the whole vocabulary between understanding and dialogue.

Spelled as documented (`StartFlow(transfer_money)`, `SetSlot(amount, 50)`, ...): `str(command)` writes that form, `parse` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


class CommandSyntaxError(ValueError):
    """A written command that cannot be read; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class StartFlow:
    flow: str

    def __str__(self) -> str:
        return f"StartFlow({self.flow})"


@dataclass(frozen=True, slots=True)
class SetSlot:
    """`source` tells who says so: `message` (understood from words), or `payload` (a button: set as it is, no correction)."""

    name: str
    value: Any
    source: Literal["message", "payload"] = "message"

    def __str__(self) -> str:
        return f"SetSlot({self.name}, {self.value})"


@dataclass(frozen=True, slots=True)
class CancelFlow:
    def __str__(self) -> str:
        return "CancelFlow()"


@dataclass(frozen=True, slots=True)
class Clarify:
    """The message could mean one of several flows."""

    flows: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"Clarify({', '.join(self.flows)})"


@dataclass(frozen=True, slots=True)
class SkipQuestion:
    def __str__(self) -> str:
        return "SkipQuestion()"


@dataclass(frozen=True, slots=True)
class ChitChat:
    def __str__(self) -> str:
        return "ChitChat()"


@dataclass(frozen=True, slots=True)
class SearchAndReply:
    def __str__(self) -> str:
        return "SearchAndReply()"


@dataclass(frozen=True, slots=True)
class HumanHandoff:
    def __str__(self) -> str:
        return "HumanHandoff()"


@dataclass(frozen=True, slots=True)
class RepeatLastBotMessages:
    def __str__(self) -> str:
        return "RepeatLastBotMessages()"


@dataclass(frozen=True, slots=True)
class CannotHandle:
    """Nothing sensible was understood. `reason` is passed to the pattern as `context.reason`."""

    reason: str = "cannot_handle_default"

    def __str__(self) -> str:
        return "CannotHandle()"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A pattern asked for by name from outside the conversation: `/session_start`, `/restart`, `/silence_timeout`, bad input."""

    pattern: str
    context: Mapping[str, Any]

    def __str__(self) -> str:
        return f"Trigger({self.pattern})"


Command = (
    StartFlow
    | SetSlot
    | CancelFlow
    | Clarify
    | SkipQuestion
    | ChitChat
    | SearchAndReply
    | HumanHandoff
    | RepeatLastBotMessages
    | CannotHandle
    | Trigger
)

_WRITTEN = re.compile(r"^\s*(?P<name>[A-Za-z]+)\s*\((?P<arguments>.*)\)\s*$", re.DOTALL)
_PLAIN: Mapping[str, Command] = {
    "CancelFlow": CancelFlow(),
    "Cancel": CancelFlow(),
    "SkipQuestion": SkipQuestion(),
    "ChitChat": ChitChat(),
    "SearchAndReply": SearchAndReply(),
    "HumanHandoff": HumanHandoff(),
    "RepeatLastBotMessages": RepeatLastBotMessages(),
    "CannotHandle": CannotHandle(),
}
_COMPACT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), form)
    for pattern, form in (
        (r"^start\s+flow\s+(?P<a>\S+)$", "StartFlow"),
        (r"^set\s+slot\s+(?P<a>\S+)\s+(?P<b>.+)$", "SetSlot"),
        (r"^cancel(\s+flow)?$", "CancelFlow"),
        (r"^(disambiguate|clarify)\s+flows?(?P<a>.*)$", "Clarify"),
        (r"^skip(\s+question)?$", "SkipQuestion"),
        (r"^(offtopic\s+reply|chitchat)$", "ChitChat"),
        (r"^(provide\s+info|search(\s+and\s+reply)?)$", "SearchAndReply"),
        (r"^hand\s*over$", "HumanHandoff"),
        (r"^repeat(\s+message)?$", "RepeatLastBotMessages"),
        (r"^cannot\s+handle$", "CannotHandle"),
    )
)


def parse(text: str) -> Command:
    """Reads one command in either documented spelling: `SetSlot(name, value)` or `set slot name value`.

    Raises CommandSyntaxError when it is neither.
    """
    if match := _WRITTEN.match(text):
        return _from_parts(match["name"], match["arguments"], text)
    stripped = text.strip()
    for pattern, form in _COMPACT:
        if match := pattern.match(stripped):
            groups = match.groupdict()
            arguments = groups.get("a") or ""
            if form == "SetSlot":
                arguments = f"{arguments},{groups['b']}"
            elif form == "Clarify":
                arguments = ",".join(arguments.replace(",", " ").split())
            return _from_parts(form, arguments, text)
    raise CommandSyntaxError(f"cannot read the command {text!r}: expected e.g. StartFlow(flow), SetSlot(slot, value), CancelFlow()")


def _from_parts(name: str, arguments: str, text: str) -> Command:
    arguments = arguments.strip()
    if name in _PLAIN:
        return _PLAIN[name]
    if name == "StartFlow" and arguments:
        return StartFlow(_unquote(arguments))
    if name == "SetSlot":
        slot, comma, value = arguments.partition(",")
        if comma and slot.strip():
            return SetSlot(_unquote(slot), value_of(value))
    if name == "Clarify":
        return Clarify(tuple(_unquote(flow) for flow in arguments.split(",") if flow.strip()))
    raise CommandSyntaxError(f"cannot read the command {text!r}: {name} is unknown or lacks an argument")


def _unquote(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def value_of(text: str) -> Any:
    """A written value as a slot gets it: None/null/undefined empty it, all else stays text (slots coerce by their type).

    A small `none` is an answer ("none of them"), as the documented question which flow to go on with expects.
    """
    stripped = text.strip()
    if stripped == "None" or stripped.lower() in ("null", "undefined"):
        return None
    return _unquote(stripped)


_PAYLOAD = re.compile(r"^/?\s*SetSlots?\s*\((?P<pairs>.*)\)\s*$", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(r"""\s*(?P<name>[\w.-]+)\s*=\s*(?P<value>"[^"]*"|'[^']*'|[^,]*)\s*(?:,|$)""")


_TRIGGERS: Mapping[str, str] = {
    "/session_start": "pattern_session_start",
    "/restart": "pattern_restart",
    "/silence_timeout": "pattern_user_silence",
}


def parse_payload(text: str) -> tuple[Command, ...] | None:
    """Commands of a message that is no human language: a button's payload (`/SetSlots(a=b, c=d)`) or a trigger (`/session_start`).

    None when the text is neither: then it needs to be understood. Designers forget the slash of a payload, so it may be missing.
    """
    if (pattern := _TRIGGERS.get(text.strip().lower())) is not None:
        return (Trigger(pattern, {}),)
    match = _PAYLOAD.match(text.strip())
    if match is None:
        return None
    return tuple(SetSlot(pair["name"], value_of(pair["value"]), "payload") for pair in _PAIR.finditer(match["pairs"]))
