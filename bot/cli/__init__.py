"""The command line: `switchboard check | graph | test | chat | demo | new | bench`. Heavy imports happen inside the commands."""

from .main import main

__all__ = ["main"]
