"""Broadcasts on both databases: what is planned, when it is due, stopping, resuming, counting, sending."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from bot.channels import Address, Capabilities, Purpose, QuietHours, Status, Window, zones_of
from bot.conversations import Addresses, Claims, Consent, Database, Outbox, Outgoing, Receipts, Retention, RetentionPolicy, Sealer
from bot.conversations.tables import broadcast_table, outbox_table
from bot.runtime.broadcasts import BroadcastRefused, Broadcasts, Wording
from bot.runtime.leadership import Leadership
from bot.runtime.sender import Sender, SendingPolicy
from tests.databases import HandClock

from .world import AT_ANY_HOUR, NEW_YORK, US, CountingChannel, broadcasts, file_of, order, rows, us, write

LEASE = timedelta(seconds=30)
KEYS = Sealer({"k": b"k" * 32})


async def claim(database: Database, limit: int = 100) -> list[Any]:
    async with database.write() as tx:
        return await Outbox(database, sealer=KEYS).claim(tx, "sender", limit=limit, lease=LEASE)


async def stops(database: Database, number: str, kind: Any = "stop") -> None:
    async with database.write() as tx:
        await Consent(database).record(tx, f"{kind}-{number}", kind, Addresses("test", f"tel:{US}", f"tel:{number}"), database.now())


async def test_five_thousand(database: Database, tmp_path: Path, clock: HandClock) -> None:
    told: list[tuple[int, int]] = []
    room = broadcasts(database, tmp_path)
    checked = await room.start(order(), file_of(tmp_path, 5000), progress=lambda *step: told.append(step))
    assert (checked.total, checked.good, checked.bad_lines) == (5000, 5000, 0)
    assert told == [(1000 * n, 5000) for n in range(1, 6)]
    found = await rows(database)
    assert [row.key for row in found] == [f"broadcast-work:{line}" for line in range(2, 5002)]
    assert {(row.status, row.conversation, row.purpose, row.priority) for row in found} == {("pending", "", "notify", 3)}
    assert len({row.customer for row in found}) == 5000
    due = [row.due for row in found]
    assert due[0] == clock.at
    assert all(abs((b - a).total_seconds() - 0.01) < 1e-5 for a, b in zip(due, due[1:], strict=False)), "evenly, a hundred a second"
    assert "$sealed" in found[0].payload, "encrypted at rest"
    texts = [KEYS.open(row.payload, "outbox", row.key)["fields"][1][1] for row in found[:3]]
    assert texts == [
        "Planned work tonight, Sam0. Sorry for the trouble.",
        "Planned work tonight, Sam1. Sorry for the trouble.",
        "지민2님, 오늘 밤 점검이 있습니다. 불편을 드려 죄송합니다.",
    ]
    status = await room.status("work")
    assert (status.status, status.planned, status.counts.waiting, status.segments) == ("running", 5000, 5000, 5000)
    assert status.ends == clock.at + timedelta(seconds=50)
    assert status.to_json()["counts"]["waiting"] == 5000


async def test_numbers_stand_only_where_they_must(database: Database, tmp_path: Path) -> None:
    """A broadcast's own row, kept for ever, tells nothing of its customers."""
    await broadcasts(database, tmp_path).start(order(), file_of(tmp_path, 20))
    async with database.read() as connection:
        (row,) = (await connection.execute(broadcast_table.select())).all()
    assert "555" not in repr(row).replace(US, "")
    assert "Sam" not in repr(row)


async def test_each_in_its_own_hours_at_the_rate(database: Database, tmp_path: Path, clock: HandClock) -> None:
    clock.at = datetime(2026, 3, 4, 17, tzinfo=UTC)
    numbers = ["+12025550101", "+13105550101", "+18085550101", "+821000000001"]  # New York, Los Angeles, Honolulu, Seoul
    path = write(tmp_path / "a.csv", (f"{number[:-2]}{n:02d},en,S" for n in range(50) for number in numbers))
    await broadcasts(database, tmp_path, quiet_hours=QuietHours()).start(order(rate=1.0), path)
    found = await rows(database)
    hours = QuietHours()
    assert all(hours.allows(Purpose.NOTIFY, row.due, zones_of(row.customer[4:])) for row in found)
    first = {number: min(row.due for row in found if row.customer.startswith(f"tel:{number[:-2]}")) for number in numbers}
    opening = {"+18085550101": datetime(2026, 3, 4, 18, tzinfo=UTC), "+821000000001": datetime(2026, 3, 4, 23, tzinfo=UTC)}
    assert {number: first[number] for number in opening} == opening
    due = sorted(row.due for row in found)
    assert all((b - a).total_seconds() > 0.999 for a, b in zip(due, due[1:], strict=False))
    assert sum(moment < clock.at + timedelta(seconds=100) for moment in due) == 100, "no second is lost while somebody is awake"


