from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import Effect, EffectMismatch, EffectNotStarted, Effects, MemoryEffects, SqlEffects, connect, request_hash

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


async def sql(engine: AsyncEngine) -> SqlEffects:
    made = SqlEffects(engine, now=lambda: NOW)
    await made.create()
    return made


@pytest.fixture
async def ledgers(engine: AsyncEngine) -> tuple[Effects, ...]:
    return MemoryEffects(), await sql(engine)


@pytest.mark.parametrize("result", [None, {"slots": [["a", 1]], "utterances": []}, [], 0, "한국어\x00", False])
async def test_a_result_is_kept_and_never_fetched_twice(ledgers: tuple[Effects, ...], result: Any) -> None:
    for ledger in ledgers:
        assert await ledger.begin("k", "action_pay", "h") == Effect("new")
        assert await ledger.begin("k", "action_pay", "h") == Effect("started")
        await ledger.done("k", result)
        for _ in range(2):
            assert await ledger.begin("k", "action_pay", "h") == Effect("done", result)
        assert await ledger.begin("k2", "action_pay", "h") == Effect("new")


async def test_a_clean_failure_may_be_tried_again(ledgers: tuple[Effects, ...]) -> None:
    for ledger in ledgers:
        for _ in range(3):
            assert await ledger.begin("k", "action_pay", "h") == Effect("new")
            await ledger.failed("k", "connection refused" * 100)
        assert await ledger.begin("k", "action_pay", "h") == Effect("new")
        await ledger.done("k", 1)
        assert await ledger.begin("k", "action_pay", "h") == Effect("done", 1)


@pytest.mark.parametrize("ending", ["started", "done", "failed"])
@pytest.mark.parametrize(("action", "values"), [("action_pay", "other"), ("action_other", "h")])
async def test_a_key_belongs_to_one_request(ledgers: tuple[Effects, ...], ending: str, action: str, values: str) -> None:
    for ledger in ledgers:
        await ledger.begin("k", "action_pay", "h")
        if ending == "done":
            await ledger.done("k", 1)
        if ending == "failed":
            await ledger.failed("k", "no")
        with pytest.raises(EffectMismatch, match="effect k"):
            await ledger.begin("k", action, values)
        expected = {"started": Effect("started"), "done": Effect("done", 1), "failed": Effect("new")}[ending]
        assert await ledger.begin("k", "action_pay", "h") == expected


async def test_only_what_is_under_way_can_be_finished(ledgers: tuple[Effects, ...]) -> None:
    for ledger in ledgers:
        with pytest.raises(EffectNotStarted, match="effect k"):
            await ledger.done("k", 1)
        with pytest.raises(EffectNotStarted):
            await ledger.failed("k", "no")
        await ledger.begin("k", "a", "h")
        await ledger.done("k", "first")
        with pytest.raises(EffectNotStarted):
            await ledger.done("k", "second")
        with pytest.raises(EffectNotStarted):
            await ledger.failed("k", "late")
        assert await ledger.begin("k", "a", "h") == Effect("done", "first")


async def test_a_result_that_is_not_json_leaves_the_outcome_unknown(ledgers: tuple[Effects, ...]) -> None:
    for ledger in ledgers:
        await ledger.begin("k", "a", "h")
        with pytest.raises(Exception, match="JSON"):
            await ledger.done("k", {"a": object()})
        assert await ledger.begin("k", "a", "h") == Effect("started")


async def test_of_many_beginners_exactly_one_makes_the_call(engine: AsyncEngine) -> None:
    ledger = await sql(engine)
    for turn in ("the first time", "after a failure"):
        outcomes = await asyncio.gather(*(ledger.begin("k", "a", "h") for _ in range(8)))
        assert [outcome.status for outcome in outcomes].count("new") == 1, turn
        assert {outcome.status for outcome in outcomes} == {"new", "started"}
        await ledger.failed("k", "no")


async def test_begun_means_committed(engine: AsyncEngine) -> None:
    """Another connection, as another process has, sees the entry as soon as begin returns."""
    ledger = await sql(engine)
    await ledger.begin("k", "a", "h")
    other = connect(engine.url.render_as_string(hide_password=False))
    try:
        assert await SqlEffects(other, now=lambda: NOW).begin("k", "a", "h") == Effect("started")
    finally:
        await other.dispose()


async def test_what_the_entry_tells(engine: AsyncEngine) -> None:
    from bot.conversations.tables import effect_table

    ledger = await sql(engine)
    for _ in range(2):
        await ledger.begin("k", "a", "h")
        await ledger.failed("k", "x" * 900)
    async with engine.connect() as connection:
        row = (await connection.execute(select(effect_table))).one()
    assert (row.status, row.attempts, len(row.reason), row.started_at, row.finished_at) == ("failed", 2, 500, NOW, NOW)


def test_request_hash_is_stable_and_tells_values_apart() -> None:
    assert request_hash("action_pay", {"a": 1, "b": 2}) == request_hash("action_pay", {"b": 2, "a": 1})
    values: tuple[Any, ...] = (1, 1.5, "1", None, True, [1], {})
    assert len({request_hash("a", {"x": value}) for value in values}) == 7
    assert request_hash("ab", "c") != request_hash("a", "bc")
