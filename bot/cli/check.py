"""`switchboard check`."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from bot.language.check import check, words_in_code
from bot.language.report import as_json as problems_as_json
from bot.language.report import at_least, exit_status, merged, show

from .projects import load_project


def run(project: Path | None, *, as_json: bool, strict: bool, info: bool, max_segments: int, compat: str | None) -> int:
    """Prints the problems and returns the exit status: 1 with errors, with `strict` also with warnings."""
    from integrations.rasa import ActionsImportError, InProcessActions

    loaded = load_project(project, compat)
    problems = loaded.problems
    names: frozenset[str] | None = None
    if not loaded.project.settings.get("actions", {}).get("url"):
        try:
            with InProcessActions(loaded.project.root, services={"bss": object()}) as actions:
                names = actions.names
        except ActionsImportError as error:
            problems = (*problems, *error.problems)
    words = words_in_code(loaded.project.root)
    found = check(
        loaded.project,
        knows_action=None if names is None else names.__contains__,
        max_segments=max_segments,
        mentions=words,
    )
    everything = merged(problems, found)
    shown = everything if info else at_least(everything, "warning")
    if as_json:
        sys.stdout.write(problems_as_json(shown) + "\n")
    else:
        show(shown, Console())
    return exit_status(everything, strict)
