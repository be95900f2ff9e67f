"""Shows problems to people and to programs: lines `file:line:column code message (hint)` with a summary, or JSON; and the exit status."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .spec import Problem, Severity

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_ORDER: tuple[Severity, ...] = ("error", "warning", "info")
_STYLES = {"error": "bold red", "warning": "yellow", "info": "blue"}


def exit_status(problems: Iterable[Problem], strict: bool = False) -> int:
    """1 when there are errors; with `strict` also when there are warnings; else 0."""
    bad = ("error", "warning") if strict else ("error",)
    return int(any(problem.severity in bad for problem in problems))


def summary(problems: Iterable[Problem]) -> str:
    """For example `2 errors, 1 warning`; `no problems` when there are none."""
    counts = Counter(problem.severity for problem in problems)
    parts = [_counted(counts[severity], severity) for severity in _ORDER if counts[severity]]
    return ", ".join(parts) or "no problems"


def at_least(problems: Iterable[Problem], least: Severity) -> tuple[Problem, ...]:
    """The problems that are as bad as `least`, or worse."""
    wanted = _ORDER[: _ORDER.index(least) + 1]
    return tuple(problem for problem in problems if problem.severity in wanted)


def merged(*groups: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems of the loader and of the checks in one order. What a later group says again (code, place) is dropped."""
    kept: dict[Problem, None] = {}
    for group in groups:
        said = {(problem.place, problem.code) for problem in kept}
        kept.update((problem, None) for problem in group if (problem.place, problem.code) not in said)
    return tuple(sorted(kept, key=lambda problem: (problem.place, _ORDER.index(problem.severity), problem.code, problem.message)))


def lines(problems: Iterable[Problem]) -> list[str]:
    """One plain line a problem, as editors and continuous integration read them, and the summary."""
    listed = list(problems)
    return [*(_line(problem).plain for problem in listed), summary(listed)]


def show(problems: Sequence[Problem], console: Console) -> None:
    """Writes the lines to a console: coloured on a terminal, plain and never wrapped when piped."""
    from rich.text import Text

    for problem in problems:
        console.print(_line(problem), soft_wrap=True, highlight=False)
    worst = next((severity for severity in _ORDER if any(problem.severity == severity for problem in problems)), None)
    console.print(Text(summary(problems), style=_STYLES[worst] if worst else "green"), soft_wrap=True, highlight=False)


def as_json(problems: Sequence[Problem]) -> str:
    """`{"problems": [{file, line, column, severity, code, message, hint}, ...], "counts": {error, warning, info}}`."""
    listed = [
        {
            "file": problem.place.file,
            "line": problem.place.line,
            "column": problem.place.column,
            "severity": problem.severity,
            "code": problem.code,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in problems
    ]
    counts = Counter(problem.severity for problem in problems)
    return json.dumps({"problems": listed, "counts": {severity: counts[severity] for severity in _ORDER}}, ensure_ascii=False, indent=2)


def _line(problem: Problem) -> Text:
    from rich.text import Text

    text = Text()
    text.append(str(problem.place), style="bold")
    text.append(" ")
    text.append(f"{problem.severity}", style=_STYLES[problem.severity])
    text.append(" ")
    text.append(problem.code, style="cyan")
    text.append(f" {_flat(problem.message)}")
    if problem.hint:
        text.append(f" ({_flat(problem.hint)})", style="dim")
    return text


def _flat(text: str) -> str:
    return " ".join(text.split())


def _counted(count: int, severity: str) -> str:
    return f"{count} {severity if severity == 'info' or count == 1 else severity + 's'}"