async def test_a_start_later(database: Database, tmp_path: Path, clock: HandClock) -> None:
    later = clock.at + timedelta(hours=30)
    room = broadcasts(database, tmp_path)
    await room.start(order(start_at=later), file_of(tmp_path, 10))
    assert (await rows(database))[0].due == later
    assert await claim(database) == []
    clock.at = later
    assert len(await claim(database)) == 1


async def test_who_said_stop_gets_none_planned_or_sent(database: Database, tmp_path: Path, clock: HandClock) -> None:
    await stops(database, us(0))
    await stops(database, us(1))
    await stops(database, us(1), "start")
    room = broadcasts(database, tmp_path)
    await room.start(order(), write(tmp_path / "a.csv", (f"{us(n)},en,S" for n in range(4))))
    assert [row.customer for row in await rows(database)] == [f"tel:{us(n)}" for n in (1, 2, 3)]
    await stops(database, us(2))
    clock.move(seconds=10)
    assert [row.message.addresses.customer for row in await claim(database)] == [f"tel:{us(n)}" for n in (1, 3)]
    status = await room.status("work")
    assert (dict(status.skipped), status.counts.opted_out, status.counts.sending) == ({"opted_out": 1}, 1, 2)


async def test_offers_go_to_those_who_agreed_and_last(database: Database, tmp_path: Path, clock: HandClock) -> None:
    path = write(tmp_path / "a.csv", (f"{us(n)},en,S,{'true' if n % 2 else ''}" for n in range(6)), "number,language,name,agreed")
    room = broadcasts(database, tmp_path)
    await room.start(order(purpose=Purpose.MARKETING), path)
    assert {(row.purpose, row.priority) for row in await rows(database)} == {("marketing", 5)}
    assert dict((await room.status("work")).skipped) == {"not_agreed": 3}
    await room.start(order(id="notice"), path)
    clock.move(minutes=1)
    assert {row.message.broadcast for row in await claim(database, 6)} == {"notice"}, "notices go before offers"


async def test_wrong_lines_are_told_and_too_many_refuse(database: Database, tmp_path: Path) -> None:
    room = broadcasts(database, tmp_path)
    path = write(tmp_path / "a.csv", [*(f"{us(n)},en,S" for n in range(5)), *["12,en,S"] * 21, f"{us(0)},en,S"])
    checked = await room.check(order(), path)
    assert [(line.line, line.reason) for line in checked.bad] == [(line, "bad_number") for line in range(7, 28)]
    assert (checked.good, checked.messages, checked.segments, dict(checked.skipped)) == (5, 5, 5, {"bad_number": 21, "duplicate": 1})
    assert checked.ends
    with pytest.raises(BroadcastRefused, match=r"21 lines of a\.csv are wrong \(line 7 has no telephone"):
        await room.start(order(), path)
    assert await rows(database) == []
    assert await room.list() == []
    await room.start(order(), path, force=True)
    assert len(await rows(database)) == 5
    assert dict((await room.status("work")).skipped) == {"bad_number": 21, "duplicate": 1}
    await room.start(order(id="few"), write(tmp_path / "b.csv", [f"{us(0)},en,S", "12,en,S"]))
    assert [status.id for status in await room.list()] == ["few", "work"]


async def test_a_number_that_could_be_anywhere_has_no_hour(database: Database, tmp_path: Path) -> None:
    noon = QuietHours({Purpose.NOTIFY: Window(time(12), time(13))})
    room = broadcasts(database, tmp_path, quiet_hours=noon)
    await room.start(order(), write(tmp_path / "a.csv", ["+18005550101,en,S", "+12025550101,en,S"]))
    assert [row.customer for row in await rows(database)] == ["tel:+12025550101"]
    assert dict((await room.status("work")).skipped) == {"no_hour": 1}


