"""The file of recipients: CSV in UTF-8, a header and one customer a line, read as a stream.

    number,language,agreed,name
    +12025550101,en,true,Sam

`number` and `language` are required; `agreed` is required for marketing; every other column is a value for the message. A line that
cannot be used is skipped with its reason and loses no other line, so a cell cannot hold a line break.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from .order import BroadcastRefused

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "not_utf8": "is not UTF-8",
        "bad_quotes": "has an open quotation mark, or text around one",
        "wrong_cells": "has more or fewer cells than the header",
        "bad_number": "has no telephone number that exists",
        "bad_language": "has a language the message is not written in",
        "empty_value": "has no value in a column the message needs",
        "nothing_to_say": "fits no wording of the response",
        "broken_template": "breaks the template of the response",
        "no_hour": "has a number whose time zone is not known: no hour suits them all",
        "duplicate": "repeats a number that came before",
        "not_agreed": "has no agreement to marketing",
        "opted_out": "has a number that said stop",
    }
)
"""Why somebody gets nothing: code and what to tell of the line."""

BAD = frozenset(REASONS) - {"duplicate", "not_agreed", "opted_out"}
"""Reasons that mean the file is wrong, not the customer unwilling."""

_SHOWN = 1000
_OWN = ("number", "language", "agreed")
_AGREED = ("true", "yes")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets the message. `line` counts from 1, the header; `number` is E.164."""

    line: int
    number: str = field(repr=False)
    language: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line whose customer gets nothing, and why: one of REASONS. `column`: where, if that helps."""

    line: int
    reason: str
    column: str = ""

    def __str__(self) -> str:
        return f"line {self.line} {REASONS[self.reason]}" + (f": {self.column}" if self.column else "")


@dataclass(slots=True)
class Checked:
    """A file that was read through. `total` counts lines after the header; `bad` are the first thousand that are wrong.

    `messages`, `segments` and `ends` (ISO) are known when it was asked for an estimate.
    """

    sha256: str = ""
    total: int = 0
    good: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    bad: list[Skipped] = field(default_factory=list)
    messages: int = 0
    segments: int = 0
    ends: str = ""

    @property
    def bad_lines(self) -> int:
        return sum(count for reason, count in self.skipped.items() if reason in BAD)

    def accept(self, messages: int) -> None:
        """Somebody gets the message, in so many parts."""
        self.good += 1
        self.messages += messages

    def skip(self, line: Skipped) -> None:
        self.skipped[line.reason] += 1
        if line.reason in BAD and len(self.bad) < _SHOWN:
            self.bad.append(line)


class RecipientFile:
    """A file as a stream. Raises BroadcastRefused when its header cannot be used, OSError when it cannot be opened.

    `languages` are those the message can be written in, the first for lines that name none; `needs` the columns it takes values from.
    """

    def __init__(self, path: Path, *, region: str, languages: Sequence[str], needs: Collection[str], needs_agreement: bool) -> None:
        import phonenumbers

        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise BroadcastRefused("bad_region", f"there is no country {region!r}: give its two letters, such as US or KR")
        self._path, self._region, self._languages = path, region, languages
        with path.open("rb") as file:
            first = file.readline(1 << 16)
        try:
            header = next(csv.reader([first.decode("utf-8-sig").strip("\r\n")], strict=True), [])
        except (UnicodeDecodeError, csv.Error):
            raise BroadcastRefused("bad_header", f"{path.name}: the first line is not CSV in UTF-8; save the file as CSV UTF-8") from None
        self._columns = [column.strip() for column in header]
        wanted = ("number", "language", *(("agreed",) if needs_agreement else ()), *sorted(needs))
        missing = [column for column in wanted if column not in self._columns]
        if missing:
            raise BroadcastRefused("missing_columns", f"{path.name}: the header needs {', '.join(missing)} (separated by commas)")
        if len(set(self._columns)) != len(self._columns):
            raise BroadcastRefused("bad_header", f"{path.name}: a column of the header stands there twice")
        self._needs = tuple(sorted(needs))
        self._needs_agreement = needs_agreement

    def sha256(self) -> str:
        """What the file is known by: a broadcast is resumed with the same one."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def read(self) -> Generator[Recipient | Skipped, None, None]:
        """Every line after the header that is not blank, in order. Remembers the numbers it gave, to give each once."""
        seen: set[int] = set()
        # What is not UTF-8 becomes half surrogate pairs, which no valid line holds: it spoils its own line only.
        with self._path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            for line, text in enumerate(file, start=1):
                if line == 1 or not text.strip():
                    continue
                found = self._line(line, text)
                if isinstance(found, Recipient):
                    number = int(found.number[1:])
                    if number in seen:
                        found = Skipped(line, "duplicate")
                    seen.add(number)
                yield found

    def _line(self, line: int, text: str) -> Recipient | Skipped:
        if not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
            return Skipped(line, "not_utf8")
        try:
            cells = next(csv.reader([text.rstrip("\r\n")], strict=True))
        except csv.Error:
            return Skipped(line, "bad_quotes")
        if len(cells) != len(self._columns):
            return Skipped(line, "wrong_cells")
        row = {column: cell.strip() for column, cell in zip(self._columns, cells, strict=True)}
        if not (number := e164(row["number"], self._region)):
            return Skipped(line, "bad_number")
        if not (language := self._language(row["language"])):
            return Skipped(line, "bad_language")
        for column in self._needs:
            if not row[column]:
                return Skipped(line, "empty_value", column)
        if self._needs_agreement and row["agreed"].casefold() not in _AGREED:
            return Skipped(line, "not_agreed")
        return Recipient(line, number, language, {column: row[column] for column in self._columns if column not in _OWN})

    def _language(self, written: str) -> str:
        """`ko`, `KO` and `ko-KR` are `ko`."""
        if not written:
            return self._languages[0]
        wanted = written.casefold().replace("_", "-")
        for language in self._languages:
            if wanted == language.casefold():
                return language
        return next((language for language in self._languages if wanted.partition("-")[0] == language.casefold()), "")


def e164(written: str, region: str) -> str:
    """A number as networks write it, "" if no such number exists. `region` is its country if it names none."""
    import phonenumbers

    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return ""
    if number.extension or not phonenumbers.is_valid_number(number):
        return ""
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
