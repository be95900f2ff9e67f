"""Outbox to provider and back: the sender and the reconciler against Twilio's double, over HTTP, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from bot.channels import Address, ConversationKey, MessageChannel, Outbound, Payload, Purpose, QuietHours
from bot.conversations import Claims, Consent, Database, Outbox
from bot.conversations.tables import outbox_table
from bot.runtime.leadership import Leadership
from bot.runtime.reconciler import Reconciler
from bot.runtime.replies import rendered
from bot.runtime.sender import Sender, SendingPolicy
from bot.testing.doubles.twilio import Fault, TwilioDouble
from integrations.twilio import TwilioSettings, open_channel

US, CUSTOMER = "+12025550100", "+12025550101"
LEASE = timedelta(seconds=3)


@dataclass
class World:
    """A database, a double of the provider, and an adapter between them."""

    database: Database
    twilio: TwilioDouble
    channel: MessageChannel
    told: list[dict[str, Any]] = field(default_factory=list)
    leaderships: dict[Sender, Leadership] = field(default_factory=dict)

    def tell(self, event: str, **fields: Any) -> None:
        self.told.append({"event": event, **fields})

    def sender(self, holder: str = "one", **policy: Any) -> Sender:
        leadership = Leadership(Claims(self.database, holder=holder, lease=LEASE), "lead", lease=LEASE, telemetry=self.tell)
        sender = Sender(self.database, self.channel, leadership, holder=holder, policy=SendingPolicy(**policy), telemetry=self.tell)
        self.leaderships[sender] = leadership
        return sender

    @asynccontextmanager
    async def running(self, sender: Sender) -> AsyncIterator[None]:
        """Sends and leads; both end well at the end, or die when the sender's task was cancelled."""
        leadership = self.leaderships[sender]
        tasks = [asyncio.create_task(sender.run()), asyncio.create_task(leadership.run())]
        try:
            yield
        finally:
            await sender.stop(5)
            await leadership.stop()
            await asyncio.gather(*tasks)

    async def put(self, *texts: str, to: str = CUSTOMER, conversation: str = "c1", purpose: Purpose = Purpose.REPLY, **more: Any) -> None:
        key = ConversationKey("twilio", Address("tel", US), Address("tel", to))
        outbox = Outbox(self.database)
        async with self.database.write() as tx:
            for text in texts:
                message = Outbound(f"{conversation}:{text}", text, purpose=purpose)
                await outbox.put(tx, [replace(row, conversation=conversation, **more) for row in rendered(self.channel, key, message)])

    async def statuses(self) -> list[str]:
        async with self.database.read() as connection:
            return list((await connection.execute(select(outbox_table.c.status).order_by(outbox_table.c.id))).scalars())

    async def causes(self) -> list[str]:
        async with self.database.read() as connection:
            return list((await connection.execute(select(outbox_table.c.cause).order_by(outbox_table.c.id))).scalars())

    async def until(self, wanted: Callable[[list[str]], bool], seconds: float = 40) -> list[str]:
        async with asyncio.timeout(seconds):
            while not wanted(found := await self.statuses()):
                await asyncio.sleep(0.05)
        return found

    def arrived(self) -> list[str]:
        return [message.body for message in self.twilio.messages]


@pytest.fixture
async def world(live: Database) -> AsyncIterator[World]:
    async with TwilioDouble() as twilio:
        more = {"TWILIO_SETTLING_SECONDS": "1", "TWILIO_SEGMENTS_PER_SECOND": "1000", "TWILIO_SEND_TIMEOUT": "2"}
        async with open_channel(TwilioSettings.from_env(twilio.environment(**more)), trust_env=False) as channel:
            yield World(live, twilio, channel)


def all_of(*wanted: str) -> Callable[[list[str]], bool]:
    return lambda found: found == list(wanted)


async def test_what_is_due_is_sent_in_order_once(world: World) -> None:
    texts = [f"message {n}" for n in range(10)]
    await world.put(*texts)
    async with world.running(world.sender()):
        await world.until(all_of(*["sent"] * 10))
    assert world.arrived() == texts
    assert [told["outcome"] for told in world.told if told["event"] == "send"] == ["sent"] * 10


