"""Every kind of expectation, once as it holds and once as it does not."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

import pytest

from bot.testing.matching import Happened, judge
from bot.testing.reader import read_cases
from bot.testing.results import Check
from bot.testing.scenarios import Exchange

from .fake import Event, action, bot, cancelled, completed, offer, slot, started

YES_NO = [{"title": "Yes", "payload": "/SetSlots(ok=true)"}, {"title": "No", "payload": "/SetSlots(ok=false)"}]

TURN: Sequence[Event] = (
    {"event": "user", "text": "pay 50"},
    started("pay_bill"),
    slot("amount", 50),
    action("action_pay"),
    slot("paid", True, "action"),
    bot("utter_paid", "You paid\n $50.00."),
    slot("pin", " 12", "message"),
    slot("pin", "12", "fitted"),
    slot("pin", None, "rejected"),
    completed("pay_bill", "last"),
    slot("amount", None, "reset"),
    cancelled("see_bill", "ask_month"),
    started("pattern_completed"),
    bot("utter_anything_else", "Anything else?", buttons=YES_NO),
)
SLOTS = {"plan": "basic", "paid": True, "amount": None, "pin": None}


def exchange(steps: str) -> Exchange:
    file = read_cases(f"test_cases:\n- test_case: a\n  steps:\n  - user: pay 50\n{steps}".encode(), "t.yml")
    assert not file.problems
    assert not file.cases[0].problems
    return file.cases[0].exchanges[0]


def plain(*steps: str) -> Exchange:
    return exchange("".join(f"  - {step}\n" for step in steps))


def asserting(*assertions: str, ordered: bool = False) -> Exchange:
    order = f"    assertion_order_enabled: {str(ordered).lower()}\n    assertions:\n"
    return exchange(order + indent("".join(f"- {assertion}\n" for assertion in assertions), "    "))


def happened(events: Sequence[Event] = TURN, before: Sequence[Event] = (), offered: Sequence[str] = ()) -> Happened:
    return Happened(events, before, SLOTS, frozenset(offered), {"utter_done": "utter_paid"})


def statuses(checks: Sequence[Check]) -> list[str]:
    return [check.status for check in checks]


@pytest.mark.parametrize(
    ("step", "passes", "fails"),
    [
        ("bot", "bot: You paid $50.00.", "bot: You paid."),
        ("utter", "utter: utter_paid", "utter: utter_pay"),
        ("alias", "utter: utter_done", "utter: done"),
        ("any answer", "utter: placeholder_generated_answer", "utter: placeholder"),
        ("bare slot", "slot_was_set: [plan, paid]", "slot_was_set: [nothing]"),
        ("slot set in the turn, reset at its end", "slot_was_set: [amount: 50]", "slot_was_set: [amount: 51]"),
        ("slot set earlier", 'slot_was_set: [plan: "basic"]', "slot_was_set: [plan: Basic]"),
        ("loosely", 'slot_was_set: [paid: "True", amount: "50"]', 'slot_was_set: [paid: "yes"]'),
        ("null", "slot_was_set: [pin: null]", "slot_was_set: [plan: null]"),
        ("refused is not set", "slot_was_not_set: [pin]", "slot_was_set: [pin]"),
        ("bare slot not set", "slot_was_not_set: [nothing]", "slot_was_not_set: [amount]"),
        ("slot not set so", "slot_was_not_set: {amount: 51, paid: false}", "slot_was_not_set: {paid: true}"),
    ],
)
def test_plain_steps(step: str, passes: str, fails: str) -> None:
    assert set(statuses(judge(plain(passes), happened()))) == {"passed"}, step
    assert "failed" in statuses(judge(plain(fails), happened())), step


@pytest.mark.parametrize(
    ("passes", "fails"),
    [
        ("flow_started: pay_bill", "flow_started: see_bill"),
        ("flow_started: [pay_bill, pattern_completed]", "flow_started: [pay_bill, see_bill]"),
        ("flow_started: {operator: any, flow_ids: [see_bill, pay_bill]}", "flow_started: {operator: any, flow_ids: [see_bill]}"),
        ("flow_started: {operator: all, flow_ids: [pay_bill]}", "flow_started: {operator: all, flow_ids: [see_bill, pay_bill]}"),
        ("flow_completed: {flow_id: pay_bill}", "flow_completed: {flow_id: see_bill}"),
        ("flow_completed: {flow_id: pay_bill, flow_step_id: last}", "flow_completed: {flow_id: pay_bill, flow_step_id: first}"),
        ("flow_cancelled: {flow_id: see_bill}", "flow_cancelled: {flow_id: pay_bill}"),
        ("flow_cancelled: {flow_id: see_bill, flow_step_id: ask_month}", "flow_cancelled: {flow_id: see_bill, flow_step_id: x}"),
        ("action_executed: action_pay", "action_executed: action_refund"),
        ("action_executed: utter_paid", "action_executed: utter_refunded"),
        ("slot_was_set: [{name: amount, value: '50'}, {name: plan}]", "slot_was_set: [{name: amount, value: 51}]"),
        ("slot_was_not_set: [{name: nothing}, {name: amount, value: 51}]", "slot_was_not_set: [{name: amount}]"),
        ("bot_uttered: {utter_name: utter_paid}", "bot_uttered: {utter_name: utter_refunded}"),
        ("bot_uttered: {utter_name: utter_done}", "bot_uttered: {utter_name: done}"),
        (r"bot_uttered: {text_matches: '\$\d+\.00'}", "bot_uttered: {text_matches: '^paid'}"),
        ("bot_uttered: {utter_name: utter_paid, text_matches: paid}", "bot_uttered: {utter_name: utter_paid, text_matches: Anything}"),
        ("bot_uttered: {buttons: [{title: 'No', payload: /SetSlots(ok=false)}]}", "bot_uttered: {buttons: [{title: Maybe}]}"),
        (
            "bot_uttered: {buttons: [{title: 'Yes'}, {title: 'No'}]}",
            "bot_uttered: {buttons: [{title: 'Yes', payload: /SetSlots(ok=false)}]}",
        ),
        ("bot_did_not_utter: {utter_name: utter_refunded}", "bot_did_not_utter: {utter_name: utter_paid}"),
        ("bot_did_not_utter: {utter_name: utter_paid, text_matches: Anything}", "bot_did_not_utter: {text_matches: else}"),
        ("bot_did_not_utter: {buttons: [{title: Maybe}]}", "bot_did_not_utter: {buttons: [{title: 'Yes'}]}"),
    ],
)
def test_assertions(passes: str, fails: str) -> None:
    for ordered in (False, True):
        assert set(statuses(judge(asserting(passes, ordered=ordered), happened()))) == {"passed"}
        assert "failed" in statuses(judge(asserting(fails, ordered=ordered), happened()))


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ("[pay_bill, see_bill]", "passed"),
        ("[pay a bill]", "passed"),
        ("[pay_bill, roaming]", "failed"),
        ("{operator: any, flow_ids: [pay_bill, roaming]}", "passed"),
        ("{operator: any, flow_ids: [roaming]}", "failed"),
    ],
)
def test_clarification(names: str, status: str) -> None:
    step = asserting(f"pattern_clarification_contains: {names}")
    offered = ["pay_bill", "pay a bill", "see_bill"]
    assert statuses(judge(step, happened([offer("pay_bill", "see_bill")], offered=offered))) == [status]
    assert statuses(judge(step, happened([bot("utter_x")], offered=offered))) == ["failed"]


def test_judged_assertions_are_skipped() -> None:
    step = asserting("generative_response_is_relevant: {threshold: 0.9}", "flow_started: pay_bill")
    assert statuses(judge(step, happened())) == ["skipped", "passed"]


def test_messages_come_in_order_with_others_between() -> None:
    events = [bot("utter_a"), bot("utter_b"), bot("utter_c"), bot("utter_a")]
    assert statuses(judge(plain("utter: utter_a", "utter: utter_c"), happened(events))) == ["passed"] * 2
    assert statuses(judge(plain("utter: utter_a", "utter: utter_a"), happened(events))) == ["passed"] * 2
    checks = judge(plain("utter: utter_c", "utter: utter_b"), happened(events))
    assert statuses(checks) == ["passed", "failed"]
    assert "before the messages expected above" in checks[1].actual
    (check,) = judge(plain("utter: utter_d"), happened(events[:2]))
    assert check.actual == "said instead: utter_a; utter_b"
    assert check.place.line == 5


def test_strict_allows_no_other_message() -> None:
    step = plain("utter: utter_paid")
    checks = judge(step, happened(), strict=True)
    assert statuses(checks) == ["passed", "failed"]
    assert checks[1].actual == 'said utter_anything_else "Anything else?"'
    both = plain("utter: utter_paid", "utter: utter_anything_else")
    assert statuses(judge(both, happened(), strict=True)) == ["passed", "passed"]
    greeted = happened(before=[bot("utter_hello")])
    assert statuses(judge(both, greeted, strict=True)) == ["passed", "passed"]
    assert statuses(judge(asserting("flow_started: pay_bill"), happened(), strict=True)) == ["passed"]


def test_a_session_start_may_fulfil_but_not_disturb() -> None:
    greeted = happened([bot("utter_b")], before=[started("pattern_session_start"), bot("utter_hello", "Hello")])
    assert statuses(judge(plain("utter: utter_hello", "utter: utter_b"), greeted)) == ["passed", "passed"]
    assert statuses(judge(asserting("flow_started: pattern_session_start"), greeted)) == ["passed"]
    assert statuses(judge(asserting("bot_did_not_utter: {utter_name: utter_hello}"), greeted)) == ["passed"]


def test_order_of_assertions() -> None:
    right = ("flow_started: pay_bill", "slot_was_set: [{name: amount, value: 50}]", "bot_uttered: {utter_name: utter_paid}")
    assert statuses(judge(asserting(*right, ordered=True), happened())) == ["passed"] * 3
    checks = judge(asserting(*reversed(right), ordered=True), happened())
    assert statuses(checks) == ["passed", "failed", "failed"]
    assert "before what is asserted above it" in checks[1].actual
    assert statuses(judge(asserting(*reversed(right)), happened())) == ["passed"] * 3


def test_what_one_message_sets_and_starts_has_no_order() -> None:
    both = ("slot_was_set: [{name: amount}]", "flow_started: pay_bill", "action_executed: action_pay")
    for assertions in (both, (both[1], both[0], both[2])):
        assert statuses(judge(asserting(*assertions, ordered=True), happened(before=[bot("utter_hello")]))) == ["passed"] * 3
    late = asserting(both[2], both[1], ordered=True)
    assert statuses(judge(late, happened())) == ["passed", "failed"]


def test_what_was_so_before_the_turn_has_no_order() -> None:
    step = asserting("bot_uttered: {utter_name: utter_paid}", "slot_was_set: [{name: plan}]", "action_executed: action_pay", ordered=True)
    assert statuses(judge(step, happened())) == ["passed", "passed", "failed"]


def test_failures_say_what_was_there_instead() -> None:
    (check,) = judge(plain("slot_was_set: [amount: 51]"), happened())
    assert check.expected == "slot_was_set: amount = 51"
    assert check.actual == "it was set to 50, then null in this turn, and is null at its end"
    (check,) = judge(plain("slot_was_set: [nothing]"), happened())
    assert check.actual == "it is null, and was not set in this turn"
    (check,) = judge(asserting("bot_uttered: {buttons: [{title: Maybe}]}"), happened())
    assert "[Yes] [/SetSlots(ok=true)]" in check.actual
    (check,) = judge(asserting("flow_completed: {flow_id: see_bill}"), happened())
    assert check.actual == "completed: pay_bill at last"
