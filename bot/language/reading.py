"""What the readers of flows and domains share: the list of problems, and typed, forgiving access to nodes."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .conditions import Condition, ConditionError
from .refusals import Refusal
from .spec import Compat, Place, Problem, Rejection, Severity
from .yamlfile import Node


@dataclass(slots=True)
class Reading:
    """One load in progress. Readers take what they can, report the rest here and never raise."""

    compat: Compat = "3.16"
    language: str = "en"
    aliases: Mapping[str, str] = field(default_factory=dict)
    agents: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)

    def report(self, at: Node | Place, code: str, message: str, hint: str = "", severity: Severity = "error") -> None:
        self.problems.append(Problem(at.place if isinstance(at, Node) else at, severity, code, message, hint))

    def refuse(self, at: Node | Place, refusal: Refusal, what: str = "") -> None:
        """Reports something of the documented format that we do not run, by its name, with a way out."""
        message = f"{what}: {refusal.message}" if what else refusal.message
        self.report(at, refusal.code, message, refusal.hint, refusal.severity)

    def unknown_keys(self, node: Node, known: Collection[str], what: str) -> None:
        """Reports keys that have no meaning here: an error when it looks like a slip of the pen, else a warning."""
        for key in node.entries or ():
            if key not in known:
                self.unknown(node.key_place(key), "unknown-key", f"`{key}`", known, what)

    def unknown(self, at: Node | Place, code: str, name: str, known: Collection[str], what: str) -> None:
        close = difflib.get_close_matches(name.strip("`"), sorted(known), 1, 0.7)
        if close:
            self.report(at, code, f"{what} has no {name}", f"did you mean `{close[0]}`?")
        else:
            hint = f"known here: {', '.join(sorted(known))}" if len(known) <= 20 else ""
            self.report(at, code, f"{what} has no {name}; it is ignored", hint, "warning")

    def renamed(self, name: str) -> str:
        """Our name of a response, where the documented one is an alias."""
        return self.aliases.get(name, name)

    def mapping(self, node: Node | None, what: str, code: str) -> Iterator[tuple[str, Node]]:
        """The entries of a mapping; nothing, and a problem, when it is none."""
        if node is None or node.is_null:
            return
        if node.entries is None:
            self.report(node, code, f"{what} is {node.kind}, not a mapping")
            return
        yield from node.entries.items()

    def items(self, node: Node | None, what: str, code: str) -> list[Node]:
        """The items of a list; a problem when it is none."""
        if node is None or node.is_null:
            return []
        if node.items is None:
            self.report(node, code, f"{what} is {node.kind}, not a list")
            return []
        return node.items

    def text(self, node: Node | None, what: str, code: str, default: str = "") -> str:
        """The spelling of a scalar: `123` and `true` are texts where a text is wanted."""
        if node is None or node.is_null:
            return default
        if not node.is_scalar:
            self.report(node, code, f"{what} is {node.kind}, not a text")
            return default
        return node.text

    def texts(self, node: Node | None, what: str, code: str) -> tuple[str, ...]:
        """A list of texts; one text alone is a list of one."""
        if node is not None and node.is_scalar and not node.is_null:
            return (node.text,)
        return tuple(text for item in self.items(node, what, code) if (text := self.text(item, f"an item of {what}", code)))

    def flag(self, node: Node | None, what: str, code: str, default: bool) -> bool:
        if node is None or node.is_null:
            return default
        if isinstance(node.data, bool):
            return node.data
        hint = f"write `true` or `false` (`{node.text}` is a text in YAML 1.2)" if node.is_scalar else ""
        self.report(node, code, f"{what} is {node.kind}, not true or false", hint)
        return default

    def number(self, node: Node | None, what: str, code: str) -> float | None:
        if node is None or node.is_null:
            return None
        if isinstance(node.data, (int, float)) and not isinstance(node.data, bool):
            return float(node.data)
        self.report(node, code, f"{what} is {node.kind}, not a number")
        return None

    def name(self, node: Node, what: str, code: str) -> str:
        """A text that must not be empty; "" and a problem otherwise."""
        if node.is_null or (node.is_scalar and not node.text.strip()):
            self.report(node, code, f"{what} is missing")
            return ""
        return self.text(node, what, code).strip()

    def condition(self, node: Node) -> Condition | None:
        """A condition; None and a `bad-condition` problem, at its column where that can be said, when it does not parse."""
        if not node.is_scalar or node.is_null:
            self.report(node, "bad-condition", f"a condition is a text, this is {node.kind}", "write for example `if: slots.amount > 100`")
            return None
        try:
            return Condition.parse(node.text)
        except ConditionError as error:
            place = node.place
            if node.inset is not None:
                blanks = len(node.text) - len(node.text.lstrip())
                place = Place(place.file, place.line, place.column + node.inset + blanks + error.column)
            hint = "conditions read like `slots.amount > 100 and not slots.confirmed`; put texts in quotes: `slots.plan = 'basic'`"
            self.report(place, "bad-condition", str(error), hint)
            return None

    def rejections(self, node: Node | None, code: str) -> tuple[Rejection, ...]:
        """The list `[{if, utter}]` of a collect step or of a slot's validation."""
        found = []
        for item in self.items(node, "`rejections`", code):
            if item.entries is None or not item.has("if") or not item.has("utter"):
                self.report(
                    item, code, "a rejection needs `if` and `utter`", "write `- if: slots.x < 0` and below it `utter: utter_x_too_small`"
                )
                continue
            self.unknown_keys(item, ("if", "utter"), "a rejection")
            condition = self.condition(item.entries["if"])
            utter = self.renamed(self.name(item.entries["utter"], "`utter`", code))
            if condition is not None and utter:
                found.append(Rejection(condition, utter, item.place))
        return tuple(found)

    def plain(self, node: Node | None) -> Any:
        return None if node is None else node.data
