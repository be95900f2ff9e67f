from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from bot.app import load_project
from bot.conversations import Addresses, Claims, Database, Inbox, Incoming, Outbox, UnitOfWork
from bot.conversations.tables import claim_table, conversation_table, event_table, inbox_table, outbox_table
from bot.dialogue.conversation import Inbound, Outcome
from bot.dialogue.state import State
from bot.dialogue.understander import Understanding
from bot.language import Project
from bot.runtime.bursts import Bursts
from bot.runtime.change import Composer
from bot.runtime.turns import Answer, TurnWorker
from tests.databases import HandClock

from .test_change import HERE, Plain, said

LEASE = timedelta(seconds=30)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    (folder / "switchboard.yml").write_text("language: en\n")
    (folder / "flows").mkdir()
    (folder / "flows" / "flows.yml").write_text(
        "flows:\n  hello:\n    description: says hello\n    steps: [{action: utter_hello}]\nresponses:\n  utter_hello: [{text: Hello}]\n"
    )
    return load_project(folder).project


async def echo(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
    turn = int(str(stored["turn"])) + 1 if stored else 1
    return Outcome(
        State(turn=turn, session=1, language="en"),
        ({"event": "user", "text": inbound.text}, *said(f"You said {inbound.text}.")),
        Understanding(()),
    )


def worker(
    database: Database, project: Project, answer: Answer = echo, *, holder: str = "one", told: list[str] | None = None, **more: Any
) -> TurnWorker:
    lease = more.pop("lease", LEASE)
    claims = Claims(database, holder=holder, lease=lease)
    channels = {"plain": Plain()}

    def tell(event: str, **fields: Any) -> None:
        if told is not None:
            told.append(event)

    options = {"bursts": Bursts(timedelta(0)), "telemetry": tell, **more}
    return TurnWorker(database, answer, Composer(project, channels), claims=claims, lease=lease, **options)


async def receive(database: Database, *texts: str, conversation: str = "c1") -> None:
    inbox = Inbox(database)
    async with database.write() as tx:
        for text in texts:
            assert await inbox.receive(tx, Incoming(f"e-{conversation}-{text}", conversation, {"text": text}, HERE))


async def column(database: Database, column: Any, *order: Any) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(select(column).order_by(*order))).scalars())


async def replies(database: Database) -> list[str]:
    return [dict(payload["fields"])["text"] for payload in await column(database, outbox_table.c.payload, outbox_table.c.id)]


async def statuses(database: Database) -> list[str]:
    return await column(database, inbox_table.c.status, inbox_table.c.id)


async def test_a_message_becomes_a_turn_in_one_commit(database: Database, project: Project) -> None:
    await receive(database, "hi")
    told: list[str] = []
    assert await worker(database, project, told=told)("c1") is None
    assert await replies(database) == ["You said hi."]
    assert await statuses(database) == ["done"]
    assert await column(database, claim_table.c.holder) == [""]
    assert await column(database, conversation_table.c.version) == [1]
    assert told == ["turn"]


async def test_nobody_wrote(database: Database, project: Project) -> None:
    assert await worker(database, project)("c1") is None
    assert await column(database, claim_table.c.conversation) == []


async def test_messages_are_taken_one_by_one_in_order(database: Database, project: Project) -> None:
    await receive(database, "a", "b", "c")
    work = worker(database, project)
    assert [await work("c1") for _ in range(4)] == [timedelta(0), timedelta(0), None, None]
    assert await replies(database) == ["You said a.", "You said b.", "You said c."]


async def test_a_burst_is_waited_for_and_answered_once(database: Database, project: Project, clock: HandClock) -> None:
    work = worker(database, project, bursts=Bursts(timedelta(seconds=2), timedelta(seconds=6)))
    await receive(database, "my bill")
    assert await work("c1") == timedelta(seconds=2)
    clock.move(seconds=1)
    await receive(database, "is too high")
    assert await work("c1") == timedelta(seconds=2)
    clock.move(seconds=2.5)
    assert await work("c1") is None
    assert await replies(database) == ["You said my bill\nis too high."]
    assert await statuses(database) == ["done", "done"]


