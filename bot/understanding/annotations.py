"""Inline annotations in examples: `change to [5G Plus](plan)`, `[Max](plan=5g_max)`: the words on the page, and what they tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ANNOTATION = re.compile(r"\[(?P<words>[^\]\[]+)\]\((?P<slot>[A-Za-z_][\w.-]*)(?:\s*[=:]\s*(?P<value>[^)]*))?\)")


@dataclass(frozen=True, slots=True)
class Annotation:
    """`words` in an example stand for `value` of `slot`."""

    slot: str
    words: str
    value: str


def plain(example: str) -> str:
    """The example as a customer would write it."""
    return _ANNOTATION.sub(lambda match: match["words"], example)


def annotated(example: str) -> tuple[Annotation, ...]:
    """Every annotation of an example, in order."""
    return tuple(
        Annotation(match["slot"], match["words"].strip(), (match["value"] or match["words"]).strip().strip("'\""))
        for match in _ANNOTATION.finditer(example)
    )
