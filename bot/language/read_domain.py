"""Reads what a domain declares besides responses: slots, actions, the session."""

from __future__ import annotations

import re
from typing import get_args

from . import refusals
from .reading import Reading
from .spec import ActionSpec, Place, SessionSettings, Slot, SlotType, Validation
from .yamlfile import Node

SLOT_KEYS = (
    "type", "initial_value", "values", "min_value", "max_value", "mappings", "validation", "entity",
    "shared_for_coexistence", "influence_conversation", "auto_fill",
)  # fmt: skip
MAPPING_KEYS = (
    "type", "action", "run_action_every_turn", "coexistence_system", "allow_nlu_correction",
    "entity", "role", "group", "intent", "not_intent", "value", "conditions",
)  # fmt: skip
SESSION_KEYS = ("session_expiration_time", "carry_over_slots_to_new_session", "start_session_after_expiry")
ACTION_KEYS = ("read_only", "idempotent", "send_domain")
_TYPES: tuple[SlotType, ...] = get_args(SlotType)
_SLOT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def read_slot(reading: Reading, name: str, node: Node, place: Place) -> Slot | None:
    """One slot of `slots: {name: {...}}`; None, with a problem, when its name or shape cannot be used."""
    if not _SLOT_NAME.match(name):
        reading.report(place, "bad-id", f"`{name}` is no name of a slot", "use letters, digits and `_`, no digit first")
        return None
    if node.entries is None and not node.is_null:
        reading.report(node, "bad-slot", f"slot `{name}` is {node.kind}, not a mapping", "write `type: text` below its name")
        return None
    what = f"slot `{name}`"
    reading.unknown_keys(node, SLOT_KEYS, what)
    if node.get("shared_for_coexistence"):
        reading.refuse(node.key_place("shared_for_coexistence"), refusals.COEXISTENCE)
    kind = _type(reading, node.get("type"), what, place)
    values = _values(reading, node.get("values"), what, kind)
    initial = node.get("initial_value")
    return Slot(
        name=name,
        type=kind,
        initial_value=initial.data if initial is not None else None,
        values=values,
        minimum=reading.number(node.get("min_value"), "`min_value`", "bad-slot"),
        maximum=reading.number(node.get("max_value"), "`max_value`", "bad-slot"),
        controlled=_controlled(reading, node.get("mappings"), what),
        validation=_validation(reading, node.get("validation")),
        entity=reading.text(node.get("entity"), "`entity`", "bad-slot").strip(),
        place=place,
    )


def _type(reading: Reading, node: Node | None, what: str, place: Place) -> SlotType:
    written = reading.text(node, "`type`", "bad-slot").strip()
    for kind in _TYPES:
        if kind == written:
            return kind
    if node is None or not written:
        reading.report(place, "bad-slot", f"{what} has no type; `text` is taken", f"write one of: {', '.join(_TYPES)}", "warning")
    else:
        reading.report(node, "bad-slot", f"{what} has the unknown type `{written}`; `text` is taken", f"known are: {', '.join(_TYPES)}")
    return "text"


def _values(reading: Reading, node: Node | None, what: str, kind: SlotType) -> tuple[str, ...]:
    """The values of a categorical slot as they are spelled: `1.0` and `true` are texts here."""
    values = reading.texts(node, "`values`", "bad-slot")
    if kind != "categorical" and values and node is not None:
        reading.report(node, "bad-slot", f"{what} lists values but is of type `{kind}`", "make its type `categorical`", "warning")
    return values


def _controlled(reading: Reading, node: Node | None, what: str) -> bool:
    """Whether only actions, buttons and set_slots fill the slot. A slot without mappings is filled by understanding."""
    controlled = understood = False
    for item in reading.items(node, "`mappings`", "bad-slot"):
        reading.unknown_keys(item, MAPPING_KEYS, f"a mapping of {what}")
        written = reading.text(item.get("type"), "`type`", "bad-slot").strip()
        if item.has("coexistence_system"):
            reading.refuse(item.key_place("coexistence_system"), refusals.COEXISTENCE)
        if written == "from_llm":
            understood = True
        elif written in ("controlled", "custom"):
            controlled = True
            _controlling(reading, item, written, what)
        elif written in refusals.SLOT_MAPPINGS:
            understood = True
            reading.refuse(item, refusals.SLOT_MAPPINGS[written], f"`{written}` of {what}")
        else:
            reading.unknown(item, "bad-slot", f"`{written}`", ("from_llm", "controlled"), f"`mappings` of {what}")
    return controlled and not understood


def _controlling(reading: Reading, item: Node, written: str, what: str) -> None:
    if written == "custom":
        hint = "write `- type: controlled`"
        reading.report(item, "deprecated-mapping", f"the mapping `custom` of {what} is deprecated", hint, "info")
    if item.has("run_action_every_turn") or (written == "custom" and item.has("action")):
        key = "run_action_every_turn" if item.has("run_action_every_turn") else "action"
        reading.refuse(item.key_place(key), refusals.EVERY_TURN, what)


def _validation(reading: Reading, node: Node | None) -> Validation | None:
    if node is None or node.is_null:
        return None
    if node.entries is None:
        reading.report(node, "bad-slot", f"`validation` is {node.kind}, not a mapping", "write `rejections:` below it")
        return None
    reading.unknown_keys(node, ("rejections", "refill_utter"), "`validation`")
    refill = reading.text(node.get("refill_utter"), "`refill_utter`", "bad-slot").strip()
    return Validation(reading.rejections(node.get("rejections"), "bad-slot"), reading.renamed(refill) if refill else "")


def read_actions(reading: Reading, node: Node) -> list[ActionSpec]:
    """The list `actions:`: names, or a name with options."""
    found = []
    for item in reading.items(node, "`actions`", "bad-action"):
        if item.is_scalar:
            if name := reading.name(item, "the name of an action", "bad-action"):
                found.append(ActionSpec(name, place=item.place))
            continue
        for name, options in reading.mapping(item, "an action", "bad-action"):
            place = item.key_place(name)
            reading.unknown_keys(options, ACTION_KEYS, f"action `{name}`")
            if not options.is_null and options.entries is None:
                reading.report(
                    options, "bad-action", f"the options of `{name}` are {options.kind}", "write `read_only: true` below its name"
                )
            read_only, idempotent = (reading.flag(options.get(key), f"`{key}`", "bad-action", False) for key in ACTION_KEYS[:2])
            found.append(ActionSpec(name, read_only, idempotent, place))
    return found


def read_session(reading: Reading, node: Node, before: SessionSettings) -> SessionSettings:
    """`session_config`, over what other files said `before`."""
    if not list(reading.mapping(node, "`session_config`", "bad-session")):
        return before
    reading.unknown_keys(node, SESSION_KEYS, "`session_config`")
    expiry, carry = (node.get(key) for key in SESSION_KEYS[:2])
    minutes = reading.number(expiry, f"`{SESSION_KEYS[0]}`", "bad-session")
    if expiry is not None and minutes is not None and not 0 <= minutes < float("inf"):
        reading.report(expiry, "bad-session", "a session expires after 0 minutes (never) or more")
        minutes = None
    return SessionSettings(
        expiry_minutes=before.expiry_minutes if minutes is None else minutes,
        carry_over_slots=reading.flag(carry, f"`{SESSION_KEYS[1]}`", "bad-session", before.carry_over_slots),
    )
