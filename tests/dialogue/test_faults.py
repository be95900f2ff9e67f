"""What goes wrong: failing actions, unknown outcomes, cycles, vanished versions, silence. Every case ends in words and a trace."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from bot.conversations import MemoryEffects
from bot.dialogue.actions import ActionFailed, ActionResult, Utterance
from bot.dialogue.commands import Trigger
from bot.dialogue.conversation import zone_of
from bot.dialogue.state import State, StateError

from .conftest import MakeTalk, bank_actions, merged_project
from .projects import CALLS, TRANSFER
from .talk import FakeActions

ONE_ACTION = """
flows:
  work:
    description: does one thing
    name: the work
    steps:
      - action: utter_starting
      - action: do_it
      - action: utter_done
  balance:
    description: show the balance
    steps:
      - action: utter_balance
slots: {result: {type: text}, limited: {type: float, validation: {rejections: [{if: slots.limited > 10, utter: utter_too_much}], refill_utter: utter_ask_less}}}
responses:
  utter_starting: [{text: starting}]
  utter_done: [{text: "done {result}"}]
  utter_balance: [{text: "100"}]
  utter_too_much: [{text: too much}]
  utter_ask_less: [{text: less please}]
  utter_ask_limited: [{text: how much}]
actions: [do_it]
"""


def raising(kind: Any) -> FakeActions:
    def fail(call: Any) -> None:
        raise ActionFailed(kind, call.action, "it broke")

    return FakeActions(do_it=fail)


@pytest.mark.parametrize("kind", ["failed", "rejected", "bad_event", "timeout"])
async def test_a_failing_action_ends_in_words_and_a_trace_and_nothing_said_is_lost(make_talk: MakeTalk, kind: str) -> None:
    talk = make_talk(ONE_ACTION, actions=raising(kind))
    assert await talk.say("StartFlow(work)") == ["utter_starting", "utter_internal_error"]
    assert talk.problems() == [f"action_{kind}"]
    assert talk.stack() == []
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_can_do_something_else"]


async def test_an_unknown_outcome_goes_to_a_person(make_talk: MakeTalk) -> None:
    talk = make_talk(ONE_ACTION, actions=raising("unknown_outcome"), handoff=True)
    assert await talk.say("StartFlow(work)") == ["utter_starting", "utter_unknown_outcome", "utter_human_handoff"]
    (event,) = [event for event in talk.events if event["event"] == "handoff"]
    assert (event["reason"], event["priority"]) == ("outcome_unknown", 1)


async def test_an_effect_that_timed_out_is_an_unknown_outcome(make_talk: MakeTalk) -> None:
    talk = make_talk(ONE_ACTION, actions=raising("timeout"), handoff=True, effects=MemoryEffects())
    assert "utter_unknown_outcome" in await talk.say("StartFlow(work)")


async def test_an_action_nobody_has_is_told(make_talk: MakeTalk) -> None:
    talk = make_talk(ONE_ACTION, actions=FakeActions())
    assert await talk.say("StartFlow(work)") == ["utter_starting", "utter_internal_error"]
    assert talk.problems() == ["action_unknown"]


async def test_a_repeated_message_repeats_no_effect(make_talk: MakeTalk) -> None:
    """The same message against the same state, as after a crash before the commit: the ledger answers, the action does not run."""
    calls: list[str] = []

    def do_it(call: Any) -> ActionResult:
        calls.append(call.key)
        return ActionResult(slots=(("result", f"number {len(calls)}"),), utterances=(Utterance(text="working"),))

    talk = make_talk(ONE_ACTION, actions=FakeActions(do_it=do_it), effects=MemoryEffects())
    before = talk.state
    first = await talk.say("StartFlow(work)")
    texts = talk.texts()
    talk.state, talk.number = before, talk.number - 1
    assert await talk.say("StartFlow(work)") == first
    assert talk.texts() == texts
    assert len(calls) == 1
    assert await talk.say("StartFlow(work)") == first
    assert len(set(calls)) == 2


async def test_what_an_action_says_and_sets_is_taken_over_in_order(make_talk: MakeTalk) -> None:
    result = ActionResult(
        slots=(("result", "a"), ("result", "b"), ("nonsense", 1)),
        utterances=(Utterance(text="plain"), Utterance(response="utter_balance"), Utterance(response="utter_nowhere")),
    )
    talk = make_talk(ONE_ACTION, actions=FakeActions(do_it=lambda call: result))
    assert await talk.say("StartFlow(work)") == ["utter_starting", "plain", "utter_balance", "utter_done", "utter_can_do_something_else"]
    assert "done b" in talk.texts()
    assert set(talk.problems()) == {"unknown-slot", "unknown-response"}


async def test_rules_of_a_slot_hold_when_an_action_sets_it(make_talk: MakeTalk) -> None:
    talk = make_talk(ONE_ACTION, actions=FakeActions(do_it=lambda call: {"limited": 50}))
    assert await talk.say("StartFlow(work)") == ["utter_starting", "utter_too_much", "utter_ask_less"]
    assert await talk.say("SetSlot(limited, 20)") == ["utter_too_much", "utter_ask_less"]
    assert await talk.say("SetSlot(limited, 5)") == ["utter_done", "utter_can_do_something_else"]
    assert talk.slot("limited") == 5


async def test_rules_of_a_slot_hold_at_its_own_question(make_talk: MakeTalk) -> None:
    flow = "flows: {ask: {description: asks, steps: [{collect: limited}, {action: utter_done}]}}"
    talk = make_talk(ONE_ACTION, flow)
    assert await talk.say("StartFlow(ask)") == ["utter_ask_limited"]
    assert await talk.say("SetSlot(limited, 11)") == ["utter_too_much", "utter_ask_less"]
    assert await talk.say("SetSlot(limited, 1)") == ["utter_done", "utter_can_do_something_else"]


async def test_a_validating_action_may_refuse_and_change_values(make_talk: MakeTalk) -> None:
    def validate(call: Any) -> ActionResult:
        assert call.candidate is not None
        value = call.candidate[1]
        if value < 5:
            return ActionResult(slots=(("limited", None),), utterances=(Utterance(text="too few"),))
        return ActionResult(slots=(("limited", value * 2),))

    flow = "flows: {ask: {description: asks, steps: [{collect: limited}, {action: utter_limited}]}}\nresponses: {utter_limited: [{text: 'got {limited}'}]}"
    talk = make_talk(ONE_ACTION, flow, actions=FakeActions(validate_limited=validate))
    await talk.say("StartFlow(ask)")
    assert await talk.say("SetSlot(limited, 1)") == ["too few", "utter_ask_limited"]
    await talk.say("SetSlot(limited, 5)")
    assert talk.texts()[0] == "got 10"


async def test_an_asking_action_asks_and_may_fill(make_talk: MakeTalk) -> None:
    asked = ActionResult(utterances=(Utterance(text="please say", buttons=({"title": "one", "payload": "/SetSlots(limited=1)"},)),))
    flow = "flows: {ask: {description: asks, steps: [{collect: limited}, {action: utter_done}]}}"
    talk = make_talk(ONE_ACTION, flow, actions=FakeActions(action_ask_limited=lambda call: asked))
    assert await talk.say("StartFlow(ask)") == ["please say"]
    assert await talk.say("/SetSlots(limited=1)") == ["utter_done", "utter_can_do_something_else"]
    filled = make_talk(ONE_ACTION, flow, actions=FakeActions(action_ask_limited=lambda call: {"limited": 3}))
    assert await filled.say("StartFlow(ask)") == ["utter_done", "utter_can_do_something_else"]


# --- cycles ----------------------------------------------------------------------------------------------------------------------------


async def test_a_cycle_that_never_waits_ends_in_words(make_talk: MakeTalk) -> None:
    cycle = """
