"""The linter: a clean project is silent, and each planted mistake is found, by its code, where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.language import ActionSpec, ActionStep, Branch, Flow, HandoffStep, LinkStep, NoopStep, Place, Problem, Project, Slot
from bot.language.check import check, words_in_code
from bot.language.loader import load

SETTINGS = "language: en\nadditional_languages: [ko]\n"

FLOWS = """
flows:
  change_plan:
    name: change your plan
    translation: {ko: {name: 요금제 변경}}
    description: The customer wants another mobile plan
    examples:
      en: [switch my plan, "move me to [Max](plan)", "I want [basic](plan=basic)"]
      ko: [요금제 바꿔 주세요]
    steps:
      - collect: plan
      - collect: confirmed
        ask_before_filling: true
        next:
          - if: slots.confirmed
            then:
              - action: action_change_plan
              - action: utter_changed
                next: END
          - else:
              - call: say_sorry
                next: END
  say_sorry:
    description: Says that nothing has changed
    if: False
    steps:
      - action: utter_sorry
"""

DOMAIN = """
slots:
  plan: {type: categorical, values: [basic, max]}
  confirmed: {type: bool}
  fee: {type: float, min_value: 0, max_value: 100, mappings: [{type: controlled}]}
responses:
  utter_ask_plan:
    - text: Which plan would you like?
      translation: {ko: 어떤 요금제로 바꿀까요?}
      buttons:
        - {title: Basic plan, payload: /SetSlots(plan=basic), translation: {ko: {title: 베이직}}}
        - {title: Max plan, payload: '/SetSlots(plan="max")', translation: {ko: {title: 맥스}}}
  utter_ask_confirmed:
    - text: "Shall I change it? It costs {fee}."
      translation: {ko: "바꿀까요? {fee}원이에요."}
  utter_changed:
    - text: Done.
      translation: {ko: 바꿨어요.}
      verbatim: true
  utter_sorry:
    - text: Nothing has changed.
      translation: {ko: 바뀐 것이 없어요.}