async def test_a_poisonous_message_ends_as_a_dead_letter_and_the_conversation_goes_on(database: Database, project: Project) -> None:
    async def sick(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        if "poison" in inbound.text:
            raise ValueError("the number +12025550101 must not be told")
        return await echo(conversation, stored, inbound)

    await receive(database, "poison", "antidote")
    told: list[str] = []
    work = worker(database, project, sick, told=told, attempts=3)
    assert [await work("c1") for _ in range(3)] == [timedelta(seconds=0.5), timedelta(seconds=1), timedelta(0)]
    assert await work("c1") is None
    assert await statuses(database) == ["dead", "done"]
    assert await column(database, inbox_table.c.cause, inbox_table.c.id) == ["ValueError", ""]
    first, second = await replies(database)
    assert "went wrong" in first
    assert second == "You said antidote."
    assert told == ["turn_failed", "turn_failed", "turn_failed", "dead_letter", "turn"]
    events = await column(database, event_table.c.body, event_table.c.id)
    assert {"event": "problem", "code": "dead-letter", "detail": "ValueError", "flow": "", "step": ""} in events


async def test_a_message_that_kills_its_workers_is_given_up(database: Database, project: Project, clock: HandClock) -> None:
    await receive(database, "killer", "harmless")
    for _ in range(4):
        claim = await Claims(database, holder="doomed", lease=LEASE).acquire("c1")
        assert claim is not None
        clock.move(seconds=LEASE.total_seconds() + 1)
    work = worker(database, project, deaths=3)
    assert await work("c1") == timedelta(0)
    assert await work("c1") is None
    assert await column(database, inbox_table.c.cause, inbox_table.c.id) == ["worker_lost", ""]
    assert (await replies(database))[1] == "You said harmless."


async def test_a_conversation_somebody_works_on_is_left_alone(database: Database, project: Project) -> None:
    await receive(database, "hi")
    assert await Claims(database, holder="other", lease=LEASE).acquire("c1") is not None
    again = await worker(database, project)("c1")
    assert again is not None
    assert again > timedelta(0)
    assert await statuses(database) == ["open"]


async def test_of_two_workers_on_one_turn_one_commits(database: Database, project: Project, clock: HandClock) -> None:
    """The first is so slow that its claim runs out (a frozen process); the second takes the turn; the first must not commit."""
    await receive(database, "hi")
    frozen, thaw = asyncio.Event(), asyncio.Event()

    async def freezing(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        frozen.set()
        await thaw.wait()
        return await echo(conversation, stored, inbound)

    told: list[str] = []
    slow = asyncio.create_task(worker(database, project, freezing, holder="slow", told=told)("c1"))
    await frozen.wait()
    clock.move(seconds=LEASE.total_seconds() + 1)
    assert await worker(database, project, holder="quick")("c1") is None
    thaw.set()
    again = await slow
    assert again is not None
    assert told == ["turn_conflict"]
    assert await replies(database) == ["You said hi."]
    assert await column(database, conversation_table.c.version) == [1]
    assert await worker(database, project, holder="slow")("c1") is None


async def test_a_late_answer_is_dropped_when_a_person_has_taken_over(database: Database, project: Project) -> None:
    await receive(database, "hi")
    work = worker(database, project)
    assert await work("c1") is None
    await receive(database, "are you there")

    async def taken_over(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        async with database.write() as tx:
            await tx.execute(update(conversation_table).values(owner="agent:7"))
        return await echo(conversation, stored, inbound)

    told: list[str] = []
    assert await worker(database, project, taken_over, holder="two", told=told)("c1") is not None
    assert told == ["turn_conflict"]
    assert await replies(database) == ["You said hi."]
    assert await statuses(database) == ["done", "open"]


async def test_an_outage_of_the_database_is_nobodys_fault(database: Database, project: Project, clock: HandClock) -> None:
    async def unlucky(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        raise OperationalError("SELECT", {}, Exception("connection lost"))

    await receive(database, "hi")
    told: list[str] = []
    again = await worker(database, project, unlucky, told=told)("c1")
    assert again is not None
    assert told == ["database_down"]
    assert await column(database, inbox_table.c.attempts) == [0]
    clock.move(seconds=LEASE.total_seconds() + 1)
    assert await worker(database, project, holder="two")("c1") is None
    assert await replies(database) == ["You said hi."]


async def test_a_slow_turn_keeps_its_claim(live: Database, project: Project) -> None:
    await receive(live, "hi")
    lease = timedelta(seconds=1)
    begun = asyncio.Event()

    async def slow(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        begun.set()
        await asyncio.sleep(3)
        return await echo(conversation, stored, inbound)

    first = asyncio.create_task(worker(live, project, slow, lease=lease)("c1"))
    await begun.wait()
    await asyncio.sleep(2)
    assert await Claims(live, holder="other", lease=lease).acquire("c1") is None
    assert await first is None
    assert await replies(live) == ["You said hi."]


async def test_a_turn_that_is_cancelled_lets_go(database: Database, project: Project) -> None:
    await receive(database, "hi")
    begun = asyncio.Event()

    async def endless(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    running = asyncio.create_task(worker(database, project, endless)("c1"))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await worker(database, project, holder="two")("c1") is None
    assert await replies(database) == ["You said hi."]


async def test_a_turn_that_takes_too_long_has_failed(database: Database, project: Project) -> None:
    async def endless(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    await receive(database, "hi")
    told: list[str] = []
    assert await worker(database, project, endless, turn_limit=0.05, told=told)("c1") == timedelta(seconds=0.5)
    assert told == ["turn_failed"]
    assert await column(database, inbox_table.c.cause) == ["TimeoutError"]


async def test_words_of_consent_reach_no_bot(database: Database, project: Project) -> None:
    async def never(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        raise AssertionError("asked")

    async with database.write() as tx:
        event = Incoming("e-stop", "c1", {"kind": "stop", "text": "STOP", "answer": "stop"}, HERE, "consent")
        await Inbox(database).receive(tx, event)
    assert await worker(database, project, never)("c1") is None
    async with database.read() as connection:
        rows = await Outbox(database).of(connection, "c1")
    assert [row.message.purpose for row in rows] == ["consent"]
    assert await column(database, event_table.c.body) == [{"event": "consent", "kind": "stop", "id": "e-stop"}]
    turn = await UnitOfWork(database).take("c1")
    assert turn is not None
    assert turn.addresses == Addresses("plain", HERE.business, HERE.customer)


async def test_an_outcome_that_cannot_be_stored_is_the_messages_fault(database: Database, project: Project) -> None:
    async def unstorable(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        outcome = await echo(conversation, stored, inbound)
        return Outcome(outcome.state, ({"event": "user", "text": object()},), Understanding(())) if "odd" in inbound.text else outcome

    await receive(database, "odd", "even")
    work = worker(database, project, unstorable, attempts=2)
    assert [await work("c1") for _ in range(3)] == [timedelta(seconds=0.5), timedelta(0), None]
    assert await statuses(database) == ["dead", "done"]
    assert (await replies(database))[-1] == "You said even."


async def test_who_only_dies_along_with_others_is_not_blamed(live: Database, project: Project) -> None:
    """Three deaths make a turn suspicious: it is taken alone from then on, and its claim is nobody else's fault."""
    lease = timedelta(milliseconds=600)
    running: list[str] = []
    together: list[int] = []

    async def watched(conversation: str, stored: Mapping[str, object] | None, inbound: Inbound) -> Outcome:
        running.append(conversation)
        together.append(len(running))
        await asyncio.sleep(0.05)
        running.remove(conversation)
        return await echo(conversation, stored, inbound)

    names = [f"c{n}" for n in range(6)]
    for name in names:
        await receive(live, "hi", conversation=name)
    for death in range(4):
        doomed = Claims(live, holder=f"doomed {death}", lease=lease)
        for name in names[:3]:
            assert await doomed.acquire(name) is not None
        await asyncio.sleep(0.8)
    work = worker(live, project, watched, lease=timedelta(seconds=30))
    again = await asyncio.gather(*(work(name) for name in names))
    assert again == [None] * 6
    assert await statuses(live) == ["done"] * 6
    assert together.count(1) >= 3, "each of the three suspects was alone"
    assert set(await column(live, claim_table.c.lost)) <= {0, 3, 4}
    assert await column(live, claim_table.c.holder) == [""] * 6


async def test_stepping_back_keeps_the_count_of_deaths(live: Database) -> None:
    lease = timedelta(milliseconds=300)
    for death in range(3):
        assert await Claims(live, holder=str(death), lease=lease).acquire("c1") is not None
        await asyncio.sleep(0.4)
    claims = Claims(live, holder="next", lease=LEASE)
    claim = await claims.acquire("c1")
    assert claim is not None
    await claims.step_back(claim)
    again = await Claims(live, holder="other", lease=LEASE).acquire("c1")
    assert again is not None
    assert (claim.lost, again.lost) == (3, 3)
