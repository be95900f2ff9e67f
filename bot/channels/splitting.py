"""Where a text may be cut: between sentences, else between words, else between characters as a reader sees them."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_ZWJ = "\u200d"
_FEWEST_CHARS = 20  # room for "(100/100) " and a word

_SPACE = re.compile(r"\s+")
# The end of a sentence: a full stop before white space; or, as Koreans text, right before the next Hangul word; or an ideographic
# one; or a line's end.
_SENTENCE = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)|(?<=[가-힣])[.!?…]+(?=[가-힣])|[。！？]+["'”’」』)]*|(?=\s*\n)""")
_ABBREVIATIONS = frozenset(
    (
        *(
            "mr",
            "mrs",
            "ms",
            "dr",
            "prof",
            "st",
            "vs",
            "etc",
            "e.g",
            "i.e",
            "approx",
            "inc",
            "ltd",
            "corp",
            "dept",
            "ext",
            "u.s",
            "u.k",
            "tel",
        ),
        *("jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"),
    )
)


def in_pieces(text: str, fits: Callable[[str], bool], max_chars: int | None, *, numbered: bool = False) -> tuple[str, ...]:
    """All of a text in as few pieces as end at the best place before the bound `fits` sets. Blank text is no piece.

    `fits` must accept a prefix of whatever it accepts. Raises ValueError if `max_chars` is less than 20.
    """
    if max_chars is not None and max_chars < _FEWEST_CHARS:
        raise ValueError(f"max_chars must be at least {_FEWEST_CHARS}")
    text = text.strip()
    if not text:
        return ()
    if fits(text):
        return (text,)
    places = _Places.of(text)
    if not numbered:
        return tuple(_cut(text, places, fits))
    digits = 1
    while True:  # how wide the numbers are is known only when all is cut
        widest = f"({'9' * digits}/{'9' * digits}) "
        pieces = tuple(_cut(text, places, lambda piece, number=widest: fits(number + piece)))  # type: ignore[misc]
        if len(str(len(pieces))) <= digits:
            return tuple(f"({number}/{len(pieces)}) {piece}" for number, piece in enumerate(pieces, start=1))
        digits += 1


@dataclass(frozen=True, slots=True)
class _Places:
    """Positions where a piece may end, ascending, best kind first."""

    kinds: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, text: str) -> _Places:
        sentences = tuple(found.end() for found in _SENTENCE.finditer(text) if found.end() and _ends_sentence(text, found))
        words = tuple(found.start() for found in _SPACE.finditer(text))
        characters: list[int] = []
        for cluster in clusters(text):
            characters.append((characters[-1] if characters else 0) + len(cluster))
        return cls((sentences, words, tuple(characters)))

    def best(self, start: int, most: int, fits: Callable[[int], bool]) -> int:
        """The last good end after `start` and not after `most`."""
        for ends in self.kinds:
            index = bisect_right(ends, most)
            if index and ends[index - 1] > start and fits(ends[index - 1]):
                return ends[index - 1]
        return most


def _ends_sentence(text: str, found: re.Match[str]) -> bool:
    if found.group() != ".":
        return True
    before = _SPACE.split(text[max(0, found.start() - 12) : found.start()])[-1].lower().lstrip("(\"'“‘")
    at_line_start = not text[: found.start()].rpartition("\n")[2].strip(" 0123456789")
    if before in ("no", "nos"):  # "No. 5", but "the answer is no."
        return not text[found.end() :].lstrip()[:1].isdigit()
    initial = len(before) == 1 and before.isascii() and before.isalpha()
    return not (before in _ABBREVIATIONS or initial or (before.isdigit() and at_line_start))


def _cut(text: str, places: _Places, fits: Callable[[str], bool]) -> Iterator[str]:
    start = 0
    while start < len(text):
        most = _longest(text, start, fits)
        if most < len(text):
            begin = start
            most = places.best(begin, most, lambda end: fits(text[begin:end].rstrip()))  # noqa: B023
        yield text[start:most].rstrip()
        start = most
        while start < len(text) and text[start].isspace():
            start += 1


def _longest(text: str, start: int, fits: Callable[[str], bool]) -> int:
    """The end of the longest piece that fits; at least one character, so that cutting always gets on."""
    low, step = start + 1, 64
    while low + step <= len(text) and fits(text[start : low + step]):
        low, step = low + step, step * 2
    high = min(low + step, len(text) + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(text[start:middle]):
            low = middle
        else:
            high = middle
    return low


def clusters(text: str) -> Iterator[str]:
    """The characters as a reader sees them: a letter with its marks, a flag, a family of emoji joined by zero-width joiners.

    An approximation of Unicode's extended grapheme clusters (UAX 29) that is exact for what people text.
    """
    cluster = ""
    flags = 0
    for char in text:
        indicator = "\U0001f1e6" <= char <= "\U0001f1ff"
        if cluster and (_extends(char) or cluster[-1] == _ZWJ or (indicator and flags % 2 == 1)):
            cluster += char
        else:
            if cluster:
                yield cluster
            cluster = char
        flags = flags + 1 if indicator else 0
    if cluster:
        yield cluster


def _extends(char: str) -> bool:
    return (
        char == _ZWJ
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # tags, of flags of regions
        or "\u1160" <= char <= "\u11ff"  # Hangul vowels and finals typed apart
        or (char > "\u02ff" and unicodedata.category(char) in ("Mn", "Me", "Mc"))
    )
