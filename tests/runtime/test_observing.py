from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import Database, Inbox, Incoming, Outbox, Outgoing, Timer, Timers, connect
from bot.conversations.tables import outbox_table
from bot.runtime.gauges import Gauges
from bot.runtime.logs import Log
from bot.runtime.observing import OTHER, SIGNALS, Observer
from bot.runtime.telemetry import EVENTS
from tests.databases import HandClock

CONVERSATION = "c0123456789abcdef01234567"


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def observer(stream: io.StringIO) -> Observer:
    return Observer(Log(stream, level="debug"))


async def samples(observer: Observer) -> dict[str, float]:
    """By name and labels: `switchboard_send_total{channel=twilio}`."""
    found = {}
    for family in text_string_to_metric_families((await observer.metrics()).decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()) if value)
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_every_event_is_known_here_with_fields_it_has() -> None:
    assert set(SIGNALS) == set(EVENTS)
    for event, signal in SIGNALS.items():
        words = set(re.findall(r"\w+", EVENTS[event].partition(":")[2]))
        assert set(signal.labels) <= words, event
        assert set(signal.timed_by) <= set(signal.labels), event
        assert bool(signal.buckets) <= ("seconds" in words), event
        assert "conversation" not in signal.labels
        assert "broadcast" not in signal.labels


@pytest.mark.parametrize("event", EVENTS)
async def test_every_event_can_be_told(observer: Observer, stream: io.StringIO, event: str) -> None:
    observer(event, seconds=0.25, count=3, conversation=CONVERSATION, channel="twilio", status=200, cause="TimeoutError", kind="message")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["conversation"], line["seconds"], line["count"]) == (event, CONVERSATION, 0.25, 3)
    found = await samples(observer)
    assert [value for name, value in found.items() if name.startswith(f"switchboard_{event}_total")] == [3]
    assert CONVERSATION not in str(found)


def test_an_event_nobody_knows_is_a_mistake(observer: Observer) -> None:
    with pytest.raises(KeyError, match="turns"):
        observer("turns")


async def test_counts_and_durations(observer: Observer) -> None:
    for outcome, seconds in (("sent", 0.02), ("sent", 3.0), ("retry", 0.02)):
        observer("send", seconds=seconds, channel="twilio", outcome=outcome, reason="", code=20429)
    found = await samples(observer)
    assert found["switchboard_send_total{channel=twilio,code=20429,outcome=sent}"] == 2
    assert found["switchboard_send_seconds_count{channel=twilio,outcome=sent}"] == 2
    assert found["switchboard_send_seconds_sum{channel=twilio,outcome=sent}"] == pytest.approx(3.02)
    assert found["switchboard_send_seconds_bucket{channel=twilio,le=0.025,outcome=sent}"] == 1
    assert not any(name.partition("{")[0].endswith("_created") for name in found)
    assert found["process_resident_memory_bytes"] > 0


@pytest.mark.parametrize("value", ["+12025550101", "12025550101", "kim@example.com", "x" * 60, "my bill\n", "a\x00b", "요금"])
async def test_what_is_no_word_of_ours_is_counted_as_other(observer: Observer, value: str) -> None:
    observer("alert", channel="twilio", reason=value, code="1")
    assert (await samples(observer))[f"switchboard_alert_total{{channel=twilio,code=1,reason={OTHER}}}"] == 1


async def test_metrics_do_not_grow_without_end(observer: Observer) -> None:
    for number in range(5000):
        observer("receipt", channel="twilio", status="failed", code=f"E{number}")
    found = {name: value for name, value in (await samples(observer)).items() if name.startswith("switchboard_receipt_total")}
    assert len(found) <= 102
    assert sum(found.values()) == 5000


def test_levels(observer: Observer, stream: io.StringIO) -> None:
    observer("webhook", channel="twilio", status=200, problem="")
    observer("webhook", channel="twilio", status=503, problem="not_stored")
    observer("dead_letter", conversation=CONVERSATION, cause="poison")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == ["info", "warning", "error"]


def test_two_observers_share_nothing() -> None:
    Observer(Log(io.StringIO()))
    Observer(Log(io.StringIO()))


