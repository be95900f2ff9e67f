"""Reads the steps of one flow: nested lists are laid out flat, every step gets an id and its ways onwards.

A step without `next` goes on to the next item of its own list, the last step of the flow ends it. The last step of a nested list must say
where to go; one that does not is reported and ends the flow.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from . import refusals
from .reading import Reading
from .spec import (
    END,
    ActionStep,
    Branch,
    CallStep,
    CollectStep,
    HandoffStep,
    LinkStep,
    NoopStep,
    Place,
    SetSlotsStep,
    Step,
)
from .yamlfile import Node

TYPE_KEYS = ("action", "collect", "set_slots", "link", "call", "noop", "handoff")
COMMON_KEYS = ("id", "next", "description", "metadata")
COLLECT_KEYS = ("utter", "ask_before_filling", "reset_after_flow_ends", "rejections", "force_slot_filling", "silence_timeout", "dtmf")
CALL_KEYS = ("mcp_server", "mapping", "exit_if")
BRANCH_KEYS = ("if", "then", "else")

_KEYS_OF = {
    **{kind: (kind, *COMMON_KEYS) for kind in TYPE_KEYS},
    "collect": ("collect", *COMMON_KEYS, *COLLECT_KEYS),
    "call": ("call", *COMMON_KEYS, *CALL_KEYS),
}
_ALL_KEYS = frozenset(key for keys in _KEYS_OF.values() for key in keys) | set(refusals.STEP_TYPES)


class StepReader:
    """Reads the steps of one flow, once."""

    def __init__(self, reading: Reading, what: str) -> None:
        self.reading = reading
        self.what = what
        self.steps: list[Step | None] = []
        self.ids: dict[int, str] = {}
        """The id of each step's node, by the node's identity."""
        self.taken: dict[str, Place] = {}

    def read(self, node: Node | None) -> tuple[Step, ...]:
        if node is None or not self.reading.items(node, f"`steps` of {self.what}", "bad-flow"):
            return ()
        self._take_written_ids(node)
        self._give_ids(node, 0)
        self._read_list(node, top=True)
        return tuple(step for step in self.steps if step is not None)

    # --- ids: the written ones first, so that a made-up one never takes a name somebody wrote -------------------------------------------

    def _take_written_ids(self, listed: Node) -> None:
        for step in listed.items or ():
            written = step.get("id")
            if written is not None and not written.is_null:
                self._take_written_id(step, written)
            for inner in _nested_lists(step):
                self._take_written_ids(inner)

    def _take_written_id(self, step: Node, written: Node) -> None:
        id = self.reading.text(written, "`id`", "bad-id").strip()
        if id == END:
            self.reading.report(written, "bad-id", f"no step can be called {END}", "use another id")
        elif id in self.taken:
            message = f"{self.what} has two steps `{id}` (the first in line {self.taken[id].line})"
            self.reading.report(written, "duplicate-id", message, "give one of them another id")
        elif id:
            self.taken[id] = written.place
            self.ids[id_of(step)] = id

    def _give_ids(self, listed: Node, index: int) -> int:
        for step in listed.items or ():
            if id_of(step) not in self.ids:
                wanted = f"{index}_{_label(step)}"
                id, number = wanted, 2
                while id in self.taken:
                    id, number = f"{wanted}_{number}", number + 1
                self.taken[id] = step.place
                self.ids[id_of(step)] = id
            index += 1
            for inner in _nested_lists(step):
                index = self._give_ids(inner, index)
        return index

    # --- steps ----------------------------------------------------------------------------------------------------------------------------

    def _read_list(self, listed: Node, top: bool = False) -> None:
        items = listed.items or []
        for step, following in zip(items, [*items[1:], None], strict=True):
            position = len(self.steps)
            self.steps.append(None)  # its place in the order of the document: before the steps nested in it
            self.steps[position] = self._onwards(step, self._step(step), following, top)

    def _step(self, node: Node) -> Step:
        """The step without its ways onwards. What cannot be read becomes a step that does nothing, so that ids and ways stay whole."""
        id, place = self.ids[id_of(node)], node.place
        nothing = NoopStep(id=id, place=place)
        reading = self.reading
        if node.entries is None:
            reading.report(
                node, "bad-step", f"a step of {self.what} is {node.kind}, not a mapping", "write for example `- action: utter_hello`"
            )
            return nothing
        for key, refusal in refusals.STEP_TYPES.items():
            if node.has(key):
                reading.refuse(node.key_place(key), refusal, f"`{key}`")
                return nothing
        kinds = [key for key in TYPE_KEYS if node.has(key)]
        if len(kinds) != 1:
            self._report_kinds(node, kinds)
            return nothing
        kind = kinds[0]
        reading.unknown_keys(node, _KEYS_OF[kind], f"a `{kind}` step")
        step = self._typed(kind, node, node.entries[kind], id) or nothing
        description = reading.text(node.get("description"), "`description`", "bad-step").strip()
        metadata = dict(reading.mapping(node.get("metadata"), "`metadata`", "bad-step"))
        extra: dict[str, Any] = {key: inner.data for key, inner in metadata.items()}
        extra.update({key: node.entries[key].data for key in ("silence_timeout", "dtmf") if node.has(key)})
        return replace(step, place=place, description=description, metadata=extra)

    def _report_kinds(self, node: Node, kinds: list[str]) -> None:
        if kinds:
            message = f"a step of {self.what} is {' and '.join(f'`{kind}`' for kind in kinds)} at once"
            self.reading.report(node.key_place(kinds[1]), "bad-step", message, "make it two steps")
            return
        self.reading.unknown_keys(node, _ALL_KEYS, "a step")
        message = f"a step of {self.what} does not say what it does"
        self.reading.report(node, "bad-step", message, f"one of these is needed: {', '.join(TYPE_KEYS)}")

    def _typed(self, kind: str, node: Node, value: Node, id: str) -> Step | None:
        reading = self.reading
        if kind == "noop":
            return self._noop(node, value, id)
        if kind == "set_slots":
            return SetSlotsStep(id=id, assignments=self._assignments(value))
        if kind == "handoff":
            return self._handoff(value, id)
        name = reading.name(value, f"the name after `{kind}:`", "bad-step")
        if not name:
            return None
        if kind == "action":
            return ActionStep(id=id, action=reading.renamed(name))
        if kind == "collect":
            return self._collect(node, name, id)
        if kind == "link":
            return LinkStep(id=id, flow=name)
        return self._call(node, value, name, id)

    def _noop(self, node: Node, value: Node, id: str) -> Step:
        if value.is_scalar and not value.is_null and value.data is not True:
            self.reading.report(value, "bad-step", f"`noop: {value.text}` is not known", "write `noop: true`")
        elif value.entries is not None:
            self.reading.report(value, "bad-step", "`noop` holds a mapping", "write `noop: true` and the branches as a list under `next:`")
        return NoopStep(id=id)

    def _collect(self, node: Node, slot: str, id: str) -> Step:
        reading = self.reading
        reset = reading.flag(node.get("reset_after_flow_ends"), "`reset_after_flow_ends`", "bad-step", True)
        if not reset:
            hint = f"list `{slot}` under the flow's `persisted_slots` instead"
            reading.report(
                node.key_place("reset_after_flow_ends"), "deprecated-reset", "`reset_after_flow_ends` is deprecated", hint, "info"
            )
        return CollectStep(
            id=id,
            slot=slot,
            utter=reading.renamed(reading.text(node.get("utter"), "`utter`", "bad-step").strip() or f"utter_ask_{slot}"),
            ask_before_filling=reading.flag(node.get("ask_before_filling"), "`ask_before_filling`", "bad-step", False),
            reset_after_flow_ends=reset,
            rejections=reading.rejections(node.get("rejections"), "bad-step"),
            force_slot_filling=reading.flag(node.get("force_slot_filling"), "`force_slot_filling`", "bad-step", False),
        )

    def _assignments(self, value: Node) -> tuple[tuple[str, Any], ...]:
        if value.entries is not None:
            return tuple(value.data.items())
        found: list[tuple[str, Any]] = []
        for item in self.reading.items(value, "`set_slots`", "bad-step"):
            if item.entries is None:
                self.reading.report(item, "bad-step", "an item of `set_slots` is `slot: value`", "write for example `- confirmed: true`")
            else:
                found.extend(item.data.items())
        if value.is_null or value.items == []:
            self.reading.report(value, "bad-step", "`set_slots` sets nothing", "write for example `- confirmed: true`")
        return tuple(found)

    def _call(self, node: Node, value: Node, flow: str, id: str) -> Step | None:
        if node.has("mcp_server") or node.has("mapping"):
            self.reading.refuse(value, refusals.CALL_TOOL, f"`{flow}`")
            return None
        if node.has("exit_if") or flow in self.reading.agents:
            self.reading.refuse(value, refusals.CALL_AGENT, f"`{flow}`")
            return None
        return CallStep(id=id, flow=flow)

    def _handoff(self, value: Node, id: str) -> Step | None:
        reading = self.reading
        if value.items is not None:
            reading.report(
                value, "bad-step", "`handoff` is a list, not a mapping", "write `handoff: {reason: ..., skill: ..., priority: 3}`"
            )
            return None
        if value.is_scalar:
            return HandoffStep(id=id, reason=value.text.strip())
        reading.unknown_keys(value, ("reason", "skill", "priority"), "`handoff`")
        reason = reading.text(value.get("reason"), "the reason of `handoff`", "bad-step").strip()
        skill = reading.text(value.get("skill"), "`skill`", "bad-step").strip() or "general"
        priority, written = 3, value.get("priority")
        if written is not None and not written.is_null:
            if type(written.data) is int:
                priority = written.data
            else:
                reading.report(written, "bad-step", "`priority` is a whole number from 1 (now) to 5 (can wait)")
        return HandoffStep(id=id, reason=reason, skill=skill, priority=priority)

    # --- ways onwards ---------------------------------------------------------------------------------------------------------------------

    def _onwards(self, node: Node, step: Step, following: Node | None, top: bool) -> Step:
        ways = _ways(node)
        if isinstance(step, LinkStep):
            if ways is not None:
                hint = "remove `next`: a link ends this flow"
                self.reading.report(node.key_place("next"), "bad-step", "a `link` step has no `next`", hint)
            return step
        if ways is None:
            return replace(step, next=(self._default(node, step, following, top),))
        if ways.is_scalar:
            return replace(step, next=(Branch(self._target(ways), None, ways.place),))
        if ways.items is None or not ways.items:
            hint = "write a step's id, END, or a list of `- if:`/`then:` and `- else:`"
            self.reading.report(ways, "bad-next", f"`next` is {ways.kind if ways.items is None else 'an empty list'}", hint)
            return replace(step, next=(Branch(self.ids[id_of(following)] if following else END, None, ways.place),))
        if _is_branching(ways):
            return replace(step, next=self._branches(ways))
        target = self.ids[id_of(ways.items[0])]
        self._read_list(ways)
        return replace(step, next=(Branch(target, None, ways.place),))

    def _default(self, node: Node, step: Step, following: Node | None, top: bool) -> Branch:
        if isinstance(step, NoopStep) and node.has("noop"):
            hint = "write where to go: a step's id, END, or a list of `- if:`/`then:` and `- else:`"
            self.reading.report(node, "missing-next", "a `noop` step has no `next`, so it does nothing", hint, "warning")
        if following is not None:
            return Branch(self.ids[id_of(following)], None, node.place)
        if not top and not isinstance(step, HandoffStep) and node.entries is not None:
            hint = "end the list with `next: END`, `next: <id of a step>` or a `link`"
            self.reading.report(
                node, "missing-next", f"the last step of a nested list of {self.what} does not say where to go; the flow ends here", hint
            )
        return Branch(END, None, node.place)

    def _branches(self, ways: Node) -> tuple[Branch, ...]:
        reading = self.reading
        found: list[Branch] = []
        open_ended = True
        for item in ways.items or ():
            if item.entries is None or not (item.has("if") or item.has("else")):
                hint = "an item is `- if: <condition>` with `then:`, or `- else:`; steps go inside `then:` and `else:`"
                reading.report(item, "bad-next", "this is no branch", hint)
                continue
            reading.unknown_keys(item, BRANCH_KEYS, "a branch")
            if item.has("if") and item.has("else"):
                reading.report(item.key_place("else"), "bad-next", "`if` and `else` are one item", "put a dash before `else`")
            if item.has("if"):
                condition = reading.condition(item.entries["if"])
                target = self._then(item, "then")
                if condition is not None:
                    found.append(Branch(target, condition, item.place))
            if item.has("else"):
                found.append(Branch(self._then(item, "else"), None, item.key_place("else")))
                open_ended = False
        if open_ended:
            hint = "add `- else: END`, or where to go when no condition holds"
            reading.report(
                ways, "missing-else", f"branches of {self.what} have no `else`; the flow ends when no condition holds", hint, "warning"
            )
            found.append(Branch(END, None, ways.place))
        return tuple(found)

    def _then(self, item: Node, key: str) -> str:
        node = item.get(key)
        if node is None or node.is_null or (node.items is not None and not node.items):
            message = f"`{key}` does not say where to go" if node is not None else f"`if` has no `{key}`"
            self.reading.report(item, "bad-next", message, f"write `{key}: END`, `{key}: <id of a step>` or a list of steps")
            return END
        if node.is_scalar:
            return self._target(node)
        if node.items is None:
            self.reading.report(node, "bad-next", f"`{key}` is a mapping", "write a list: put a dash before the step")
            return END
        self._read_list(node)
        return self.ids[id_of(node.items[0])]

    def _target(self, node: Node) -> str:
        return node.text.strip() or END


def id_of(node: Node) -> int:
    """The identity of a node; nodes live as long as the read."""
    return id(node)


def _ways(node: Node) -> Node | None:
    """What says where to go after a step: `next`, or the list that `noop` itself may hold."""
    written = node.get("next")
    if written is not None and not written.is_null:
        return written
    noop = node.get("noop")
    return noop if noop is not None and noop.items is not None else None


def _is_branching(ways: Node) -> bool:
    return any(item.has("if") or item.has("else") for item in ways.items or ())


def _nested_lists(step: Node) -> list[Node]:
    """The lists of steps inside a step, in the order they are written."""
    ways = _ways(step)
    return _lists_in(ways) if ways is not None else []


def _lists_in(ways: Node) -> list[Node]:
    if ways.items is None:
        return []
    if not _is_branching(ways):
        return [ways] if ways.items else []
    branches = [item.get(key) for item in ways.items for key in ("then", "else") if item.has("if") or key == "else"]
    return [inner for inner in branches if inner is not None and inner.items]


def _label(step: Node) -> str:
    """What a step without an id is called after its number: `collect_amount`, `utter_hello`, `noop`."""
    for kind in TYPE_KEYS:
        value = step.get(kind)
        if value is None:
            continue
        if kind in ("set_slots", "noop") or not value.is_scalar or value.is_null:
            return kind
        name = re.sub(r"[\W_]+", "_", value.text).strip("_")
        return name if kind == "action" else f"{kind}_{name}"
    return "step"
