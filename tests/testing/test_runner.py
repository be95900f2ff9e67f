from __future__ import annotations

from textwrap import dedent
from typing import Any

from bot.dialogue.commands import SetSlot, StartFlow
from bot.testing.reader import read_cases
from bot.testing.results import Outcome
from bot.testing.runner import Settings, play
from bot.testing.scenarios import Case

from .fake import FakeBot, RealActions, action, bot, offer, slot, started

PAY = [started("pay_bill"), bot("utter_ask_amount", "How much?")]


def cases(text: str) -> tuple[Case, ...]:
    file = read_cases(dedent(text).encode(), "t.yml")
    assert not file.problems
    return file.cases


async def run(fake: FakeBot, text: str, **settings: Any) -> Outcome:
    (case,) = cases(text)
    return await play(case, fake, Settings(**settings), conversation="c1")


ANNOTATED = """\
    test_cases:
    - test_case: pays
      steps:
      - user: I want to pay
        commands: [StartFlow(pay_bill)]
      - utter: utter_ask_amount
      - user: "50"
        commands: ["SetSlot(amount, 50)"]
      - slot_was_set: [amount: 50]
      - utter: utter_paid
    """


def payer(**more: Any) -> FakeBot:
    script = {"StartFlow(pay_bill)": PAY, "SetSlot(amount, 50)": [slot("amount", "50"), bot("utter_paid", "Paid.")]}
    return FakeBot(script=script, **more)


async def test_annotated_messages_are_replayed() -> None:
    fake = payer()
    outcome = await run(fake, ANNOTATED)
    assert (outcome.status, outcome.reason) == ("passed", "")
    assert [call[1]["commands"] for call in fake.calls[1:]] == [(StartFlow("pay_bill"),), (SetSlot("amount", "50"),)]
    assert fake.texts() == ["<start>", "I want to pay", "50"]
    assert outcome.scores == ()


async def test_a_failure_shows_expected_and_actual() -> None:
    fake = payer()
    fake.script = {**fake.script, "SetSlot(amount, 50)": [slot("amount", "15"), bot("utter_refused")]}
    outcome = await run(fake, ANNOTATED)
    assert outcome.status == "failed"
    assert [turn.status for turn in outcome.turns] == ["passed", "failed"]
    assert outcome.reason.startswith("t.yml:7:5: slot_was_set: amount = 50: it was set to")
    assert [check.actual for check in outcome.turns[1].checks] == [
        'it was set to "15" in this turn, and is "15" at its end',
        "said instead: utter_refused",
    ]
    assert outcome.turns[1].happened == ('slot: amount = "15" (by message)', "bot: utter_refused")


async def test_a_bot_step_first_is_answered_by_the_session_start() -> None:
    text = """\
        test_cases:
        - test_case: greeted
          steps:
          - utter: utter_hello
          - bot: How can I help?
          - user: /SetSlots(amount=5)
          - slot_was_set: {amount: 5}
        """
    fake = FakeBot(greeting=[bot("utter_hello", "Hello"), bot("", "How can I help?")])
    outcome = await run(fake, text, strict=True)
    assert outcome.status == "passed"
    assert [turn.text for turn in outcome.turns] == [None, "/SetSlots(amount=5)"]
    outcome = await run(FakeBot(greeting=[bot("utter_hello", "Hello")]), text)
    assert [turn.status for turn in outcome.turns] == ["failed", "passed"]


async def test_a_greeting_may_belong_to_the_first_message() -> None:
    text = "test_cases: [{test_case: a, steps: [{user: /x}, {utter: utter_hello}, {utter: utter_x}]}]"
    fake = FakeBot(script={"/x": [bot("utter_x")]}, greeting=[bot("utter_hello")])
    assert (await run(fake, text, strict=True)).status == "passed"


