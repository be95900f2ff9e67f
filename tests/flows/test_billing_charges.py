"""Which charges are meant by what a customer says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.billing.charges import find_charges
from flows.common.values import line_prefixes
from integrations.bss.embedded import EmbeddedOperator
from integrations.bss.models import AppliedBillingRate
from tests.flows.common_talk import Clock

Bill = tuple[tuple[AppliedBillingRate, ...], dict[str | None, str]]


@pytest.fixture
async def olivia() -> AsyncIterator[Bill]:
    """Four lines; Ella used extra data."""
    async with EmbeddedOperator.open(now=Clock(), customers=20) as bss:
        bill = (await bss.bills("CUS-10003"))[0]
        yield await bss.bill_lines(bill.id), line_prefixes(await bss.lines("CUS-10003"))


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("extra data", {"Extra data"}),
        ("추가 데이터", {"Extra data"}),
        ("the overage on Ella's line", {"Extra data"}),
        ("$16.00", {"Extra data"}),
        ("taxes", {"Taxes and fees"}),
        ("why do i pay for Mark's phone", {"Device instalment"}),
        ("discounts", {"Family discount"}),
        ("5G Unlimited", {"5G Unlimited"}),
        ("the horoscope", set()),
        ("$16.01", set()),
        ("", set()),
    ],
)
async def test_words(olivia: Bill, said: str, names: set[str]) -> None:
    assert {rate.name.en for rate in find_charges(said, *olivia)} == names


async def test_a_line_narrows_down_and_alone_means_all_of_it(olivia: Bill) -> None:
    rates, lines = olivia
    assert len(find_charges("the plan", rates, lines)) == 4
    assert [rate.name.en for rate in find_charges("Mark's plan", rates, lines)] == ["5G Plus"]
    assert {lines[rate.line_id] for rate in find_charges("everything of Mark", rates, lines)} == {"Mark - "}


async def test_an_id_means_itself(olivia: Bill) -> None:
    rates, lines = olivia
    assert all(find_charges(rate.id, rates, lines) == [rate] for rate in rates)


@given(st.text(max_size=40))
def test_no_text_breaks_it(said: str) -> None:
    assert find_charges(said, (), {}) == []
