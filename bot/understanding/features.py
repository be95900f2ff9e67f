"""Texts as numbers: words and word pairs, pieces of words, pieces of Hangul letters, and telecom concepts, in one sparse row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .concepts import concepts
from .text import bare, has_hangul

_BLOCKS = (("words", 1.0), ("pieces", 1.0), ("letters", 0.7), ("concepts", 1.0))
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_NUMBER = re.compile(r"(?<![a-z\d])\d[\d ]*(?![a-z\d])")
_SHORT_FORMS = re.compile(r"\b(?:don't|dont|doesn't|doesnt|isn't|isnt|can't|cant|won't|wont|didn't|didnt)\b")


def prepared(text: str) -> str:
    """The text the features are made of: bare, numbers masked."""
    return _NUMBER.sub("# ", bare(text)).strip()


def word_features(text: str) -> list[str]:
    """Words and pairs of neighbours."""
    listed = text.split()
    return listed + [f"{a} {b}" for a, b in zip(listed, listed[1:], strict=False)]


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
    """Fits on texts, then turns texts into sparse rows. The blocks are scaled to equal length, then weighted."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._parts: list[tuple[Any, float]] = []
        for name, weight in _BLOCKS:
            part = TfidfVectorizer(analyzer=_ANALYZERS[name], sublinear_tf=True)
            try:
                part.fit(texts)
            except ValueError:  # no text has a feature of this block
                continue
            self._parts.append((part, weight))

    def __call__(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import csr_matrix, hstack

        if not self._parts:
            return csr_matrix((len(texts), 1))
        return hstack([part.transform(texts) * weight for part, weight in self._parts], format="csr")