flows:
  spin:
    description: spins
    steps:
      - id: a
        set_slots: [{result: x}]
        next: b
      - id: b
        noop: true
        next: a
"""
    talk = make_talk(ONE_ACTION, cycle)
    await talk.say("StartFlow(balance)")
    assert await talk.say("StartFlow(spin)") == ["utter_internal_error"]
    assert talk.problems() == ["runaway_turn"]
    assert talk.stack() == []
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_can_do_something_else"]


async def test_flows_that_link_each_other_for_ever_end_in_words(make_talk: MakeTalk) -> None:
    cycle = "flows: {ping: {description: ping, steps: [{link: pong}]}, pong: {description: pong, steps: [{link: ping}]}}"
    talk = make_talk(ONE_ACTION, cycle)
    assert await talk.say("StartFlow(ping)") == ["utter_internal_error"]


async def test_flows_that_call_each_other_for_ever_end_in_words(make_talk: MakeTalk) -> None:
    cycle = "flows: {ping: {description: ping, steps: [{call: pong}]}, pong: {description: pong, steps: [{call: ping}]}}"
    talk = make_talk(ONE_ACTION, cycle)
    assert await talk.say("StartFlow(ping)") == ["utter_internal_error"]
    assert talk.stack() == []


# --- versions --------------------------------------------------------------------------------------------------------------------------

REPUBLISHED = (
    TRANSFER.replace("collect: amount", "collect: amount\n        utter: utter_ask_how_much")
    .replace("responses:", "responses:\n  utter_ask_how_much: [{text: 'Now how much?'}]\n  utter_fee: [{text: fee}]")
    .replace("      - id: execute\n", "      - action: utter_fee\n      - id: execute\n")
)


async def test_a_conversation_finishes_on_the_version_it_began(make_talk: MakeTalk, tmp_path: Any) -> None:
    talk = make_talk(TRANSFER)
    await talk.say("StartFlow(transfer_money)")
    for flow in talk.project.flows.values():
        talk.old[flow.id, flow.version] = flow
    object.__setattr__(talk.dialogue, "project", merged_project(tmp_path / "next", (REPUBLISHED,), "3.11"))
    assert await talk.say("SetSlot(recipient, Joe)") == ["utter_ask_amount"]
    assert await talk.say("SetSlot(amount, 5)") == ["utter_ask_confirm"]
    assert await talk.say("SetSlot(confirm, True)") == ["utter_transfer_complete", "utter_can_do_something_else"]
    assert await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)") == ["utter_ask_how_much"]


async def test_a_vanished_version_starts_again_and_says_so(make_talk: MakeTalk, tmp_path: Any) -> None:
    talk = make_talk(TRANSFER)
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    object.__setattr__(talk.dialogue, "project", merged_project(tmp_path / "next", (REPUBLISHED,), "3.11"))
    said = await talk.say("SetSlot(amount, 5)")
    assert said[0] == "utter_inform_code_change"
    assert talk.problems() == ["version-gone"]
    assert said[-1].startswith("utter_ask")


async def test_a_vanished_flow_goes_to_a_person(make_talk: MakeTalk, tmp_path: Any) -> None:
    talk = make_talk(TRANSFER, handoff=True)
    await talk.say("StartFlow(transfer_money)")
    object.__setattr__(talk.dialogue, "project", merged_project(tmp_path / "next", (CALLS,), "3.11"))
    assert await talk.say("SkipQuestion()") != []
    assert talk.problems() == ["version-gone"]
    assert talk.state.owner == "queue"


# --- sessions --------------------------------------------------------------------------------------------------------------------------


async def test_a_session_starts_once_with_the_metadata_and_again_after_silence(make_talk: MakeTalk) -> None:
    seen: list[Any] = []

    def start(call: Any) -> ActionResult:
        seen.append(call.slots["session_started_metadata"])
        return ActionResult(slots=(("reason", "set at start"),))

    actions = bank_actions()
    actions.functions["action_session_start"] = start
    talk = make_talk(TRANSFER, "session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}", actions=actions)
    await talk.say("StartFlow(transfer_money)", sender="+12025550101")
    await talk.say("SetSlot(recipient, Joe)")
    assert [metadata["sender"] for metadata in seen] == ["+12025550101"]
    assert talk.slot("reason") == "set at start"
    talk.now += timedelta(minutes=61)
    assert await talk.say("StartFlow(balance)") == ["utter_balance", "utter_can_do_something_else"]
    assert talk.state.session == 2
    assert talk.slot("recipient") == "Joe"
    assert len(seen) == 2


async def test_slots_do_not_carry_over_when_the_project_says_so(make_talk: MakeTalk) -> None:
    talk = make_talk(TRANSFER, "session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: false}")
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    talk.now += timedelta(minutes=61)
    await talk.say("StartFlow(balance)")
    assert talk.slot("recipient") is None


async def test_a_day_of_silence_without_expiry_changes_nothing(make_talk: MakeTalk) -> None:
    talk = make_talk(TRANSFER, "session_config: {session_expiration_time: 0}")
    await talk.say("StartFlow(transfer_money)")
    talk.now += timedelta(days=1)
    assert await talk.say("SetSlot(recipient, Joe)") == ["utter_ask_amount"]


async def test_restart_forgets(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)", "SetSlot(recipient, Joe)")
    assert await talk.say(Trigger("pattern_restart", {})) == []
    assert talk.stack() == []
    assert talk.slot("recipient") is None


async def test_bad_input_is_told(make_talk: MakeTalk) -> None:
    talk = make_talk()
    await talk.say("StartFlow(transfer_money)")
    said = await talk.say(Trigger("pattern_internal_error", {"error_type": "user_input_empty"}))
    assert said == ["utter_user_input_empty_error", "utter_ask_recipient"]


async def test_overriding_how_information_is_collected(make_talk: MakeTalk) -> None:
    own = """
