"""Lists of known values (plans, areas, categories) found in free text: exactly, without spaces, or with a slip of the finger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .entities import Found
from .text import compact, fold, has_hangul, is_particle, words

_SHORTEST_FUZZY = 5
_LONG = 9
_SHORTEST_PART = 3
_WINDOW_SLACK = 1


@dataclass(frozen=True)
class Gazetteer:
    """Spoken forms and the value each stands for. The first value wins where two share a form."""

    entries: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, entries: Iterable[tuple[str, Any]]) -> Gazetteer:
        kept: dict[str, tuple[str, Any]] = {}
        for spoken, value in entries:
            if key := compact(spoken):
                kept.setdefault(key, (fold(spoken).strip(), value))
        return cls(tuple(kept.values()))

    @cached_property
    def by_key(self) -> dict[str, Any]:
        return {compact(spoken): value for spoken, value in self.entries}

    @cached_property
    def _forms(self) -> tuple[str, ...]:
        return tuple(self.by_key)

    @cached_property
    def longest(self) -> int:
        return max((len(words(spoken)) for spoken, _ in self.entries), default=0) + _WINDOW_SLACK

    def exact(self, text: str) -> tuple[Any] | None:
        """The value a text is a form of, in a tuple of one (values may be None-like), or None."""
        key = compact(text)
        return (self.by_key[key],) if key in self.by_key else None

    def find(self, text: str, *, fuzzy: bool = True) -> tuple[Found, ...]:
        """Every value in the text, longest first at each place; different readings of the same words are left out."""
        listed = words(text)
        found: list[Found] = []
        start = 0
        while start < len(listed):
            hit = self._at(listed_texts := [word.text for word in listed], start, fuzzy=fuzzy)
            if hit is None:
                start += 1
                continue
            value, count = hit
            found.append(Found(value, listed[start].start, listed[start + count - 1].end))
            start += min(count, len(listed_texts))
        return tuple(found)

    def _at(self, texts: list[str], start: int, *, fuzzy: bool) -> tuple[Any, int] | None:
        for count in range(min(self.longest, len(texts) - start), 0, -1):
            joined = "".join(texts[start : start + count])
            if joined in self.by_key:
                return self.by_key[joined], count
            if has_hangul(joined) or count > 1 or joined[-1:] == "s":
                for cut in range(1, min(6, len(joined))):
                    stem = joined[:-cut]
                    if stem in self.by_key and ((has_hangul(joined[-cut:]) and is_particle(joined[-cut:])) or joined[-cut:] in ("s", "'s")):
                        return self.by_key[stem], count
        if fuzzy:
            for count in range(min(self.longest, len(texts) - start), 0, -1):
                joined = "".join(texts[start : start + count])
                if (hit := self.near(joined)) is not None:
                    return hit[0], count
        return None

    def near(self, text: str) -> tuple[Any] | None:
        """The value whose form is a slip or two of the finger away, if one stands out; first letter and digits must agree."""
        key = compact(text)
        if len(key) < _SHORTEST_FUZZY:
            return None
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        slips = 1 if len(key) < _LONG else 2
        hits = process.extract(key, self._forms, scorer=DamerauLevenshtein.distance, score_cutoff=slips, limit=4)
        hits = [hit for hit in hits if hit[0][0] == key[0] and _digits(hit[0]) == _digits(key)]
        if not hits or any(self.by_key[form] != self.by_key[hits[0][0]] and slip == hits[0][1] for form, slip, _ in hits[1:]):
            return None
        return (self.by_key[hits[0][0]],)

    def partial(self, text: str) -> tuple[Any] | None:
        """The only value that all words of a short text belong to ("max" for "5G Max"); None when several could be meant."""
        given = {word.text for word in words(text)}
        if not given or not any(len(word) >= _SHORTEST_PART or has_hangul(word) for word in given):
            return None
        values = {repr(value): value for spoken, value in self.entries if given < {word.text for word in words(spoken)}}
        return (next(iter(values.values())),) if len(values) == 1 else None


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
