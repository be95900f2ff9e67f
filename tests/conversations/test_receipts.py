from __future__ import annotations

import asyncio
import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversations import Database, Delivery, Receipts
from bot.conversations.receipts import merge

deliveries = st.sampled_from(Delivery)


@given(deliveries, deliveries, deliveries)
def test_merging_knows_no_order(a: Delivery, b: Delivery, c: Delivery) -> None:
    assert merge(a, b) is merge(b, a)
    assert merge(a, merge(b, c)) is merge(merge(a, b), c)
    assert merge(a, a) is a
    assert merge(a, b) >= a
    assert merge(a, b) in (a, b)


@given(st.lists(deliveries, min_size=1), st.randoms(use_true_random=False))
def test_duplicates_and_disorder_make_no_difference(told: list[Delivery], chance: random.Random) -> None:
    def known(told: list[Delivery]) -> Delivery:
        result = told[0]
        for one in told[1:]:
            result = merge(result, one)
        return result

    other = told + [chance.choice(told) for _ in range(3)]
    chance.shuffle(other)
    assert known(other) is known(told)


@pytest.mark.parametrize(
    ("one", "other", "known"),
    [
        (Delivery.DELIVERED, Delivery.SENT, Delivery.DELIVERED),
        (Delivery.DELIVERED, Delivery.UNDELIVERED, Delivery.DELIVERED),
        (Delivery.DELIVERED, Delivery.READ, Delivery.READ),
        (Delivery.SENT, Delivery.FAILED, Delivery.FAILED),
        (Delivery.QUEUED, Delivery.CANCELED, Delivery.CANCELED),
    ],
)
def test_what_holds(one: Delivery, other: Delivery, known: Delivery) -> None:
    assert merge(one, other) is known


def test_names_and_order_are_those_of_the_channels() -> None:
    from bot.channels import Status

    assert [one.name for one in Delivery] == [one.name for one in sorted(Status)]


def test_what_is_final() -> None:
    assert [one.word for one in Delivery if not one.is_final] == ["created", "accepted", "scheduled", "queued", "sending", "sent"]


async def test_any_order_ends_the_same(database: Database) -> None:
    receipts = Receipts(database)
    told = [(Delivery.SENT, ""), (Delivery.UNDELIVERED, "30003"), (Delivery.DELIVERED, ""), (Delivery.SENT, "")]
    for n, order in enumerate(set(permutations(told))):
        async with database.write() as tx:
            known = [await receipts.record(tx, "sms", f"SM{n}", *one) for one in order]
            assert known == sorted(known)
            assert await receipts.find(tx, "sms", f"SM{n}") == (Delivery.DELIVERED, "")


async def test_the_error_code_is_of_the_receipt_that_holds(database: Database) -> None:
    receipts = Receipts(database)
    async with database.write() as tx:
        assert await receipts.find(tx, "sms", "SM1") is None
        await receipts.record(tx, "sms", "SM1", Delivery.UNDELIVERED, "30003")
        await receipts.record(tx, "sms", "SM1", Delivery.FAILED, "30008")
        assert await receipts.find(tx, "sms", "SM1") == (Delivery.UNDELIVERED, "30003")
        assert await receipts.find(tx, "voice", "SM1") is None


async def test_at_once(live: Database) -> None:
    receipts = Receipts(live)

    async def record(delivery: Delivery) -> None:
        async with live.write() as tx:
            await receipts.record(tx, "sms", "SM1", delivery)

    told = [*Delivery] * 2
    random.Random(7).shuffle(told)
    await asyncio.gather(*map(record, told))
    async with live.read() as tx:
        assert await receipts.find(tx, "sms", "SM1") == (Delivery.READ, "")
