from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from flows.common.values import line_prefixes, money, slot, today
from integrations.bss import Market, Money
from integrations.bss.embedded import EmbeddedOperator


def test_money_keeps_every_decimal() -> None:
    assert money(Money.of("55", "USD")) == {"amount": "55.00", "currency": "USD"}
    assert money(Money.of("69000", "KRW")) == {"amount": "69000", "currency": "KRW"}


def test_the_operators_day_is_that_of_the_market() -> None:
    late = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    assert today(Market.US, late) == date(2026, 11, 23)
    assert today(Market.KR, late) == date(2026, 11, 24)


async def test_lines_are_named_only_where_there_are_several() -> None:
    async with EmbeddedOperator.open(customers=20) as bss:
        single, several = await bss.lines("CUS-10001"), await bss.lines("CUS-10003")
    assert line_prefixes(single) == {}
    assert list(line_prefixes(several).values()) == ["Olivia - ", "Mark - ", "Ella - ", "Tablet - "]
    unnamed = [replace(line, label="") for line in several]
    assert line_prefixes(unnamed)[unnamed[0].id] == "0103 - "


class _Tracker:
    def get_slot(self, name: str) -> object:
        return {"full": 5}.get(name)


def test_an_empty_slot_is_named() -> None:
    assert slot(_Tracker(), "full") == "5"
    with pytest.raises(LookupError, match="bill_id"):
        slot(_Tracker(), "bill_id")
