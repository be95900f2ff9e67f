from __future__ import annotations

import pytest

from bot.dialogue.commands import parse
from bot.language import Place
from bot.testing.scoring import MessageScore, Tally, same, score_message, total

HERE = Place("t.yml", 3)


def score(expected: str, predicted: str) -> MessageScore:
    """Commands are parted by `;`."""
    read = [[parse(text) for text in texts.split(";") if text.strip()] for texts in (expected, predicted)]
    return score_message(HERE, "x", *read)


@pytest.mark.parametrize(
    ("expected", "predicted", "right"),
    [
        ("StartFlow(a)", "StartFlow(a)", True),
        ("StartFlow(a); SetSlot(b, 1)", "SetSlot(b, 1); StartFlow(a)", True),
        ("StartFlow(a)", "StartFlow(b)", False),
        ("StartFlow(a)", "StartFlow(a); CancelFlow()", False),
        ("StartFlow(a)", "", False),
        ("", "", True),
        ("", "CannotHandle()", True),
        ("", "ChitChat()", False),
        ("Clarify()", "Clarify(a, b)", True),
        ("Clarify(b, a)", "Clarify(a, b)", True),
        ("Clarify(a)", "Clarify(a, b)", False),
        ("Clarify(a)", "Clarify()", False),
        ("SetSlot(a, 50)", "SetSlot(a, 50.0)", True),
        ("SetSlot(a, True)", "SetSlot(a, true)", True),
        ("SetSlot(a, Basic)", "SetSlot(a, basic)", True),
        ("SetSlot(a, Basic)", "SetSlot(b, Basic)", False),
        ("SetSlot(a, None)", "SetSlot(a, x)", False),
        ("StartFlow(a); StartFlow(a)", "StartFlow(a)", True),
    ],
)
def test_one_message(expected: str, predicted: str, right: bool) -> None:
    assert score(expected, predicted).is_right is right


def test_what_differs() -> None:
    found = score("StartFlow(a); SetSlot(b, 1)", "StartFlow(a); SetSlot(b, 2); CancelFlow()")
    assert list(map(str, found.missed)) == ["SetSlot(b, 1)"]
    assert list(map(str, found.wrong)) == ["SetSlot(b, 2)", "CancelFlow()"]
    assert found.kinds == {"StartFlow": Tally(1), "SetSlot": Tally(0, 1, 1), "CancelFlow": Tally(0, 1, 0)}


def test_sums_by_hand() -> None:
    """Two conversations of two messages, reckoned on paper.

    StartFlow: right 2 (a, b), wrong 1 (c), missed 0: precision 2/3, recall 1, F1 4/5.
    SetSlot: right 1, wrong 0, missed 2: precision 1, recall 1/3, F1 1/2. CannotHandle: wrong 1, nothing to find.
    """
    first = [score("StartFlow(a); SetSlot(x, 1)", "StartFlow(a); SetSlot(x, 1)"), score("SetSlot(y, 2)", "StartFlow(c)")]
    second = [score("StartFlow(b)", "StartFlow(b)"), score("SetSlot(z, 3)", "")]
    found = total([first, second, []])
    assert (found.messages, found.right, found.accuracy) == (4, 2, 0.5)
    assert (found.cases, found.right_cases, found.case_accuracy) == (2, 0, 0.0)
    start, put, lost = found.kinds["StartFlow"], found.kinds["SetSlot"], found.kinds["CannotHandle"]
    assert start == Tally(2, 1, 0)
    assert [start.precision, start.recall, start.f1] == pytest.approx([2 / 3, 1, 4 / 5])
    assert put == Tally(1, 0, 2)
    assert [put.precision, put.recall, put.f1] == pytest.approx([1, 1 / 3, 1 / 2])
    assert (lost.precision, lost.recall, lost.f1) == (0.0, None, 0.0)
    assert total([[score("CancelFlow()", "CancelFlow()")]]).case_accuracy == 1.0


def test_nothing_to_score() -> None:
    assert total([]).accuracy is None
    assert total([[]]).case_accuracy is None
    assert Tally().f1 is None


def test_an_annotated_open_clarification_is_not_the_predicted_one() -> None:
    assert same(parse("Clarify()"), parse("Clarify(a)"))
    assert not same(parse("Clarify(a)"), parse("Clarify()"))
