"""Chooses cases by an expression of words: `-k "bill and not (roaming or abroad)"`."""

from __future__ import annotations

import re
from collections.abc import Callable

Chosen = Callable[[str], bool]

_TOKEN = re.compile(r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<mark>[()])|(?P<word>[^\s()"']+))""")


class SelectionError(ValueError):
    """An expression that cannot be read; the message says where."""


def selection(expression: str) -> Chosen:
    """A test for case ids. Words that stand together are one phrase; a phrase holds if the id contains it, whatever its case.

    `not` binds tighter than `and`, `and` tighter than `or`. An empty expression chooses everything. Raises SelectionError.
    """
    tokens = _tokens(expression)
    if not tokens:
        return lambda _: True
    chosen, rest = _either(tokens)
    if rest:
        raise SelectionError(f"-k {expression!r}: did not expect {rest[0][1]!r}")
    return chosen


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    expression = expression.rstrip()
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise SelectionError(f"-k {expression!r}: a quote is not closed")
        at = match.end()
        if match["quoted"]:
            tokens.append(("phrase", match["quoted"][1:-1]))
        elif match["mark"]:
            tokens.append(("mark", match["mark"]))
        elif match["word"].lower() in ("and", "or", "not"):
            tokens.append(("mark", match["word"].lower()))
        elif tokens and tokens[-1][0] == "words":
            tokens[-1] = ("words", f"{tokens[-1][1]} {match['word']}")
        else:
            tokens.append(("words", match["word"]))
    return tokens


def _either(tokens: list[tuple[str, str]]) -> tuple[Chosen, list[tuple[str, str]]]:
    left, rest = _both(tokens)
    while rest and rest[0] == ("mark", "or"):
        right, rest = _both(rest[1:])
        left = _join(any, left, right)
    return left, rest


def _both(tokens: list[tuple[str, str]]) -> tuple[Chosen, list[tuple[str, str]]]:
    left, rest = _one(tokens)
    while rest and rest[0] == ("mark", "and"):
        right, rest = _one(rest[1:])
        left = _join(all, left, right)
    return left, rest


def _one(tokens: list[tuple[str, str]]) -> tuple[Chosen, list[tuple[str, str]]]:
    if not tokens:
        raise SelectionError("-k: the expression ends too early")
    (kind, text), rest = tokens[0], tokens[1:]
    if kind != "mark":
        wanted = text.casefold()
        return (lambda name: wanted in name.casefold()), rest
    if text == "not":
        inner, rest = _one(rest)
        return (lambda name: not inner(name)), rest
    if text == "(":
        inner, rest = _either(rest)
        if not rest or rest[0] != ("mark", ")"):
            raise SelectionError("-k: a bracket is not closed")
        return inner, rest[1:]
    raise SelectionError(f"-k: did not expect {text!r}")


def _join(rule: Callable[[list[bool]], bool], left: Chosen, right: Chosen) -> Chosen:
    return lambda name: rule([left(name), right(name)])