flows:
  pattern_collect_information:
    description: asks in its own way
    steps:
      - id: start
        action: action_run_slot_rejections
        next:
          - if: "slots.{{context.collect}} is not null"
            then: END
          - else: ask
      - id: ask
        action: utter_a_moment
      - action: "{{context.utter}}"
      - action: action_listen
        next: start
responses: {utter_a_moment: [{text: "One more thing."}]}
"""
    talk = make_talk(TRANSFER, own)
    assert await talk.say("StartFlow(transfer_money)") == ["utter_a_moment", "utter_ask_recipient"]
    assert await talk.say("SetSlot(recipient, Joe)") == ["utter_a_moment", "utter_ask_amount"]
    assert await talk.say("SetSlot(amount, -3)") == ["utter_not_positive", "utter_a_moment", "utter_ask_amount"]
    assert await talk.say("SetSlot(amount, 3)") == ["utter_a_moment", "utter_ask_confirm"]
    assert await talk.say("SetSlot(recipient, Ann)") == ["utter_corrected_previous_input", "utter_a_moment", "utter_ask_confirm"]
    assert await talk.say("SetSlot(confirm, yes)") == ["utter_transfer_complete", "utter_can_do_something_else"]


class TestIdentity:
    FLOWS = """
flows:
  secret:
    description: needs to know who you are
    name: the secret
    requires: verified
    steps:
      - action: utter_secret
  pattern_identity:
    description: asks for a code
    steps:
      - collect: code
        next:
          - if: slots.code = "1234"
            then:
              - set_slots: [{identity_level: verified}]
                next: END
          - else:
              - action: utter_wrong
                next: END
  caller:
    description: calls the secret
    steps: [{call: secret}, {action: utter_after}]
