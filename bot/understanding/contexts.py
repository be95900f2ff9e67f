"""Where annotated examples keep their values: "change to [5G Plus](plan)" teaches that what follows "change to" is a plan, known or not.

For text slots whose values cannot be listed (names, places). A context is the one or two words before a value and the word after it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.language import Flow

from .annotations import annotated, plain
from .entities import Found
from .text import Word, fold, has_hangul, is_particle, words

_LONGEST_VALUE = 3
_EDGE = ""
"""Stands for the beginning or the end of the message."""
_EVERYDAY_WORDS = """
    a an the my me mine i i'm it its it's this that these those your our us we you what which who how when where why is are was
    be am do does did can could will would should to from with for of in on at by and or but not no yes any some another other
    different new better best cheaper bigger smaller more less faster lower higher plan plans line lines bill number phone
    service please pls now today tomorrow here there one ones all have has had get got want need like help something anything
    everything nothing someone
"""
_NEVER = frozenset(_EVERYDAY_WORDS.split())


_TELLING_TAILS = frozenset({"'s", "에서", "네"})
"""Tails that are context enough without a word before."""


@dataclass(frozen=True, slots=True)
class Context:
    """The `before` words end where a value begins, the `after` word begins where it ends; `tail` is a particle or "'s" on its last word."""

    slot: str
    before: tuple[str, ...]
    after: str
    tail: str


def contexts(flow: Flow) -> tuple[Context, ...]:
    """The contexts a flow's examples teach, without doubles, the longer ones first."""
    found = [context for texts in flow.examples.values() for text in texts for context in _contexts(text)]
    return tuple(sorted(dict.fromkeys(found), key=lambda context: -len(context.before)))


def _contexts(example: str) -> Iterator[Context]:
    position = 0
    text = plain(example)
    listed = words(text)
    for one in annotated(example):
        start = text.find(one.words, position)
        if start < 0:
            continue
        end = position = start + len(one.words)
        inside = [index for index, word in enumerate(listed) if word.end > start and word.start < end]
        if not inside:
            continue
        last = listed[inside[-1]]
        tail = last.text[end - last.start :] if last.end > end else ""
        before = tuple(word.text for word in listed[max(0, inside[0] - 2) : inside[0]])
        after = listed[inside[-1] + 1].text if inside[-1] + 1 < len(listed) else _EDGE
        if before or tail in _TELLING_TAILS:
            yield Context(one.slot, before, after, tail)


def unknown_value(text: str, slot: str, learned: tuple[Context, ...]) -> Found | None:
    """What stands where examples have a value of the slot: one to three words, none of them an everyday word."""
    listed = words(text)
    for context in learned:
        if context.slot != slot:
            continue
        for start in range(len(listed)):
            if not _precedes(context.before, listed, start):
                continue
            for count in range(1, _LONGEST_VALUE + 1):
                if (end := _end(listed, start, count, context)) is not None:
                    whole = unicodedata.normalize("NFC", text)
                    start_at = listed[start].start
                    return Found(whole[start_at:end] if len(whole) == len(fold(text)) else fold(text)[start_at:end], start_at, end)
    return None


def _precedes(before: tuple[str, ...], listed: tuple[Word, ...], start: int) -> bool:
    return start >= len(before) and all(listed[start - len(before) + index].text == word for index, word in enumerate(before))


def _end(listed: tuple[Word, ...], start: int, count: int, context: Context) -> int | None:
    stop = start + count
    if stop > len(listed) or (listed[stop].text if stop < len(listed) else _EDGE) != context.after:
        return None
    last = listed[stop - 1]
    if context.tail:
        if not last.text.endswith(context.tail) or len(last.text) == len(context.tail):
            return None
    elif has_hangul(last.text) and len(last.text) > 2 and is_particle(last.text[-1:]):
        return None
    end = last.end - len(context.tail)
    values = [word.text for word in listed[start : stop - 1]] + [last.text[: len(last.text) - len(context.tail)]]
    if any(value in _NEVER or value.isdigit() for value in values) or (not context.before and count > 1):
        return None
    return end
