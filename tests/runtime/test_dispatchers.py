"""What every dispatcher promises, of the one of a process (SQLite) and the one of many machines (PostgreSQL)."""

from __future__ import annotations

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.conversations import Database, connect, migrate
from bot.runtime.dispatcher import Dispatcher
from bot.runtime.distributed import ProcrastinateDispatcher
from bot.runtime.embedded import EmbeddedDispatcher
from tests.databases import clean

from .dispatching import PATIENCE, Bench, Recorder, until


@pytest.fixture(params=["embedded", "distributed"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    embedded = request.param == "embedded"
    engine = connect(f"sqlite:///{tmp_path}/conversations.db" if embedded else request.getfixturevalue("postgres_url"))
    if not embedded:
        await clean(engine)
    await migrate(engine)
    yield Bench(Database(engine))
    await engine.dispose()


async def test_rings_after_the_commit(bench: Bench) -> None:
    recorder = Recorder()
    async with bench.running(recorder) as dispatcher:
        async with bench.database.write() as tx:
            await dispatcher.wake(tx, "a")
            await dispatcher.wake(tx, "b")
            await asyncio.sleep(0.3)
            assert not recorder.rung, "not before the commit"
        await until(lambda: recorder.order == ["a", "b"])


async def test_never_rings_for_what_was_rolled_back(bench: Bench) -> None:
    recorder = Recorder()
    async with bench.running(recorder) as dispatcher:
        with pytest.raises(ZeroDivisionError):  # noqa: PT012
            async with bench.database.write() as tx:
                await dispatcher.wake(tx, "gone")
                raise ZeroDivisionError
        async with bench.database.write() as tx:
            await dispatcher.wake(tx, "kept")
        await until(lambda: recorder.rung["kept"] == 1)
        await asyncio.sleep(0.2)
        assert "gone" not in recorder.rung


async def test_answers_what_was_committed_before_it_ran(bench: Bench) -> None:
    before = bench.dispatcher()
    for conversation in ("a", "b", "c"):
        await bench.receive(before, conversation)
    recorder = Recorder()
    async with bench.running(recorder):
        await until(lambda: set(recorder.rung) == {"a", "b", "c"})


async def test_no_wake_is_lost_and_a_conversation_is_worked_on_by_one(bench: Bench) -> None:
    """300 messages to 50 conversations, from ten webhooks at once, while turns run."""
    taken: dict[str, list[str]] = defaultdict(list)

    class Turns(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            taken[conversation] += await bench.take(conversation)
            await asyncio.sleep(0.002)  # what is received now must ring again
            return None

    turns = Turns()

    async def webhook(dispatcher: Dispatcher, number: int) -> None:
        for message in range(number, 300, 10):
            await bench.receive(dispatcher, f"c{message % 50}", f"m{message:03}")

    async with bench.running(turns) as dispatcher:
        await asyncio.gather(*(webhook(dispatcher, number) for number in range(10)))
        await until(lambda: sum(map(len, taken.values())) == 300)
        assert await bench.left() == []
    assert turns.overlaps == 0
    assert len(taken) == 50
    assert all(len(set(events)) == 6 for events in taken.values()), "each once"


async def test_a_wake_during_work_rings_once_more(bench: Bench) -> None:
    """The race of a wake-up that is lost: the work has looked at the inbox, and is not over, when a message is committed."""
    looked, go_on, seen = asyncio.Event(), asyncio.Event(), list[list[str]]()

    class Turns(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            seen.append(await bench.take(conversation))
            looked.set()
            await go_on.wait()
            return None

    turns = Turns()
    async with bench.running(turns) as dispatcher:
        await bench.receive(dispatcher, "c", "first")
        await looked.wait()
        await bench.receive(dispatcher, "c", "second")
        await bench.receive(dispatcher, "c", "third")
        await asyncio.sleep(0.1)
        go_on.set()
        await until(lambda: sum(map(len, seen)) == 3)
    assert seen[:2] == [["first"], ["second", "third"]], "in their order"
    assert turns.overlaps == 0


async def test_a_delay_is_honoured_and_later_messages_wait_behind_it(bench: Bench) -> None:
    loop, times = asyncio.get_running_loop(), list[float]()

    class Later(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            times.append(loop.time())
            return timedelta(seconds=0.6) if len(times) == 1 else None

    later = Later()
    async with bench.running(later) as dispatcher:
        await bench.receive(dispatcher, "c", "first")
        await until(lambda: len(times) == 1)
        await bench.receive(dispatcher, "c", "second")
        await until(lambda: len(times) >= 2)
    assert times[1] - times[0] >= 0.59


async def test_a_conversation_that_waits_takes_no_place(bench: Bench) -> None:
    class Later(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            return timedelta(seconds=60) if conversation == "waits" else None

    later = Later()
    async with bench.running(later, concurrency=1) as dispatcher:
        await bench.receive(dispatcher, "waits")
        await until(lambda: later.rung["waits"] == 1)
        await bench.receive(dispatcher, "other")
        await until(lambda: later.rung["other"] == 1)


async def test_no_delay_rings_at_once(bench: Bench) -> None:
    class Thrice(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            return timedelta(0) if self.rung[conversation] < 3 else None

    thrice = Thrice()
    async with bench.running(thrice) as dispatcher:
        await bench.receive(dispatcher, "c")
        await until(lambda: thrice.rung["c"] == 3)


async def test_several_at_once_and_no_more(bench: Bench) -> None:
    go_on = asyncio.Event()

    class Slow(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            await go_on.wait()
            return None

    slow = Slow()
    async with bench.running(slow, concurrency=3) as dispatcher:
        for number in range(12):
            await bench.receive(dispatcher, f"c{number:02}")
        await until(lambda: len(slow.rung) == 3)
        await asyncio.sleep(0.2)
        assert slow.most == 3
        go_on.set()
        await until(lambda: len(slow.rung) == 12)
    assert slow.most == 3
    assert sorted(slow.order) == [f"c{number:02}" for number in range(12)]
    assert slow.order[:3] == ["c00", "c01", "c02"], "first come, first served"


@pytest.mark.parametrize("failure", [ValueError("no"), asyncio.CancelledError()])
async def test_work_that_raises_is_rung_again(bench: Bench, failure: BaseException) -> None:
    class Fails(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            if self.rung[conversation] == 1:
                raise failure
            return None

    fails = Fails()
    async with bench.running(fails) as dispatcher:
        await bench.receive(dispatcher, "c")
        await until(lambda: fails.rung["c"] == 2)
    assert [fields["cause"] for event, fields in bench.told if event == "turn_failed"] == [type(failure).__name__]


async def test_stop_lets_finish_what_is_under_way(bench: Bench) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    class Slow(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            began.set()
            await asyncio.sleep(0.3)
            ended.set()
            return None

    slow, dispatcher = Slow(), bench.dispatcher(concurrency=1)
    task = await bench.start(dispatcher, slow)
    await bench.receive(dispatcher, "a")
    await began.wait()
    await bench.receive(dispatcher, "b")
    await dispatcher.stop(PATIENCE)
    await asyncio.wait_for(task, 5)
    assert ended.is_set()
    assert slow.order == ["a"], "nothing new is begun"
    await dispatcher.stop(0)  # twice does no harm


async def test_what_stop_cuts_off_is_rung_for_by_the_next(bench: Bench) -> None:
    """At work, at work for good, waiting out a delay, and not begun: the next process rings for all of them."""
    cancelled = list[str]()

    class Stuck(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            if conversation == "waits":
                return timedelta(hours=1)
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled.append(conversation)
                raise
            return None

    stuck, dispatcher = Stuck(), bench.dispatcher(concurrency=2)
    task = await bench.start(dispatcher, stuck)
    for conversation in ("waits", "a", "b", "never begun"):
        await bench.receive(dispatcher, conversation)
    await until(lambda: len(stuck.rung) == 3)
    await asyncio.wait_for(dispatcher.stop(0.1), 5)
    await asyncio.wait_for(task, 5)
    assert sorted(cancelled) == ["a", "b"]
    recorder = Recorder()
    async with bench.running(recorder):
        await until(lambda: set(recorder.rung) == {"waits", "a", "b", "never begun"})


async def test_run_that_is_cancelled_leaves_nothing_at_work(bench: Bench) -> None:
    began, over = asyncio.Event(), asyncio.Event()

    class Stuck(Recorder):
        async def do(self, conversation: str) -> timedelta | None:
            began.set()
            try:
                await asyncio.sleep(3600)
            finally:
                over.set()
            return None

    dispatcher = bench.dispatcher()
    task = await bench.start(dispatcher, Stuck())
    await bench.receive(dispatcher, "c")
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert over.is_set()
    recorder = Recorder()
    async with bench.running(recorder):
        await until(lambda: recorder.rung["c"] == 1)


async def test_stopped_before_it_ran(bench: Bench) -> None:
    dispatcher = bench.dispatcher()
    await dispatcher.stop(1)
    await asyncio.wait_for(dispatcher.run(Recorder()), 5)


async def test_a_turn_does_not_inherit_from_the_webhook_that_rang(bench: Bench) -> None:
    field = contextvars.ContextVar("field", default="")
    seen = list[str]()

    async def work(conversation: str) -> None:
        seen.append(field.get())

    async with bench.running(work) as dispatcher:
        field.set("of a request")
        await bench.receive(dispatcher, "c")
        await until(lambda: len(seen) == 1)
    assert seen == [""]


async def test_the_embedded_dispatcher_remembers_nothing_of_the_idle(tmp_path: Path) -> None:
    dispatcher, recorder = EmbeddedDispatcher(concurrency=4), Recorder()
    task = asyncio.create_task(dispatcher.run(recorder))
    for number in range(1000):
        dispatcher.ring(f"c{number}")
        dispatcher.ring(f"c{number}")
    await until(lambda: len(recorder.rung) == 1000)
    await until(lambda: not recorder.at_work.total())
    kept = [value for value in vars(dispatcher).values() if isinstance(value, dict | set)]
    await until(lambda: not any(kept), 5)
    assert len(kept) >= 4
    assert set(recorder.rung.values()) == {1}, "rung twice before it was its turn is rung once"
    await dispatcher.stop(0)
    await task


async def test_refuses_what_cannot_work(tmp_path: Path) -> None:
    database = Database(connect(f"sqlite:///{tmp_path}/x.db"))
    with pytest.raises(ValueError, match="PostgreSQL"):
        ProcrastinateDispatcher(database)
    with pytest.raises(ValueError, match="concurrency is 0"):
        EmbeddedDispatcher(concurrency=0)
    await database.engine.dispose()
