"""`python -m bot.testing.doubles.twilio`: a Twilio in a process of its own, which outlives what is killed around it.

Its first line of output is its address. See `control` for what can be asked of it over HTTP, beside the provider's own API.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress

from .double import TwilioDouble
from .faults import Chaos, Deliveries


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.testing.doubles.twilio", description="A Twilio on this machine, for tests.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (the default) is any that is free")
    parser.add_argument("--bot", default="http://127.0.0.1:8080", help="where the bot's webhooks are, scheme and host and port")
    parser.add_argument("--public-base-url", default="", help="what is signed, when it is not the address above")
    parser.add_argument("--account", default=TwilioDouble().account, help="SID of the account")
    parser.add_argument("--token", default=TwilioDouble().token, help="token of the account")
    parser.add_argument("--sender", action="append", help="a number of the account; may be given again")
    parser.add_argument("--receipts", default="sent,delivered", help="what is told of each message, with commas; empty for nothing")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each receipt")
    parser.add_argument("--salt", default="", help="makes the SIDs of this run differ from those of another")
    parser.add_argument("--chaos", type=int, metavar="SEED", help="everything is told twice or more, receipts in any order")
    return parser.parse_args()


async def _serve(given: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    public, bot = given.public_base_url.rstrip("/"), given.bot.rstrip("/")
    receipts = tuple(word.strip() for word in given.receipts.split(",") if word.strip())
    double = TwilioDouble(
        account=given.account,
        token=given.token,
        public_base_url=public or bot,
        connect_to=bot if public else "",
        deliveries=Deliveries(receipts, delay=given.delay) if receipts else None,
        chaos=None if given.chaos is None else Chaos(given.chaos),
        port=given.port,
        salt=given.salt,
        senders=tuple(given.sender or TwilioDouble().senders),
    )
    async with double:
        sys.stdout.write(f"{double.url}\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
