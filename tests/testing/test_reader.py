from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from bot.dialogue.commands import Clarify, SetSlot, StartFlow
from bot.language import Problem
from bot.testing.reader import read_cases, read_file
from bot.testing.scenarios import (
    ActionExecuted,
    BotSays,
    Case,
    CaseFile,
    ClarificationContains,
    FlowEnded,
    FlowStarted,
    Judged,
    SlotNotSet,
    SlotSet,
    Uttered,
    Utters,
)


def read(text: str) -> CaseFile:
    return read_cases(dedent(text).encode(), "t.yml")


def only(text: str) -> Case:
    file = read(text)
    assert not file.problems
    (case,) = file.cases
    return case


def steps(*lines: str) -> Case:
    body = "\n".join(f"  {line}" for line in lines)
    return only(f"test_cases:\n- test_case: a\n  steps:\n{body}\n")


def problem(*lines: str) -> Problem:
    case = steps(*lines)
    assert len(case.problems) == 1, case.problems
    return case.problems[0]


def test_end_to_end_format() -> None:
    case = only(
        """\
        fixtures:
        - premium:
          - tier: gold
          - amount: 50
        - abroad: {country: KR}
        metadata:
        - phone: {sender: "+12025550101", turn: 1}
        - second: {turn: 2}
        test_cases:
        - test_case: pays a bill
          fixtures: [premium, abroad]
          metadata: phone
          steps:
          - utter: utter_greet
          - user: pay my bill
            metadata: second
          - bot: |
              How much
              is it?
          - slot_was_set:
            - flow_name
            - amount: 50
              tier: null
          - slot_was_set: {plan: basic}
          - slot_was_not_set: plan
        """
    )
    assert case.name == "pays a bill"
    assert case.place.line == 10
    assert dict(case.slots) == {"tier": "gold", "amount": 50, "country": "KR"}
    assert dict(case.metadata) == {"sender": "+12025550101", "turn": 1}
    first, second = case.exchanges
    assert first.text is None
    assert [type(step) for step in first.expected] == [Utters]
    assert second.text == "pay my bill"
    assert dict(second.metadata) == {"turn": 2}
    assert second.expected[0] == BotSays(second.expected[0].place, "How much\nis it?\n")
    found = [(type(s), s.name, s.value, s.bare, s.place.line) for s in second.expected if isinstance(s, SlotSet | SlotNotSet)]
    assert found == [
        (SlotSet, "flow_name", None, True, 21),
        (SlotSet, "amount", 50, False, 22),
        (SlotSet, "tier", None, False, 23),
        (SlotSet, "plan", "basic", False, 24),
        (SlotNotSet, "plan", None, True, 25),
    ]


def test_texts_stay_as_written() -> None:
    case = steps("- user: yes", "- user: 0123", "- user: 1.50", "- user: True", "- user:", "- user: 2026-03-01", "- bot: no", "- utter: on")
    assert [exchange.text for exchange in case.exchanges] == ["yes", "0123", "1.50", "True", "", "2026-03-01"]
    said = case.exchanges[-1].expected
    assert isinstance(said[0], BotSays)
    assert isinstance(said[1], Utters)
    assert (said[0].text, said[1].response) == ("no", "on")


def test_commands_in_both_spellings() -> None:
    case = steps(
        "- user: pay 50",
        '  commands: [StartFlow(pay_bill), "SetSlot(amount, 50)"]',
        "- user: again",
        "  commands:",
        "  - start flow pay_bill",
        "  - set slot amount 50",
        "- user: bill",
        "  commands: [Clarify()]",
        "- user: /SetSlots(a=b)",
        "- user: nothing",
        "  commands: []",
    )
    pay = (StartFlow("pay_bill"), SetSlot("amount", "50"))
    assert [exchange.commands for exchange in case.exchanges] == [pay, pay, (Clarify(),), None, ()]
    assert [exchange.is_replayable for exchange in case.exchanges] == [True] * 5


