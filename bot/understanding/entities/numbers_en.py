"""Numbers in English words and digits: "twenty five", "a hundred", "1,250.50", "one oh seven"."""

from __future__ import annotations

import re

from .found import Found, number

_DIGIT_WORDS = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9",
}  # fmt: skip
_MULTIPLES = {"double": 2, "triple": 3}
_SMALL = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SCALES = "hundred thousand million billion"
_WORD = "|".join([*_SMALL.split(), *_TENS.split(), *_SCALES.split(), "zero"])
_WORDS = re.compile(
    rf"(?<![\w'])(?:an? (?=hundred|thousand|million|billion))?(?:{_WORD})(?:(?:[ -]|,? and )(?:{_WORD})\b)*(?: point(?: (?:{_WORD}))+)?(?![\w'])"
)
_DIGITS = re.compile(r"(?<![\w.,])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w,]*\d)|(?<![\w.,:/-])\d+(?:\.\d+)?(?![\d:/]|[.,]\d|[a-z-])")
_RUN_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_SHORTEST_RUN = 3


def read_number(text: str) -> float | int | None:
    """The number a text is, or None. The text must be nothing but the number."""
    plain = text.strip().replace(",", "") if re.fullmatch(r"\s*-?[\d,]+(?:\.\d+)?\s*", text) else text.strip()
    if re.fullmatch(r"-?\d+(?:\.\d+)?", plain):
        return number(float(plain)) if len(plain) <= 15 else None
    return _from_words(plain)


def _from_words(text: str) -> float | int | None:
    from text_to_num import text2num

    whole, point, decimals = text.partition(" point ")
    words = re.sub(r"^an? ", "one ", whole.replace("-", " ").replace(",", " "))
    try:
        value = float(text2num(" ".join(words.split()), "en"))
    except (ValueError, KeyError, IndexError):
        return None
    if point:
        digits = "".join(_DIGIT_WORDS.get(word, "?") for word in decimals.split())
        if not digits.isdigit():
            return None
        value += float(f"0.{digits}")
    return number(value)


def find_numbers(text: str) -> list[Found]:
    """Every number in a folded text that stands as a word of its own ("5g" holds none)."""
    found = [Found(value, m.start(), m.end()) for m in _DIGITS.finditer(text) if (value := read_number(m[0])) is not None]
    for match in _WORDS.finditer(text):
        value = _from_words(match[0])
        if value is not None:
            found.append(Found(value, match.start(), match.end()))
        else:
            found.extend(_one_by_one(text, match.start(), match.end()))
    return found


def _one_by_one(text: str, start: int, end: int) -> list[Found]:
    """Words that are numbers each but not one number together ("one two")."""
    return [
        Found(value, start + m.start(), start + m.end())
        for m in re.finditer(r"[a-z]+", text[start:end])
        if (value := _from_words(m[0])) is not None
    ]


def find_digit_runs(text: str) -> list[Found]:
    """Digits spoken one by one ("four eight oh two", "double five one") as digit text, from three words on."""
    found: list[Found] = []
    run: list[re.Match[str]] = []
    for word in _RUN_WORD.finditer(text):
        if word[0] not in _DIGIT_WORDS and word[0] not in _MULTIPLES and not word[0].isdigit():
            found += _run(run)
            run = []
            continue
        if run and text[run[-1].end() : word.start()] not in (" ", "-"):
            found += _run(run)
            run = []
        run.append(word)
    return found + _run(run)


def _run(listed: list[re.Match[str]]) -> list[Found]:
    if len(listed) < _SHORTEST_RUN:
        return []
    digits, repeat = "", 1
    for word in (match[0] for match in listed):
        if word in _MULTIPLES:
            repeat = _MULTIPLES[word]
            continue
        digits += _DIGIT_WORDS.get(word, word) * repeat
        repeat = 1
    return [Found(digits, listed[0].start(), listed[-1].end())]
