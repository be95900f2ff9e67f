"""Flows that understanding could not tell apart: descriptions or examples that say the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rapidfuzz import fuzz, process

from ..spec import Flow, Problem
from .view import View, plain

DESCRIPTION_SCORE = 92
EXAMPLE_SCORE = 94
WORD_SCORE = 80
MOST_EXAMPLES = 3000
"""Above so many examples of one language only equal ones are looked for: comparing all pairs would take seconds."""

_WORD = re.compile(r"[^\W_]+(?:'\w+)?")
_NEGATIONS = frozenset({"not", "no", "don't", "doesn't", "can't", "cannot", "won't", "never", "without", "안", "못"})


def descriptions(view: View) -> Iterator[Problem]:
    flows = [flow for flow in _startable(view) if flow.description.strip()]
    for first, second in _alike([_normal(flow.description) for flow in flows], DESCRIPTION_SCORE):
        one, other = flows[first], flows[second]
        message = f"the description of flow `{other.id}` says nearly the same as that of `{one.id}` ({one.place})"
        hint = "say in each what the other is not for, or make them one flow"
        yield Problem(other.place, "warning", "confusable-flows", message, hint)


def examples(view: View) -> Iterator[Problem]:
    flows = {flow.id: flow for flow in _startable(view)}
    found: dict[tuple[str, str], list[str]] = {}
    for language in dict.fromkeys(language for flow in flows.values() for language in flow.examples):
        said = list(dict.fromkeys((flow.id, _normal(plain(text))) for flow in flows.values() for text in flow.examples.get(language, ())))
        said = [(id, text) for id, text in said if text]
        spoken = [text for _, text in said]
        for first, second in _same(spoken) if len(spoken) > MOST_EXAMPLES else _alike(spoken, EXAMPLE_SCORE):
            (one, text), (other, _) = said[first], said[second]
            if one != other:
                found.setdefault((one, other), []).append(text)
    for (one, other), texts in found.items():
        shown = ", ".join(repr(text) for text in texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
        message = f"flow `{other}` shares examples with `{one}` ({flows[one].place}): {shown}"
        yield Problem(flows[other].place, "warning", "confusable-flows", message, "leave each sentence to one flow")


def _startable(view: View) -> list[Flow]:
    return [flow for flow in view.user_flows if flow.guard is not False]


def _normal(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _same(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    places: dict[str, list[int]] = {}
    for index, text in enumerate(texts):
        places.setdefault(text, []).append(index)
    for indexes in places.values():
        yield from pairwise(indexes)


def _alike(texts: Sequence[str], score: float) -> Iterator[tuple[int, int]]:
    """Pairs of texts that are equal but for the order of words, spelling, or a word more."""
    ordered = [" ".join(sorted(text.split())) for text in texts]
    for first, text in enumerate(ordered):
        rest = ordered[first + 1 :]
        for _, _, index in process.extract(text, rest, scorer=fuzz.ratio, score_cutoff=score, limit=None):
            if _mean_the_same(text.split(), rest[index].split()):
                yield first, first + 1 + index


def _mean_the_same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the words that differ are spellings of each other, or only one side has some. `on` for `off` is another meaning."""
    left, right = Counter(one) - Counter(other), Counter(other) - Counter(one)
    mine, theirs = list(left.elements()), list(right.elements())
    if any(word in _NEGATIONS for word in (*mine, *theirs)):
        return False
    for word in list(mine):
        near = next((candidate for candidate in theirs if _spelled_alike(word, candidate)), None)
        if near is not None:
            mine.remove(word)
            theirs.remove(near)
    return not (mine and theirs)


def _spelled_alike(word: str, other: str) -> bool:
    if any(letter.isdigit() for letter in word + other) or word.endswith(other) or other.endswith(word):
        return False
    return fuzz.ratio(word, other) >= WORD_SCORE
