from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import Address, Consent, ConsentKind, ConversationKey, Event, Receipt, Status, UserMessage
from bot.conversations import Addresses, Database, Outbox, Outgoing, Receipts
from bot.conversations import Consent as Ledger
from bot.conversations.tables import inbox_table, installation_table
from bot.runtime.identity import conversation_id, installation_secret
from bot.runtime.reception import Reception

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEY = ConversationKey("twilio", Address("tel", "+12025550100"), Address("tel", "+12025550101"))
SECRET = b"s" * 32


class Bell:
    """A dispatcher that notes who was woken."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    async def wake(self, tx: AsyncConnection, conversation: str) -> None:
        self.woken.append(conversation)

    async def run(self, work: Any) -> None:
        raise NotImplementedError

    async def stop(self, grace: float) -> None:
        raise NotImplementedError


def message(event: str = "twilio:msg:SM1", text: str = "hi", key: ConversationKey = KEY) -> UserMessage:
    return UserMessage(key, event, AT, {}, text)


def stop(event: str = "twilio:msg:SM2", kind: ConsentKind = ConsentKind.STOP, **more: Any) -> Consent:
    return Consent(KEY, event, AT, {}, kind, "STOP", **more)


def receipt(status: Status, event: str = "r1", **more: Any) -> Receipt:
    return Receipt(KEY, event, AT, {}, "SM9", status, **more)


async def rows(database: Database) -> list[Any]:
    async with database.read() as connection:
        return list(await connection.execute(select(inbox_table).order_by(inbox_table.c.id)))


async def test_a_message_is_stored_once_and_wakes_once(database: Database) -> None:
    bell = Bell()
    reception = Reception(database, bell, secret=SECRET)
    for _ in range(3):
        await reception([message()])
    (row,) = await rows(database)
    assert (row.event_id, row.kind, row.status) == ("twilio:msg:SM1", "message", "open")
    assert (row.channel, row.business, row.customer) == ("twilio", "tel:+12025550100", "tel:+12025550101")
    assert bell.woken == [row.conversation]


async def test_a_conversation_is_a_pair_of_addresses_and_tells_neither(database: Database) -> None:
    other_number = ConversationKey("twilio", Address("tel", "+12025550199"), KEY.customer)
    names = {conversation_id(SECRET, KEY), conversation_id(SECRET, other_number), conversation_id(b"t" * 32, KEY)}
    assert len(names) == 3
    assert conversation_id(SECRET, KEY) in names
    assert not any("5550" in name or "/" in name for name in names)


async def test_the_secret_is_made_once(database: Database) -> None:
    first = await installation_secret(database)
    assert await installation_secret(database) == first
    assert len(first) == 32
    async with database.read() as connection:
        assert len((await connection.execute(select(installation_table))).all()) == 1


async def test_nothing_is_stored_when_one_event_cannot_be(database: Database) -> None:
    class Broken(Bell):
        async def wake(self, tx: AsyncConnection, conversation: str) -> None:
            if self.woken:
                raise OSError("gone")
            await super().wake(tx, conversation)

    with pytest.raises(OSError, match="gone"):
        await Reception(database, Broken(), secret=SECRET)([message("a"), message("b")])
    assert await rows(database) == []


async def test_stop_holds_at_once_and_is_confirmed_by_a_turn(database: Database) -> None:
    reception = Reception(database, Bell(), secret=SECRET)
    for _ in range(2):
        await reception([stop()])
    async with database.read() as connection:
        assert await Ledger(database).is_stopped(connection, "tel:+12025550100", "tel:+12025550101")
    (row,) = await rows(database)
    assert (row.kind, row.payload["answer"]) == ("consent", "stop")
    await reception([stop("twilio:msg:SM3")])
    assert [row.payload["answer"] for row in await rows(database)] == ["stop", ""], "a second stop is not confirmed again"
    await reception([stop("twilio:msg:SM4", ConsentKind.START)])
    async with database.read() as connection:
        assert not await Ledger(database).is_stopped(connection, "tel:+12025550100", "tel:+12025550101")


async def test_yes_resumes_only_who_has_stopped(database: Database) -> None:
    reception = Reception(database, Bell(), secret=SECRET)
    yes = Consent(KEY, "y1", AT, {}, ConsentKind.START, "yes", only_if_stopped=True)
    await reception([yes])
    assert [row.kind for row in await rows(database)] == ["message"]
    await reception([stop()])
    await reception([Consent(KEY, "y2", AT, {}, ConsentKind.START, "yes", only_if_stopped=True)])
    assert [row.kind for row in await rows(database)] == ["message", "consent", "consent"]


async def test_help_changes_nothing(database: Database) -> None:
    await Reception(database, Bell(), secret=SECRET)([stop(kind=ConsentKind.HELP)])
    (row,) = await rows(database)
    assert row.payload["answer"] == "help"
    async with database.read() as connection:
        assert await Ledger(database).history(connection, "tel:+12025550101") == []


async def put_and_claim(database: Database) -> tuple[Outbox, Any]:
    outbox = Outbox(database)
    async with database.write() as tx:
        await outbox.put(tx, [Outgoing({}, "c1", Addresses("twilio", "tel:+12025550100", "tel:+12025550101"), key="c1/1:0")])
    from datetime import timedelta

    async with database.write() as tx:
        (row,) = await outbox.claim(tx, "me", limit=1, lease=timedelta(seconds=30))
    return outbox, row


async def test_receipts_merge_and_settle_what_nobody_knew(database: Database) -> None:
    outbox, row = await put_and_claim(database)
    async with database.write() as tx:
        await outbox.unknown(tx, row, "timeout")
    reception = Reception(database, Bell(), secret=SECRET)
    events: Sequence[Event] = [receipt(Status.DELIVERED, "r2", reference="c1/1:0"), receipt(Status.SENT, "r1", reference="c1/1:0")]
    await reception(events)
    async with database.read() as connection:
        assert await Receipts(database).find(connection, "twilio", "SM9") == (Status.DELIVERED, "")
        (found,) = await outbox.of(connection, "c1")
    assert (found.status, found.provider_id, found.delivery) == ("sent", "SM9", Status.DELIVERED)
    assert await rows(database) == [], "a receipt wakes nobody"


async def test_a_receipt_may_close_consent(database: Database) -> None:
    failed = receipt(Status.UNDELIVERED, error_code="21610", closes_consent=True)
    await Reception(database, Bell(), secret=SECRET)([failed, failed])
    async with database.read() as connection:
        assert [kind for _, kind, _ in await Ledger(database).history(connection, "tel:+12025550101")] == ["stop"]