async def test_a_name_is_used_once(database: Database, tmp_path: Path) -> None:
    room = broadcasts(database, tmp_path)
    path = file_of(tmp_path, 3)
    await room.start(order(), path)
    with pytest.raises(BroadcastRefused, match="name_taken"):
        await room.start(order(), path)
    assert len(await rows(database)) == 3


@pytest.mark.parametrize("ask", ["status", "stop", "resume"])
async def test_a_name_nobody_gave(database: Database, tmp_path: Path, ask: str) -> None:
    with pytest.raises(BroadcastRefused, match="unknown_broadcast"):
        await getattr(broadcasts(database, tmp_path), ask)("nothing")


async def test_refused_before_anything_is_stored(database: Database, tmp_path: Path) -> None:
    room = broadcasts(database, tmp_path)
    empty = write(tmp_path / "empty.csv", [])
    for asked, path, code in (
        (order(channel="none"), empty, "unknown_channel"),
        (order(), empty, "no_recipients"),
        (order(wording=Wording(response="utter_work")), file_of(tmp_path, 3), "missing_columns"),
    ):
        with pytest.raises(BroadcastRefused) as refused:
            await room.start(asked, path)
        assert refused.value.code == code
    assert await room.list() == []


async def test_templates_where_the_network_wants_them(database: Database, tmp_path: Path) -> None:
    channel = CountingChannel(can=Capabilities(templates=True, free_form_window_s=86400))
    room = broadcasts(database, tmp_path, channel)
    asked = order(business=Address("whatsapp", US), wording=Wording(templates={"en": "HX1", "ko": "HX2"}))
    await room.start(asked, file_of(tmp_path, 3))
    found = await rows(database)
    assert {row.customer.partition(":")[0] for row in found} == {"whatsapp"}
    fields = [dict(KEYS.open(row.payload, "outbox", row.key)["fields"]) for row in found]
    assert [(one["Template"], one["Values"]) for one in fields][1:] == [("HX1", "{'name': 'Sam1'}"), ("HX2", "{'name': '지민2'}")]


async def test_stop_takes_back_all_but_what_is_in_hand(database: Database, tmp_path: Path, clock: HandClock) -> None:
    room = broadcasts(database, tmp_path)
    await room.start(order(), file_of(tmp_path, 2500))
    clock.move(seconds=5)
    batch = await claim(database, 16)
    assert await room.stop("work") == 2500 - 16
    clock.move(hours=1)
    assert await claim(database, 5000) == []
    # What the sender had in hand comes back from it: sent, to be tried again, or put off. None of it goes after the stop.
    outbox = Outbox(database, sealer=KEYS)
    async with database.write() as tx:
        await outbox.sent(tx, batch[0], "id")
        await outbox.retry(tx, batch[1], timedelta(0), "rate_limited")
        await outbox.put_back(tx, batch[2:])
    await room.tidy()
    assert await claim(database, 5000) == []
    status = await room.status("work")
    assert (status.status, status.counts.sent, status.counts.cancelled, status.counts.waiting, status.ends) == ("stopped", 1, 2499, 0, None)
    assert await room.stop("work") == 0


async def test_what_was_stopped_is_resumed_at_new_times(database: Database, tmp_path: Path, clock: HandClock) -> None:
    clock.at = datetime(2026, 3, 4, 17, tzinfo=UTC)
    room = broadcasts(database, tmp_path, quiet_hours=QuietHours())
    path = write(tmp_path / "a.csv", (f"{us(n, NEW_YORK)},en,S" for n in range(1200)))
    await room.start(order(rate=10.0), path)
    clock.move(seconds=9.95)
    sent = await claim(database, 1000)
    assert len(sent) == 100
    assert await room.stop("work") == 1100
    clock.at = datetime(2026, 3, 5, 1, 59, 30, tzinfo=UTC)  # half a minute before nine in the evening in New York
    assert await room.resume("work") == 1100
    found = await rows(database)
    due = [row.due for row in found if row.status == "pending"]
    assert len(due) == 1100
    assert due[299] == clock.at + timedelta(seconds=29.9)
    assert due[300] == datetime(2026, 3, 5, 13, tzinfo=UTC)
    assert len({row.key for row in found}) == 1200
    assert (await room.status("work")).status == "running"
    with pytest.raises(BroadcastRefused, match="not_stopped"):
        await room.resume("work")


