"""Plays test cases written by designers against a bot: the documented end-to-end and annotated-commands formats.

`run` finds, reads, plays and judges; `command.run_and_tell` is what `switchboard test` calls.
The bot is reached through the `Session` port only.
"""

from .api import ReadyBot, open_ready, run
from .results import Check, Outcome, Report, TurnResult
from .runner import Settings, play
from .scenarios import Case, Exchange, Stub
from .scoring import MessageScore, Score, Tally
from .session import PlayedTurn, Session
from .stubs import StubbedActions

__all__ = [
    "Case",
    "Check",
    "Exchange",
    "MessageScore",
    "Outcome",
    "PlayedTurn",
    "ReadyBot",
    "Report",
    "Score",
    "Session",
    "Settings",
    "Stub",
    "StubbedActions",
    "Tally",
    "TurnResult",
    "open_ready",
    "play",
    "run",
]
