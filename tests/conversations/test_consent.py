from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from bot.conversations import Addresses, Consent, Database
from bot.conversations.consent import ConsentKind
from tests.databases import HandClock

OURS, OTHER = "+12025550100", "+12025550109"
ANN, BOB = "+12025550101", "+12025550102"


async def test_the_last_word_holds(database: Database, clock: HandClock) -> None:
    consent = Consent(database)
    async with database.write() as tx:
        assert not await consent.is_stopped(tx, OURS, ANN)
        assert await consent.record(tx, "e1", "stop", Addresses("sms", OURS, ANN), clock.at)
        assert await consent.is_stopped(tx, OURS, ANN)
        assert not await consent.is_stopped(tx, OTHER, ANN), "another service of the operator"
        assert not await consent.is_stopped(tx, OURS, BOB)
        assert await consent.record(tx, "e2", "start", Addresses("sms", OURS, ANN), clock.at)
        assert not await consent.is_stopped(tx, OURS, ANN)
        assert not await consent.record(tx, "e1", "stop", Addresses("sms", OURS, ANN), clock.at), "a repeated delivery changes nothing"
        assert not await consent.is_stopped(tx, OURS, ANN)
        assert await consent.history(tx, ANN) == [(OURS, "stop", clock.at), (OURS, "start", clock.at)]


async def test_many_are_asked_for_at_once(database: Database, clock: HandClock) -> None:
    consent = Consent(database)
    pairs = [(OURS, f"+120255501{n:02}") for n in range(50)]
    async with database.write() as tx:
        for n, (business, customer) in enumerate(pairs):
            await consent.record(tx, f"e{n}", "stop", Addresses("sms", business, customer), clock.at)
            if n % 2:
                await consent.record(tx, f"f{n}", "start", Addresses("sms", business, customer), clock.at)
        assert await consent.stopped(tx, [*pairs, *pairs, (OTHER, ANN)]) == set(pairs[::2])
        assert await consent.stopped(tx, []) == set()


def test_kinds() -> None:
    assert get_args(ConsentKind) == ("stop", "start")


@given(st.lists(st.sampled_from(("stop", "start")), min_size=1))
def test_the_ledger_agrees_with_a_plain_list(words: list[ConsentKind]) -> None:
    import asyncio

    from bot.conversations import connect, migrate

    async def check() -> None:
        engine = connect("sqlite://")
        await migrate(engine)
        database = Database(engine)
        consent = Consent(database)
        async with database.write() as tx:
            for n, word in enumerate(words):
                await consent.record(tx, f"e{n}", word, Addresses("sms", OURS, ANN), database.now())
            assert await consent.is_stopped(tx, OURS, ANN) == (words[-1] == "stop")
        await engine.dispose()

    asyncio.run(check())
