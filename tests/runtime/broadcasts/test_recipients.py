from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.broadcasts import REASONS, BroadcastRefused
from bot.runtime.broadcasts.recipients import Recipient, RecipientFile, Skipped, e164

from .world import us, write


def read(path: Path, **more: Any) -> list[Recipient | Skipped]:
    options: dict[str, Any] = {"region": "US", "languages": ("en", "ko"), "needs": ("name",), "needs_agreement": False}
    return list(RecipientFile(path, **{**options, **more}).read())


def reasons(found: list[Recipient | Skipped]) -> list[tuple[int, str]]:
    return [(line.line, line.reason if isinstance(line, Skipped) else "ok") for line in found]


def test_every_bad_line_is_told_and_loses_no_other(tmp_path: Path) -> None:
    lines = [
        b"+12025550101,en,Sam",
        b"12345,en,Short",
        b"",
        b"+12025550102,fr,Lang",
        b"+12025550103,en,",
        b"+12025550104,en",
        b"+12025550105,en,a,b",
        b'+12025550106,en,"open',
        b"+12025550107,en,\xff\xfe",
        b"+12025550101,ko,Twice",
        b"(202) 555-0108,,Local",
        "+821000000001,ko-KR,지민".encode(),
        b'+12025550109,EN,"Sam, Jr."',
        b"+12025550110 ext. 4,en,Extension",
        b"+12025550101,en,Thrice",
    ]
    path = tmp_path / "customers.csv"
    path.write_bytes(b"\xef\xbb\xbfnumber,language,name\r\n" + b"\r\n".join(lines))
    found = read(path)
    assert reasons(found) == [
        (2, "ok"), (3, "bad_number"), (5, "bad_language"), (6, "empty_value"), (7, "wrong_cells"), (8, "wrong_cells"), (9, "bad_quotes"),
        (10, "not_utf8"), (11, "duplicate"), (12, "ok"), (13, "ok"), (14, "ok"), (15, "bad_number"), (16, "duplicate"),
    ]  # fmt: skip
    good = [(line.number, line.language, line.values["name"]) for line in found if isinstance(line, Recipient)]
    assert good == [
        ("+12025550101", "en", "Sam"),
        ("+12025550108", "en", "Local"),
        ("+821000000001", "ko", "지민"),
        ("+12025550109", "en", "Sam, Jr."),
    ]
    shown = " ".join(str(line) for line in found if isinstance(line, Skipped)) + repr(found)
    assert "line 6 has no value in a column the message needs: name" in shown
    assert "Sam" not in shown, "what is told of a line tells nothing of its customer"
    assert "5550" not in shown


def test_marketing_needs_an_agreement(tmp_path: Path) -> None:
    agreed = ["true", "yes", "TRUE", "Yes", "", "no", "false", "1", "maybe"]
    path = write(tmp_path / "a.csv", (f"{us(n)},en,{word}" for n, word in enumerate(agreed)), "number,language,agreed")
    found = read(path, needs=(), needs_agreement=True)
    assert [reason for _, reason in reasons(found)] == ["ok"] * 4 + ["not_agreed"] * 5
    assert [reason for _, reason in reasons(read(path, needs=()))] == ["ok"] * 9, "the column means nothing to a notice"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("phone,language,name", "missing_columns"),
        ("number,language", "missing_columns"),
        ("number;language;name", "missing_columns"),
        ("number,language,name,name", "bad_header"),
        ('number,language,"name', "bad_header"),
        ("", "missing_columns"),
    ],
)
def test_a_header_that_cannot_be_used(tmp_path: Path, header: str, code: str) -> None:
    with pytest.raises(BroadcastRefused) as refused:
        read(write(tmp_path / "a.csv", [], header))
    assert refused.value.code == code


def test_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("number,language,name\n", encoding="utf-16")
    with pytest.raises(BroadcastRefused, match="UTF-8"):
        read(path)


def test_a_country_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(BroadcastRefused, match="bad_region"):
        read(write(tmp_path / "a.csv", []), region="XX")


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+1 (202) 555-0101", "KR", "+12025550101"),
        ("202-555-0101", "US", "+12025550101"),
        ("010-0000-0001", "KR", "+821000000001"),
        ("+82 10-0000-0001", "US", "+821000000001"),
        ("０１０-0000-0001", "KR", "+821000000001"),
        ("010-0000-0001", "US", ""),
        ("+1 000 000 0000", "US", ""),
        ("", "US", ""),
        ("call me", "US", ""),
    ],
)
def test_numbers_as_people_write_them(written: str, region: str, number: str) -> None:
    assert e164(written, region) == number


@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line and b"\r" not in line), max_size=8))
def test_no_line_whatever_it_is_loses_another(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    good = [f"{us(n)},en,Sam".encode() for n in range(len(lines) + 1)]
    mixed = [line for pair in zip(good, [*lines, b""], strict=True) for line in pair]
    path.write_bytes(b"number,language,name\n" + b"\n".join(mixed))
    found = read(path)
    numbers = [line.number for line in found if isinstance(line, Recipient)]
    assert {us(n) for n in range(len(lines) + 1)} <= set(numbers)
    assert len(numbers) == len(set(numbers))
    assert all(line.reason in REASONS for line in found if isinstance(line, Skipped))


def test_memory_is_a_number_a_recipient(tmp_path: Path) -> None:
    """What is kept of a line is its number, for duplicates: some tens of bytes, not the line."""
    filler = "x" * 400
    path = write(tmp_path / "a.csv", (f"{us(n)},en,{filler}" for n in range(4000)))
    tracemalloc.start()
    file = RecipientFile(path, region="US", languages=("en",), needs=("name",), needs_agreement=False)
    assert sum(isinstance(line, Recipient) for line in file.read()) == 4000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < path.stat().st_size
