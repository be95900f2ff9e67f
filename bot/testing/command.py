"""What `switchboard test` does once it knows how to open the bot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from .api import ReadyBot, Share, run
from .junit import write_junit
from .report import TerminalReport
from .runner import Settings


async def run_and_tell(
    paths: Iterable[str | Path],
    open_bot: ReadyBot,
    settings: Settings = Settings(),
    *,
    select: str = "",
    share: Share = "run",
    junit: Path | None = None,
    console: Console | None = None,
) -> int:
    """Runs test cases and tells the result in the terminal and, if asked, as JUnit XML. Returns the exit status (0, 1 or 2)."""
    with TerminalReport(console or Console()) as listener:
        report = await run(paths, open_bot, settings, select=select, share=share, listener=listener)
        listener.finish(report)
    if junit is not None:
        write_junit(report, junit)
    return report.exit_status
