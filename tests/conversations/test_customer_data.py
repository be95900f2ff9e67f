from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.channels import MediaFile, MediaLink, Status
from bot.conversations import (
    Addresses,
    Attachments,
    Claims,
    ConflictError,
    Consent,
    CustomerData,
    Database,
    Inbox,
    Incoming,
    Outbox,
    Outgoing,
    Receipts,
    Sealer,
    SqlEffects,
    Timer,
    TurnChange,
    UnitOfWork,
)
from bot.conversations.tables import metadata
from tests.databases import HandClock

from .test_encryption import dump

OURS, ANN, BOB = "+12025550100", "+12025550101", "+12025550102"
KEYS = {"a": bytes(range(32))}
PERSONAL = set(metadata.tables) - {"flow_version", "broadcast", "installation"}


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as tx:
        found = {
            name: (await tx.execute(select(func.count()).select_from(metadata.tables[name]))).scalar_one() for name in sorted(PERSONAL)
        }
    return {name: count for name, count in found.items() if count}


async def live_a_little(database: Database, customer: str, name: str, sealer: Sealer | None = None, conversation: str = "") -> str:
    """A conversation with a row in every table. Returns its id."""
    conversation, who = conversation or f"sms:{OURS}:{customer}", Addresses("sms", OURS, customer)
    clock = database.now
    inbox, outbox = Inbox(database, sealer=sealer), Outbox(database, sealer=sealer)
    work = UnitOfWork(database, sealer=sealer, claims=Claims(database, holder="w", lease=timedelta(seconds=9)))
    effects = SqlEffects(database, now=clock, sealer=sealer)
    async with database.write() as tx:
        await inbox.receive(tx, Incoming(f"msg:{conversation}", conversation, {"text": f"I am {name}"}, who))
        link = MediaLink(f"https://files.example/{name}", "image/png")
        await Attachments(database, sealer=sealer).expect(tx, conversation, f"msg:{conversation}", who, [link])
        await Consent(database).record(tx, f"stop:{conversation}", "stop", who, clock())
        await Consent(database).record(tx, f"start:{conversation}", "start", who, clock())
    turn = await work.take(conversation)
    assert turn is not None
    handoff = {"event": "handoff", "reason": name, "skill": "s", "priority": 1}
    events: list[dict[str, Any]] = [{"event": "user", "text": f"I am {name}"}, handoff, {"event": "handoff_ended"}]
    await effects.begin(f"{conversation}/m/f/s/1/pay", "pay", "h")
    await effects.done(f"{conversation}/m/f/s/1/pay", {"for": name})
    await work.commit(turn, TurnChange({"name": name}, events, [Outgoing({"text": f"Hi {name}"})], [Timer("t", clock(), {"to": name})]))
    async with database.write() as tx:
        (row,) = await outbox.claim(tx, "s", limit=1, lease=timedelta(seconds=9))
        await outbox.sent(tx, row, f"SM-{conversation}")
        await Receipts(database).record(tx, "sms", f"SM-{conversation}", Status.DELIVERED)
    attachments = Attachments(database, sealer=sealer)
    (waiting,) = await attachments.claim(limit=1, lease=timedelta(seconds=9))
    assert await attachments.kept(waiting, MediaFile(name.encode(), "image/png"))
    return conversation


@pytest.mark.parametrize("sealer", [None, Sealer(KEYS)])
async def test_export_is_everything_in_the_clear(database: Database, sealer: Sealer | None) -> None:
    ann = await live_a_little(database, ANN, "Ann Onymous", sealer)
    await live_a_little(database, BOB, "Bob Odd", sealer)
    data = await CustomerData(database, sealer=sealer).export(customer=ANN)
    assert set(data) == PERSONAL
    assert all(data.values())
    assert json.loads(json.dumps(data)) == data
    assert str(data).count("Ann Onymous") == 9, "one for each document"
    assert [base64.b64decode(row["content"]) for row in data["attachment"]] == [b"Ann Onymous"]
    assert BOB not in str(data)
    assert "Odd" not in str(data)
    assert await CustomerData(database, sealer=sealer).export(conversations=[ann]) == {**data, "consent": []}