async def test_what_waits(database: Database, clock: HandClock, stream: io.StringIO) -> None:
    inbox, outbox, timers = Inbox(database), Outbox(database), Timers(database)
    async with database.write() as tx:
        for number in range(3):
            await inbox.receive(tx, Incoming(f"twilio:msg:{number}", CONVERSATION, {}))
        await outbox.put(tx, [Outgoing({}, CONVERSATION, key=f"k{number}") for number in range(2)])
        await outbox.put(tx, [Outgoing({}, CONVERSATION, key="later", not_before=clock.at + timedelta(hours=1))])
        await timers.set(tx, CONVERSATION, [Timer("silence", clock.at + timedelta(hours=1))])
        rows = await inbox.open(tx, CONVERSATION)
        await inbox.bury(tx, [rows[0].id], "poison")
    clock.move(seconds=90)
    now = [0.0]
    observer = Observer(Log(stream), Gauges(database, clock=lambda: now[0]))
    expected = {
        "switchboard_database_up": 1,
        "switchboard_inbox_open": 2,
        "switchboard_inbox_oldest_seconds": 90,
        "switchboard_dead_letters": 1,
        "switchboard_outbox{status=waiting}": 3,
        "switchboard_outbox{status=sending}": 0,
        "switchboard_outbox{status=unknown}": 0,
        "switchboard_outbox_overdue_seconds{status=waiting}": 90,
        "switchboard_outbox_overdue_seconds{status=unknown}": 0,
        "switchboard_timers": 1,
    }
    found = await samples(observer)
    assert {name: found.get(name) for name in expected} == expected

    async with database.write() as tx:
        await inbox.receive(tx, Incoming("twilio:msg:9", CONVERSATION, {}))
        (row,) = await outbox.claim(tx, "me", limit=1, lease=timedelta(seconds=30))
        await outbox.unknown(tx, row, "timeout")
    now[0] = 4.9
    assert (await samples(observer))["switchboard_inbox_open"] == 2, "a reading is kept for five seconds"
    now[0] = 5.0
    found = await samples(observer)
    assert found["switchboard_inbox_open"] == 3
    assert found["switchboard_outbox{status=waiting}"] == 2
    assert found["switchboard_outbox{status=unknown}"] == 1
    assert found["switchboard_outbox_overdue_seconds{status=unknown}"] == 90


async def test_real_time(live: Database) -> None:
    async with live.write() as tx:
        await Inbox(live).receive(tx, Incoming("twilio:msg:1", CONVERSATION, {}))
    backlog = await Gauges(live).read()
    assert backlog is not None
    assert 0 <= backlog.inbox_age < 60


async def test_an_empty_database_waits_for_nothing(database: Database) -> None:
    backlog = await Gauges(database).read()
    assert backlog is not None
    assert (backlog.inbox, backlog.inbox_age, backlog.dead, backlog.timers) == (0, 0, 0, 0)
    assert set(backlog.outbox.values()) | set(backlog.overdue.values()) == {0}


async def test_a_database_that_is_away_does_not_take_the_metrics_with_it(stream: io.StringIO) -> None:
    engine = connect("postgresql://nobody@127.0.0.1:1/nothing")
    observer = Observer(Log(stream), Gauges(Database(engine)))
    observer("swept", count=2)
    found = await samples(observer)
    await engine.dispose()
    assert found["switchboard_database_up"] == 0
    assert found["switchboard_swept_total"] == 2
    assert not [name for name in found if "inbox" in name]


async def test_the_backlog_is_counted_by_the_partial_indexes(database: Database, engine: AsyncEngine) -> None:
    """A broadcast to a hundred thousand stands in the table for weeks: what is done must not be walked through at each scrape."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    row: dict[str, Any] = dict.fromkeys(("conversation", "channel", "business", "customer", "holder", "provider_id", "cause"), "")
    done = {**row, "purpose": "notify", "priority": 0, "payload": {}, "status": "sent", "attempts": 1}
    moments = dict.fromkeys(("created_at", "not_before", "due"), at)
    async with database.write() as tx:
        await tx.execute(insert(outbox_table), [{**done, **moments, "key": f"k{number}"} for number in range(5000)])
    async with engine.connect() as connection:
        await connection.execute(text("ANALYZE"))
        sql = str(Gauges(Database(engine))._query.compile(engine, compile_kwargs={"render_postcompile": True}))
        if database.is_postgres:
            found = await connection.exec_driver_sql(f"EXPLAIN {sql}")
        else:
            found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("2026-01-01",))
        plan = "\n".join(str(tuple(line)) for line in found)
    for index in ("outbox_due_idx", "outbox_unknown_idx", "outbox_lease_idx"):
        assert index in plan
    assert "Seq Scan on outbox" not in plan
    assert "SCAN outbox\n" not in plan + "\n"