async def test_fixtures_come_after_the_session_start() -> None:
    text = """\
        fixtures: [{rich: [{balance: 100}]}, {abroad: [{country: KR}]}]
        test_cases:
        - test_case: a
          fixtures: [rich, abroad]
          steps:
          - user: /hi
          - slot_was_set: [balance: 100, country: KR, plan: basic]
          - slot_was_not_set: [amount]
        """
    fake = FakeBot()
    assert (await run(fake, text)).status == "passed"
    assert [call for call in fake.calls if call[0] == "<slots>"] == [("<slots>", {"balance": 100, "country": "KR"})]
    assert fake.texts() == ["<start>", "<slots>", "/hi"]


async def test_metadata_is_passed_and_says_who_writes() -> None:
    text = """\
        metadata: [{phone: {sender: "+12025550101", language: ko, shop: 7}}, {second: {shop: 8}}]
        test_cases:
        - test_case: a
          metadata: phone
          steps: [{user: /one}, {user: /two, metadata: second}]
        """
    fake = FakeBot()
    await run(fake, text)
    who = {"sender": "+12025550101", "language": "ko"}
    assert [call[1] for call in fake.calls] == [
        {**who, "metadata": {"shop": 7}},
        {**who, "metadata": {"shop": 7}, "commands": None},
        {**who, "metadata": {"shop": 8}, "commands": None},
    ]


async def test_named_actions_are_stubbed_the_rest_is_real() -> None:
    text = """\
        stub_custom_actions:
          action_balance: {events: [{event: slot, name: source, value: stub}], responses: [{text: stubbed}]}
        test_cases:
        - test_case: stubbed
          steps: [{user: /balance}, {bot: stubbed}, {slot_was_set: [source: stub]}]
        - test_case: real
          steps: [{user: /terms}, {bot: really action_terms}]
        """
    fake = FakeBot(script={"/balance": [action("action_balance")], "/terms": [action("action_terms")]}, actions=RealActions())
    for number, case in enumerate(cases(text)):
        assert (await play(case, fake, conversation=f"c{number}")).status == "passed", case.name
    assert RealActions.names == fake.actions.names


async def test_an_exception_fails_the_case_and_says_where() -> None:
    outcome = await run(payer(errors={"50": ZeroDivisionError("by nothing")}), ANNOTATED)
    assert outcome.status == "failed"
    assert [turn.status for turn in outcome.turns] == ["passed", "failed"]
    assert outcome.turns[1].error.startswith("ZeroDivisionError at fake.py:")
    assert outcome.turns[1].error.endswith("in turn: by nothing")


async def test_a_failing_session_start_is_told() -> None:
    class Broken(FakeBot):
        async def start_session(self, conversation: str, **given: Any) -> Any:
            raise LookupError("no store")

    outcome = await run(Broken(), ANNOTATED)
    assert (outcome.status, len(outcome.turns), outcome.turns[0].text) == ("failed", 1, None)
    assert "LookupError" in outcome.reason


PLAIN = """\
    test_cases:
    - test_case: pays
      steps: [{user: I want to pay}, {utter: utter_ask_amount}]
    """


async def test_modes() -> None:
    meanings = {"I want to pay": ["StartFlow(pay_bill)"]}
    for mode, status in ((None, "passed"), ("local", "passed"), ("commands", "skipped")):
        outcome = await run(payer(meanings=meanings), PLAIN, understanding=mode)
        assert outcome.status == status, mode
    assert outcome.reason == "no commands annotated (t.yml:3:11)"
    assert outcome.turns == ()


async def test_by_default_one_message_without_annotation_means_understanding_all() -> None:
    text = ANNOTATED.replace('        commands: ["SetSlot(amount, 50)"]\n', "")
    fake = payer(meanings={"I want to pay": ["StartFlow(pay_bill)"], "50": ["SetSlot(amount, 50)"]})
    outcome = await run(fake, text)
    assert outcome.status == "passed"
    assert [call[1]["commands"] for call in fake.calls[1:]] == [None, None]
    assert [score.is_right for score in outcome.scores] == [True]


WRONG = {"I want to pay": ["StartFlow(see_bill)"], "50": ["SetSlot(amount, 50)"]}