async def test_stopped_while_it_is_planned(database: Database, tmp_path: Path, clock: HandClock) -> None:
    room, path = broadcasts(database, tmp_path), file_of(tmp_path, 4200)
    stopping: list[asyncio.Task[int]] = []

    def stop_at_two_thousand(done: int, of: int) -> None:
        if done == 2000:
            stopping.append(asyncio.ensure_future(room.stop("work")))

    with pytest.raises(BroadcastRefused, match="interrupted"):
        await room.start(order(), path, progress=stop_at_two_thousand)
    count = await stopping[0]
    planned = await rows(database)
    assert len(planned) == count
    assert 2000 <= count < 4200
    assert {row.status for row in planned} == {"cancelled"}
    clock.move(hours=1)
    assert await claim(database) == []
    assert await room.resume("work") == count
    found = await rows(database)
    assert [row.key for row in found] == [f"broadcast-work:{line}" for line in range(2, 4202)]
    assert {row.status for row in found} == {"pending"}
    assert found[-1].due == clock.at + timedelta(seconds=41.99)
    status = await room.status("work")
    assert (status.planned, status.segments) == (4200, 4200)


async def test_resumed_with_the_same_file_only(database: Database, tmp_path: Path) -> None:
    room, path = broadcasts(database, tmp_path), file_of(tmp_path, 2100)
    with pytest.raises(RuntimeError):
        await room.start(order(), path, progress=_die)
    moved = path.rename(tmp_path / "moved.csv")
    path.write_text(moved.read_text().replace("Sam7", "Sam8"))
    with pytest.raises(BroadcastRefused, match="other_file"):
        await room.resume("work")
    assert await room.resume("work", moved) == 0
    assert len(await rows(database)) == 2100
    path.unlink()
    await room.stop("work")
    assert await room.resume("work") == 2100, "all is planned: no file is needed"


def _die(done: int, of: int) -> None:
    raise RuntimeError("the planner dies")


