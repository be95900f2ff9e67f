"""How well held-out phrasings are understood, and how fast. The floors are modest on purpose; `-s` prints the figures."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime

import pytest

from bot.dialogue.commands import Clarify, StartFlow
from bot.dialogue.state import State
from bot.dialogue.understander import Message, Understanding
from bot.language import Project
from bot.understanding import LocalUnderstander

from .held_out import HELD_OUT
from .telecom import asking, project


def trained(project: Project) -> LocalUnderstander:
    return LocalUnderstander.train(project, now=lambda: datetime(2025, 3, 5, 10))


def outcome(understanding: Understanding, flow: str) -> str:
    starts = [command.flow for command in understanding.commands if isinstance(command, StartFlow)]
    if starts:
        return "right" if flow in starts else "wrong"
    offered = [name for command in understanding.commands if isinstance(command, Clarify) for name in command.flows]
    return ("offered" if flow in offered else "misoffered") if offered else "left alone"


def figures(understander: LocalUnderstander, telecom: Project, language: str, *, inside: bool) -> Counter[str]:
    rows = [(flow, text) for spoken, flow, text in HELD_OUT if spoken == language and bool(flow) is inside]
    counted = Counter(outcome(understander.understand(Message(text, language), State(), telecom), flow) for flow, text in rows)
    print(f"{language} {'in' if inside else 'out of'} scope, n={len(rows)}: {dict(counted)}")
    return counted


@pytest.mark.parametrize(("language", "right", "wrong"), [("en", 0.65, 0.15), ("ko", 0.75, 0.15)])
def test_most_held_out_phrasings_start_the_flow_that_is_meant(language: str, right: float, wrong: float) -> None:
    telecom = project()
    counted = figures(trained(telecom), telecom, language, inside=True)
    assert counted["right"] / counted.total() >= right
    assert counted["wrong"] / counted.total() <= wrong


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_no_flow_is_about_is_mostly_left_alone(language: str) -> None:
    telecom = project()
    counted = figures(trained(telecom), telecom, language, inside=False)
    assert counted["left alone"] / counted.total() >= 0.8


def test_five_examples_a_language_are_enough_to_be_useful() -> None:
    telecom = project(limit=5)
    counted = figures(trained(telecom), telecom, "en", inside=True) + figures(trained(telecom), telecom, "ko", inside=True)
    assert (counted["right"] + counted["offered"]) / counted.total() >= 0.7


def test_names_and_descriptions_alone_still_start_flows() -> None:
    telecom = project(with_examples=False)
    understander = trained(telecom)
    for text, flow in (
        ("view my bill", "view_bill"),
        ("change plan", "change_plan"),
        ("로밍", "roaming"),
        ("분실 신고", "lost_phone"),
        ("data usage", "data_usage"),
    ):
        assert outcome(understander.understand(Message(text), State(), telecom), flow) == "right", text


def test_training_and_answering_are_quick() -> None:
    telecom = project()
    trained(telecom)  # imports
    begin = time.process_time()
    understander = trained(telecom)
    training = time.process_time() - begin
    took = []
    for state in (State(), asking("change_plan", "confirm", filled=[("plan", "5G Plus")]), asking("change_plan", "plan")):
        for language, _, text in HELD_OUT:
            begin = time.process_time()
            understander.understand(Message(text, language), state, telecom)
            took.append(time.process_time() - begin)
    took.sort()
    p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
    print(f"training {training:.2f} s CPU; a message p50 {p50:.2f} ms, p99 {p99:.2f} ms CPU (n={len(took)})")
    assert training < 2
    assert p99 < 25


def test_training_twice_gives_the_same_answers() -> None:
    telecom = project()
    one, two = trained(telecom), trained(telecom)
    for language, _, text in HELD_OUT[::5]:
        assert one.understand(Message(text, language), State(), telecom) == two.understand(Message(text, language), State(), telecom)
