"""Reads responses: the wordings under one `utter_*` name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .conditions import Compare, Condition, Expression, Logical, Ref, Value
from .reading import Reading
from .spec import Button, Place, Response, Variation
from .yamlfile import Node

VARIATION_KEYS = (
    "text", "image", "buttons", "elements", "attachment", "custom", "channel", "condition", "id", "metadata",
    "allow_interruptions", "translation", "verbatim", "template", "rephrase",
)  # fmt: skip
METADATA_ONLY = ("elements", "allow_interruptions")
"""Keys of a variation that travel in `Variation.metadata`."""
_CODE = "bad-response"


def read_response(reading: Reading, name: str, node: Node, place: Place) -> Response:
    """One response, with those of its wordings that can be read."""
    if node.items is not None:
        items = node.items
    else:
        items = [] if node.is_null else [node]  # one wording without its dash
    return Response(name, tuple(variation for item in items if (variation := _variation(reading, name, item)) is not None), place)


def _variation(reading: Reading, name: str, node: Node) -> Variation | None:
    if node.is_scalar and not node.is_null:
        return Variation(text=node.text, place=node.place)
    if node.entries is None:
        reading.report(node, _CODE, f"a wording of `{name}` is {node.kind}", "write `- text: ...`")
        return None
    reading.unknown_keys(node, VARIATION_KEYS, f"a wording of `{name}`")
    metadata = {key: inner.data for key, inner in reading.mapping(node.get("metadata"), "`metadata`", _CODE)}
    written = node.get("metadata")
    template, rephrase = (node.get(key) or (written.get(key) if written else None) for key in ("template", "rephrase"))
    metadata.update({key: node.entries[key].data for key in METADATA_ONLY if node.has(key)})
    condition_node = node.get("condition")
    condition = None
    if condition_node is not None and not condition_node.is_null:
        condition = _condition(reading, condition_node)
        if condition is None:
            return None  # said without its condition, it would be said to the wrong people
    return Variation(
        text=reading.text(node.get("text"), "`text`", _CODE),
        texts=_translations(reading, node.get("translation"), "text"),
        buttons=_buttons(reading, node.get("buttons")),
        image=reading.text(node.get("image"), "`image`", _CODE).strip(),
        attachment=reading.plain(node.get("attachment")),
        custom=reading.plain(node.get("custom")),
        channel=reading.text(node.get("channel"), "`channel`", _CODE).strip(),
        condition=condition,
        id=reading.text(node.get("id"), "`id`", _CODE).strip(),
        template=_template(reading, template),
        rephrase=reading.flag(rephrase, "`rephrase`", _CODE, False),
        verbatim=reading.flag(node.get("verbatim"), "`verbatim`", _CODE, False),
        metadata=metadata,
        place=node.place,
    )


def _template(reading: Reading, node: Node | None) -> Literal["", "jinja"]:
    written = reading.text(node, "`template`", _CODE).strip()
    if written == "jinja":
        return "jinja"
    if written and node is not None:
        reading.report(node, _CODE, f"`template: {written}` is not known", "write `template: jinja`, or leave it out")
    return ""


def _translations(reading: Reading, node: Node | None, key: str) -> dict[str, str]:
    """`translation: {ko: "..."}`; `{ko: {text: "..."}}` says the same."""
    found = {}
    for language, inner in reading.mapping(node, "`translation`", "bad-translation"):
        text = inner.get(key) if inner.entries is not None else inner
        if written := reading.text(text, f"the translation to `{language}`", "bad-translation"):
            found[language] = written
    return found


def _buttons(reading: Reading, node: Node | None) -> tuple[Button, ...]:
    found = []
    for item in reading.items(node, "`buttons`", _CODE):
        if item.entries is None:
            reading.report(item, _CODE, f"a button is {item.kind}, not a mapping", "write `- title: ...` and below it `payload: ...`")
            continue
        reading.unknown_keys(item, ("title", "payload", "translation", "type"), "a button")
        title = reading.text(item.get("title"), "`title`", _CODE).strip()
        payload = reading.text(item.get("payload"), "`payload`", _CODE).strip() or title
        found.append(Button(title, payload, _translations(reading, item.get("translation"), "title")))
    return tuple(found)


def _condition(reading: Reading, node: Node) -> Condition | None:
    """A predicate, or the older list `[{type: slot, name, value}]`, all of which must hold."""
    if node.items is None:
        return reading.condition(node)
    expression: Expression | None = None
    texts = []
    for item in node.items:
        data = item.data
        if not isinstance(data, Mapping) or data.get("type") != "slot" or not isinstance(data.get("name"), str) or "value" not in data:
            hint = "write the condition as a text: `condition: slots.x = 'y'`"
            reading.report(item, "bad-condition", "an item of this older form needs `type: slot`, `name` and `value`", hint)
            return None
        reading.unknown_keys(item, ("type", "name", "value"), "a condition")
        one = Compare("=", Ref("slots", data["name"]), Value(data["value"]))
        expression = one if expression is None else Logical("and", expression, one)
        texts.append(f"slots.{data['name']} = {_literal(data['value'])}")
    if expression is None:
        return None
    return Condition(" and ".join(texts), expression)


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    return f'"{text}"' if "'" in text else f"'{text}'"
