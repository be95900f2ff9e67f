"""What a line is called, and which line a customer means. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

from integrations.bss.models import Line, LineStatus

_MINE = re.compile(r"(?:this|my|mine|me)(?:one|line|phone|number)?|(?:이|내|제)(?:거|폰|번호|회선|휴대폰|핸드폰)|본인")
_FILLERS = re.compile(r"(?:'s)?(?:line|phone|number)$|(?:네|의)?(?:회선|폰|핸드폰|휴대폰|번호)(?:요|로|으로)?$")


def in_use(lines: Sequence[Line]) -> list[Line]:
    """The lines a customer may talk about; a suspended one counts, a closed one does not."""
    return [line for line in lines if line.status is not LineStatus.CLOSED]


def line_title(line: Line) -> str:
    """What to call a line: its label with the last four digits, or its number as people there write it."""
    if line.label:
        return f"{line.label} ({line.msisdn[-4:]})"
    number = phonenumbers.parse(line.msisdn)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def meant(said: str, lines: Sequence[Line], own_line_id: str | None) -> list[Line]:
    """The lines that `said` may mean: an id from a button, "this phone", a number or its ending, or a label."""
    by_id = [line for line in lines if line.id == said]
    if by_id:
        return by_id
    words = _plain(said)
    if not words:
        return []
    if _MINE.fullmatch(words) and (own := [line for line in lines if line.id == own_line_id]):
        # A label wins over "mine": a customer may have called a line "본인" (my own).
        return [line for line in lines if _plain(line.label) == words] or own
    digits = re.sub(r"\D", "", said).lstrip("0")
    if len(digits) >= 2:
        return [line for line in lines if line.msisdn.endswith(digits)]
    name = _FILLERS.sub("", words) or words
    labelled = [(line, _plain(line.label)) for line in lines if line.label]
    same = [line for line, label in labelled if label in (words, name)]
    return same or [line for line, label in labelled if label in words or (len(name) > 1 and name in label)]


def _plain(text: str) -> str:
    return "".join(text.casefold().split())