slots: {code: {type: text}}
responses:
  utter_secret: [{text: the secret}]
  utter_ask_code: [{text: code?}]
  utter_wrong: [{text: wrong}]
  utter_after: [{text: after}]
"""

    async def test_identity_comes_first_and_only_once(self, make_talk: MakeTalk) -> None:
        talk = make_talk(self.FLOWS)
        assert await talk.say("StartFlow(secret)") == ["utter_ask_code"]
        assert await talk.say("SetSlot(code, 1234)") == ["utter_secret", "utter_can_do_something_else"]
        assert talk.slot("code") is None
        assert await talk.say("StartFlow(secret)") == ["utter_secret", "utter_can_do_something_else"]

    async def test_without_identity_the_flow_does_not_run(self, make_talk: MakeTalk) -> None:
        talk = make_talk(self.FLOWS)
        await talk.say("StartFlow(secret)")
        assert await talk.say("SetSlot(code, 9999)") == ["utter_wrong"]
        assert talk.stack() == []

    async def test_calls_are_held_to_it_as_well(self, make_talk: MakeTalk) -> None:
        talk = make_talk(self.FLOWS)
        assert await talk.say("StartFlow(caller)") == ["utter_ask_code"]
        assert await talk.say("SetSlot(code, 9999)") == ["utter_wrong"]
        assert talk.stack() == []


def test_a_state_of_another_schema_is_refused() -> None:
    stored = {**State().to_json(), "schema_version": 99}
    with pytest.raises(StateError, match="schema_version 99"):
        State.from_json(stored)


async def test_the_day_is_where_the_customer_is(make_talk: MakeTalk, tmp_path: Any) -> None:
    talk = make_talk()
    object.__setattr__(talk.project, "settings", {"timezones": {"ko": "Asia/Seoul", "xx": "No/Such_Zone"}})
    assert talk.now.astimezone(zone_of(talk.project, "ko")).hour == (talk.now.hour + 9) % 24
    assert zone_of(talk.project, "en") is UTC
    assert zone_of(talk.project, "xx") is UTC
