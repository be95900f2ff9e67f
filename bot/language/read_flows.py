"""Reads flows: one mapping of YAML per flow, into `Flow`. The steps themselves are read by `read_steps`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from . import refusals
from .conditions import Condition
from .read_steps import StepReader
from .reading import Reading
from .spec import PATTERN_PREFIX, Flow, Place, Requires
from .yamlfile import Node

FLOW_KEYS = (
    "description", "name", "if", "nlu_trigger", "always_include_in_prompt", "run_pattern_completed", "persisted_slots", "steps",
    "requires", "examples", "translation",
)  # fmt: skip
LEVELS: tuple[Requires, ...] = get_args(Requires)
_FLOW_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*\Z")


def read_flow(reading: Reading, id: str, node: Node, place: Place) -> Flow | None:
    """One flow; None, with problems reported, when nothing of it can be used."""
    if not _FLOW_ID.match(id):
        hint = "use letters, digits, `_` and `-`, not `-` first; the words that customers see go in `name`"
        reading.report(place, "bad-id", f"`{id}` is no id of a flow", hint)
        return None
    if node.entries is None:
        reading.report(place, "bad-flow", f"flow `{id}` is {node.kind}, not a mapping", "a flow has a `description` and `steps`")
        return None
    what = f"flow `{id}`"
    reading.unknown_keys(node, FLOW_KEYS, what)
    trigger = node.get("nlu_trigger")
    if trigger is not None and trigger.data and not id.startswith(PATTERN_PREFIX):  # the engine itself starts patterns
        reading.refuse(node.key_place("nlu_trigger"), refusals.NLU_TRIGGER)
    steps = StepReader(reading, what).read(node.get("steps"))
    return Flow(
        id=id,
        description=reading.text(node.get("description"), "`description`", "bad-flow").strip(),
        steps=steps,
        version=flow_version(id, node.data),
        name=reading.text(node.get("name"), "`name`", "bad-flow").strip(),
        names=read_names(reading, node.get("translation")),
        guard=_guard(reading, node.get("if")),
        persisted_slots=reading.texts(node.get("persisted_slots"), "`persisted_slots`", "bad-flow"),
        run_pattern_completed=reading.flag(node.get("run_pattern_completed"), "`run_pattern_completed`", "bad-flow", True),
        always_include_in_prompt=reading.flag(node.get("always_include_in_prompt"), "`always_include_in_prompt`", "bad-flow", False),
        requires=_requires(reading, node.get("requires")),
        examples=read_examples(reading, node.get("examples")),
        place=place,
    )


def flow_version(id: str, content: Mapping[str, Any]) -> str:
    """Twelve hex digits that name the content of a flow.

    Comments, layout, the order of keys and the file do not count, nor do `examples`: they change how a flow is found, not what it does.
    """
    counted = {key: value for key, value in content.items() if key != "examples"}
    written = json.dumps([id, counted], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def read_examples(reading: Reading, node: Node | None) -> dict[str, tuple[str, ...]]:
    """`{en: [...], ko: [...]}`, or a bare list in the project's own language."""
    if node is not None and node.items is not None:
        return {reading.language: reading.texts(node, "`examples`", "bad-examples")}
    found = {}
    for language, texts in reading.mapping(node, "`examples`", "bad-examples"):
        stripped = (text.strip() for text in reading.texts(texts, f"`examples` of `{language}`", "bad-examples"))
        found[language] = tuple(dict.fromkeys(text for text in stripped if text))
    return found


def read_names(reading: Reading, node: Node | None) -> dict[str, str]:
    """`translation: {ko: {name: "..."}}` of a flow."""
    found = {}
    for language, inner in reading.mapping(node, "`translation`", "bad-translation"):
        text = inner.get("name") if inner.entries is not None else inner
        if name := reading.text(text, f"the name in `{language}`", "bad-translation").strip():
            found[language] = name
    return found


def _guard(reading: Reading, node: Node | None) -> Condition | Literal[False] | None:
    if node is None or node.is_null:
        return None
    if node.is_scalar and node.text.strip().lower() == "false":
        return False
    return reading.condition(node)


def _requires(reading: Reading, node: Node | None) -> Requires | None:
    written = reading.text(node, "`requires`", "bad-flow")
    for level in LEVELS:
        if level == written:
            return level
    if written and node is not None:
        reading.report(node, "bad-flow", f"`requires: {written}` is not known", "write `known` or `verified`")
    return None
