"""One process leads and keeps house; another takes over. Jobs fail and go on. Timers and forgotten rows ring."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import MessageChannel
from bot.conversations import Claims, Database, Inbox, Incoming, Retention, RetentionPolicy, Timer, Timers, UnitOfWork
from bot.runtime.leadership import Leadership
from bot.runtime.schedules import Job, Schedules, fetch_backlog, fire_timers, retain, sweep
from tests.databases import HandClock

LEASE = timedelta(seconds=1.5)


def leadership(database: Database, holder: str, told: list[str] | None = None) -> Leadership:
    def tell(event: str, **fields: Any) -> None:
        if told is not None:
            told.append(f"{holder} {fields['state']}")

    return Leadership(Claims(database, holder=holder, lease=LEASE), "lead", lease=LEASE, telemetry=tell)


class Bell:
    def __init__(self) -> None:
        self.woken: list[str] = []

    async def wake(self, tx: AsyncConnection, conversation: str) -> None:
        self.woken.append(conversation)

    async def run(self, work: Any) -> None:
        raise NotImplementedError

    async def stop(self, grace: float) -> None:
        raise NotImplementedError


async def test_one_leads_and_the_next_takes_over_from_the_dead(live: Database) -> None:
    told: list[str] = []
    first, second = leadership(live, "one", told), leadership(live, "two", told)
    one = asyncio.create_task(first.run())
    async with asyncio.timeout(20):
        await first.held()
    two = asyncio.create_task(second.run())
    await asyncio.sleep(1)
    assert (first.leads, second.leads) == (True, False)
    one.cancel()  # dies and lets go of nothing
    async with asyncio.timeout(20):
        await second.held()
    assert not first.leads, "a lease that nobody renews is over for its holder, too"
    await second.stop()
    await asyncio.gather(one, two, return_exceptions=True)
    assert told == ["one held", "two held"]


async def test_who_stops_lets_go_at_once(live: Database) -> None:
    first, second = leadership(live, "one"), leadership(live, "two")
    one, two = asyncio.create_task(first.run()), asyncio.create_task(second.run())
    async with asyncio.timeout(20):
        await asyncio.wait([asyncio.ensure_future(first.held()), asyncio.ensure_future(second.held())], return_when=asyncio.FIRST_COMPLETED)
    leader, other = (first, second) if first.leads else (second, first)
    await leader.stop()
    async with asyncio.timeout(20):
        await other.held()
    await other.stop()
    await asyncio.gather(one, two)


async def test_work_of_the_leader_ends_with_its_leadership(live: Database) -> None:
    lead = leadership(live, "one")
    log: list[str] = []

    async def work() -> None:
        log.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            log.append("over")

    held, working = asyncio.create_task(lead.run()), asyncio.create_task(lead.while_leading(work))
    async with asyncio.timeout(20):
        while not log:
            await asyncio.sleep(0.02)
    await lead.stop()
    async with asyncio.timeout(20):
        while log != ["begun", "over"]:
            await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.gather(held, working, return_exceptions=True)


async def test_jobs_go_on_after_failures_and_only_where_one_leads(live: Database) -> None:
    done: list[str] = []
    failed: list[str] = []

    def jobs(name: str) -> list[Job]:
        async def good() -> None:
            done.append(name)

        async def bad() -> None:
            raise RuntimeError("no")

        return [Job("good", 0.05, good), Job("bad", 0.05, bad)]

    def tell(event: str, **fields: Any) -> None:
        failed.append(f"{event} {fields['job']} {fields['cause']}")

    leads = leadership(live, "one"), leadership(live, "two")
    schedules = [Schedules(jobs(name), lead, telemetry=tell) for name, lead in zip(("one", "two"), leads, strict=True)]
    tasks = [*(asyncio.create_task(lead.run()) for lead in leads), *(asyncio.create_task(part.run()) for part in schedules)]
    async with asyncio.timeout(30):
        while len(done) < 5 or len(failed) < 5:
            await asyncio.sleep(0.02)
    for part in schedules:
        await part.stop(5)
    for lead in leads:
        await lead.stop()
    await asyncio.gather(*tasks)
    assert len(set(done)) == 1
    assert set(failed) == {"job_failed bad RuntimeError"}


async def test_due_timers_ring_once_whatever_the_clock_does(database: Database, clock: HandClock) -> None:
    timers, bell = Timers(database), Bell()
    async with database.write() as tx:
        await timers.set(tx, "c1", [Timer("silence", clock.at + timedelta(minutes=5))])
    assert await fire_timers(database, timers, bell) == 0
    clock.move(minutes=10)
    assert await fire_timers(database, timers, bell) == 1
    clock.move(minutes=-10)
    assert await fire_timers(database, timers, bell) == 0
    clock.move(minutes=10)
    assert await fire_timers(database, timers, bell) == 0
    assert bell.woken == ["c1"]
    turn = await UnitOfWork(database, claims=Claims(database, holder="one", lease=LEASE)).take("c1")
    assert turn is not None
    assert [row.event.timer for row in turn.inbox] == ["silence"]


async def test_what_was_forgotten_is_rung_for(database: Database, clock: HandClock) -> None:
    inbox, bell = Inbox(database), Bell()
    async with database.write() as tx:
        await inbox.receive(tx, Incoming("e1", "c1", {}))
    assert await sweep(database, inbox, bell) == 0
    clock.move(seconds=31)
    assert await sweep(database, inbox, bell) == 1
    assert bell.woken == ["c1"]


async def test_what_is_old_is_deleted_and_told(database: Database, clock: HandClock) -> None:
    inbox = Inbox(database)
    async with database.write() as tx:
        await inbox.receive(tx, Incoming("e1", "c1", {}))
        (row,) = await inbox.open(tx, "c1")
        await inbox.done(tx, [row.id])
    told: list[tuple[str, int]] = []
    clock.move(days=91)

    def tell(event: str, *, count: int = 1, **fields: Any) -> None:
        told.append((fields["table"], count))

    await retain(Retention(database, RetentionPolicy(messages=timedelta(days=90))), tell)
    assert told == [("inbox", 1)]


async def test_what_a_provider_could_not_tell_is_asked_for(database: Database) -> None:
    class Listed:
        name = "listed"

        async def backlog(self, since: datetime) -> list[int]:
            return list(range(120))

    class Away(Listed):
        name = "away"

        async def backlog(self, since: datetime) -> list[int]:
            raise ConnectionResetError("gone")

    taken: list[int] = []
    told: list[str] = []

    async def take(events: Any) -> None:
        assert len(events) <= 50
        taken.extend(events)

    for channel in (Away, Listed):
        for method in ("capabilities", "render", "send", "reconcile"):
            setattr(channel, method, lambda *_: None)
    channels = cast(dict[str, MessageChannel], {"away": Away(), "listed": Listed()})
    await fetch_backlog(database, channels, take, lambda event, **fields: told.append(event))
    assert taken == list(range(120))
    assert told == ["job_failed", "recovered"]