def test_assertions() -> None:
    case = steps(
        "- user: pay",
        "  assertion_order_enabled: true",
        "  assertions:",
        "  - flow_started: pay_bill",
        "  - flow_started: [pay_bill, see_bill]",
        "  - flow_started: {operator: any, flow_ids: [pay_bill, see_bill]}",
        "  - flow_completed: {flow_id: pay_bill, flow_step_id: last}",
        "  - flow_cancelled: {flow_id: pay_bill}",
        "  - action_executed: action_pay",
        "  - slot_was_set: [{name: amount, value: 50}, {name: plan}]",
        "  - slot_was_not_set: [{name: other}]",
        "  - bot_uttered: {utter_name: utter_a, text_matches: '^a.c$', buttons: [{title: Yes, payload: /SetSlots(a=true)}]}",
        "  - bot_did_not_utter: {utter_name: utter_b}",
        "  - pattern_clarification_contains: [pay a bill, see_bill]",
        "  - generative_response_is_relevant: {threshold: 0.9}",
        "  - generative_response_is_grounded: {threshold: 0.9, ground_truth: x}",
        "- utter: ignored",
    )
    (exchange,) = case.exchanges
    assert exchange.ordered
    kinds = [
        FlowStarted, FlowStarted, FlowStarted, FlowEnded, FlowEnded, ActionExecuted, SlotSet, SlotSet, SlotNotSet,
        Uttered, Uttered, ClarificationContains, Judged, Judged,
    ]  # fmt: skip
    assert [type(assertion) for assertion in exchange.assertions] == kinds
    assert exchange.checks == exchange.assertions
    any_of = exchange.assertions[2]
    assert isinstance(any_of, FlowStarted)
    assert (any_of.operator, any_of.flows) == ("any", ("pay_bill", "see_bill"))
    ended = exchange.assertions[3]
    assert isinstance(ended, FlowEnded)
    assert (ended.how, ended.flow, ended.step) == ("completed", "pay_bill", "last")
    uttered = exchange.assertions[9]
    assert isinstance(uttered, Uttered)
    assert uttered.buttons == ({"title": "Yes", "payload": "/SetSlots(a=true)"},)
    assert not case.only_judged


def test_stubs_of_the_case_win() -> None:
    file = read(
        """\
        stub_custom_actions:
          action_pay:
            events: [{event: slot, name: paid, value: true}]
          b::action_pay:
            responses: [{text: no}]
          action_nothing:
        test_cases:
        - {test_case: a, steps: [{user: hi}]}
        - {test_case: b, steps: [{user: hi}]}
        """
    )
    assert not file.problems
    a, b = file.cases
    assert a.stubs["action_pay"].events == ({"event": "slot", "name": "paid", "value": True},)
    assert b.stubs["action_pay"].responses == ({"text": "no"},)
    assert b.stubs["action_pay"].events == ()
    assert set(a.stubs) == {"action_pay", "action_nothing"}


