from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.language import Project, load

from .projects import TRANSFER
from .talk import FakeActions, Talk

MakeTalk = Callable[..., Talk]


def merged_project(folder: Path, texts: tuple[str, ...], compat: Any) -> Project:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        (folder / "data" / f"part{number}.yml").write_text(text, encoding="utf-8")
    (folder / "domain.yml").write_text("version: '3.1'\n", encoding="utf-8")
    loaded = load(folder, compat=compat)
    assert not loaded.errors, [str(problem) for problem in loaded.errors]
    return loaded.project


def bank_actions(sent: list[Any] | None = None) -> FakeActions:
    ledger = sent if sent is not None else []

    def execute(call: Any) -> dict[str, Any]:
        ledger.append((call.slots["recipient"], call.slots["amount"]))
        return {}

    return FakeActions(check_funds=lambda call: {"has_funds": float(call.slots["amount"]) <= 100}, execute_transfer=execute)


@pytest.fixture
def make_talk(tmp_path: Path) -> MakeTalk:
    """`make_talk(*yaml_texts, compat="3.11", actions=...)`: a conversation with a project made of these texts."""

    def make(*texts: str, compat: str = "3.11", actions: Any = None, **options: Any) -> Talk:
        project = merged_project(tmp_path, texts or (TRANSFER,), compat)
        return Talk(project, actions if actions is not None else bank_actions(), **options)

    return make


__all__ = ["MakeTalk", "bank_actions", "merged_project"]