actions: [action_change_plan]
"""

Lint = Callable[..., tuple[Problem, ...]]


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    """Checks the clean project with more flows and more of a domain; the loader must have nothing to say."""

    def lint(
        flows: str = "", domain: str = "", *, settings: str = SETTINGS, may_load_with: Iterable[str] = (), **options: Any
    ) -> tuple[Problem, ...]:
        (tmp_path / "patterns").mkdir()
        for folder, files in {"": {"switchboard.yml": settings}, "base": {"flows.yml": FLOWS, "domain.yml": DOMAIN}}.items():
            where = tmp_path / "flows" / folder if folder else tmp_path
            where.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (where / name).write_text(content, "utf-8")
        extra = tmp_path / "flows" / "extra"
        extra.mkdir()
        if flows:
            (extra / "flows.yml").write_text("flows:\n" + flows, "utf-8")
        if domain:
            (extra / "domain.yml").write_text(domain, "utf-8")
        loaded = load(tmp_path, patterns=tmp_path / "patterns")
        assert [problem for problem in loaded.problems if problem.code not in may_load_with] == []
        return check(loaded.project, **options)

    return lint


def codes(problems: Iterable[Problem]) -> set[str]:
    return {problem.code for problem in problems}


def flow(steps: str, *, head: str = "", id: str = "extra") -> str:
    """A flow of the given steps, each on a line of its own."""
    lines = "".join(f"      {line}\n" for line in steps.strip("\n").splitlines())
    return f"  {id}:\n    description: Something else altogether that nobody mixes up, {id}\n    examples: {{en: [please do {id}], ko: [{id} 해 주세요]}}\n{head}    steps:\n{lines}"


def test_a_clean_project_is_silent(lint: Lint) -> None:
    assert lint(knows_action=lambda name: name == "action_change_plan") == ()


def test_a_clean_project_is_silent_with_the_built_in_patterns(tmp_path: Path) -> None:
    (tmp_path / "flows" / "base").mkdir(parents=True)
    (tmp_path / "switchboard.yml").write_text(SETTINGS, "utf-8")
    (tmp_path / "flows" / "base" / "flows.yml").write_text(FLOWS, "utf-8")
    (tmp_path / "flows" / "base" / "domain.yml").write_text(DOMAIN, "utf-8")
    project = load(tmp_path).project
    assert len(project.flows) > 5
    assert check(project) == ()


SAY = "- action: utter_sorry"
PLANTED: dict[str, tuple[str, str, str]] = {
    # name of the case: (code, flows, domain)
    "target": ("unknown-target", flow("- action: utter_sorry\n  next: nowhere"), ""),
    "target that is a flow": ("unknown-target", flow("- action: utter_sorry\n  next: say_sorry"), ""),
    "collected slot": ("unknown-slot", flow("- collect: plam\n  utter: utter_ask_plan"), ""),
    "set slot": ("unknown-slot", flow("- set_slots: [{conformed: true}]"), ""),
    "slot in a condition": (
        "unknown-slot",
        flow("- noop: true\n  next:\n    - if: slots.plann = 'max'\n      then: END\n    - else: END"),
        "",
    ),
    "slot of a button": (
        "unknown-slot",
        flow("- action: utter_b"),
        "responses: {utter_b: [{text: '5', buttons: [{title: '1', payload: '/SetSlots(plann=max)'}]}]}",
    ),
    "persisted slot": ("unknown-slot", flow(SAY, head="    persisted_slots: [plann]\n"), ""),
    "slot in an example": ("unknown-slot", flow(SAY).replace("please do extra", "'please [do](plann)'"), ""),
    "value in an example": ("value-wrong-type", flow(SAY).replace("please do extra", "'please [do](plan=gold)'"), ""),
    "action": ("unknown-action", flow("- action: action_chance_plan"), ""),
    "action that is a response": ("unknown-action", flow("- action: sorry"), ""),
    "response": ("unknown-response", flow("- action: utter_sory"), ""),
    "response of a rejection": (
        "unknown-response",
        flow("- collect: plan\n  rejections:\n    - {if: slots.plan = 'max', utter: utter_no_max}"),
        "",
    ),
    "response of a question": ("unknown-response", flow("- collect: plan\n  utter: utter_which"), ""),
    "refill response": (
        "unknown-response",
        flow("- set_slots: [{n: 1}]"),
        "slots: {n: {type: float, validation: {rejections: [{if: slots.n > 3, utter: utter_sorry}], refill_utter: utter_n}}}",
    ),
    "linked flow": ("unknown-flow", flow("- link: change_plam"), ""),
    "called flow": ("unknown-flow", flow("- call: change_plam"), ""),
    "unreachable": ("unreachable-step", flow("- action: utter_sorry\n  next: END\n- id: lost\n  action: utter_sorry"), ""),
    "after a link": ("link-not-last", flow("- link: change_plan\n- action: utter_sorry"), ""),
    "no end": ("never-ends", flow("- id: a\n  collect: plan\n  ask_before_filling: true\n  next: a"), ""),
    "silent circle": (
        "cycle-never-waits",
        flow("- id: a\n  action: utter_sorry\n- noop: true\n  next:\n    - if: slots.confirmed\n      then: END\n    - else: a"),
        "",
    ),
    "silent circle over links": (
        "cycle-never-waits",
        flow("- link: other") + flow("- action: utter_sorry\n- link: extra", id="other"),
        "",
    ),
    "silent circle over calls": ("cycle-never-waits", flow("- call: other") + flow("- call: extra", id="other"), ""),
    "circle that waits once": (
        "cycle-waits-once",
        flow(
            "- id: a\n  collect: plan\n  next:\n    - if: slots.plan = 'max'\n      then: END\n    - else:\n        - action: utter_sorry\n          next: a"
        ),
        "",
    ),
    "text without translation": ("missing-translation", flow("- action: utter_x"), "responses: {utter_x: [{text: Hello there}]}"),
    "button without translation": (
        "missing-translation",
        flow("- action: utter_x"),
        "responses: {utter_x: [{text: '5', buttons: [{title: Yes please, payload: 'yes'}]}]}",
    ),
    "flow name without translation": ("missing-translation", flow(SAY, head="    name: my flow\n"), ""),
    "examples in one language": ("missing-translation", flow(SAY).replace(", ko: [extra 해 주세요]", ""), ""),
    "unknown language": (
        "unknown-language",
        flow("- action: utter_x"),
        "responses: {utter_x: [{text: Hello, translation: {ko: 안녕, kr: 안녕}}]}",
    ),
    "placeholder": ("placeholder-no-slot", flow("- action: utter_x"), "responses: {utter_x: [{text: '{plann}'}]}"),
    "jinja placeholder": (
        "placeholder-no-slot",
        flow("- action: utter_x"),
        "responses: {utter_x: [{text: '{{ slots.plann }}', metadata: {template: jinja}}]}",
    ),
    "template": ("bad-template", flow("- action: utter_x"), "responses: {utter_x: [{text: '{% if %}', template: jinja}]}"),
    "format": ("unknown-format", flow("- action: utter_x"), "responses: {utter_x: [{text: '{fee:mony}'}]}"),
    "no question": ("collect-without-question", flow("- collect: fee"), ""),
    "two questions": ("question-twice", flow("- collect: plan"), "actions: [{action_ask_plan: {read_only: true}}]"),
    "confusable descriptions": (
        "confusable-flows",
        flow(SAY).replace("Something else altogether that nobody mixes up, extra", "the customer wants another mobile plans"),
        "",
    ),
    "confusable examples": ("confusable-flows", flow(SAY).replace("please do extra", "'Switch my  plan!'"), ""),
    "long message": (
        "response-too-long",
        flow("- action: utter_x"),
        f"responses: {{utter_x: [{{text: '{'1' * 480}', channel: sms}}, {{text: '1'}}]}}",
    ),
    "effect": ("effect-without-confirmation", flow("- action: action_change_plan"), ""),
    "effect in a called flow": (
        "effect-without-confirmation",
        flow("- call: inner") + flow("- action: action_change_plan", id="inner", head="    if: False\n"),
        "",
    ),
    "no description": ("missing-description", "  extra:\n    examples: {en: [x], ko: [x]}\n    steps:\n      - action: utter_sorry\n", ""),
    "never started": ("never-started", flow(SAY, head="    if: False\n"), ""),
    "unused response": ("unused-response", "", "responses: {utter_x: [{text: '5'}]}"),
    "unused slot": ("unused-slot", "", "slots: {x: {type: text}}"),
    "unused action": ("unused-action", "", "actions: [action_x]"),
    "pattern": ("unknown-pattern", "  pattern_sesion_start:\n    description: x\n    steps:\n      - action: utter_sorry\n", ""),
    "link to a pattern": (
        "link-to-pattern",
        flow("- link: pattern_search") + "  pattern_search:\n    description: x\n    steps:\n      - action: utter_sorry\n",
        "",
    ),
    "call of a pattern": (
        "call-pattern",
        flow("- call: pattern_search") + "  pattern_search:\n    description: x\n    steps:\n      - action: utter_sorry\n",
        "",
    ),
    "called flow links": ("called-flow-links", flow("- call: inner") + flow("- link: change_plan", id="inner"), ""),
    "call circle": (
        "call-circle",
        flow(
            "- collect: plan\n  ask_before_filling: true\n  next:\n    - if: slots.plan = 'max'\n      then:\n        - call: extra\n          next: END\n    - else: END"
        ),
        "",
    ),
    "persisted and not filled": ("persisted-not-filled", flow(SAY, head="    persisted_slots: [plan]\n"), ""),
    "no values": ("slot-without-values", "", "slots: {x: {type: categorical, values: []}}"),
    "value twice": ("duplicate-value", "", "slots: {x: {type: categorical, values: [a, A]}}"),
    "initial value": ("initial-wrong-type", "", "slots: {x: {type: categorical, values: [a, b], initial_value: c}}"),
    "range": ("bad-range", "", "slots: {x: {type: float, min_value: 5, max_value: 1}}"),
    "list": ("list-collected", flow("- collect: x"), "slots: {x: {type: list}}\nresponses: {utter_ask_x: [{text: '5'}]}"),
    "written value": ("value-wrong-type", flow("- set_slots: [{plan: gold}]"), ""),
    "value of a button": (
        "value-wrong-type",
        flow("- action: utter_b"),
        "responses: {utter_b: [{text: '5', buttons: [{title: '1', payload: '/SetSlots(plan=gold)'}]}]}",
    ),
    "identity": ("requires-without-identity", flow(SAY, head="    requires: verified\n"), ""),
    "no examples": ("no-examples", "  extra:\n    description: Something else\n    steps:\n      - action: utter_sorry\n", ""),
    "verbatim and rephrase": (
        "verbatim-rephrased",
        flow("- action: utter_x"),
        "responses: {utter_x: [{text: '5', verbatim: true, metadata: {rephrase: true}}]}",
    ),
    "payload": (
        "bad-payload",
        flow("- action: utter_b"),
        "responses: {utter_b: [{text: '5', buttons: [{title: '1', payload: '/SetSlots(plan)'}]}]}",
    ),
    "intent payload": (
        "bad-payload",
        flow("- action: utter_b"),
        "responses: {utter_b: [{text: '5', buttons: [{title: '1', payload: '/affirm'}]}]}",
    ),
    "only conditional question": (
        "no-default-variation",
        flow("- collect: fee"),
        "responses: {utter_ask_fee: [{text: '5', condition: slots.confirmed}]}",
    ),
    "only on one channel": ("no-default-variation", flow("- action: utter_x"), "responses: {utter_x: [{text: '5', channel: voice}]}"),
    "empty response": ("empty-response", flow("- action: utter_x"), "responses: {utter_x: [{channel: sms}]}"),
}


@pytest.mark.parametrize(("code", "flows", "domain"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_mistake_is_found_where_it_stands(lint: Lint, code: str, flows: str, domain: str) -> None:
    may_load_with = ("missing-values", "bad-slot", "bad-response", "list-slot")
    found = [problem for problem in lint(flows, domain, may_load_with=may_load_with) if problem.code == code]
    assert found, "not found"
    assert any(problem.place.file.startswith("flows/extra/") for problem in found)
    assert all(problem.message for problem in found)


@pytest.mark.parametrize(
    ("flows", "hint"),
    [
        (flow("- action: utter_sory"), "did you mean `utter_sorry`?"),
        (flow("- link: change_plam"), "did you mean `change_plan`?"),
        (flow("- collect: plam\n  utter: utter_ask_plan"), "did you mean `plan`?"),
        (flow("- action: action_chance_plan"), "did you mean `action_change_plan`?"),
        (flow("- id: first\n  action: utter_sorry\n  next: frist"), "did you mean `first`?"),
        (flow("- action: utter_sorry\n  next: say_sorry"), "`say_sorry` is a flow: use a step `link: say_sorry` or `call: say_sorry`"),
    ],
)
def test_hints_say_what_was_meant(lint: Lint, flows: str, hint: str) -> None:
    assert hint in [problem.hint for problem in lint(flows)]


SILENT: dict[str, tuple[str, str]] = {
    "a circle that asks again": (
        flow(
            "- id: a\n  collect: plan\n  next:\n    - if: slots.plan = 'max'\n      then: END\n    - else:\n        - set_slots: [{plan: null}]\n          next: a"
        ),
        "",
    ),
    "a circle left by set_slots is no error, one of actions neither": (
        flow("- id: a\n  collect: plan\n  ask_before_filling: true\n  next:\n    - if: slots.plan = 'max'\n      then: END\n    - else: a"),
        "",
    ),
    "a question asked by an action": (flow("- collect: fee"), "actions: [{action_ask_fee: {read_only: true}}]"),
    "an effect the designer vouches for": (flow("- action: action_change_plan\n  metadata: {confirm: false}"), ""),
    "an effect confirmed by the caller": (
        flow(
            "- collect: confirmed\n  ask_before_filling: true\n  next:\n    - if: not slots.confirmed\n      then: END\n    - else:\n        - call: inner\n          next: END"
        )
        + flow("- action: action_change_plan", id="inner", head="    if: False\n"),
        "",
    ),
    "an effect confirmed by a called flow": (
        flow(
            "- call: asking\n- noop: true\n  next:\n    - if: slots.confirmed\n      then:\n        - action: action_change_plan\n          next: END\n    - else: END"
        )
        + flow("- collect: confirmed\n  ask_before_filling: true", id="asking", head="    if: False\n"),
        "",
    ),
    "opposites are not confusable": (
        flow(SAY, id="on").replace("please do on", "switch on international roaming for my line now please")
        + flow(SAY, id="off").replace("please do off", "switch off international roaming for my line now please"),
        "",
    ),
    "a wording for each language by condition": (
        flow("- action: utter_x"),
        "responses: {utter_x: [{text: Hello}, {text: 안녕, condition: slots.language = 'ko'}]}",
    ),
    "a name of a language, and a name of a thing": (
        flow("- action: utter_x"),
        "responses: {utter_x: [{text: '5', buttons: [{title: English, payload: English}, {title: 5G, payload: 5G}]}]}",
    ),
    "conditions that leave nothing out": (
        flow("- action: utter_x"),
        "responses: {utter_x: [{text: '5', condition: slots.confirmed}, {text: '6', condition: not slots.confirmed}]}",
    ),
    "a link to the hand-over": (
        flow("- link: pattern_human_handoff")
        + "  pattern_human_handoff:\n    description: x\n    steps:\n      - handoff: {reason: asked}\n",
        "",
    ),
    "a long message that is not for text messages": (
        flow("- action: utter_x"),
        f"responses: {{utter_x: [{{text: '{'1' * 480}'}}, {{text: '1', channel: sms}}]}}",
    ),
    "a number in a text slot": (flow("- set_slots: [{x: 5}]"), "slots: {x: {type: text, initial_value: 0}}"),
}


@pytest.mark.parametrize(("flows", "domain"), SILENT.values(), ids=SILENT.keys())
def test_what_is_right_is_not_reported(lint: Lint, flows: str, domain: str) -> None:
    assert lint(flows, domain) == ()


def test_a_circle_an_action_may_leave_is_a_warning(lint: Lint) -> None:
    steps = "- id: a\n  action: action_change_plan\n  metadata: {confirm: false}\n  next:\n    - if: slots.confirmed\n      then: END\n    - else: a"
    assert [(problem.code, problem.severity) for problem in lint(flow(steps))] == [("cycle-never-waits", "warning")]


def test_a_rejection_the_type_makes_superfluous_is_a_warning(lint: Lint) -> None:
    steps = "- collect: plan\n  rejections:\n    - {if: slots.plan = 'gold', utter: utter_sorry}"
    [problem] = lint(flow(steps))
    assert (problem.code, problem.severity) == ("condition-never-true", "warning")


def test_an_action_nobody_wrote(lint: Lint) -> None:
    assert codes(lint(knows_action=lambda name: False)) == {"action-not-implemented"}


def test_an_action_somebody_wrote_and_nobody_declared(lint: Lint) -> None:
    problems = lint(flow("- action: action_new"), knows_action=lambda name: True)
    assert [(problem.code, problem.severity) for problem in problems] == [("action-not-declared", "warning")]


def test_names_in_code_are_used(lint: Lint, tmp_path: Path) -> None:
    code = tmp_path / "flows" / "base" / "actions.py"
    code.parent.mkdir(parents=True)
    code.write_text('say(f"utter_charge_{kind}", charge=1); tracker.get_slot("x")\n', "utf-8")
    domain = "slots: {x: {type: text}, y: {type: text}}\nresponses: {utter_charge_tax: [{text: '{charge}'}]}"
    problems = lint("", domain, mentions=words_in_code(tmp_path))
    assert [(problem.code, "`y`" in problem.message) for problem in problems] == [("unused-slot", True)]


def test_the_length_of_messages_counts_placeholders(lint: Lint) -> None:
    domain = f"responses: {{utter_x: [{{text: '{'1' * 455} {{plan}}'}}]}}"
    problems = lint(flow("- action: utter_x"), domain)
    assert codes(problems) == {"response-too-long"}, "457 signs fit three messages; the longest value of `plan` makes them four"


def test_a_single_odd_sign_is_named(lint: Lint) -> None:
    [problem] = lint(flow("- action: utter_x"), f"responses: {{utter_x: [{{text: '{'1' * 250}’'}}]}}")
    assert problem.code == "response-too-long"
    assert "’" in problem.hint


def test_problems_come_in_the_order_they_are_written(lint: Lint) -> None:
    problems = lint(flow("- action: utter_a\n- action: utter_b\n- link: nothing_like_it"), "slots: {x: {type: text}}")
    places = [problem.place for problem in problems]
    assert len(problems) == 4
    assert places == sorted(places)


# --- what no file can say, because the loader stands before it -----------------------------------------------------------------------

HERE = Place("flows/extra/flows.yml", 3, 1)


def built(*steps: Any, **more: Any) -> Project:
    made = Flow("extra", "Something", tuple(steps), "1", place=HERE, examples={"en": ("please",)}, **more)
    return Project(Path("."), {"extra": made}, {}, {}, {})


def test_two_steps_of_one_id() -> None:
    step = NoopStep(id="a", next=(Branch("END"),), place=HERE)
    assert "duplicate-id" in codes(check(built(step, step)))


def test_a_step_called_end() -> None:
    assert "bad-id" in codes(check(built(NoopStep(id="END", next=(Branch("END"),), place=HERE))))


def test_no_steps() -> None:
    assert codes(check(built())) == {"missing-steps"}


def test_a_step_without_a_way_onwards() -> None:
    assert codes(check(built(NoopStep(id="a", place=HERE)))) == {"dead-end"}


def test_a_link_with_a_way_onwards() -> None:
    assert "link-not-last" in codes(check(built(LinkStep(id="a", flow="extra", next=(Branch("END"),), place=HERE))))


@pytest.mark.parametrize(
    ("priority", "reason", "code"), [(0, "why", "bad-priority"), (6, "why", "bad-priority"), (3, " ", "handoff-without-reason")]
)
def test_hand_overs(priority: int, reason: str, code: str) -> None:
    step = HandoffStep(id="a", reason=reason, priority=priority, next=(Branch("END"),), place=HERE)
    assert codes(check(built(step))) == {code}


def test_what_the_framework_brings_is_not_judged() -> None:
    built_in = Place("<builtin>/search.yml")
    flow = Flow("pattern_nonsense", "", (ActionStep(id="a", action="utter_nothing", place=built_in),), "1", place=built_in)
    slots = {"x": Slot("x", "categorical", place=built_in)}
    project = Project(Path("."), {flow.id: flow}, slots, {}, {"action_x": ActionSpec("action_x", place=built_in)})
    assert check(project, knows_action=lambda name: False) == ()
    own = replace(flow, place=HERE, steps=tuple(replace(step, place=HERE) for step in flow.steps))
    assert check(replace(project, flows={own.id: own})) != ()
