"""The session API: what an engineer programs against."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import Bot, ProjectBroken
from bot.conversations import ConflictError, MemoryArchive, MemoryConversations, SqlConversations, SqlEffects, connect
from bot.dialogue.commands import SetSlot, StartFlow
from bot.language import ProjectNotFound, load
from integrations.rasa import ActionsImportError

FLOWS = """
flows:
  greet:
    name: greeting
    description: says hello to somebody
    steps:
      - collect: who
      - action: utter_hello
slots: {who: {type: text}}
responses:
  utter_ask_who: [{text: "Who?", buttons: [{title: The world, payload: "/SetSlots(who=world)"}]}]
  utter_hello: [{text: "Hello {who}"}]
"""


def write(folder: Path, text: str = FLOWS, settings: str = "compat: '3.11'\n") -> Path:
    (folder / "flows" / "greet").mkdir(parents=True, exist_ok=True)
    (folder / "flows" / "greet" / "flows.yml").write_text(text, encoding="utf-8")
    (folder / "switchboard.yml").write_text(settings, encoding="utf-8")
    return folder


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with Bot.open(write(tmp_path)) as opened:
        yield opened


async def test_say_answers_and_remembers(bot: Bot) -> None:
    turn = await bot.turn("c", "hello", commands=[StartFlow("greet")])
    assert [(reply.text, reply.response) for reply in turn.replies] == [("Who?", "utter_ask_who")]
    assert turn.replies[0].buttons == ({"title": "The world", "payload": "/SetSlots(who=world)"},)
    replies = await bot.say("c", "/SetSlots(who=world)")
    assert replies[0].text == "Hello world"
    kinds = [event["event"] for event in await bot.transcript("c")]
    assert kinds[0] == "session_started"
    assert kinds.count("user") == 2


async def test_conversations_do_not_meet(bot: Bot) -> None:
    await asyncio.gather(*(bot.turn(f"c{n}", "hello", commands=[StartFlow("greet")]) for n in range(20)))
    answers = await asyncio.gather(*(bot.turn(f"c{n}", str(n), commands=[SetSlot("who", str(n))]) for n in range(20)))
    assert [turn.replies[0].text for turn in answers] == [f"Hello {n}" for n in range(20)]


async def test_messages_of_one_conversation_are_taken_one_after_another(bot: Bot) -> None:
    await asyncio.gather(*(bot.turn("c", "x", commands=[StartFlow("greet")]) for _ in range(10)))
    assert (await bot.state("c")).turn == 11  # and one for the start of the session


async def test_a_free_message_is_understood_locally(bot: Bot) -> None:
    turn = await bot.turn("c", "could you say hello to somebody")
    assert turn.replies[0].response == "utter_ask_who"
    assert (await bot.say("c", "Ann"))[0].text == "Hello Ann"


async def test_fixtures_set_slots_and_unknown_slots_are_told(bot: Bot) -> None:
    await bot.set_slots("c", {"who": "Bob"})
    assert (await bot.turn("c", "hi", commands=[StartFlow("greet")])).replies[0].text == "Hello Bob"
    with pytest.raises(KeyError, match="nobody"):
        await bot.set_slots("c", {"nobody": 1})


async def test_a_conversation_survives_the_process_on_sqlite(tmp_path: Path) -> None:
    folder = write(tmp_path / "project")
    for message, expected in (("first", "Who?"), ("second", "Hello Ann")):
        engine = connect(f"sqlite:///{tmp_path / 'kept.db'}")
        store = SqlConversations(engine, now=lambda: datetime.now(UTC))
        effects = SqlEffects(engine, now=lambda: datetime.now(UTC))
        await store.create()
        await effects.create()
        async with Bot.open(folder, store=store, effects=effects) as bot:
            commands = [StartFlow("greet")] if message == "first" else [SetSlot("who", "Ann")]
            assert (await bot.turn("c", message, commands=commands)).replies[0].text == expected
        await engine.dispose()


async def test_a_republished_project_lets_running_conversations_finish(tmp_path: Path) -> None:
    async with Bot.open(write(tmp_path / "one")) as bot:
        await bot.turn("old", "hi", commands=[StartFlow("greet")])
        changed = (
            FLOWS.replace("- action: utter_hello", "- action: utter_hello\n      - action: utter_bye") + "  utter_bye: [{text: Bye}]\n"
        )
        bot.publish(load(write(tmp_path / "two", changed)).project)
        assert "Bye" not in [r.text for r in (await bot.turn("old", "Ann", commands=[SetSlot("who", "Ann")])).replies]
        await bot.turn("new", "hi", commands=[StartFlow("greet")])
        assert "Bye" in [r.text for r in (await bot.turn("new", "Bob", commands=[SetSlot("who", "Bob")])).replies]


async def test_a_version_is_found_again_by_a_process_that_never_loaded_it(tmp_path: Path) -> None:
    store, archive = MemoryConversations(), MemoryArchive()
    async with Bot.open(write(tmp_path), store=store, archive=archive) as bot:
        await bot.turn("c", "hi", commands=[StartFlow("greet")])
    write(tmp_path, FLOWS.replace("- collect: who", "- action: utter_hello\n      - collect: who"))
    async with Bot.open(tmp_path, store=store, archive=archive) as bot:
        turn = await bot.turn("c", "Ann", commands=[SetSlot("who", "Ann")])
        assert [reply.text for reply in turn.replies][0] == "Hello Ann"
        assert not [event for event in turn.events if event["event"] == "problem"]


async def test_two_processes_on_one_conversation_conflict_instead_of_losing_a_turn(tmp_path: Path) -> None:
    store = MemoryConversations()

    class Slow(MemoryConversations):
        """Lets another process in between loading and saving."""

        def __init__(self, inner: MemoryConversations) -> None:
            super().__init__()
            self.inner, self.load, self.events = inner, inner.load, inner.events  # type: ignore[method-assign]

        async def save(self, conversation, state, expected, events=()):  # type: ignore[no-untyped-def]
            await self.inner.save(conversation, state, expected, events)
            return await self.inner.save(conversation, state, expected, events)

    async with Bot.open(write(tmp_path), store=Slow(store)) as bot:
        with pytest.raises(ConflictError):
            await bot.turn("c", "hi", commands=[StartFlow("greet")])


async def test_the_queue_for_people(tmp_path: Path) -> None:
    folder = write(tmp_path, settings="compat: '3.11'\nhandoff: queue\n")
    async with Bot.open(folder) as bot:
        await bot.turn("c", "hi", commands=[StartFlow("greet")])
        await bot.say("c", "I want to speak to a human")
        (row,) = await bot.waiting()
        assert (row.conversation, row.skill, row.body["reason"]) == ("c", "general", "customer_asked")
        assert row.body["path"] == [{"flow": "greet", "step": "0_collect_who"}]
        await bot.say("c", "cancel")
        assert await bot.waiting() == []


async def test_the_conversation_follows_the_customers_language(tmp_path: Path) -> None:
    text = FLOWS.replace('text: "Hello {who}"', 'text: "Hello {who}", translation: {ko: "{who}님 안녕하세요"}')
    folder = write(tmp_path, text, "compat: '3.11'\nlanguage: en\nadditional_languages: [ko]\n")
    async with Bot.open(folder) as bot:
        await bot.turn("c", "인사해 주세요", commands=[StartFlow("greet")])
        assert (await bot.turn("c", "민수", commands=[SetSlot("who", "민수")])).replies[0].text == "민수님 안녕하세요"


async def test_a_broken_project_says_where(tmp_path: Path) -> None:
    write(tmp_path, FLOWS.replace("- collect: who", "- colect: who"))
    with pytest.raises(ProjectBroken, match=r"flows/greet/flows\.yml:\d+:\d+"):
        async with Bot.open(tmp_path):
            pass
    with pytest.raises(ProjectNotFound):
        async with Bot.open(tmp_path / "nowhere"):
            pass


async def test_actions_that_cannot_be_loaded_are_an_error_or_missing(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "flows" / "greet" / "actions.py").write_text("import no_such_package_anywhere\n")
    with pytest.raises(ActionsImportError, match="no_such_package_anywhere"):
        async with Bot.open(tmp_path):
            pass
    async with Bot.open(tmp_path, lenient=True) as bot:
        assert [problem.code for problem in bot.problems] == ["actions.import"]
        assert (await bot.turn("c", "hi", commands=[StartFlow("greet")])).replies[0].text == "Who?"


async def test_time_comes_from_the_clock(tmp_path: Path) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    async with Bot.open(write(tmp_path), clock=lambda: now) as bot:
        await bot.turn("c", "hi", commands=[StartFlow("greet")])
        assert (await bot.state("c")).last_active == "2030-01-01T00:00:00+00:00"
        now += timedelta(minutes=61)
        turn = await bot.turn("c", "hi", commands=[])
        assert any(event["event"] == "session_started" and event["session"] == 2 for event in turn.events)
