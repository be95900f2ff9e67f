"""Strict access to the YAML of a test file: every mistake is a `Wrong` with its place, what is wrong and what to do.

Test cases need texts as they were written: `- user: yes` and `- user: 0123` are what a customer typed, no boolean and no number.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.language import Place, Problem
from bot.language.yamlfile import Node


class Wrong(Exception):
    """Something in a test file that cannot be used; carries the problem to show."""

    def __init__(self, place: Place, code: str, message: str, hint: str = "") -> None:
        self.problem = Problem(place, "error", code, message, hint)
        super().__init__(str(self.problem))


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of a mapping: where its key stands, and its value."""

    place: Place
    value: Node


def fields(node: Node, what: str, allowed: frozenset[str] | None = None) -> dict[str, Field]:
    """The entries of a mapping by key, in order. Raises Wrong when it is none, or has a key that is not allowed."""
    if node.entries is None:
        raise Wrong(node.place, "test-bad-value", f"{what} must be a mapping of keys to values, not {node.kind}")
    for name in node.entries:
        if allowed is not None and name not in allowed:
            raise Wrong(node.key_place(name), "test-unknown-key", f"{what} has the unknown key {name!r}", known(allowed))
    return {name: Field(node.key_place(name), value) for name, value in node.entries.items()}


def items(node: Node, what: str) -> list[Node]:
    """The entries of a list; an empty value is an empty list. Raises Wrong for anything else."""
    if node.items is not None:
        return node.items
    if node.is_null:
        return []
    raise Wrong(node.place, "test-bad-value", f"{what} must be a list, not {node.kind}")


def text(node: Node, what: str) -> str:
    """A scalar exactly as written (`yes` is "yes", `0123` is "0123"); "" when empty. Raises Wrong for anything else."""
    if not node.is_scalar:
        raise Wrong(node.place, "test-bad-value", f"{what} must be a text, not {node.kind}", "quote it if it holds : or [ or {")
    return node.text


def name(node: Node, what: str) -> str:
    """A text that must not be empty."""
    found = text(node, what).strip()
    if not found:
        raise Wrong(node.place, "test-bad-value", f"{what} is empty", "give a name")
    return found


def flag(node: Node, what: str) -> bool:
    if not isinstance(node.data, bool):
        raise Wrong(node.place, "test-bad-value", f"{what} must be true or false")
    return node.data


def known(names: frozenset[str]) -> str:
    return f"known: {', '.join(sorted(names))}"
