"""Numbers in Korean: Sino-Korean (만 오천), native (스물다섯), mixed with digits (8만 9천), digit runs (공일공), and writing them."""

from __future__ import annotations

import re

from .found import Found, number

_DIGITS = {
    "영": 0, "공": 0, "빵": 0, "일": 1, "이": 2, "삼": 3, "사": 4, "오": 5, "육": 6, "륙": 6, "칠": 7, "팔": 8, "구": 9,
}  # fmt: skip
_SMALL_UNITS = {"십": 10, "백": 100, "천": 1000}
_LARGE_UNITS = {"조": 10**12, "억": 10**8, "만": 10**4}
_NATIVE_TENS = {"열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40, "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90}
_NATIVE_ONES = {
    "하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "넷": 4, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
_NATIVE = re.compile(rf"(?P<tens>{'|'.join(_NATIVE_TENS)})?(?P<ones>{'|'.join(_NATIVE_ONES)})?")
_PART = re.compile(r"(?P<digits>\d+(?:\.\d+)?)|(?P<word>[영공빵일이삼사오육륙칠팔구])|(?P<small>[십백천])|(?P<large>[조억만])")
_SINO = r"[\d영공빵일이삼사오육륙칠팔구십백천만억조]"
_CANDIDATE = re.compile(rf"(?<![\w.])(?:\d[\d,]*(?:\.\d+)?|{_SINO})(?:[ ]?(?:\d[\d,]*(?:\.\d+)?(?=[ ]?[십백천만억조])|{_SINO}))*")
COUNTERS = (
    r"(?:원|기가|gb|gib|mb|메가|테라|tb|분|개월|개|명|회선|회|번째|번|달러|불|퍼센트|%|시간|시|일|월|년|주|달|통|건|대|살|세|장|배|회차)"
)
_COUNTER = re.compile(rf"[ ]?{COUNTERS}")
_NATIVE_COUNTED = re.compile(rf"(?<![가-힣])((?:{'|'.join(_NATIVE_TENS)})?(?:{'|'.join(_NATIVE_ONES)})?)[ ]?(?={COUNTERS})")
_SPELLED = "영일이삼사오육칠팔구"
_RUN = re.compile(r"(?<![가-힣])(?:[영공빵일이삼사오육륙칠팔구\d][ -]?){4,}(?![가-힣]*[십백천만억])")


def read_number(text: str) -> float | int | None:
    """The number a text is, or None. The text must be nothing but the number; spaces and commas do not count."""
    plain = re.sub(r"[\s,]", "", text)
    if not plain:
        return None
    native = _NATIVE.fullmatch(plain)
    if native is not None:
        return _NATIVE_TENS.get(native["tens"] or "", 0) + _NATIVE_ONES.get(native["ones"] or "", 0)
    return _sino(plain)


def _sino(text: str) -> float | int | None:
    total: float = 0
    section: float = 0
    pending: float | None = None
    smallest_large = 10**16
    smallest_small = 10**5
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            return None
        position = part.end()
        if (written := part["digits"] or part["word"]) is not None:
            if pending is not None:
                return None
            pending = _DIGITS[written] if written in _DIGITS else _written(written)
        elif part["small"] is not None:
            unit = _SMALL_UNITS[part["small"]]
            if unit >= smallest_small:
                return None
            section += (1 if pending is None else pending) * unit
            pending, smallest_small = None, unit
        else:
            unit = _LARGE_UNITS[part["large"]]
            if unit >= smallest_large:
                return None
            section += pending or 0
            total += (section or 1) * unit
            section, pending, smallest_large, smallest_small = 0, None, unit, 10**5
    value = total + section + (pending or 0)
    return value if isinstance(value, int) else number(round(value, 6))


def _written(digits: str) -> float:
    return float(digits[:18]) if "." in digits else int(digits[:18])


def find_numbers(text: str) -> list[Found]:
    """Every number in a folded text that has digits, or a counter after it ("삼만 원", "두 명"); bare syllables are words more often."""
    found: list[Found] = []
    for match in _CANDIDATE.finditer(text):
        written = match[0].rstrip(", ")
        after = text[match.start() + len(written) :]
        if not any(character.isdigit() for character in written) and _COUNTER.match(after) is None:
            continue
        if re.match(r"[a-z]", after) and _COUNTER.match(after) is None:
            continue
        if (value := read_number(written)) is not None:
            found.append(Found(value, match.start(), match.start() + len(written)))
    for match in _NATIVE_COUNTED.finditer(text):
        if match[1] and (value := read_number(match[1])) is not None:
            found.append(Found(value, match.start(1), match.end(1)))
    return found


def find_digit_runs(text: str) -> list[Found]:
    """Digits read out one by one (공일공 일이삼사) as digit text."""
    found: list[Found] = []
    for match in _RUN.finditer(text):
        written = re.sub(r"[ -]", "", match[0])
        digits = "".join(str(_DIGITS.get(character, character)) for character in written)
        if digits.isdigit() and not written.isdigit():
            found.append(Found(digits, match.start(), match.start() + len(match[0].rstrip(" -"))))
    return found


def write_sino(value: int) -> str:
    """A whole number from 0 below 10**16 in Sino-Korean words (35000 -> 삼만오천)."""
    if value == 0:
        return "영"
    written = ""
    for unit, size in (("조", 10**12), ("억", 10**8), ("만", 10**4), ("", 1)):
        section, value = divmod(value, size)
        if section:
            words = "".join(
                (_SPELLED[digit] if digit > 1 or name == "" else "") + name
                for name, digit in zip(("천", "백", "십", ""), (int(d) for d in f"{section:04d}"), strict=True)
                if digit
            )
            written += ("" if unit == "만" and section == 1 and not written else words) + unit
    return written
