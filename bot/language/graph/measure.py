"""How wide words are, without a font at hand: an estimate on the wide side, so that text stays inside its box in any sans-serif."""

from __future__ import annotations

import unicodedata

_NARROW = frozenset("ijl.,:;'|!`ftrI()[]{}/ ")
_WIDE = frozenset("mwMW@%—…")


def width(text: str, size: float) -> float:
    """Estimated width of a line in pixels at a font size in pixels. Hangul and other wide signs count as one em."""
    return size * sum(_em(letter) for letter in text)


def wrap(text: str, size: float, room: float, most_lines: int) -> tuple[str, ...]:
    """Breaks a text into lines that fit the room, at blanks, or anywhere in a word that is wider than the room."""
    lines: list[str] = []
    current = ""
    for word in text.split():
        candidate = f"{current} {word}" if current else word
        if width(candidate, size) <= room:
            current = candidate
            continue
        if current:
            lines.append(current)
        *full, current = _pieces(word, size, room)
        lines.extend(full)
    if current:
        lines.append(current)
    if len(lines) > most_lines:
        last = lines[most_lines - 1]
        while last and width(last + "…", size) > room:
            last = last[:-1]
        lines = [*lines[: most_lines - 1], last.rstrip(" ,.") + "…"]
    return tuple(lines)


def _pieces(word: str, size: float, room: float) -> list[str]:
    """A word cut into pieces that fit, after `_`, `.` or `-` where it has one."""
    pieces: list[str] = []
    while width(word, size) > room and len(word) > 1:
        fit = 1
        while fit < len(word) and width(word[: fit + 1], size) <= room:
            fit += 1
        cut = max((word.rfind(sign, 0, fit) + 1 for sign in "_.-"), default=0)
        cut = cut if cut > fit // 3 else fit
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]


def _em(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return 1.0
    if unicodedata.combining(letter):
        return 0.0
    if letter in _NARROW:
        return 0.36
    if letter in _WIDE:
        return 0.92
    return 0.7 if letter.isupper() else 0.6
