"""Days and months in English and Korean, as ISO text. A day without a year is the next one to come; a month without one the last begun."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from . import numbers_en, numbers_ko
from .found import Found

_MONTHS = {name.lower(): index for index, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower(): index for index, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_DAYS = {name.lower(): index for index, name in enumerate(calendar.day_name)}
_DAYS |= {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "weds": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4}
_DAYS_KO = "월화수목금토일"
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth "
    "eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh "
    "twenty-eighth twenty-ninth thirtieth thirty-first"
)
_ORDINALS = {word: index for index, word in enumerate(_ORDINAL_WORDS.split(), start=1)}
_ORDINALS |= {word.replace("-", " "): index for word, index in _ORDINALS.items() if "-" in word}

_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?|(?P<dw>" + "|".join(sorted(_ORDINALS, key=len, reverse=True)) + ")"
_YEAR = r"(?:,? (?P<y>20\d\d))?"
_RELATIVE_EN = {
    "today": 0, "tonight": 0, "right now": 0, "now": 0, "immediately": 0, "asap": 0, "right away": 0, "straight away": 0, "tomorrow": 1, "tmrw": 1, "tmr": 1, "tomorow": 1,
    "the day after tomorrow": 2, "day after tomorrow": 2, "yesterday": -1, "the day before yesterday": -2, "next week": 7, "last week": -7,
    "오늘": 0, "지금": 0, "당장": 0, "바로": 0, "즉시": 0, "금일": 0, "내일": 1, "명일": 1, "모레": 2, "내일모레": 2, "글피": 3, "어제": -1, "그저께": -2, "그제": -2,
    "엊그제": -2, "일주일 뒤": 7, "일주일 후": 7, "다음 주": 7, "다음주": 7, "차주": 7,
}  # fmt: skip
_RELATIVE = re.compile(
    r"(?<![\w가-힣])(?:" + "|".join(re.escape(phrase) for phrase in sorted(_RELATIVE_EN, key=len, reverse=True)) + r")(?![a-z\d])"
)
_WEEKDAY = re.compile(
    rf"\b(?:(?P<which>this|next|coming|this coming|last|on) )?(?P<day>{'|'.join(sorted(_DAYS, key=len, reverse=True))})\b(?P<week> week)?"
)
_WEEKDAY_KO = re.compile(
    r"(?:(?P<which>이번|다음|담|지난|저번|다다음|금|차)\s?주\s?)?(?P<day>[월화수목금토일])요일|(?P<which2>이번|다음|담|지난)\s?주\s?(?P<day2>[월화수목금토일])(?![가-힣])"
)
_IN = re.compile(
    r"\b(?:in|after) (?P<n>an?|\d+|[a-z]+(?:[ -][a-z]+)?) (?P<unit>day|week|month)s?\b|\b(?P<n2>an?|\d+|[a-z]+) (?P<unit2>day|week|month)s? (?:from now|later)\b"
)
_IN_KO = re.compile(
    r"(?:(?P<fixed>하루|이틀|사흘|나흘|열흘|보름)|(?P<n>\d+|[일이삼사오육칠팔구십]+|한|두|세|네)\s?(?P<unit>일|주일|주|달|개월))\s?(?:뒤|후|있다가)"
)
_FIXED_KO = {"하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "열흘": 10, "보름": 15}
_ISO = re.compile(r"(?<!\d)(?P<y>20\d\d)[-./]\s?(?P<m>\d{1,2})[-./]\s?(?P<d>\d{1,2})(?!\d)")
_SLASH = re.compile(r"(?<![\d/])(?P<m>\d{1,2})/(?P<d>\d{1,2})(?:/(?P<y>20\d\d|\d\d))?(?![\d/])")
_MONTH_DAY = re.compile(rf"\b(?P<mon>{_MONTH})\.? (?:the )?(?:{_DAY}){_YEAR}\b")
_DAY_MONTH = re.compile(rf"\b(?:the )?(?:{_DAY})(?: of)? (?P<mon>{_MONTH})\b\.?{_YEAR}")
_DAY_ONLY = re.compile(rf"\b(?:on )?the (?:{_DAY})\b(?: of (?P<which>this|next) month)?(?! (?:one|option|choice|time|plan|line|bill))")
_KOREAN = re.compile(
    r"(?:(?P<y>20\d\d)\s?년\s?)?(?:(?P<m>\d{1,2}|[일이삼사오육유칠팔구시십]{1,2})\s?월|(?P<rel>이번|이달|다음|담|내)\s?달?)\s?(?P<d>\d{1,2}|[일이삼사오육칠팔구십]{1,3})\s?일(?!요일|주)"
)
_KOREAN_DAY = re.compile(r"(?<![\d월.])(?P<d>\d{1,2})\s?일(?!\s?(?:뒤|후|간|전|동안|요일|주|치|권|정액))")
_MONTH_END = re.compile(
    r"\b(?:the )?(?:end of|last day of) (?:the|this|(?P<next>next)) month\b|(?P<ko_next>다음\s?달|담달)\s?말|(?:이번\s?달|이달)\s?말|(?<![가-힣])월말|말일"
)
_MONTH_START = re.compile(r"\b(?:(?:the )?(?:start|beginning|first|1st) of )?next month\b|(?:다음\s?달|담달|내달)(?:\s?초)?(?!\s?\d|\s?말)")


def find_dates(text: str, today: date) -> list[Found]:
    """Every day in a folded text, as `YYYY-MM-DD`."""
    found: list[Found] = []

    def add(day: date | None, match: re.Match[str]) -> None:
        if day is not None:
            found.append(Found(day.isoformat(), match.start(), match.end()))

    for match in _ISO.finditer(text):
        add(_day(int(match["y"]), int(match["m"]), int(match["d"])), match)
    for match in _SLASH.finditer(text):
        add(_in_year(match["y"], int(match["m"]), int(match["d"]), today), match)
    for pattern in (_MONTH_DAY, _DAY_MONTH):
        for match in pattern.finditer(text):
            add(_in_year(match["y"], _MONTHS[match["mon"]], _day_of(match), today), match)
    for match in _KOREAN.finditer(text):
        add(_korean(match, today), match)
    for match in _RELATIVE.finditer(text):
        add(today + timedelta(days=_RELATIVE_EN[match[0]]), match)
    for match in _WEEKDAY.finditer(text):
        if len(match["day"]) > 3 or match["which"] or match[0] == text.strip():
            add(_weekday(_DAYS[match["day"]], "next" if match["week"] else match["which"] or "", today), match)
    for match in _WEEKDAY_KO.finditer(text):
        which = {
            "다음": "next",
            "담": "next",
            "차": "next",
            "지난": "last",
            "저번": "last",
            "다다음": "after next",
            "이번": "this",
            "금": "this",
        }
        add(_weekday(_DAYS_KO.index(match["day"] or match["day2"]), which.get(match["which"] or match["which2"] or "", ""), today), match)
    for match in _IN.finditer(text):
        add(_later(_count_en(match["n"] or match["n2"]), match["unit"] or match["unit2"], today), match)
    for match in _IN_KO.finditer(text):
        add(_later_korean(match, today), match)
    for match in _MONTH_END.finditer(text):
        first = _add_months(today.replace(day=1), 1 if match["next"] or match["ko_next"] else 0)
        add(first.replace(day=calendar.monthrange(first.year, first.month)[1]), match)
    for match in _MONTH_START.finditer(text):
        add(_add_months(today.replace(day=1), 1), match)
    for match in _DAY_ONLY.finditer(text):
        add(_next_day_number(_day_of(match), today, skip=match["which"] == "next"), match)
    for match in _KOREAN_DAY.finditer(text):
        add(_next_day_number(int(match["d"]), today), match)
    return found


_MONTH_NAME = re.compile(rf"\b(?P<mon>{_MONTH})\b(?:,? (?P<y>20\d\d))?")
_MONTH_KO = re.compile(r"(?:(?P<y>20\d\d)\s?년\s?)?(?<!\d)(?P<m>\d{1,2}|[일이삼사오육유칠팔구시십]{1,2})\s?월(?!요일|말|세)")
_MONTH_ISO = re.compile(r"(?<!\d)(?P<y>20\d\d)[-./](?P<m>\d{1,2})(?![\d])")
_MONTH_RELATIVE = re.compile(
    r"\b(?:(?P<last>last|previous|prior) months?(?:'s)?|(?P<this>this|current) months?(?:'s)?|(?P<before>month before last)|(?P<next>next) month(?:'s)?)\b"
    r"|(?P<ko_last>지난\s?달|저번\s?달|전월|전달)|(?P<ko_this>이번\s?달|이달|금월|당월)|(?P<ko_before>지지난\s?달|저저번\s?달)|(?P<ko_next>다음\s?달|담달|내달)"
)
_SINO_MONTHS = {
    "일": 1,
    "이": 2,
    "삼": 3,
    "사": 4,
    "오": 5,
    "육": 6,
    "유": 6,
    "칠": 7,
    "팔": 8,
    "구": 9,
    "십": 10,
    "시": 10,
    "십일": 11,
    "십이": 12,
}


def find_months(text: str, today: date) -> list[Found]:
    """Every month in a folded text, as `YYYY-MM`. Without a year it is the last one begun: customers ask about past bills."""
    found: list[Found] = []
    for match in _MONTH_RELATIVE.finditer(text):
        groups = match.groupdict()
        step = (
            -2
            if groups["before"] or groups["ko_before"]
            else -1
            if groups["last"] or groups["ko_last"]
            else 1
            if groups["next"] or groups["ko_next"]
            else 0
        )
        found.append(Found(_add_months(today.replace(day=1), step).strftime("%Y-%m"), match.start(), match.end()))
    for match in _MONTH_ISO.finditer(text):
        if 1 <= int(match["m"]) <= 12:
            found.append(Found(f"{match['y']}-{int(match['m']):02d}", match.start(), match.end()))
    for match in _MONTH_NAME.finditer(text):
        if match["mon"] in ("may", "mar", "dec", "sun") and not re.search(
            rf"(?:in|for|of|from|since|last|my|the)\s+{match['mon']}\b|^\W*{match['mon']}\W*(?:bill|20\d\d|please)?\W*$", text
        ):
            continue
        found.append(Found(_past_month(match["y"], _MONTHS[match["mon"]], today), match.start(), match.end()))
    for match in _MONTH_KO.finditer(text):
        month = int(match["m"]) if match["m"].isdigit() else _SINO_MONTHS.get(match["m"], 0)
        if 1 <= month <= 12:
            found.append(Found(_past_month(match["y"], month, today), match.start(), match.end()))
    return found


def _past_month(year: str | None, month: int, today: date) -> str:
    chosen = int(year) if year else today.year if month <= today.month else today.year - 1
    return f"{chosen}-{month:02d}"


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _in_year(year: str | None, month: int, day: int, today: date) -> date | None:
    if year:
        return _day(int(year) if len(year) == 4 else 2000 + int(year), month, day)
    this = _day(today.year, month, day)
    if this is not None and this >= today:
        return this
    return _day(today.year + 1, month, day) or _day(today.year + 2, month, day)


def _day_of(match: re.Match[str]) -> int:
    return int(match["d"]) if match["d"] else _ORDINALS[match["dw"]]


def _korean(match: re.Match[str], today: date) -> date | None:
    number = int(match["d"]) if match["d"].isdigit() else int(numbers_ko.read_number(match["d"]) or 0)
    if match["rel"]:
        first = _add_months(today.replace(day=1), 0 if match["rel"].startswith("이") else 1)
        return _day(first.year, first.month, number)
    month = int(match["m"]) if match["m"].isdigit() else _SINO_MONTHS.get(match["m"], 0)
    return _in_year(match["y"], month, number, today)


def _weekday(weekday: int, which: str, today: date) -> date:
    monday = today - timedelta(days=today.weekday())
    match which:
        case "next":
            return monday + timedelta(days=7 + weekday)
        case "after next":
            return monday + timedelta(days=14 + weekday)
        case "last":
            return monday + timedelta(days=weekday - 7)
        case "this":
            return monday + timedelta(days=weekday)
        case _:
            return today + timedelta(days=(weekday - today.weekday()) % 7 or 7)


def _count_en(written: str) -> int | None:
    if written in ("a", "an"):
        return 1
    value = numbers_en.read_number(written)
    return int(value) if value is not None and value == int(value) else None


def _later_korean(match: re.Match[str], today: date) -> date | None:
    if match["fixed"]:
        return today + timedelta(days=_FIXED_KO[match["fixed"]])
    value = numbers_ko.read_number(match["n"])
    unit = {"일": "day", "주일": "week", "주": "week", "달": "month", "개월": "month"}[match["unit"]]
    return _later(int(value), unit, today) if value is not None else None


def _later(count: int | None, unit: str, today: date) -> date | None:
    if count is None or not 0 <= count <= 366:
        return None
    return _add_months(today, count) if unit == "month" else today + timedelta(days=count * (7 if unit == "week" else 1))


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _next_day_number(number: int, today: date, *, skip: bool = False) -> date | None:
    if not 1 <= number <= 31:
        return None
    start = _add_months(today.replace(day=1), 1) if skip else today.replace(day=1)
    for months in range(3):
        first = _add_months(start, months)
        day = _day(first.year, first.month, number)
        if day is not None and day >= today:
            return day
    return None
