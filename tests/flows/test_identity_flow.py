"""The identity check against the embedded operator, with the codes it really sends."""

from __future__ import annotations

from datetime import timedelta

from tests.flows.common_talk import Talk, talking

STRANGER = "+12025550199"


async def _details(talk: Talk, name: str, born: str) -> list[str]:
    await talk.say(name, f"SetSlot(identity_name, {name})")
    return await talk.say(born, f"SetSlot(identity_birth_date, {born})")


async def _type(talk: Talk, code: str) -> list[str]:
    return await talk.say(code, f"SetSlot(identity_code, {code})")


async def test_the_code_that_was_sent_verifies_and_is_never_said_nor_kept() -> None:
    async with talking("+12025550101") as talk:
        assert await talk.say("log me in", "StartFlow(confirm_identity)") == ["utter_identity_code_sent", "utter_ask_identity_code"]
        code = await talk.sent_code()
        assert await _type(talk, code) == ["utter_identity_verified", "utter_identity_confirmed", "utter_can_do_something_else"]
        slots = await talk.slots()
        assert slots["identity_level"] == "verified"
        assert "identity_code" not in slots
        assert not any(code in said for said in talk.said)


async def test_somebody_verified_is_not_asked_again() -> None:
    async with talking("+12025550101") as talk:
        await talk.say("log me in", "StartFlow(confirm_identity)")
        await _type(talk, await talk.sent_code())
        await talk.say("no", "SetSlot(continue_conversation, false)")
        assert (await talk.say("log me in", "StartFlow(confirm_identity)"))[0] == "utter_identity_confirmed"


async def test_an_expired_code_is_replaced_once_and_the_new_one_works() -> None:
    async with talking("+12025550101") as talk:
        await talk.say("log me in", "StartFlow(confirm_identity)")
        old = await talk.sent_code()
        talk.clock.now += timedelta(minutes=11)
        assert await _type(talk, old) == ["utter_code_expired", "utter_identity_code_sent", "utter_ask_identity_code"]
        assert "utter_identity_verified" in await _type(talk, await talk.sent_code())


async def test_a_person_is_not_handed_what_was_typed_as_a_code() -> None:
    async with talking("+12025550101") as talk:
        await talk.say("log me in", "StartFlow(confirm_identity)")
        for wrong in ("111111", "222222"):
            await _type(talk, wrong)
        turn = await talk.turn("333333", "SetSlot(identity_code, 333333)")
        (handoff,) = [event for event in turn.events if event["event"] == "handoff"]
        assert (handoff["skill"], handoff["slots"]["customer_id"]) == ("identity", "CUS-10001")
        assert "identity_code" not in handoff["slots"]


async def test_a_code_sent_again_replaces_the_first() -> None:
    async with talking("+12025550101") as talk:
        await talk.say("log me in", "StartFlow(confirm_identity)")
        old = await talk.sent_code()
        assert await talk.say("/SetSlots(identity_code=RESEND)") == ["utter_identity_code_sent", "utter_ask_identity_code"]
        assert await talk.sent_code() != old
        assert await _type(talk, old) == ["utter_code_wrong", "utter_ask_identity_code"]


async def test_too_many_codes_in_an_hour_lead_to_a_person() -> None:
    async with talking("+12025550101") as talk:
        for number in range(5):
            await talk.bss.send_one_time_code("+12025550101", f"earlier-{number}")
        assert await talk.say("log me in", "StartFlow(confirm_identity)") == ["utter_identity_failed", "utter_human_handoff"]


async def test_no_answer_tells_whether_somebody_is_a_customer() -> None:
    said = []
    for name, born in (("Emma Carter", "1988-04-13"), ("Nobody Atall", "1988-04-12")):
        async with talking(STRANGER) as talk:
            await talk.say("how much is my bill", "StartFlow(bill_status)")
            await _details(talk, name, born)
            said.append(talk.said)
    assert said[0] == said[1]


async def test_details_alone_show_no_figures_and_no_digits_of_the_number() -> None:
    async with talking(STRANGER) as talk:
        await talk.say("how much is my bill", "StartFlow(bill_status)")
        assert await _details(talk, "emma  carter", "1988-04-12") == [
            "utter_identity_known",
            "utter_identity_code_sent",
            "utter_ask_identity_code",
        ]
        assert not any("$" in said or "01" in said for said in talk.said)
        for _ in range(3):
            last = await _type(talk, "999999")
        assert last == ["utter_identity_failed", "utter_human_handoff"]
        assert not any("$" in said for said in talk.said)


async def test_the_code_goes_to_the_number_on_file_not_to_the_one_they_write_from() -> None:
    async with talking(STRANGER) as talk:
        await talk.say("log me in", "StartFlow(confirm_identity)")
        await _details(talk, "Emma Carter", "1988-04-12")
        assert list(await talk.bss.sent_codes()) == ["+12025550101"]


async def test_the_request_is_dropped_when_no_person_can_be_reached_either() -> None:
    async with talking(STRANGER) as talk:
        await talk.say("how much is my bill", "StartFlow(bill_status)")
        for name in ("A B", "C D", "E F"):
            last = await _details(talk, name, "1990-01-01")
        assert last == ["utter_identity_failed", "utter_human_handoff"]
        assert (await talk.bot.state("talk")).stack == ()