async def test_of_two_who_plan_one_gives_up(database: Database, tmp_path: Path) -> None:
    room, path = broadcasts(database, tmp_path), file_of(tmp_path, 3000)
    with pytest.raises(RuntimeError):
        await room.start(order(), path, progress=_die)
    done = await asyncio.gather(room.resume("work"), broadcasts(database, tmp_path).resume("work"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) in (["BroadcastRefused", "int"], ["BroadcastRefused", "BroadcastRefused"])
    if "int" not in [type(one).__name__ for one in done]:
        await room.resume("work")
    assert [row.key for row in await rows(database)] == [f"broadcast-work:{line}" for line in range(2, 3002)]


async def test_counts_by_what_became_of_them(database: Database, tmp_path: Path, clock: HandClock) -> None:
    room = broadcasts(database, tmp_path)
    await room.start(order(), file_of(tmp_path, 10))
    clock.move(minutes=1)
    outbox, receipts = Outbox(database, sealer=KEYS), Receipts(database)
    batch = await claim(database, 9)
    async with database.write() as tx:
        for number, row in enumerate(batch[:5]):
            await outbox.sent(tx, row, f"id{number}")
        await outbox.rejected(tx, batch[5], "21211")
        await outbox.retry(tx, batch[6], timedelta(minutes=5), "rate_limited")
        await outbox.unknown(tx, batch[7], "timeout")
        for number, (told, code) in enumerate(
            ((Status.DELIVERED, ""), (Status.READ, ""), (Status.UNDELIVERED, "30003"), (Status.SENT, ""))
        ):
            await receipts.record(tx, "test", f"id{number}", told, code)
    status = await room.status("work")
    counts = status.counts
    assert (counts.sent, counts.delivered, dict(counts.undelivered), dict(counts.rejected)) == (5, 2, {"30003": 1}, {"21211": 1})
    assert (counts.waiting, counts.unknown, counts.sending, counts.all) == (2, 1, 1, 10)
    assert status.ends == clock.at + timedelta(minutes=5), "the last is tried again then"
    assert status.fraction == pytest.approx(0.6)
    assert status.speed == pytest.approx(5 / 60)
    await room.tidy()
    assert (await room.status("work")).status == "running"
    clock.move(minutes=5)
    async with database.write() as tx:
        for row in [*batch[7:], *await outbox.claim(tx, "sender", limit=9, lease=LEASE)]:
            await outbox.sent(tx, row, f"late{row.id}")
    await room.tidy()
    status = await room.status("work")
    assert (status.status, status.counts.sent, status.fraction, status.finished_at, status.ends) == ("done", 9, 1.0, clock.at, None)


async def test_counts_outlive_the_rows(database: Database, tmp_path: Path, clock: HandClock) -> None:
    room = broadcasts(database, tmp_path)
    await room.start(order(), file_of(tmp_path, 10))
    async with database.write() as tx:
        await tx.execute(update(outbox_table).values(status="sent", finished_at=clock.at))
    await room.tidy()
    clock.move(days=100)
    await Retention(database, RetentionPolicy(messages=timedelta(days=90))).apply()
    assert await rows(database) == []
    (status,) = await room.list()
    assert (status.status, status.counts.sent) == ("done", 10)


async def test_one_that_nobody_can_resolve_does_not_keep_it_open(database: Database, tmp_path: Path, clock: HandClock) -> None:
    room = broadcasts(database, tmp_path)
    await room.start(order(), file_of(tmp_path, 1))
    (row,) = await claim(database)
    async with database.write() as tx:
        await Outbox(database, sealer=KEYS).unknown(tx, row, "timeout", timedelta(seconds=5))
    await room.tidy()
    assert (await room.status("work")).status == "running"
    async with database.write() as tx:
        await Outbox(database, sealer=KEYS).unknown(tx, row, "timeout", timedelta(days=3650))
    await room.tidy()
    status = await room.status("work")
    assert (status.status, status.counts.unknown) == ("done", 1)


async def test_nobody_at_all(database: Database, tmp_path: Path) -> None:
    room = broadcasts(database, tmp_path)
    path = write(tmp_path / "a.csv", [f"{us(0)},en,S,no"], "number,language,name,agreed")
    await room.start(order(purpose=Purpose.MARKETING), path)
    await room.tidy()
    status = await room.status("work")
    assert (status.status, status.fraction, dict(status.skipped)) == ("done", 1.0, {"not_agreed": 1})


# --- with a real sender ----------------------------------------------------------------------------------------------------------------


async def _until(check: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)


async def test_sent_once_each_while_replies_go_first_and_a_stop_ends_it(live: Database, tmp_path: Path) -> None:
    channel = CountingChannel()
    room = broadcasts(live, tmp_path, channel)
    leadership = Leadership(Claims(live, holder="one", lease=timedelta(seconds=10)), "sender:test", lease=timedelta(seconds=10))
    policy = SendingPolicy(quiet=AT_ANY_HOUR, default_zone=ZoneInfo("UTC"))
    sender = Sender(live, channel, leadership, holder="one", sealer=KEYS, policy=policy)
    tasks = [asyncio.create_task(sender.run()), asyncio.create_task(leadership.run())]
    try:
        await room.start(order(rate=1000.0), file_of(tmp_path, 800))

        async def some() -> bool:
            return len(channel.sent) >= 100

        await _until(some)
        payload = channel.render(order().key(us(5000)), _reply())[0]
        reply = Outgoing(payload.to_json(), "c1", Addresses("test", f"tel:{US}", f"tel:{us(5000)}"), key="turn:0")
        async with live.write() as tx:
            await Outbox(live, sealer=KEYS).put(tx, [reply])
        before = len(channel.sent)

        async def answered() -> bool:
            return (us(5000), "an answer") in channel.sent

        await _until(answered)
        assert channel.sent.index((us(5000), "an answer")) - before <= 64, "not behind what was due before it"
        assert await room.stop("work") > 0
        at_stop = len(channel.sent)
        await asyncio.sleep(1.5)
        assert len(channel.sent) - at_stop <= policy.in_flight, "no more than was in hand"
        await room.tidy()
        await room.resume("work")

        async def done() -> bool:
            await room.tidy()
            return (await room.status("work")).status == "done"

        await _until(done, 100)
    finally:
        await sender.stop(5)
        await leadership.stop()
        await asyncio.gather(*tasks)
    numbers = [number for number, _ in channel.sent if number != us(5000)]
    assert len(numbers) == len(set(numbers)) == 800
    assert (await room.status("work")).counts.sent == 800


def _reply() -> Any:
    from bot.channels import Outbound

    return Outbound("turn:0", "an answer")


def test_the_room_is_small() -> None:
    """What others use of it."""
    public = {name for name in vars(Broadcasts) if not name.startswith("_")}
    assert public == {"check", "start", "resume", "stop", "status", "list", "tidy"}
