"""Tells a run in the terminal: progress while it goes on, then what failed, turn by turn, and the sums."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .results import Outcome, Report, TurnResult
from .scoring import Score

_STYLES = {"passed": "green", "failed": "red", "skipped": "yellow"}
_MARKS = {"passed": "  ok  ", "failed": " FAIL ", "skipped": " skip "}


class TerminalReport:
    """A listener that shows a bar on a terminal and nothing elsewhere; `finish` tells the result."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._failed = 0

    def __enter__(self) -> TerminalReport:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def started(self, cases: int) -> None:
        if self._console.is_terminal and cases:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("playing", total=cases)
            self._bar.start()

    def played(self, outcome: Outcome) -> None:
        self._failed += outcome.status == "failed"
        if self._bar is not None:
            description = f"[red]{self._failed} failed[/red]" if self._failed else "playing"
            self._bar.update(self._task, advance=1, description=description)

    def finish(self, report: Report) -> None:
        """Prints failures, skipped cases, problems of files, the score if there is one, and the sums as the last line."""
        self._stop()
        for outcome in report.outcomes:
            if outcome.status == "failed":
                self._print_failure(outcome)
        for outcome in report.outcomes:
            if outcome.status == "skipped":
                self._print(f"skipped {outcome.place}  {outcome.case}: {outcome.reason}", "yellow")
        for problem in report.problems:
            self._print(str(problem), "red")
        if report.score.messages:
            self._print_score(report.score)
        failed = report.exit_status != 0
        self._print(report.summary, "bold red" if failed else "bold green")

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _print_failure(self, outcome: Outcome) -> None:
        self._print(f"FAILED {outcome.place}  {outcome.case}", "bold red")
        for line in transcript(outcome):
            self._print(f"  {line}", "red" if line.startswith(_MARKS["failed"]) else "")
        self._print("")

    def _print_score(self, score: Score) -> None:
        table = Table("command", "right", "wrong", "missed", "precision", "recall", "F1", title="Understanding", title_justify="left")
        for column in table.columns[1:]:
            column.justify = "right"
        for kind, tally in score.kinds.items():
            shares = (_share(share) for share in (tally.precision, tally.recall, tally.f1))
            table.add_row(kind, str(tally.right), str(tally.wrong), str(tally.missed), *shares)
        self._console.print(table)
        self._print(f"messages understood: {score.right} of {score.messages} ({_share(score.accuracy)})")
        self._print(f"cases understood: {score.right_cases} of {score.cases} ({_share(score.case_accuracy)})")

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style), soft_wrap=True)


def transcript(outcome: Outcome) -> list[str]:
    """A case in lines: each turn, what was expected of it and, where it failed, what happened instead."""
    if not outcome.turns:
        return [outcome.reason] if outcome.reason else []
    lines: list[str] = []
    for number, turn in enumerate(outcome.turns, 1):
        said = "(session start)" if turn.text is None else f'user: "{turn.text}"'
        lines.append(f"{number}. {said}  [line {turn.place.line}]")
        lines += _checks(turn)
    return lines


def _checks(turn: TurnResult) -> list[str]:
    lines: list[str] = []
    for check in turn.checks:
        line = f"{_MARKS[check.status]} {check.expected}"
        if check.status == "failed":
            line += f"  [line {check.place.line}]"
        lines.append(line)
        if check.actual:
            lines.append(f"        {check.actual}")
    if turn.error:
        lines.append(f"{_MARKS['failed']} the bot raised {turn.error}")
    if turn.status == "failed" and turn.happened:
        lines.append("        what happened:")
        lines += (f"          {line}" for line in turn.happened)
    return lines


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