async def test_export_of_nobody(database: Database) -> None:
    await live_a_little(database, ANN, "Ann")
    data = await CustomerData(database).export(customer="+12025550199")
    assert not any(data.values())
    assert not any((await CustomerData(database).export()).values())


@pytest.mark.parametrize("sealer", [None, Sealer(KEYS)])
async def test_erasing_leaves_nothing(database: Database, sealer: Sealer | None) -> None:
    await live_a_little(database, BOB, "Bob Odd", sealer)
    before = await counts(database)
    assert set(before) == PERSONAL
    untouched = await CustomerData(database, sealer=sealer).export(customer=BOB)
    await live_a_little(database, ANN, "Ann Onymous", sealer)
    assert await CustomerData(database, sealer=sealer).erase(customer=ANN) == before
    assert await counts(database) == before
    raw = await dump(database)
    assert ANN not in raw
    assert "Onymous" not in raw
    assert await CustomerData(database, sealer=sealer).export(customer=BOB) == untouched
    assert sum((await CustomerData(database).erase(customer=ANN)).values()) == 0


async def test_nothing_is_left_in_the_file(database: Database) -> None:
    """SQLite leaves deleted text in free pages and in its log unless told otherwise."""
    if database.is_postgres:
        return
    path = Path(str(database.engine.url.database))
    await live_a_little(database, ANN, "Ann Onymous" + "!" * 3000)
    assert any(b"Onymous" in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    await CustomerData(database).erase(customer=ANN)
    for file in path.parent.glob(f"{path.name}*"):
        assert b"Onymous" not in file.read_bytes(), file.name
        assert ANN.encode() not in file.read_bytes(), file.name


async def test_stop_can_be_kept(database: Database, clock: HandClock) -> None:
    async with database.write() as tx:
        await Consent(database).record(tx, "e", "stop", Addresses("sms", OURS, ANN), clock.at)
    assert "consent" not in await CustomerData(database).erase(customer=ANN, keep_consent=True)
    async with database.read() as tx:
        assert await Consent(database).is_stopped(tx, OURS, ANN)
    assert (await CustomerData(database).erase(customer=ANN))["consent"] == 1


async def test_before_the_first_turn(database: Database) -> None:
    who = Addresses("sms", OURS, ANN)
    async with database.write() as tx:
        await Inbox(database).receive(tx, Incoming("e", "c", {}, who))
        await Attachments(database).expect(tx, "c", "e", who, [MediaLink("https://files.example/1", "image/png")] * 3)
        await Outbox(database).put(tx, [Outgoing({}, "d", who, key="k"), Outgoing({}, "", who, key="no conversation")])
    assert len(await Attachments(database).claim(limit=1, lease=timedelta(seconds=9))) == 1
    erased = await CustomerData(database).erase(customer=ANN)
    assert {name: count for name, count in erased.items() if count} == {"inbox": 1, "attachment": 3, "outbox": 2}
    assert await counts(database) == {}


async def test_conversations_with_similar_names(database: Database) -> None:
    for conversation in ("a", "a/b", "a_c", "ab", "a%"):
        await live_a_little(database, f"{ANN}-{conversation}", "x", conversation=conversation)
    for conversation in ("a", "a_c", "a%"):
        erased = await CustomerData(database).erase(conversations=[conversation])
        assert (erased["effect"], erased["conversation"], erased["event"]) == (1, 1, 3)
    left: dict[str, Any] = await CustomerData(database).export(conversations=["a/b", "ab"])
    assert [row["key"] for row in left["effect"]] == ["a/b/m/f/s/1/pay", "ab/m/f/s/1/pay"]


@pytest.mark.parametrize("known", [True, False])
async def test_a_turn_under_way_brings_nothing_back(database: Database, known: bool) -> None:
    work = UnitOfWork(database)
    if known:
        await work.commit(await work.begin("c"), TurnChange({}))
    async with database.write() as tx:
        await Inbox(database).receive(tx, Incoming("e", "c", {}, Addresses("sms", OURS, ANN)))
    turn = await work.begin("c")
    await CustomerData(database).erase(customer=ANN, conversations=["c"])
    with pytest.raises(ConflictError):
        await work.commit(turn, TurnChange({"name": "Ann"}, [{"event": "user"}], [Outgoing({})]))
    assert await counts(database) == {}
