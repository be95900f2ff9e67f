"""Texts as numbers: words and word pairs, pieces of words, pieces of Hangul letters, and telecom concepts, in one sparse row."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

from .concepts import concepts
from .text import bare, has_hangul

_BLOCKS = (("words", 1.0), ("pieces", 1.0), ("letters", 0.7), ("concepts", 1.0))
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_NUMBER = re.compile(r"(?<![a-z\d])\d[\d ]*(?![a-z\d])")


def prepared(text: str) -> str:
    """The text the features are made of: bare, numbers masked."""
    return _NUMBER.sub("# ", bare(text)).strip()


def word_features(text: str) -> list[str]:
    """Words and pairs of neighbours."""
    listed = text.split()
    return listed + [f"{a} {b}" for a, b in pairwise(listed)]


def piece_features(text: str) -> list[str]:
    """Pieces of 1 (Hangul only) to 4 characters of each word, with its edges."""
    found: list[str] = []
    for word in text.split():
        edged = f" {word} "
        for size in (1, 2, 3, 4) if has_hangul(word) else (2, 3, 4):
            found += [edged[start : start + size] for start in range(len(edged) - size + 1)] if len(edged) > size else [edged]
    return found


@lru_cache(maxsize=4096)
def letters(syllables: str) -> str:
    """Hangul taken apart into letters (요금 -> ㅇㅛㄱㅡㅁ); other characters are left out."""
    found: list[str] = []
    for syllable in syllables:
        code = ord(syllable) - 0xAC00
        if 0 <= code < 11172:
            initial, rest = divmod(code, 588)
            vowel, final = divmod(rest, 28)
            found.append(_INITIALS[initial] + _VOWELS[vowel] + (_FINALS[final] if final else ""))
    return "".join(found)


def letter_features(text: str) -> list[str]:
    """Pieces of 3 to 5 Hangul letters, spaces left out: robust to spacing, endings and slips."""
    joined = letters("".join(text.split()))
    return [joined[start : start + size] for size in (3, 4, 5) for start in range(len(joined) - size + 1)]


def concept_features(text: str) -> list[str]:
    """Concepts and pairs of them."""
    found = concepts(text)
    return [*found, *(f"{a}+{b}" for i, a in enumerate(found) for b in found[i + 1 :])]


_ANALYZERS = {"words": word_features, "pieces": piece_features, "letters": letter_features, "concepts": concept_features}


class Vectorizer:
    """TF-IDF with sublinear counts, fitted on texts. Each block of a row has length 1 times its weight.

    Own code because a call for one text must cost tens of microseconds, ten times less than the general tool's checks.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._columns: dict[tuple[str, str], int] = {}
        seen: Counter[int] = Counter()
        for text in texts:
            for block, _ in _BLOCKS:
                for feature in set(_ANALYZERS[block](text)):
                    seen[self._columns.setdefault((block, feature), len(self._columns))] += 1
        self._idf = [math.log((1 + len(texts)) / (1 + seen[column])) + 1 for column in range(len(self._columns))]

    @property
    def width(self) -> int:
        return len(self._columns)

    def row(self, text: str) -> tuple[list[int], list[float]]:
        """The columns of a text that are not zero, and their values."""
        columns: list[int] = []
        values: list[float] = []
        for block, weight in _BLOCKS:
            counts: Counter[int] = Counter()
            for feature in _ANALYZERS[block](text):
                if (column := self._columns.get((block, feature))) is not None:
                    counts[column] += 1
            raw = [(1 + math.log(count)) * self._idf[column] for column, count in counts.items()]
            length = math.sqrt(sum(value * value for value in raw)) or 1.0
            columns += counts
            values += [weight * value / length for value in raw]
        return columns, values

    def __call__(self, texts: Sequence[str]) -> Any:
        """One sparse row a text."""
        from scipy.sparse import csr_matrix

        rows = [self.row(text) for text in texts]
        starts = list(accumulate((len(columns) for columns, _ in rows), initial=0))
        columns = [column for row, _ in rows for column in row]
        return csr_matrix(([value for _, row in rows for value in row], columns, starts), shape=(len(rows), max(self.width, 1)))
