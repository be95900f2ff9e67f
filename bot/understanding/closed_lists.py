"""Reads messages made of nothing but well-known phrases: yes, no, cancel, repeat, skip, thanks, greetings, ... in English and Korean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from . import phrases_en, phrases_ko
from .text import Word, compact, fold, has_hangul, words

_MAX_WORDS = 16
_MAX_SYLLABLES = 48
_LONGEST_PHRASE_EN = 9
_LONGEST_PHRASE_KO = 18
_SHORTEST_TYPO = 5
_MAX_WORDS_WITH_TYPO = 5
_JAMO = range(0x3131, 0x3164)

SMALL_TALK = frozenset({"greet", "thanks", "bye", "chat", "help", "wait"})
_ALONE = {"yes_alone": "yes", "no_alone": "no"}
"""Phrases that say yes or no only when nothing follows ("i want to" against "i want to pay")."""
_PARDON = frozenset({"네", "예", "에", "응", "엥", "뭐", "어", "넹", "네네"})


@dataclass(frozen=True, slots=True)
class Said:
    """What the phrases at the start of a message mean, and the `rest` they do not cover ("" when they are all of it)."""

    meanings: frozenset[str]
    rest: str

    @property
    def complete(self) -> bool:
        return not self.rest


@lru_cache(maxsize=1)
def _english() -> Mapping[str, str]:
    return phrases_en.table()


@lru_cache(maxsize=1)
def _korean() -> Mapping[str, str]:
    """Korean phrases and, because both are mixed freely, the English ones without spaces."""
    return {phrase.replace(" ", ""): meaning for phrase, meaning in _english().items() if len(phrase) > 1} | phrases_ko.table()


@lru_cache(maxsize=1)
def _long_words() -> tuple[str, ...]:
    return tuple({word for phrase in _english() for word in phrase.split() if len(word) >= _SHORTEST_TYPO})


@lru_cache(maxsize=1)
def _all_words() -> frozenset[str]:
    return frozenset(word for phrase in _english() for word in phrase.split() if len(word) > 1)


def meanings(text: str) -> frozenset[str]:
    """What a message made entirely of known phrases means, without fillers; empty when something else is in it too."""
    if compact(text) in _PARDON and fold(text).rstrip().endswith("?"):
        return frozenset({"repeat"})
    found = frozenset(_ALONE.get(meaning, meaning) for meaning in _meanings(words(text))) - {"fill"}
    return found - {"repeat"} if found & {"thanks", "bye"} else found


def opening(text: str) -> Said:
    """The longest run of known phrases a message begins with, ended by a word boundary, and the rest of it."""
    listed = words(text)
    for count in range(min(len(listed), _MAX_WORDS), 0, -1):
        if count == len(listed):
            if found := meanings(text):
                return Said(found, "")
        elif (found := _meanings(listed[:count], typos=False)) and found.isdisjoint(_ALONE):
            return Said(found - {"fill"}, fold(text)[listed[count].start :])
    return Said(frozenset(), fold(text))


def without_fillers(text: str) -> str:
    """The folded text without greetings, thanks and fillers at both ends ("hi, 5G Plus please" -> "5g plus")."""
    listed = words(text)
    first, last = 0, len(listed)
    while first < last and _is_filler(listed[first:last], first=True):
        first += _is_filler(listed[first:last], first=True)
    while first < last and _is_filler(listed[first:last], first=False):
        last -= _is_filler(listed[first:last], first=False)
    return fold(text)[listed[first].start : listed[last - 1].end] if first < last else ""


_FILLERS = frozenset({"fill", "greet", "thanks"})
_LONGEST_FILLER = 3


def _is_filler(listed: tuple[Word, ...], *, first: bool) -> int:
    for count in range(min(_LONGEST_FILLER, len(listed) - 1), 0, -1):
        found = _meanings(listed[:count] if first else listed[-count:], typos=False)
        if found and found <= _FILLERS:
            return count
    return 0


def _meanings(listed: tuple[Word, ...], *, typos: bool = True) -> frozenset[str]:
    """Meanings of a text covered from end to end, fillers included; empty when it is not."""
    if not listed or len(listed) > _MAX_WORDS:
        return frozenset()
    texts = [word.text for word in listed]
    joined = "".join(texts)
    if has_hangul(joined) or ord(joined[0]) in _JAMO:
        return _cover(list(joined), "", _korean(), _LONGEST_PHRASE_KO) if len(joined) <= _MAX_SYLLABLES else frozenset()
    found = _cover(texts, " ", _english(), _LONGEST_PHRASE_EN)
    if not found and typos and len(texts) <= _MAX_WORDS_WITH_TYPO:
        corrected = " ".join(_corrected(text) for text in texts).split()
        if corrected != texts:
            found = _cover(corrected, " ", _english(), _LONGEST_PHRASE_EN)
    return found


def _cover(units: list[str], glue: str, table: Mapping[str, str], longest: int) -> frozenset[str]:
    """Meanings of the segmentation into the fewest phrases that covers every unit; empty when there is none."""
    best: list[tuple[int, frozenset[str]] | None] = [None] * (len(units) + 1)
    best[0] = (0, frozenset())
    for start in range(len(units)):
        here = best[start]
        if here is None:
            continue
        for end in range(start + 1, min(len(units), start + longest) + 1):
            meaning = table.get(glue.join(units[start:end]))
            there = best[end]
            if meaning is not None and (there is None or here[0] + 1 < there[0]):
                best[end] = (here[0] + 1, here[1] | {meaning})
    covered = best[-1]
    return covered[1] if covered is not None else frozenset()


def _corrected(word: str) -> str:
    """A known word one slip of the finger away, for words long enough that this is no accident."""
    if len(word) < _SHORTEST_TYPO or word in _long_words():
        return word
    from rapidfuzz import process
    from rapidfuzz.distance import DamerauLevenshtein

    for cut in range(2, len(word) - 1):  # "okthanks", "nothankyou"
        if word[:cut] in _all_words() and (word[cut:] in _all_words() or word[cut:] in _english()):
            return f"{word[:cut]} {word[cut:]}"
    found = process.extractOne(word, _long_words(), scorer=DamerauLevenshtein.distance, score_cutoff=1)
    return str(found[0]) if found is not None else word
