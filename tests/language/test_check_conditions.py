"""The linter on conditions: what can never or must always hold, what makes no sense; and that it never says so wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language import END, Branch, Condition, Flow, NoopStep, Place, Problem, Project, Slot
from bot.language.check import check
from bot.language.check.conditions import branches, groups, names, truths, types
from bot.language.check.logic import taken_before, verdict

SLOTS = {
    slot.name: slot
    for slot in (
        Slot("plan", "categorical", values=("basic", "max")),
        Slot("set_by_action", "categorical", values=("one", "two"), controlled=True),
        Slot("yes", "bool"),
        Slot("age", "float", minimum=0, maximum=120),
        Slot("word", "text"),
        Slot("thing", "any"),
        Slot("several", "list"),
    )
}
CONDITION_CHECKS = (names, groups, types, truths, branches)


def found(*conditions: str, then_else: bool = True) -> list[tuple[str, str]]:
    """Codes and severities for a step with one branch a condition."""
    ways = [Branch(END, Condition.parse(text), Place("f.yml", line)) for line, text in enumerate(conditions, 1)]
    step = NoopStep(id="a", next=(*ways, *([Branch(END, None, Place("f.yml", 99))] if then_else else [])), place=Place("f.yml"))
    flow = Flow("f", "d", (step,), "1", place=Place("f.yml"))
    project = Project(Path("."), {"f": flow}, SLOTS, {}, {})
    return [(problem.code, problem.severity) for problem in check(project, checks=CONDITION_CHECKS)]


@pytest.mark.parametrize(
    ("condition", "code", "severity"),
    [
        ("slots.plan = 'basic' and slots.plan = 'max'", "condition-never-true", "error"),
        ("slots.plan = 'gold'", "condition-never-true", "error"),
        ("slots.plan = 5", "condition-never-true", "error"),
        ("slots.plan != 'gold'", "condition-always-true", "error"),
        ("slots.set_by_action = 'three'", "condition-never-true", "warning"),
        ("{'gold' 'max'} contains slots.plan", "condition-never-true", "error"),
        ("slots.age > 120", "condition-never-true", "error"),
        ("slots.age < 0", "condition-never-true", "error"),
        ("slots.age > 60 and slots.age < 18", "condition-never-true", "error"),
        ("slots.yes and not slots.yes", "condition-never-true", "error"),
        ("slots.yes or not slots.yes", "condition-always-true", "warning"),
        ("slots.word = null and slots.word = 'a'", "condition-never-true", "error"),
        ("slots.word = 'a' or slots.word != 'a'", "condition-always-true", "warning"),
        ("slots.yes < 1", "condition-wrong-type", "error"),
        ("slots.yes = 'perhaps'", "condition-wrong-type", "error"),
        ("slots.age = 'old'", "condition-wrong-type", "error"),
        ("slots.plan > 'basic'", "condition-wrong-type", "error"),
        ("slots.word < 5", "condition-wrong-type", "warning"),
        ("slots.several = 'a'", "condition-wrong-type", "error"),
        ("slots.age matches '^1'", "condition-wrong-type", "error"),
        ("slots.yes contains 'a'", "condition-wrong-type", "error"),
        ("slots.word = hello", "condition-bare-word", "warning"),
        ("yes", "condition-bare-word", "error"),
        ("nonsense", "condition-bare-word", "error"),
        ("slots.yes and plan = 'max'", "condition-bare-word", "error"),
        ("slot.plan = 'max'", "condition-unknown-name", "error"),
        ("context.resaon = 'x'", "condition-unknown-name", "warning"),
        ("context.something_of_ours = 'x'", "condition-unknown-name", "info"),
        ("slots.yes and slots.word = 'a' or slots.age > 5", "condition-mixed-and-or", "warning"),
    ],
)
def test_found(condition: str, code: str, severity: str) -> None:
    assert found(condition) == [(code, severity)]


@pytest.mark.parametrize(
    "condition",
    [
        "slots.plan = 'basic'",
        "slots.plan is not null",
        "slots.plan is not null and slots.plan != 'max'",
        "{'basic' 'max'} contains slots.plan",
        "slots.yes = true",
        "slots.yes = 'false'",
        "slots.yes is not True",
        "not slots.yes",
        "slots.age >= 120",
        "slots.age = 0",
        "slots.age > 17.5 and slots.age < 18",
        "slots.word = 0",
        "slots.word = 'a' and not slots.word = 'b'",
        "slots.word matches '^a' and slots.word matches 'b$'",
        "slots.word contains 'a' and slots.word != 'b'",
        "slots.word < 'm' and slots.word > 'd'",
        "slots.thing = 5 or slots.thing = 'five'",
        "slots.thing.amount > 5",
        "slots.several contains 'a'",
        "slots.word = empty",
        "slots.word != undefined",
        "slots.word = slots.thing",
        "context.reason = 'x'",
        "(slots.yes and slots.word = 'a') or slots.age > 5",
        "slots.age > 5 or slots.yes and slots.word = 'a'",
        "slots.word = 'this and that or another'",
        "slots.{{context.collect}} is not null",
    ],
)
def test_silent(condition: str) -> None:
    assert found(condition) == []


@pytest.mark.parametrize(
    "conditions",
    [
        ("slots.yes", "slots.yes"),
        ("slots.age > 10", "slots.age > 20"),
        ("slots.plan = 'basic'", "slots.plan = 'max'", "slots.plan is not null"),
        ("slots.plan is not null", "slots.plan = 'max' and slots.yes"),
    ],
)
def test_a_branch_earlier_ones_leave_nothing_for(conditions: tuple[str, ...]) -> None:
    assert found(*conditions) == [("branch-never-taken", "warning")]


@pytest.mark.parametrize(
    "conditions",
    [
        ("slots.age > 20", "slots.age > 10"),
        ("slots.yes", "not slots.yes"),
        ("slots.plan = 'basic'", "slots.plan = 'max'"),
        ("slots.word matches 'a'", "slots.word matches 'b'"),
        ("slots.yes = true", "slots.yes = false", "slots.yes = null"),
    ],
)
def test_branches_that_leave_something(conditions: tuple[str, ...]) -> None:
    assert found(*conditions) == []


def test_a_branch_after_one_without_a_condition() -> None:
    step = NoopStep(id="a", next=(Branch(END), Branch(END, Condition.parse("slots.yes"), Place("f.yml", 7))), place=Place("f.yml"))
    project = Project(Path("."), {"f": Flow("f", "d", (step,), "1", place=Place("f.yml"))}, SLOTS, {}, {})
    problems: tuple[Problem, ...] = check(project, checks=CONDITION_CHECKS)
    assert [(problem.code, problem.place.line) for problem in problems] == [("branch-never-taken", 7)]


def test_too_many_names_are_not_judged() -> None:
    many = " and ".join(f"slots.thing{number} = {number}" for number in range(12))
    slots = {f"thing{number}": Slot(f"thing{number}", "any") for number in range(12)}
    expression = Condition.parse(f"{many} and slots.thing0 = 'other'").expression
    assert expression is not None
    assert verdict(expression, slots) is None


# --- what is said for certain is certain ---------------------------------------------------------------------------------------------

OPERANDS = ("'basic'", "'max'", "'a'", "''", "0", "1", "60", "-3.5", "true", "false", "null")
ATOMS = st.one_of(
    st.builds(
        "slots.{} {} {}".format,
        st.sampled_from(sorted(SLOTS)),
        st.sampled_from(["=", "!=", "<", ">=", "is", "is not"]),
        st.sampled_from(OPERANDS),
    ),
    st.builds("slots.{} = {}".format, st.sampled_from(sorted(SLOTS)), st.sampled_from(["empty", "undefined"])),
    st.builds(
        "slots.{} {} '{}'".format,
        st.sampled_from(["word", "thing"]),
        st.sampled_from(["contains", "matches"]),
        st.sampled_from(["a", "x", "1"]),
    ),
    st.builds("{{'basic' 'a'}} contains slots.{}".format, st.sampled_from(sorted(SLOTS))),
    st.builds("slots.{}".format, st.sampled_from(sorted(SLOTS))),
    st.builds("slots.{} {} slots.{}".format, st.sampled_from(sorted(SLOTS)), st.sampled_from(["=", ">"]), st.sampled_from(sorted(SLOTS))),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner), st.builds("({}) or ({})".format, inner, inner), st.builds("not ({})".format, inner)
    ),
    max_leaves=5,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "plan": st.sampled_from([None, "basic", "max"]),
    "set_by_action": st.sampled_from([None, "one", "two"]),
    "yes": st.sampled_from([None, True, False]),
    "age": st.one_of(st.none(), st.floats(0, 120), st.integers(0, 120)),
    "word": st.one_of(st.none(), st.sampled_from(["", "a", "max", "0", "60", "true", "False"]), st.text(max_size=4), st.integers(-5, 70)),
    "thing": st.one_of(
        st.none(), st.booleans(), st.sampled_from(["", "a", "basic"]), st.integers(-5, 70), st.lists(st.just("a"), max_size=2)
    ),
    "several": st.one_of(st.none(), st.lists(st.sampled_from(["a", "basic", "1"]), max_size=3)),
}


@given(CONDITIONS, st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=8))
@settings(deadline=None, max_examples=250)
def test_never_and_always_are_true_for_every_value(text: str, worlds: list[dict[str, Any]]) -> None:
    condition = Condition.parse(text)
    assert condition.expression is not None
    said = verdict(condition.expression, SLOTS)
    if said is not None:
        assert {condition.holds(world) for world in worlds} == {said}


@given(st.lists(CONDITIONS, min_size=2, max_size=3), st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=8))
@settings(deadline=None, max_examples=150)
def test_a_branch_said_to_be_taken_before_is(texts: list[str], worlds: list[dict[str, Any]]) -> None:
    *earlier, last = [Condition.parse(text) for text in texts]
    assert last.expression is not None
    if taken_before([other.expression for other in earlier if other.expression is not None], last.expression, SLOTS):
        assert all(any(other.holds(world) for other in earlier) for world in worlds if last.holds(world))
