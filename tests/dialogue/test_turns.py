"""Whole turns: the documented behaviours of flows, slots and repair, one promise a test."""

from __future__ import annotations

import pytest

from .conftest import MakeTalk, bank_actions
from .projects import BRANCHES, CALLS, CONFIRMED_CORRECTION, TRANSFER

ASK_DONE = ["utter_transfer_complete", "utter_can_do_something_else"]


async def test_happy_path_collects_runs_actions_and_resets(make_talk: MakeTalk) -> None:
    sent: list[object] = []
    talk = make_talk(actions=bank_actions(sent))
    assert await talk.say("StartFlow(transfer_money)") == ["utter_ask_recipient"]
    assert await talk.say("SetSlot(recipient, Joe)") == ["utter_ask_amount"]
    assert await talk.say("SetSlot(amount, 50)") == ["utter_ask_confirm"]
    assert talk.texts() == ["Send 50 to Joe?"]
    assert await talk.say("SetSlot(confirm, True)") == ASK_DONE
    assert talk.texts()[0] == "Sent 50 to Joe."
    assert sent == [("Joe", 50)]
    assert (talk.slot("recipient"), talk.slot("amount"), talk.slot("confirm")) == (None, None, None)
    assert talk.stack() == []


async def test_slots_given_with_the_start_are_not_asked_for(make_talk: MakeTalk) -> None:
    talk = make_talk()
    assert await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)", "SetSlot(amount, 20)") == ["utter_ask_confirm"]


async def test_a_slot_that_insists_on_being_asked_is_not_filled_up_front(make_talk: MakeTalk) -> None:
    talk = make_talk()
    said = await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, J)", "SetSlot(amount, 2)", "SetSlot(confirm, True)")
    assert said == ["utter_ask_confirm"]
    assert talk.slot("confirm") is None


