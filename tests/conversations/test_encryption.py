from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from bot.channels import MediaFile, MediaLink
from bot.conversations import (
    Addresses,
    Attachments,
    Database,
    Inbox,
    Incoming,
    Outbox,
    Outgoing,
    Sealer,
    SealError,
    SqlConversations,
    SqlEffects,
    Timer,
    TurnChange,
    UnitOfWork,
)
from bot.conversations.tables import metadata
from tests.databases import HandClock

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SECRET = "Zwiebelkuchen-비밀"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(value=json_values, row=st.text())
def test_what_is_sealed_is_opened_in_its_row_only(value: Any, row: str) -> None:
    sealer = Sealer({"a": OLD})
    sealed = sealer.seal(value, "t", row)
    assert sealer.open(sealed, "t", row) == value
    for table, other in (("u", row), ("t", row + "x")):
        with pytest.raises(SealError, match="tampered"):
            sealer.open(sealed, table, other)


def test_every_sealing_is_different_and_hides_the_text() -> None:
    sealer = Sealer({"a": OLD})
    first, second = (sealer.seal({"s": SECRET}, "t", "r") for _ in range(2))
    assert first["text"] != second["text"]
    assert first.keys() == {"$sealed", "text"}
    assert SECRET.encode() not in base64.b64decode(first["text"])


def test_rotation_reads_old_and_writes_new() -> None:
    sealed = Sealer({"a": OLD}).seal(1, "t", "r")
    both = Sealer({"b": NEW, "a": OLD})
    assert both.open(sealed, "t", "r") == 1
    assert not both.is_current(sealed)
    assert both.seal(1, "t", "r")["$sealed"] == "b"
    assert both.is_current(both.seal(1, "t", "r"))
    with pytest.raises(SealError, match="'a', which is not configured") as caught:
        Sealer({"b": NEW}).open(sealed, "t", "r")
    assert caught.value.code == "key-missing"


def test_clear_rows() -> None:
    assert Sealer().open({"x": 1}, "t", "r") == {"x": 1} == Sealer().seal({"x": 1}, "t", "r")
    assert Sealer({"a": OLD}).open({"x": 1}, "t", "r") == {"x": 1}, "from before there was a key"
    with pytest.raises(SealError, match="stored in the clear"):
        Sealer({"a": OLD}, strict=True).open({"x": 1}, "t", "r")
    with pytest.raises(SealError, match="not configured"):
        Sealer().open(Sealer({"a": OLD}).seal(1, "t", "r"), "t", "r")
    with pytest.raises(SealError, match="looks like a sealed one"):
        Sealer().seal({"$sealed": "a", "text": "x"}, "t", "r")
    assert Sealer().is_current({"x": 1})
    assert not Sealer({"a": OLD}).is_current({"x": 1})


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", base64.b64encode(bytes(60)).decode()])
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(SealError, match="tampered"):
        Sealer({"a": OLD}).open({"$sealed": "a", "text": text}, "t", "row-name")


def test_errors_do_not_name_the_row() -> None:
    with pytest.raises(SealError) as caught:
        Sealer({"a": OLD}).open({"$sealed": "a", "text": ""}, "conversation", "+12025550101")
    assert "+1202" not in str(caught.value)


def test_keys_from_a_setting() -> None:
    text = ", ".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in (("b", NEW), ("a", OLD)))
    sealer = Sealer.from_text(text)
    assert sealer.newest == "b"
    assert sealer.open(Sealer({"a": OLD}).seal("x", "t", "r"), "t", "r") == "x"
    assert Sealer.from_text("").newest == ""
    for bad in ("a:AAAA", "a", f":{base64.b64encode(OLD).decode()}", "a:%%"):
        with pytest.raises(ValueError, match="encryption key"):
            Sealer.from_text(bad)
    with pytest.raises(ValueError, match="strict"):
        Sealer(strict=True)


async def fill(database: Database, sealer: Sealer | None, clock: HandClock) -> None:
    """The secret in every place that holds personal data."""
    who, attachments = Addresses("sms", "b", "x"), Attachments(database, sealer=sealer)
    work, effects = UnitOfWork(database, sealer=sealer), SqlEffects(database, now=clock, sealer=sealer)
    handoff = {"event": "handoff", "reason": SECRET, "skill": "s", "priority": 1}
    async with database.write() as tx:
        await Inbox(database, sealer=sealer).receive(tx, Incoming("e", "c", {"text": SECRET}, who))
        await attachments.expect(tx, "c", "e", who, [MediaLink(f"https://files.example/{SECRET}", "text/plain")])
    (waiting,) = await attachments.claim(limit=1, lease=timedelta(seconds=9))
    assert SECRET in attachments.link(waiting).url
    await attachments.kept(waiting, MediaFile(SECRET.encode(), "text/plain"))
    turn = await work.begin("c")
    change = TurnChange(
        {"s": SECRET}, [{"event": "user", "text": SECRET}, handoff], [Outgoing({"text": SECRET})], [Timer("t", clock.at, {"t": SECRET})]
    )
    await work.commit(turn, change)
    await effects.begin("c/1/pay", "pay", "h")
    await effects.done("c/1/pay", {"said": SECRET})


async def dump(database: Database) -> str:
    """All tables as text."""
    async with database.read() as tx:
        return "\n".join([str((await tx.execute(text(f"SELECT * FROM {name}"))).all()) for name in metadata.tables])


async def read_all(database: Database, sealer: Sealer | None, clock: HandClock) -> list[Any]:
    store = SqlConversations(database, now=clock, sealer=sealer)
    work = UnitOfWork(database, sealer=sealer)
    async with database.read() as tx:
        sent = (await Outbox(database, sealer=sealer).of(tx, "c"))[0].message.payload
    found = await store.load("c")
    effect = await SqlEffects(database, now=clock, sealer=sealer).begin("c/1/pay", "pay", "h")
    assert found is not None
    attachments = Attachments(database, sealer=sealer)
    file = await attachments.read((await attachments.of("c"))[0].id)
    assert file is not None
    return [
        found.state,
        (await work.begin("c")).state,
        await store.events("c", 9),
        (await store.waiting())[0].body["reason"],
        sent,
        effect.result,
        file.content.decode(),
    ]


async def test_nothing_is_readable_in_the_raw_tables(database: Database, clock: HandClock) -> None:
    sealer = Sealer({"a": OLD}, strict=True)
    await fill(database, sealer, clock)
    raw = await dump(database)
    assert SECRET not in raw
    assert "Zwiebel" not in raw
    assert base64.b64encode(SECRET.encode()).decode() not in raw
    assert raw.count("$sealed") == 10
    assert str(await read_all(database, sealer, clock)).count(SECRET) == 8


async def test_the_raw_tables_without_a_key(database: Database, clock: HandClock) -> None:
    """The check above sees the secret where it is in the clear."""
    await fill(database, None, clock)
    raw = await dump(database)
    assert raw.count("Zwiebel") == 9
    assert base64.b64encode(SECRET.encode()).decode() in raw


async def test_a_row_cannot_be_moved_to_another_customer(database: Database, clock: HandClock) -> None:
    sealer = Sealer({"a": OLD})
    store = SqlConversations(database, now=clock, sealer=sealer)
    await store.save("victim", {"s": 1}, 0)
    await store.save("thief", {"s": 2}, 0)
    async with database.write() as tx:
        await tx.execute(text("UPDATE conversation SET state = (SELECT state FROM conversation WHERE id = 'victim') WHERE id = 'thief'"))
    with pytest.raises(SealError, match="moved from another row"):
        await store.load("thief")