async def test_a_nudge_is_quicker_than_the_poll(world: World) -> None:
    sender = world.sender(idle=3600, busy=3600)
    async with world.running(sender):
        await asyncio.sleep(0.5)
        await world.put("now")
        sender.nudge()
        await world.until(all_of("sent"), 20)


@pytest.mark.parametrize(
    "fault", [Fault.RATE_LIMIT, Fault.HANG_UP_BEFORE, Fault.SERVER_ERROR_BEFORE, Fault.RESET_AFTER, Fault.SILENCE_AFTER]
)
async def test_whatever_the_provider_does_it_arrives_once(world: World, fault: Fault) -> None:
    world.twilio.fail(fault, seconds=1)
    await world.put("only once")
    reconciler = Reconciler(world.database, {"twilio": world.channel}, telemetry=world.tell)
    async with world.running(world.sender()):
        async with asyncio.timeout(60):
            while await world.statuses() != ["sent"]:
                await reconciler()
                await asyncio.sleep(0.1)
    assert world.arrived() == ["only once"]


async def test_what_was_refused_is_not_tried_again(world: World) -> None:
    world.twilio.fail(Fault.REFUSE, code=21211)
    await world.put("to nobody")
    async with world.running(world.sender()):
        await world.until(all_of("rejected"))
    assert await world.causes() == ["21211"]
    assert world.twilio.attempts == 1


async def test_a_refusal_for_consent_closes_it(world: World) -> None:
    world.twilio.fail(Fault.REFUSE, code=21610)
    await world.put("first", "second")
    async with world.running(world.sender()):
        await world.until(all_of("rejected", "rejected"))
    assert await world.causes() == ["21610", "opted_out"]
    assert world.twilio.attempts == 1
    async with world.database.read() as connection:
        assert await Consent(world.database).is_stopped(connection, f"tel:{US}", f"tel:{CUSTOMER}")


async def test_a_wrong_key_is_told_and_not_hammered(world: World) -> None:
    world.twilio.fail(Fault.REFUSE, code=20003, times=100)
    for number in range(20):
        await world.put("hello", to=f"+120255501{number:02d}", conversation=f"c{number}")
    async with world.running(world.sender(in_flight=4)):
        await asyncio.sleep(2.5)
    assert any(told["event"] == "alert" and told["code"] == "20003" for told in world.told)
    assert world.twilio.attempts <= 12
    assert set(await world.statuses()) <= {"pending", "retry"}


async def test_a_sender_that_died_after_sending_sends_nothing_twice(world: World) -> None:
    """Between the provider's acceptance and the note of it: the worst instant."""
    await world.put("once", "later")
    outbox = Outbox(world.database)
    async with world.database.write() as tx:
        (row,) = await outbox.claim(tx, "dead", limit=1, lease=timedelta(seconds=600))
    sent = await world.channel.send(ConversationKey("twilio", Address("tel", US), Address("tel", CUSTOMER)), _payload(row))
    assert sent.name == "sent"
    reconciler = Reconciler(world.database, {"twilio": world.channel})
    async with world.running(world.sender("heir")):
        async with asyncio.timeout(40):
            while await world.statuses() != ["sent", "sent"]:
                await reconciler()
                await asyncio.sleep(0.1)
    assert world.arrived() == ["once", "later"]


async def test_a_sender_that_died_before_sending_loses_nothing(world: World) -> None:
    await world.put("once", "later")
    async with world.database.write() as tx:
        await Outbox(world.database).claim(tx, "dead", limit=1, lease=timedelta(seconds=600))
    reconciler = Reconciler(world.database, {"twilio": world.channel})
    async with world.running(world.sender("heir")):
        async with asyncio.timeout(40):
            while await world.statuses() != ["sent", "sent"]:
                await reconciler()
                await asyncio.sleep(0.1)
    assert world.arrived() == ["once", "later"], "and in order: what is unsure holds up what follows"


async def test_equal_texts_are_told_apart(world: World) -> None:
    """Two messages with the same words: the one the provider has may not stand for the other."""
    await world.put("ok", conversation="c1")
    async with world.running(world.sender()):
        await world.until(all_of("sent"))
    key = ConversationKey("twilio", Address("tel", US), Address("tel", CUSTOMER))
    async with world.database.write() as tx:
        again = [replace(row, conversation="c1") for row in rendered(world.channel, key, Outbound("c1:second", "ok"))]
        await Outbox(world.database).put(tx, again)
        await Outbox(world.database).claim(tx, "dead", limit=1, lease=timedelta(seconds=-1))
    reconciler = Reconciler(world.database, {"twilio": world.channel})
    async with world.running(world.sender("heir")):
        async with asyncio.timeout(40):
            while await world.statuses() != ["sent", "sent"]:
                await reconciler()
                await asyncio.sleep(0.1)
    assert world.arrived() == ["ok", "ok"]


