from __future__ import annotations

import pytest

from bot.testing.selection import SelectionError, selection

NAME = "tests/bills.yml::Pays a bill by card"


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("", True),
        ("pays", True),
        ("pays a bill", True),
        ("'by card'", True),
        ("bill pays", False),
        ("bills.yml and card", True),
        ("cash or card", True),
        ("cash or card and cash", False),
        ("(cash or card) and not roaming", True),
        ("not card", False),
        ("not not card", True),
        ("NOT cash AND Card", True),
    ],
)
def test_selection(expression: str, fits: bool) -> None:
    assert selection(expression)(NAME) is fits


@pytest.mark.parametrize("expression", ["and", "a and", "(a", "a)", "'a", "not", "a (b)"])
def test_unreadable(expression: str) -> None:
    with pytest.raises(SelectionError, match="-k"):
        selection(expression)
