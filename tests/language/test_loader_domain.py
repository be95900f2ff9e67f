"""Reading the domain: slots, responses, actions, the session."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from bot.language import Condition, Loaded, Problem, Response, Slot, load
from bot.language.read_domain import read_actions, read_session, read_slot
from bot.language.read_responses import read_response
from bot.language.reading import Reading
from bot.language.spec import Place, SessionSettings
from bot.language.yamlfile import Node, parse_yaml

PROJECTS = Path(__file__).parent / "projects"


@pytest.fixture
def documented(tmp_path: Path) -> Loaded:
    return load(PROJECTS / "documented", patterns=tmp_path)


def parse(text: str) -> Node:
    node, problems = parse_yaml(textwrap.dedent(text), "d.yml")
    assert problems == []
    assert node is not None
    return node


def slot(text: str) -> tuple[Slot | None, list[Problem]]:
    reading = Reading()
    return read_slot(reading, "a", parse(text), Place("d.yml")), reading.problems


def response(text: str) -> tuple[Response, list[Problem]]:
    reading = Reading()
    return read_response(reading, "utter_a", parse(text), Place("d.yml")), reading.problems


# --- slots --------------------------------------------------------------------------------------------------------------------------------


def test_slots(documented: Loaded) -> None:
    slots = documented.project.slots
    amount = slots["topup_amount"]
    assert (amount.type, amount.minimum, amount.maximum, amount.controlled) == ("float", 5, 100, False)
    assert amount.validation is not None
    assert amount.validation.refill_utter == "utter_ask_topup_amount"
    assert [rejection.utter for rejection in amount.validation.rejections] == ["utter_amount_too_big"]
    assert slots["plan"].initial_value == "basic"
    assert slots["balance"].controlled is True
    assert slots["phone_type"].controlled is False


def test_values_of_a_categorical_slot_are_texts_as_they_are_spelled(documented: Loaded) -> None:
    assert documented.project.slots["plan"].values == ("basic", "5G", "yes", "1.0", "true")


@pytest.mark.parametrize(
    ("mappings", "controlled", "codes"),
    [
        ("[]", False, []),
        ("[{type: from_llm, allow_nlu_correction: true}]", False, []),
        ("[{type: controlled}]", True, []),
        ("[{type: custom}]", True, ["deprecated-mapping"]),
        ("[{type: custom, action: action_x}]", True, ["deprecated-mapping", "refused-action-every-turn"]),
        ("[{type: controlled}, {type: from_llm}]", False, []),
        ("[{type: from_text}]", False, ["refused-slot-mapping"]),
        ("[{type: from_entity, entity: x}, {type: controlled}]", False, ["refused-slot-mapping"]),
        ("[{type: from_lm}]", False, ["bad-slot"]),
        ("[{typ: from_llm}]", False, ["unknown-key", "bad-slot"]),
        ("from_llm", False, ["bad-slot"]),
    ],
)
def test_mappings(mappings: str, controlled: bool, codes: list[str]) -> None:
    read, problems = slot(f"type: text\nmappings: {mappings}\n")
    assert read is not None
    assert read.controlled is controlled
    assert [problem.code for problem in problems] == codes


@pytest.mark.parametrize(
    ("written", "code", "severity"),
    [
        ("initial_value: 1", "bad-slot", "warning"),
        ("type: string", "bad-slot", "error"),
        ("{type: text, values: [a]}", "bad-slot", "warning"),
        ("{type: text, inital_value: a}", "unknown-key", "error"),
        ("{type: text, colour: red}", "unknown-key", "warning"),
        ("{type: float, min_value: five}", "bad-slot", "error"),
        ("{type: text, validation: [x]}", "bad-slot", "error"),
        ("{type: text, validation: {rejections: [{if: a b c, utter: utter_x}]}}", "bad-condition", "error"),
        ("- a", "bad-slot", "error"),
    ],
)
def test_what_is_wrong_with_a_slot_is_said(written: str, code: str, severity: str) -> None:
    _, problems = slot(written)
    assert [(problem.code, problem.severity) for problem in problems] == [(code, severity)]


@pytest.mark.parametrize("name", ["1a", "a-b", "a b", "요금", ""])
def test_names_of_slots(name: str) -> None:
    reading = Reading()
    assert read_slot(reading, name, parse("type: text"), Place("d.yml")) is None
    assert [problem.code for problem in reading.problems] == ["bad-id"]


# --- responses ----------------------------------------------------------------------------------------------------------------------------


def test_a_wording_with_everything(documented: Loaded) -> None:
    first, sms = documented.project.responses["utter_ask_topup_amount"].variations
    assert first.text == "How much would you like to add?"
    assert first.texts == {"ko": "얼마를 충전할까요?"}
    assert [(button.title, button.payload, button.titles) for button in first.buttons] == [
        ("Ten", "/SetSlots(topup_amount=10)", {"ko": "만"}),
        ("Yes", "yes", {}),
    ]
    assert (first.channel, first.rephrase, first.template, first.verbatim) == ("", False, "", False)
    assert (sms.channel, sms.rephrase, sms.template) == ("sms", True, "jinja")


def test_conditions_of_both_forms(documented: Loaded) -> None:
    older, newer, default = documented.project.responses["utter_amount_too_big"].variations
    assert older.condition is not None
    assert str(older.condition) == "slots.plan = 'basic' and slots.topup_confirmed = false"
    assert older.condition.holds({"plan": "basic", "topup_confirmed": False})
    assert not older.condition.holds({"plan": "basic", "topup_confirmed": True})
    assert not older.condition.holds({"plan": "5G", "topup_confirmed": False})
    assert newer.condition is not None
    assert newer.condition.holds({"plan": "yes"})
    assert newer.id == "too_big"
    assert newer.metadata == {"allow_interruptions": False}
    assert default.condition is None
    assert (default.custom, default.image) == ({"kind": "alert"}, "https://example.com/a.png")


@pytest.mark.parametrize("value", ["it's", 'a "quoted" word', "null", "true", "12", "1.5", "text"])
def test_the_older_condition_compares_with_any_value(value: str) -> None:
    written = f"- text: x\n  condition: [{{type: slot, name: s, value: {value}}}]\n"
    read, problems = response(written)
    assert problems == []
    condition = read.variations[0].condition
    assert condition is not None
    data = parse(f"v: {value}").data["v"]
    assert condition.holds({"s": data})
    assert not condition.holds({"s": "something else"})
    if '"' not in value and "'" not in value:
        assert Condition.parse(str(condition)).expression == Condition("", condition.expression).expression or data is None or data is True


def test_template_and_rephrase_stand_on_the_wording_or_in_its_metadata() -> None:
    read, problems = response(
        "- {text: a, template: jinja, rephrase: true}\n- {text: a, metadata: {template: jinja, rephrase: true, x: 1}}\n"
    )
    assert problems == []
    assert [(one.template, one.rephrase) for one in read.variations] == [("jinja", True), ("jinja", True)]
    assert read.variations[1].metadata == {"template": "jinja", "rephrase": True, "x": 1}


def test_short_forms() -> None:
    assert [one.text for one in response("- hello\n- text: hi\n")[0].variations] == ["hello", "hi"]
    assert [one.text for one in response("text: one wording without its dash\n")[0].variations] == ["one wording without its dash"]


def test_a_button_without_payload_sends_its_title() -> None:
    read, problems = response("- text: a\n  buttons: [{title: Yes}]\n")
    assert problems == []
    assert [(button.title, button.payload) for button in read.variations[0].buttons] == [("Yes", "Yes")]


def test_texts_are_what_is_spelled() -> None:
    read, problems = response("- text: 007\n- text: no\n- text: 1.10\n")
    assert problems == []
    assert [one.text for one in read.variations] == ["007", "no", "1.10"]


@pytest.mark.parametrize(
    ("written", "code", "left"),
    [
        ("- txt: a", "unknown-key", 1),
        ("- [a]", "bad-response", 0),
        ("- {text: [a]}", "bad-response", 1),
        ("- {text: a, buttons: [x]}", "bad-response", 1),
        ("- {text: a, buttons: [{titel: x}]}", "unknown-key", 1),
        ("- {text: a, verbatim: yes}", "bad-response", 1),
        ("- {text: a, metadata: {template: mustache}}", "bad-response", 1),
        ("- {text: a, translation: [x]}", "bad-translation", 1),
        ("- {text: a, condition: slots.a = = 1}", "bad-condition", 0),
        ("- {text: a, condition: [{type: slot, name: x}]}", "bad-condition", 0),
    ],
)
def test_what_is_wrong_with_a_response_is_said(written: str, code: str, left: int) -> None:
    read, problems = response(written)
    assert [problem.code for problem in problems] == [code]
    assert len(read.variations) == left, "a wording whose condition is broken must not be said to everyone"


# --- actions and the session --------------------------------------------------------------------------------------------------------------


def test_actions(documented: Loaded) -> None:
    assert {name: action.read_only for name, action in documented.project.actions.items()} == {
        "action_top_up": False,
        "action_read_balance": True,
        "action_log": False,
    }


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("[{action_x: {readonly: true}}]", "unknown-key"),
        ("[{action_x: {read_only: yes}}]", "bad-action"),
        ("[{action_x: read_only}]", "bad-action"),
        ("{action_x: {}}", "bad-action"),
        ("[[a]]", "bad-action"),
    ],
)
def test_what_is_wrong_with_actions_is_said(written: str, code: str) -> None:
    reading = Reading()
    read_actions(reading, parse(written))
    assert [problem.code for problem in reading.problems] == [code]


@pytest.mark.parametrize(
    ("written", "codes", "minutes"),
    [
        ("session_expiration_time: 0", [], 0),
        ("session_expiration_time: 2.5", [], 2.5),
        ("session_expiration_time: -1", ["bad-session"], 60),
        ("session_expiration_time: soon", ["bad-session"], 60),
        ("session_expiration: 5", ["unknown-key"], 60),
        ("[a]", ["bad-session"], 60),
    ],
)
def test_sessions(written: str, codes: list[str], minutes: float) -> None:
    reading = Reading()
    assert read_session(reading, parse(written), SessionSettings()).expiry_minutes == minutes
    assert [problem.code for problem in reading.problems] == codes