async def test_a_slot_no_flow_asks_for_is_ignored(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(balance)", "SetSlot(recipient, Joe)")
    assert talk.slot("recipient") is None


async def test_branch_back_with_set_slots_asks_again(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say("SetSlot(amount, 500)") == ["utter_insufficient", "utter_ask_amount"]
    assert await talk.say("SetSlot(amount, 5)") == ["utter_ask_confirm"]


@pytest.mark.parametrize(
    ("command", "refusal", "question"),
    [
        ("SetSlot(amount, lots)", "utter_float_slot_rejection", "utter_ask_amount"),
        ("SetSlot(amount, -1)", "utter_not_positive", "utter_ask_amount"),
    ],
)
async def test_values_of_the_wrong_kind_are_refused_and_asked_again(make_talk: MakeTalk, command: str, refusal: str, question: str) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say(command) == [refusal, question]
    assert talk.slot("amount") is None


async def test_wrong_boolean_and_category_are_refused(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)", "SetSlot(amount, 1)")
    assert await talk.say("SetSlot(confirm, perhaps)") == ["utter_boolean_slot_rejection", "utter_ask_confirm"]
    await talk.say("CancelFlow()")
    await talk.say("StartFlow(survey)")
    assert await talk.say("SetSlot(mood, mediocre)") == ["utter_categorical_slot_rejection", "utter_ask_mood"]
    assert talk.texts()[0] == "Sorry, that has to be one of: good, bad."
    assert await talk.say("SetSlot(mood, GOOD)") == ["utter_ask_reason"]
    assert talk.slot("mood") == "good"


async def test_a_wrong_value_given_up_front_is_refused_at_its_question(make_talk: MakeTalk) -> None:
    talk = make_talk()
    said = await talk.say("StartFlow(survey)", "SetSlot(mood, mediocre)")
    assert said == ["utter_categorical_slot_rejection", "utter_ask_mood"]


# --- corrections -----------------------------------------------------------------------------------------------------------------------


async def test_correction_of_an_earlier_answer_tells_and_goes_on(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say("SetSlot(recipient, John)") == ["utter_corrected_previous_input", "utter_ask_amount"]
    assert talk.slot("recipient") == "John"


async def test_correction_after_later_answers_runs_the_actions_between_again(make_talk: MakeTalk) -> None:
    actions = bank_actions()
    talk = make_talk(actions=actions)
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)", "SetSlot(amount, 50)")
    assert await talk.say("SetSlot(amount, 500)") == ["utter_corrected_previous_input", "utter_insufficient", "utter_ask_amount"]
    keys = [call.key for call in actions.calls]
    assert len(keys) == len(set(keys)) == 2


async def test_correction_and_a_new_answer_in_one_message(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    said = await talk.say("SetSlot(recipient, Ann)", "SetSlot(amount, 5)")
    assert said == ["utter_corrected_previous_input", "utter_ask_confirm"]
    assert talk.texts()[-1] == "Send 5 to Ann?"


async def test_several_corrections_rewind_to_the_earliest(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)", "SetSlot(amount, 50)")
    said = await talk.say("SetSlot(amount, 7)", "SetSlot(recipient, Ann)")
    assert said == ["utter_corrected_previous_input", "utter_ask_confirm"]
    assert talk.texts()[-1] == "Send 7 to Ann?"


async def test_the_same_value_again_is_no_correction(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say("SetSlot(recipient, Joe)") == ["utter_ask_amount"]


async def test_a_button_overwrites_without_a_correction(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say("/SetSlots(recipient=Ann, amount=3)") == ["utter_ask_confirm"]
    assert talk.texts() == ["Send 3 to Ann?"]


async def test_emptying_a_slot_asks_for_it_again(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, John)")
    assert await talk.say("SetSlot(recipient, None)", "StartFlow(transfer_money)") == [
        "utter_corrected_previous_input",
        "utter_ask_recipient",
    ]


async def test_correcting_the_slot_that_decided_a_branch_takes_the_other_branch(make_talk: MakeTalk) -> None:
    talk = make_talk(BRANCHES)
    await talk.say("StartFlow(verify)", "SetSlot(email, a@example.com)")
    assert await talk.say("SetSlot(in_california, True)") == ["utter_ask_income"]
    assert await talk.say("SetSlot(in_california, False)") == ["utter_corrected_previous_input", "utter_ask_confirm"]


async def test_correcting_only_insisting_slots_goes_back_without_a_word(make_talk: MakeTalk) -> None:
    talk = make_talk(
        """
flows:
  two:
    description: two insisting questions
    steps:
      - collect: first
        ask_before_filling: true
      - collect: second
      - action: utter_done
slots: {first: {type: text}, second: {type: text}}
responses:
  utter_ask_first: [{text: first?}]
  utter_ask_second: [{text: second?}]
  utter_done: [{text: done}]
"""
    )
    await talk.say("StartFlow(two)")
    assert await talk.say("SetSlot(first, a)") == ["utter_ask_second"]
    assert await talk.say("SetSlot(first, b)") == ["utter_ask_first"]


class TestConfirmedCorrections:
    """A project that asks before it corrects: the pattern waits, and much can happen meanwhile."""

    async def test_yes_applies(self, make_talk: MakeTalk) -> None:
        talk = make_talk(TRANSFER, CONFIRMED_CORRECTION)
        await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)", "SetSlot(amount, 50)")
        assert await talk.say("SetSlot(recipient, James)") == ["utter_ask_confirm_slot_correction"]
        assert talk.slot("recipient") == "Joe"
        assert await talk.say("/SetSlots(confirm_slot_correction=true)") == ["utter_corrected_previous_input", "utter_ask_confirm"]
        assert talk.slot("recipient") == "James"

    async def test_no_leaves_it(self, make_talk: MakeTalk) -> None:
        talk = make_talk(TRANSFER, CONFIRMED_CORRECTION)
        await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
        await talk.say("SetSlot(recipient, James)")
        assert await talk.say("SetSlot(confirm_slot_correction, False)") == ["utter_not_corrected", "utter_ask_amount"]
        assert talk.slot("recipient") == "Joe"

    async def test_a_second_correction_replaces_the_first(self, make_talk: MakeTalk) -> None:
        talk = make_talk(TRANSFER, CONFIRMED_CORRECTION)
        await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
        await talk.say("SetSlot(recipient, John)")
        assert await talk.say("SetSlot(recipient, Alex)") == ["utter_ask_confirm_slot_correction"]
        assert talk.stack().count("pattern_correction") == 1
        assert await talk.say("SetSlot(confirm_slot_correction, True)") == ["utter_corrected_previous_input", "utter_ask_amount"]
        assert talk.slot("recipient") == "Alex"

    async def test_cancelling_meanwhile_cancels_the_flow(self, make_talk: MakeTalk) -> None:
        talk = make_talk(TRANSFER, CONFIRMED_CORRECTION)
        await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
        await talk.say("SetSlot(recipient, John)")
        assert await talk.say("CancelFlow()") == ["utter_flow_cancelled", "utter_can_do_something_else"]
        assert talk.stack() == []

    async def test_a_digression_meanwhile_comes_back_to_it(self, make_talk: MakeTalk) -> None:
        talk = make_talk(TRANSFER, CONFIRMED_CORRECTION)
        await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
        await talk.say("SetSlot(recipient, John)")
        said = await talk.say("StartFlow(balance)")
        assert said[0] == "utter_balance"
        assert said[-1] == "utter_ask_confirm_slot_correction"
        await talk.say("SetSlot(confirm_slot_correction, True)")
        assert talk.slot("recipient") == "John"


# --- called flows ----------------------------------------------------------------------------------------------------------------------


async def test_a_called_flow_shares_slots_and_its_end_goes_on(make_talk: MakeTalk) -> None:
    talk = make_talk(CALLS)
    assert await talk.say("StartFlow(order)", "SetSlot(street, Elm)") == ["utter_ask_item"]
    assert await talk.say("SetSlot(item, tea)") == ["utter_ask_city"]
    assert await talk.say("SetSlot(city, Bonn)") == ["utter_ask_agree"]
    assert talk.slot("street") == "Elm"
    assert await talk.say("SetSlot(agree, True)") == ["utter_ordered", "utter_can_do_something_else"]
    assert talk.texts()[0] == "Ordered tea to Elm, Bonn."
    assert talk.slot("street") is None


async def test_correcting_the_slot_of_an_ended_called_flow_reenters_it(make_talk: MakeTalk) -> None:
    talk = make_talk(CALLS)
    await talk.say("StartFlow(order)", "SetSlot(item, tea)", "SetSlot(street, Elm)", "SetSlot(city, Bonn)")
    said = await talk.say("SetSlot(street, Oak)")
    assert said == ["utter_corrected_previous_input", "utter_ask_agree"]
    assert talk.texts()[-1] == "tea to Oak, Bonn?"
    assert [event["flow"] for event in talk.events if event["event"] == "flow_started"] == ["pattern_correction", "address"]


async def test_correcting_the_callers_slot_inside_a_called_flow_leaves_it(make_talk: MakeTalk) -> None:
    talk = make_talk(CALLS)
    await talk.say("StartFlow(order)", "SetSlot(item, tea)")
    assert talk.stack() == ["order", "address"]
    assert await talk.say("SetSlot(item, coffee)") == ["utter_corrected_previous_input", "utter_ask_street"]
    assert talk.stack() == ["order", "address"]
    assert talk.slot("item") == "coffee"


async def test_cancelling_inside_a_called_flow_cancels_the_caller(make_talk: MakeTalk) -> None:
    talk = make_talk(CALLS)
    await talk.say("StartFlow(order)", "SetSlot(item, tea)")
    assert await talk.say("CancelFlow()") == ["utter_flow_cancelled", "utter_can_do_something_else"]
    assert talk.stack() == []
    assert {event["flow"] for event in talk.events if event["event"] == "flow_cancelled"} == {"order", "address"}


async def test_a_digression_inside_a_called_flow_comes_back(make_talk: MakeTalk) -> None:
    talk = make_talk(CALLS)
    await talk.say("StartFlow(order)", "SetSlot(item, tea)")
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_flow_continue_interrupted", "utter_ask_street"]
    assert talk.texts()[1] == "Let's get back to order."


# --- cancel, several, digressions ------------------------------------------------------------------------------------------------------


async def test_cancel_and_start_in_one_message_cancels_first(make_talk: MakeTalk) -> None:
    for commands in (("CancelFlow()", "StartFlow(balance)"), ("StartFlow(balance)", "CancelFlow()")):
        talk = make_talk()
        await talk.say("StartFlow(transfer_money)")
        assert await talk.say(*commands) == ["utter_flow_cancelled", "utter_balance", "utter_can_do_something_else"]


async def test_cancel_and_restart_of_the_same_flow(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say("CancelFlow()", "StartFlow(transfer_money)") == ["utter_flow_cancelled", "utter_ask_recipient"]


async def test_cancelling_nothing_is_not_understood(make_talk: MakeTalk) -> None:
    talk = make_talk()
    assert await talk.say("CancelFlow()") == ["utter_ask_rephrase"]


async def test_several_starts_run_in_the_order_named(make_talk: MakeTalk) -> None:
    talk = make_talk()
    assert await talk.say("StartFlow(balance)", "StartFlow(transfer_money)") == ["utter_balance", "utter_ask_recipient"]
    talk = make_talk()
    assert await talk.say("StartFlow(transfer_money)", "StartFlow(add_contact)") == ["utter_ask_recipient"]
    await talk.say("SetSlot(recipient, Joe)", "SetSlot(amount, 5)")
    assert await talk.say("SetSlot(confirm, True)") == ["utter_transfer_complete", "utter_ask_contact_name"]


async def test_starting_the_active_flow_again_only_asks_again(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)")
    assert await talk.say("StartFlow(transfer_money)") == ["utter_ask_recipient"]
    assert talk.stack() == ["transfer_money"]


async def test_digression_in_a_digression(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)")
    await talk.say("StartFlow(add_contact)")
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_flow_continue_interrupted", "utter_ask_contact_name"]
    await talk.say("SetSlot(contact_name, Ann)")
    said = await talk.say("SetSlot(contact_handle, ann)")
    assert said == ["utter_contact_added", "utter_flow_continue_interrupted", "utter_ask_recipient"]


async def test_cancelling_a_digression_goes_back_to_what_it_interrupted(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    await talk.say("StartFlow(add_contact)")
    assert await talk.say("CancelFlow()") == ["utter_flow_cancelled", "utter_flow_continue_interrupted", "utter_ask_amount"]
    assert talk.slot("recipient") == "Joe"


async def test_a_digression_does_not_wipe_slots_the_interrupted_flow_collected(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(survey)")
    await talk.say("SetSlot(mood, good)")
    await talk.say("StartFlow(opener)")
    assert talk.slot("mood") == "good"


async def test_persisted_slots_stay_and_a_quiet_flow_says_nothing_more(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(survey)", "SetSlot(mood, good)")
    assert await talk.say("SetSlot(reason, sun)") == ["utter_thanks"]
    assert (talk.slot("mood"), talk.slot("reason")) == ("good", None)


# --- guards, links, hand-over ----------------------------------------------------------------------------------------------------------


async def test_guards_keep_flows_from_starting_but_links_pass(make_talk: MakeTalk) -> None:
    talk = make_talk()
    assert await talk.say("StartFlow(guarded)") == ["utter_ask_rephrase"]
    assert await talk.say("StartFlow(hidden)") == ["utter_ask_rephrase"]
    assert await talk.say("StartFlow(opener)", "SetSlot(mood, good)") == ["utter_hidden", "utter_can_do_something_else"]


async def test_controlled_slots_are_set_by_buttons_only(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("SetSlot(member, True)")
    assert talk.slot("member") is None
    await talk.say("/SetSlots(member=true)")
    assert talk.slot("member") is True
    assert await talk.say("StartFlow(guarded)") == ["utter_member", "utter_can_do_something_else"]


async def test_nobody_types_themselves_into_a_controlled_slot(make_talk: MakeTalk) -> None:
    offer = """
flows: {offer: {description: offers, run_pattern_completed: false, steps: [{action: utter_offer}]}}
responses: {utter_offer: [{text: Join?, buttons: [{title: "Yes", payload: "/SetSlots(member=true)"}]}]}
"""
    talk = make_talk(TRANSFER, offer)
    await talk.type("/SetSlots(identity_level=verified, member=true)")
    assert (talk.slot("identity_level"), talk.slot("member")) == ("unknown", None)
    await talk.say("StartFlow(offer)")
    await talk.type("/SetSlots(member=true)")
    assert talk.slot("member") is True
    await talk.say("StartFlow(transfer_money)")
    assert await talk.type("/SetSlots(recipient=Joe)") == ["utter_ask_amount"]


async def test_link_to_handoff_without_a_queue_says_so_and_goes_on(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)")
    said = await talk.say("StartFlow(call_out)")
    assert "utter_human_handoff_not_available" in said
    assert said[-1] == "utter_ask_recipient"


async def test_handoff_queues_with_everything_a_person_needs(make_talk: MakeTalk) -> None:
    talk = make_talk(handoff=True)
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say("HumanHandoff()", text="let me talk to someone") == ["utter_human_handoff"]
    (event,) = [event for event in talk.events if event["event"] == "handoff"]
    assert event["reason"] == "customer_asked"
    assert event["slots"] == {"recipient": "Joe"}
    assert event["path"] == [{"flow": "transfer_money", "step": "ask_amount"}]
    assert "transfer money" in event["summary"]
    assert talk.owner() == "queue"
    assert await talk.say("SetSlot(amount, 5)") == ["utter_handoff_waiting"]
    assert await talk.say("CancelFlow()") == ["utter_handoff_return"]
    assert talk.owner() == "bot"
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_can_do_something_else"]


# --- small patterns --------------------------------------------------------------------------------------------------------------------


async def test_small_patterns_answer_and_the_question_is_asked_again(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)")
    assert await talk.say("SkipQuestion()") == ["utter_skip_question_answer", "utter_ask_recipient"]
    assert await talk.say("ChitChat()") == ["utter_free_chitchat_response", "utter_ask_recipient"]
    assert await talk.say("SearchAndReply()") == ["utter_no_knowledge_base", "utter_ask_recipient"]
    assert await talk.say("CannotHandle()") == ["utter_ask_rephrase", "utter_ask_recipient"]


async def test_repeating_asks_the_question_once(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)")
    assert await talk.say("RepeatLastBotMessages()") == ["utter_ask_recipient"]
    assert await talk.say("SetSlot(recipient, Joe)") == ["utter_ask_amount"]


async def test_an_answer_and_a_question_in_one_message(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)")
    assert await talk.say("SetSlot(recipient, Joe)", "SearchAndReply()") == ["utter_no_knowledge_base", "utter_ask_amount"]


async def test_skip_with_nothing_asked_is_not_understood(make_talk: MakeTalk) -> None:
    talk = make_talk()
    assert await talk.say("SkipQuestion()") == ["utter_ask_rephrase"]


async def test_clarify_offers_and_ends_the_turn(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)")
    assert await talk.say("Clarify(balance, add_contact)") == ["utter_clarification_options"]
    assert talk.texts() == ["Just to be sure, which do you mean? 1) show the balance 2) add a contact"]
    assert talk.state.offered == ("balance", "add_contact")
    said = await talk.say("StartFlow(balance)")
    assert said == ["utter_balance", "utter_flow_continue_interrupted", "utter_ask_recipient"]
    assert not talk.state.offered


async def test_clarify_with_one_option_starts_it(make_talk: MakeTalk) -> None:
    talk = make_talk()
    assert await talk.say("Clarify(balance)") == ["utter_balance", "utter_can_do_something_else"]


async def test_clarify_offers_no_more_than_the_limit(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("Clarify(balance, add_contact, survey, transfer_money)")
    assert talk.state.offered == ("balance", "add_contact", "survey")


async def test_counting_misunderstandings_in_a_row(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("CannotHandle()")
    await talk.say("CannotHandle()")
    assert talk.state.misunderstood == 2
    await talk.say("StartFlow(balance)")
    assert talk.state.misunderstood == 0


async def test_force_slot_filling_takes_nothing_but_its_slot(make_talk: MakeTalk) -> None:
    talk = make_talk(
        """
flows:
  forced:
    description: a forced question
    steps:
      - collect: feedback
        force_slot_filling: true
      - action: utter_done
  other:
    description: another
    steps:
      - action: utter_other
slots: {feedback: {type: text}}
responses:
  utter_ask_feedback: [{text: feedback?}]
  utter_done: [{text: done}]
  utter_other: [{text: other}]
"""
    )
    await talk.say("StartFlow(forced)")
    assert await talk.say("StartFlow(other)", "CancelFlow()") == ["utter_ask_feedback"]
    assert await talk.say("StartFlow(other)", "SetSlot(feedback, fine)") == ["utter_done", "utter_can_do_something_else"]


# --- versions of the documented defaults -----------------------------------------------------------------------------------------------


async def test_from_3_14_an_interrupted_flow_is_offered(make_talk: MakeTalk) -> None:
    talk = make_talk(compat="3.14")
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_ask_continue_interrupted_flow_confirmation"]
    assert await talk.say("SetSlot(continue_interrupted_flow_confirmation, True)") == ["utter_ask_amount"]
    await talk.say("StartFlow(balance)")
    said = await talk.say("SetSlot(continue_interrupted_flow_confirmation, False)")
    assert said == ["utter_can_do_something_else"]
    assert talk.stack() == []
    assert talk.slot("recipient") is None


async def test_from_3_14_one_of_several_interrupted_flows_is_chosen(make_talk: MakeTalk) -> None:
    talk = make_talk(compat="3.14")
    await talk.say("StartFlow(transfer_money)")
    await talk.say("StartFlow(add_contact)")
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_ask_interrupted_flow_to_continue"]
    assert await talk.say("SetSlot(interrupted_flow_to_continue, transfer money)") == ["utter_ask_recipient"]
    assert talk.stack() == ["add_contact", "transfer_money"]


async def test_from_3_14_naming_an_interrupted_flow_resumes_it(make_talk: MakeTalk) -> None:
    talk = make_talk(compat="3.14")
    await talk.say("StartFlow(transfer_money)")
    await talk.say("StartFlow(add_contact)")
    assert await talk.say("StartFlow(transfer_money)") == ["utter_ask_recipient"]
    assert talk.stack() == ["add_contact", "transfer_money"]


async def test_from_3_16_the_end_is_a_question(make_talk: MakeTalk) -> None:
    talk = make_talk(compat="3.16")
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_can_do_something_else"]
    assert talk.stack() == ["pattern_completed"]
    assert await talk.say("SetSlot(continue_conversation, False)") == ["utter_goodbye"]
    assert talk.stack() == []
    await talk.say("StartFlow(balance)")
    assert await talk.say("StartFlow(transfer_money)") == ["utter_ask_recipient"]
    assert talk.stack() == ["transfer_money"]


async def test_satisfaction_is_asked_where_a_flow_links_to_it(make_talk: MakeTalk) -> None:
    flow = "flows: {bye: {description: says goodbye, steps: [{action: utter_balance}, {link: pattern_customer_satisfaction}]}}"
    talk = make_talk(TRANSFER, flow)
    assert await talk.say("StartFlow(bye)") == ["utter_balance", "utter_ask_csat_score"]
    assert await talk.say("SetSlot(csat_score, 9)") == ["utter_float_slot_rejection", "utter_ask_csat_score"]
    assert await talk.say("SetSlot(csat_score, 4)") == ["utter_csat_thanks"]
    assert talk.slot("csat_score") == 4
