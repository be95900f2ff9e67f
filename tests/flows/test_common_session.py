"""Who is writing, at the start of a session; and when nothing is understood."""

from __future__ import annotations

from datetime import timedelta

from tests.flows.common_talk import talking


async def test_a_line_of_somebody_with_several_is_the_one_they_write_from() -> None:
    async with talking("+12065550105") as talk:
        await talk.say("hi", "StartFlow(help_menu)")
        slots = await talk.slots()
        assert slots["customer_id"] == "CUS-10003"
        assert slots["line_number"] == "+12065550105"
        assert slots["identity_level"] == "known"


async def test_the_language_is_the_customers_unless_the_channel_says_another() -> None:
    async with talking("+821000000101") as talk:
        talk.language = ""
        turn = await talk.bot.start_session("a", sender="+821000000101")
        assert turn.state.language == "ko"
        turn = await talk.bot.start_session("b", sender="+821000000101", language="en")
        assert turn.state.language == "en"


async def test_a_session_begins_though_the_operator_is_down() -> None:
    async with talking("+12025550101") as talk:
        talk.bss.faults.fail("find_customer_by_number")
        assert await talk.say("hi", "StartFlow(help_menu)") == ["utter_help_menu"]
        assert (await talk.slots()).get("customer_id") is None


async def test_a_new_session_forgets_that_somebody_was_verified() -> None:
    async with talking("+12025550101") as talk:
        await talk.say("log me in", "StartFlow(confirm_identity)")
        code = await talk.sent_code()
        await talk.say(code, f"SetSlot(identity_code, {code})")
        assert (await talk.slots())["identity_level"] == "verified"
        talk.clock.now += timedelta(hours=3)
        await talk.say("hi", "StartFlow(help_menu)")
        assert (await talk.slots())["identity_level"] == "known"


async def test_the_fourth_message_not_understood_brings_a_person() -> None:
    async with talking("+12025550101") as talk:
        said = [await talk.say("blub", "CannotHandle()") for _ in range(4)]
        assert said[:3] == [["utter_ask_rephrase"], ["utter_offer_person"], ["utter_offer_person"]]
        assert said[3] == ["utter_not_understood_again", "utter_human_handoff"]
        assert (await talk.bot.state("talk")).owner == "queue"