async def test_the_rate_of_a_sender_is_kept_and_replies_overtake(world: World) -> None:
    slow = replace(world.channel.settings, segments_per_second=20.0)  # type: ignore[attr-defined]
    world.channel.settings = slow  # type: ignore[attr-defined]
    for number in range(400):
        await world.put(f"offer {number}", to=f"+1202555{number:04d}", conversation="", purpose=Purpose.NOTIFY, priority=3, broadcast="b1")
    began = asyncio.get_running_loop().time()
    async with world.running(world.sender(quiet=QuietHours({}))):
        await asyncio.sleep(0.7)
        await world.put("a reply", to="+12125550123", conversation="c9")
        await world.until(lambda found: found[-1] == "sent")
        sent, took = len(world.arrived()), asyncio.get_running_loop().time() - began
    assert sent <= 20 + 20 * took + 5, "a burst of one second's worth, then the rate"
    assert sent < 300, "a reply does not wait for the end of a broadcast"


async def test_quiet_hours_put_off(world: World) -> None:
    night = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)  # 23:00 in Washington
    database = Database(world.database.engine, now=lambda: night)
    quiet = replace(world, database=database)
    await quiet.put("an outage", purpose=Purpose.NOTIFY)
    await quiet.put("an answer", to="+12125550123", conversation="c2")
    async with quiet.running(quiet.sender(default_zone=ZoneInfo("UTC"))):
        await quiet.until(lambda found: found[1] == "sent")
        await asyncio.sleep(0.5)
    assert await quiet.statuses() == ["pending", "sent"]
    async with database.read() as connection:
        due = (await connection.execute(select(outbox_table.c.due).order_by(outbox_table.c.id))).scalars().first()
    assert due == datetime(2026, 3, 4, 13, 0, tzinfo=UTC), "8:00 in Washington"


async def test_what_comes_too_late_is_not_sent(world: World) -> None:
    await world.put("your code is 123456")
    async with world.database.write() as tx:
        await tx.execute(update(outbox_table).values(not_before=datetime.now(UTC) - timedelta(hours=5)))
    async with world.running(world.sender()):
        await world.until(all_of("rejected"))
    assert await world.causes() == ["expired"]
    assert world.arrived() == []


async def test_one_sender_leads_and_another_takes_over(world: World) -> None:
    first, second = world.sender("one"), world.sender("two")
    doomed = [asyncio.create_task(first.run()), asyncio.create_task(world.leaderships[first].run())]
    async with asyncio.timeout(20):
        await world.leaderships[first].held()
    async with world.running(second):
        await world.put(*[f"message {n}" for n in range(5)])
        await world.until(all_of(*["sent"] * 5))
        assert [told["state"] for told in world.told if told["event"] == "leader"] == ["held"]
        for task in doomed:
            task.cancel()  # dies without letting go
        await asyncio.gather(*doomed, return_exceptions=True)
        await world.put("after")
        await world.until(lambda found: found[-1] == "sent", 30)
    assert world.arrived()[-1] == "after"


async def test_an_adapter_with_a_defect_loses_nothing(world: World) -> None:
    class Defective:
        name = "twilio"

        def __init__(self, inner: Any) -> None:
            self._inner, self.calls = inner, 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        async def send(self, key: ConversationKey, payload: Any) -> Any:
            self.calls += 1
            if self.calls == 1:
                raise KeyError("oops")
            return await self._inner.send(key, payload)

    world.channel = Defective(world.channel)
    await world.put("hello")
    reconciler = Reconciler(world.database, {"twilio": world.channel})
    async with world.running(world.sender()):
        async with asyncio.timeout(40):
            while await world.statuses() != ["sent"]:
                await reconciler()
                await asyncio.sleep(0.1)
    assert world.arrived() == ["hello"]


def _payload(row: Any) -> Any:
    return Payload.from_json(row.message.payload)
