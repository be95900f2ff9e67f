from __future__ import annotations

import asyncio
import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import Status
from bot.channels.receipts import merge
from bot.conversations import Database, Receipts

deliveries = st.sampled_from(Status)


@given(deliveries, deliveries, deliveries)
def test_merging_knows_no_order(a: Status, b: Status, c: Status) -> None:
    assert merge(a, b) is merge(b, a)
    assert merge(a, merge(b, c)) is merge(merge(a, b), c)
    assert merge(a, a) is a
    assert merge(a, b) >= a
    assert merge(a, b) in (a, b)


@given(st.lists(deliveries, min_size=1), st.randoms(use_true_random=False))
def test_duplicates_and_disorder_make_no_difference(told: list[Status], chance: random.Random) -> None:
    def known(told: list[Status]) -> Status:
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
        (Status.DELIVERED, Status.SENT, Status.DELIVERED),
        (Status.DELIVERED, Status.UNDELIVERED, Status.DELIVERED),
        (Status.DELIVERED, Status.READ, Status.READ),
        (Status.SENT, Status.FAILED, Status.FAILED),
        (Status.QUEUED, Status.CANCELED, Status.CANCELED),
    ],
)
def test_what_holds(one: Status, other: Status, known: Status) -> None:
    assert merge(one, other) is known


def test_statuses_are_written_in_the_order_of_what_they_tell() -> None:
    assert [one.name for one in Status] == [one.name for one in sorted(Status)]


def test_what_is_final() -> None:
    assert [one.word for one in Status if not one.settled] == ["created", "accepted", "scheduled", "queued", "sending", "sent"]


async def test_any_order_ends_the_same(database: Database) -> None:
    receipts = Receipts(database)
    told = [(Status.SENT, ""), (Status.UNDELIVERED, "30003"), (Status.DELIVERED, ""), (Status.SENT, "")]
    for n, order in enumerate(set(permutations(told))):
        async with database.write() as tx:
            known = [await receipts.record(tx, "sms", f"SM{n}", *one) for one in order]
            assert known == sorted(known)
            assert await receipts.find(tx, "sms", f"SM{n}") == (Status.DELIVERED, "")


async def test_the_error_code_is_of_the_receipt_that_holds(database: Database) -> None:
    receipts = Receipts(database)
    async with database.write() as tx:
        assert await receipts.find(tx, "sms", "SM1") is None
        await receipts.record(tx, "sms", "SM1", Status.UNDELIVERED, "30003")
        await receipts.record(tx, "sms", "SM1", Status.FAILED, "30008")
        assert await receipts.find(tx, "sms", "SM1") == (Status.UNDELIVERED, "30003")
        assert await receipts.find(tx, "voice", "SM1") is None


async def test_at_once(live: Database) -> None:
    receipts = Receipts(live)

    async def record(delivery: Status) -> None:
        async with live.write() as tx:
            await receipts.record(tx, "sms", "SM1", delivery)

    told = [*Status] * 2
    random.Random(7).shuffle(told)
    await asyncio.gather(*map(record, told))
    async with live.read() as tx:
        assert await receipts.find(tx, "sms", "SM1") == (Status.READ, "")
