from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.channels import MediaFile, MediaLink
from bot.conversations import Addresses, Attachments, CustomerData, Database, Sealer, SealError
from bot.conversations.tables import attachment_table
from tests.databases import HandClock

WHO = Addresses("sms", "tel:+12025550100", "tel:+12025550101")
LINK = MediaLink("https://files.example/1", "image/png")
LEASE = timedelta(seconds=60)
KEY = bytes(range(32))


async def expect(database: Database, *events: str, files: int = 1, conversation: str = "c") -> Attachments:
    attachments = Attachments(database)
    async with database.write() as tx:
        for event in events:
            await attachments.expect(tx, conversation, event, WHO, [LINK] * files)
    return attachments


async def test_from_waiting_to_kept(database: Database, clock: HandClock) -> None:
    attachments = await expect(database, "e", files=2)
    first, second = await attachments.claim(limit=9, lease=LEASE)
    assert [(row.event_id, row.position, row.channel, row.attempts) for row in (first, second)] == [("e", 0, "sms", 1), ("e", 1, "sms", 1)]
    assert attachments.link(second) == LINK
    clock.move(seconds=5)
    assert await attachments.kept(second, MediaFile(b"\x00\xff", "image/jpeg"))
    assert await attachments.refused(first, "type")
    one, two = await attachments.of("c")
    assert (one.status, one.cause, one.content_type, one.size) == ("refused", "type", "", 0)
    assert (two.status, two.cause, two.content_type, two.size) == ("kept", "", "image/jpeg", 2)
    assert two.finished_at == two.received_at + timedelta(seconds=5)
    assert await attachments.read(two.id) == MediaFile(b"\x00\xff", "image/jpeg")
    assert await attachments.read(one.id) is None
    assert await attachments.read(999) is None
    clock.move(days=9)
    assert await attachments.claim(limit=9, lease=LEASE) == [], "finished"
    assert await attachments.of("d") == []


async def test_a_message_told_twice_has_its_files_once(database: Database) -> None:
    attachments = await expect(database, "e", "e", files=2)
    await expect(database, "e", files=2)
    assert len(await attachments.of("c")) == 2


async def test_without_the_message_there_is_no_file(database: Database) -> None:
    attachments = Attachments(database)
    async with database.write() as tx:
        await attachments.expect(tx, "c", "e", WHO, [LINK])
        await tx.rollback()
    assert await attachments.of("c") == []


async def test_the_one_who_died_is_replaced_and_fenced_off(database: Database, clock: HandClock) -> None:
    attachments = await expect(database, "e")
    (dead,) = await attachments.claim(limit=9, lease=LEASE)
    assert await attachments.claim(limit=9, lease=LEASE) == []
    clock.move(seconds=60)
    (again,) = await attachments.claim(limit=9, lease=LEASE)
    assert (again.id, again.attempts) == (dead.id, 2)
    assert not await attachments.kept(dead, MediaFile(b"late", "text/plain"))
    assert not await attachments.refused(dead, "late")
    assert not await attachments.retry(dead, timedelta(0), "late")
    assert await attachments.kept(again, MediaFile(b"x", "text/plain"))
    assert not await attachments.kept(again, MediaFile(b"twice", "text/plain"))
    assert await attachments.read(again.id) == MediaFile(b"x", "text/plain")


async def test_again_later(database: Database, clock: HandClock) -> None:
    attachments = await expect(database, "e")
    (row,) = await attachments.claim(limit=9, lease=LEASE)
    assert await attachments.retry(row, timedelta(minutes=9), "network")
    assert [(one.status, one.cause) for one in await attachments.of("c")] == [("waiting", "network")]
    clock.move(minutes=8)
    assert await attachments.claim(limit=9, lease=LEASE) == []
    clock.move(minutes=1)
    (row,) = await attachments.claim(limit=9, lease=LEASE)
    assert row.attempts == 2


async def test_the_longest_due_comes_first(database: Database, clock: HandClock) -> None:
    for number in range(5):
        attachments = await expect(database, f"e{number}")
        clock.move(seconds=1)
    assert [row.event_id for row in await attachments.claim(limit=2, lease=LEASE)] == ["e0", "e1"]
    assert [row.event_id for row in await attachments.claim(limit=9, lease=LEASE)] == ["e2", "e3", "e4"]


async def test_no_two_take_the_same(live: Database) -> None:
    attachments = await expect(live, *(f"e{n}" for n in range(40)))

    async def take() -> list[int]:
        mine: list[int] = []
        while rows := await attachments.claim(limit=3, lease=LEASE):
            mine += [row.id for row in rows]
        return mine

    taken = [one for mine in await asyncio.gather(*(take() for _ in range(5))) for one in mine]
    assert len(taken) == len(set(taken)) == 40


async def test_the_erased_do_not_come_back(database: Database) -> None:
    attachments = await expect(database, "e")
    (row,) = await attachments.claim(limit=9, lease=LEASE)
    assert (await CustomerData(database).erase(customer=WHO.customer))["attachment"] == 1
    assert not await attachments.kept(row, MediaFile(b"x", "text/plain"))
    assert not await attachments.retry(row, timedelta(0), "x")
    assert await attachments.of("c") == []


async def test_documents_of_a_row_cannot_be_exchanged(database: Database) -> None:
    """Whoever can write to the database cannot make an address of what a customer sent, to be fetched from inside."""
    attachments = Attachments(database, sealer=Sealer({"a": KEY}))
    async with database.write() as tx:
        await attachments.expect(tx, "c", "e", WHO, [LINK])
        await tx.execute(attachment_table.update().values(content=attachment_table.c.source, status="kept"))
    with pytest.raises(SealError, match="moved from another row"):
        await attachments.read((await attachments.of("c"))[0].id)


def test_addresses_and_bytes_are_not_told() -> None:
    from bot.conversations import WaitingAttachment

    assert "files.example" not in repr(WaitingAttachment(1, "c", "e", 0, "sms", 1, {"url": LINK.url}))