async def test_local_follows_what_was_understood() -> None:
    outcome = await run(payer(meanings=WRONG), ANNOTATED, understanding="local")
    assert [turn.status for turn in outcome.turns] == ["failed", "passed"]
    assert [score.is_right for score in outcome.scores] == [False, True]


async def test_score_follows_the_annotation() -> None:
    fake = payer(meanings=WRONG)
    outcome = await run(fake, ANNOTATED, score=True)
    assert fake.texts() == ["<start>", "understand I want to pay", "I want to pay", "understand 50", "50"]
    assert [score.is_right for score in outcome.scores] == [False, True]
    assert [check.status for check in outcome.turns[0].checks] == ["failed", "passed"]
    assert outcome.turns[0].reason == "commands: StartFlow(pay_bill): understood: StartFlow(see_bill)"
    right = await run(payer(meanings={**WRONG, "I want to pay": ["StartFlow(pay_bill)"]}), ANNOTATED, score=True)
    assert right.status == "passed"


async def test_payloads_are_neither_replayed_nor_scored() -> None:
    text = """\
        test_cases:
        - test_case: a
          steps:
          - user: /SetSlots(amount=5)
            commands: ["SetSlot(amount, 5)"]
          - slot_was_set: {amount: 5}
        """
    for settings in ({"understanding": "commands"}, {"score": True}, {"understanding": "local"}):
        fake = FakeBot()
        outcome = await run(fake, text, **settings)
        assert outcome.status == "passed"
        assert outcome.scores == ()
        assert fake.calls[1] == ("/SetSlots(amount=5)", {"commands": None})


async def test_clarification_knows_flows_by_id_and_by_name_in_each_language() -> None:
    text = """\
        test_cases:
        - test_case: a
          steps:
          - user: /bill
            assertions:
            - pattern_clarification_contains: [pay_bill, pay a bill, 요금 내기, see bill]
        """
    assert (await run(FakeBot(script={"/bill": [offer("pay_bill", "see_bill")]}), text)).status == "passed"
    outcome = await run(FakeBot(script={"/bill": [offer("pay_bill")]}), text)
    assert "offered: pay a bill, pay_bill, 요금 내기" in outcome.reason


async def test_what_needs_a_judge_is_skipped() -> None:
    text = """\
        test_cases:
        - test_case: a
          steps: [{user: /a, assertions: [{generative_response_is_grounded: {threshold: 0.5}}]}]
        - test_case: b
          steps: [{user: /a, assertions: [{generative_response_is_grounded: {threshold: 0.5}}, {flow_started: f}]}]
        """
    fake = FakeBot(script={"/a": [started("f")]})
    a, b = cases(text)
    assert (await play(a, fake, conversation="a")).status == "skipped"
    outcome = await play(b, fake, conversation="b")
    assert outcome.status == "passed"
    assert [check.status for check in outcome.turns[0].checks] == ["skipped", "passed"]


async def test_plain_steps_under_assertions_do_not_count() -> None:
    text = """\
        test_cases:
        - test_case: a
          steps:
          - {user: /a, assertions: [{flow_started: f}]}
          - utter: utter_never
          - user: /a
          - utter: utter_never
        """
    outcome = await run(FakeBot(script={"/a": [started("f")]}), text)
    assert [turn.status for turn in outcome.turns] == ["passed", "failed"]


async def test_a_case_that_could_not_be_read_fails_unplayed() -> None:
    fake = FakeBot()
    outcome = await run(fake, "test_cases: [{test_case: a, stepps: []}]")
    assert outcome.status == "failed"
    assert "t.yml:1:29 test-unknown-key" in outcome.reason
    assert fake.calls == []


async def test_yes_is_what_the_customer_said() -> None:
    fake = FakeBot(script={"yes": [bot("utter_done")]})
    text = "test_cases:\n- test_case: a\n  steps:\n  - user: yes\n  - utter: utter_done\n"
    assert (await run(fake, text)).status == "passed"
    assert fake.texts() == ["<start>", "yes"]
