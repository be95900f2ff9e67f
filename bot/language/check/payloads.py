"""Button payloads, read strictly: `/SetSlots(a=b, c="d, e")`. What a button cannot say is reported before a customer presses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..builtins import TRIGGER_PAYLOADS
from ..spec import Problem, Severity
from .values import misfit, value_hint
from .view import View, did_you_mean

_SET_SLOTS = re.compile(r"^/\s*SetSlots?\b", re.IGNORECASE)
_WHOLE = re.compile(r"^/\s*SetSlots?\s*\((?P<pairs>.*)\)\s*$", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(r"""\s*(?P<name>[\w.-]+)\s*=\s*(?P<value>"[^"]*"|'[^']*'|[^,"'=]*)\s*(?:,|$)""")
_EMPTY = ("none", "null", "undefined")


class Finding(NamedTuple):
    """What is wrong with a payload."""

    severity: Severity
    code: str
    message: str
    hint: str


def is_set_slots(payload: str) -> bool:
    return _SET_SLOTS.match(payload.strip()) is not None


def pairs_of(payload: str) -> tuple[tuple[str, str], ...] | None:
    """The slots a `/SetSlots(...)` payload fills and the values it writes; None when it cannot be read."""
    whole = _WHOLE.match(payload.strip())
    if whole is None:
        return None
    found: list[tuple[str, str]] = []
    text, position = whole["pairs"].strip(), 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            return None
        value = match["value"].strip()
        found.append((match["name"], value[1:-1] if len(value) > 1 and value[0] in "'\"" else value))
        position = match.end()
    return tuple(found) or None


def buttons(view: View) -> Iterator[Problem]:
    for response, variation in view.variations():
        for button in variation.buttons:
            what = f"button `{button.title}` of `{response.name}`"
            if not button.title.strip():
                message = f"a button of `{response.name}` has no title"
                yield Problem(variation.place, "error", "button-without-title", message, "customers see the title")
            for severity, code, message, hint in _payload(view, button.payload):
                yield Problem(variation.place, severity, code, f"{what}: {message}", hint)


def _payload(view: View, payload: str) -> Iterator[Finding]:
    written = payload.strip()
    if not written:
        yield Finding("error", "bad-payload", "the payload is empty", "write what the customer would say, or `/SetSlots(slot=value)`")
    elif is_set_slots(written):
        pairs = pairs_of(written)
        if pairs is None:
            yield Finding("error", "bad-payload", f"cannot read the payload {written!r}", 'write `/SetSlots(slot=value, other="a, b")`')
        for name, value in pairs or ():
            yield from _pair(view, name, value)
    elif written.startswith("/") and written[1:].split("{")[0].strip() not in TRIGGER_PAYLOADS:
        hint = did_you_mean(written[1:].split("(")[0], ["SetSlots", *TRIGGER_PAYLOADS], "write `/SetSlots(slot=value)`, or plain text")
        yield Finding("error", "bad-payload", f"the payload {written!r} is not known: there are no intents here", hint)


def _pair(view: View, name: str, value: str) -> Iterator[Finding]:
    slot = view.slots.get(name)
    if slot is None:
        hint = did_you_mean(name, view.slots, "add it under `slots:` in the domain")
        yield Finding("error", "unknown-slot", f"the payload sets slot `{name}`, and there is no such slot", hint)
    elif "{" not in value and value.lower() not in _EMPTY and (wrong := misfit(slot, value)):
        yield Finding("error", "value-wrong-type", f"the payload sets `{name}`: {wrong}", value_hint(slot, value))
