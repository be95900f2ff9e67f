"""What a text costs as SMS: segments of 160/153 characters in GSM-7, of 70/67 UTF-16 units as soon as one character needs them.

Counting is smsutil's, except for emoji made of several characters: handsets and carriers keep them whole, smsutil cuts them.
(Ordinary texts are counted by a division, for speed, which gives the same.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from smsutil import is_valid_gsm
from smsutil import split as gsm_or_ucs2

from .splitting import clusters, in_pieces

Encoding = Literal["gsm7", "ucs2"]

_GSM_ALONE, _GSM_JOINED = 160, 153
_UCS2_ALONE, _UCS2_JOINED = 70, 67

_EXTENDED = re.compile(r"[\f^{}\\\[~\]|\u20ac]")  # two septets each
# Texts of which every character is one UTF-16 unit and a character to the reader: Latin, general punctuation, Hangul.
_SIMPLE = re.compile("[\x00-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u3000-\u3029가-힣]*")

# What phones and word processors type for you, and GSM-7 has a plain form of. One curly quote halves what fits.
_TYPOGRAPHY = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u2033": '"',
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
        "\u2026": "...", "\u2022": "-", "\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ", "\u3000": " ",
        "\u200b": "", "\ufeff": "", "\u00ad": "", "\t": " ",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Count:
    """`units` are GSM-7 septets (an extension character such as the euro sign takes two) or UTF-16 units."""

    encoding: Encoding
    segments: int
    units: int


def count(text: str) -> Count:
    """What a text costs. An empty text is one segment: a message is sent all the same."""
    if is_valid_gsm(text):
        if not _EXTENDED.search(text):
            return Count("gsm7", _segments(len(text), _GSM_ALONE, _GSM_JOINED), len(text))
        found = gsm_or_ucs2(text)
        return Count("gsm7", len(found.parts), int(found.total_bytes))
    if _SIMPLE.fullmatch(text):
        return Count("ucs2", _segments(len(text), _UCS2_ALONE, _UCS2_JOINED), len(text))
    whole = tuple(clusters(text))
    if len(whole) != len(text):
        return _count_clusters(whole)
    found = gsm_or_ucs2(text)
    return Count("ucs2", len(found.parts), int(found.total_bytes) // 2)


def _segments(units: int, alone: int, joined: int) -> int:
    """Where every character takes one unit there is nothing to pack, only to divide."""
    return 1 if units <= alone else -(-units // joined)


def plain(text: str) -> str:
    """The text with typographic quotes, dashes, dots and spaces made plain, which keeps an English text in GSM-7.

    Only if that makes it GSM-7: a Korean text gains nothing and is returned as it is.
    """
    simpler = text.translate(_TYPOGRAPHY)
    return simpler if is_valid_gsm(simpler) else text


def split(text: str, *, max_segments: int, max_chars: int | None = None, numbered: bool = False) -> tuple[str, ...]:
    """Cuts a text into messages of at most `max_segments` segments (and `max_chars` characters) each.

    Nothing but white space at the cuts is lost. Cuts are between sentences, if that cannot be between words, if that cannot be
    between characters, never within a composed emoji that fits. `numbered` puts `(1/3) ` before each, when there are several.
    Raises ValueError for a budget that could not hold a number and a word.
    """
    if max_segments < 1:
        raise ValueError("max_segments must be at least 1")

    def fits(piece: str) -> bool:
        if max_chars is not None and len(piece) > max_chars:
            return False
        # A segment never holds more than 160 characters: spares the counting of what cannot fit.
        return len(piece) <= 160 * max_segments and count(piece).segments <= max_segments

    return in_pieces(text, fits, max_chars, numbered=numbered)


def split_characters(text: str, *, max_chars: int | None, numbered: bool = False) -> tuple[str, ...]:
    """As `split`, for channels that count characters. Without a bound the text is one message."""
    return in_pieces(text, lambda piece: max_chars is None or len(piece) <= max_chars, max_chars, numbered=numbered)


def _count_clusters(whole: tuple[str, ...]) -> Count:
    sizes = [sum(2 if char > "\uffff" else 1 for char in cluster) for cluster in whole]
    total = sum(sizes)
    if total <= _UCS2_ALONE:
        return Count("ucs2", 1, total)
    segments, room = 0, 0
    for size in sizes:
        if size <= room:
            room -= size
        else:  # one longer than a segment has to be cut by somebody
            full, rest = divmod(size, _UCS2_JOINED)
            segments += full + (1 if rest else 0)
            room = _UCS2_JOINED - rest if rest else 0
    return Count("ucs2", segments, total)