@pytest.mark.parametrize(
    ("lines", "code", "line", "says"),
    [
        (["- user: a", "  comands: []"], "test-unknown-key", 5, "'comands'"),
        (["- user: a", "- bott: b"], "test-bad-step", 5, "exactly one kind"),
        (["- user: a", "  bot: b"], "test-bad-step", 4, "exactly one kind"),
        (["- user: a", "- utter: b", "  metadata: x"], "test-unknown-key", 6, "'metadata'"),
        (["- user: [a]"], "test-bad-value", 4, "user must be a text"),
        (["- user: a", "- utter:"], "test-bad-value", 5, "utter is empty"),
        (["- user: a", "- slot_was_set: []"], "test-bad-value", 5, "names no slot"),
        (["- user: a", "  commands: [Explode(now)]"], "test-bad-command", 5, "Explode"),
        (["- user: a", "  commands: [SetSlot(a, b)]"], "test-bad-command", 5, "quote a command"),
        (["- user: a", "  assertions: [{flow_begun: x}]"], "test-unknown-assertion", 5, "flow_begun"),
        (["- user: a", "  assertions: [{bot_uttered: {text_matches: '('}}]"], "test-bad-value", 5, "regular expression"),
        (["- user: a", "  assertions: [{bot_uttered: {}}]"], "test-bad-value", 5, "says nothing"),
        (["- user: a", "  assertions: [{flow_started: {operator: some, flow_ids: [x]}}]"], "test-bad-value", 5, "all or any"),
        (["- user: a", "  assertions: [{flow_started: {operator: any}}]"], "test-bad-value", 5, "lacks flow_ids"),
        (["- user: a", "  assertions: [{slot_was_set: [{value: 1}]}]"], "test-bad-value", 5, "lacks the name"),
        (["- user: a", "  assertions: [{flow_completed: {flow: x}}]"], "test-unknown-key", 5, "'flow'"),
        (["- user: a", "  assertion_order_enabled: 1"], "test-bad-value", 5, "true or false"),
        (["- user: a", "  metadata: nobody"], "test-unknown-metadata", 5, "nobody"),
        (["- user: a", "  user: b"], "yaml-duplicate-key", 5, "twice"),
    ],
)
def test_mistakes_have_a_place(lines: list[str], code: str, line: int, says: str) -> None:
    found = problem(*lines)
    assert (found.code, found.place.line, found.place.file) == (code, line, "t.yml")
    assert says in str(found)


def test_a_broken_case_leaves_the_others() -> None:
    file = read(
        """\
        test_cases:
        - test_case: broken
          fixtures: [nobody]
          steps: [{user: hi}]
        - test_case: good
          steps: [{user: hi}]
        - steps: [{user: hi}]
        - test_case: no steps
        - test_case: typo
          step: [{user: hi}]
        - just a text
        """
    )
    assert not file.problems
    codes = [[problem.code for problem in case.problems] for case in file.cases]
    assert codes == [["test-unknown-fixture"], [], ["test-bad-value"], ["test-bad-value"], ["test-unknown-key"], ["test-bad-value"]]
    assert [case.place.line for case in file.cases] == [2, 5, 7, 8, 9, 11]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "test-no-cases"),
        ("- a\n", "test-bad-value"),
        ("flows: {}\n", "test-no-cases"),
        ("test_cases: {a: b}\n", "test-bad-value"),
        ("test_cases: [\n", "yaml-syntax"),
        ("fixture: []\ntest_cases: []\n", "test-unknown-key"),
        ("fixtures: [a]\ntest_cases: []\n", "test-bad-value"),
        ("stub_custom_actions: {other::action_a: {}}\ntest_cases: []\n", "test-unknown-case"),
        ("stub_custom_actions: {action_a: {event: []}}\ntest_cases: []\n", "test-unknown-key"),
        ("stub_custom_actions: {action_a: {events: [a]}}\ntest_cases: []\n", "test-bad-value"),
    ],
)
def test_mistakes_of_the_file(text: str, code: str) -> None:
    assert [problem.code for problem in read(text).problems] == [code]


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes("﻿test_cases:\n- {test_case: 안녕, steps: [{user: 네}]}\n".encode())
    assert read_file(tmp_path / "a.yml").cases[0].exchanges[0].text == "네"
    (tmp_path / "b.yml").write_bytes(b"test_cases: \xff")
    assert [problem.code for problem in read_file(tmp_path / "b.yml").problems] == ["yaml-syntax"]
    assert [problem.code for problem in read_file(tmp_path / "none.yml").problems] == ["test-unreadable"]


def test_a_case_of_nothing_but_judged_assertions() -> None:
    assert steps("- user: a", "  assertions: [{generative_response_is_relevant: {threshold: 0.5}}]").only_judged
    assert not steps("- user: a").only_judged
