"""`python -m bot.cli` is `switchboard`."""

from .main import main

main()
