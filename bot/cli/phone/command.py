"""The command: makes the provider's place for the telephone to stand in, and starts it."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from urllib.parse import urlsplit

from bot.channels.simulator import Handset
from bot.channels.simulator import number as as_number
from bot.cli.failures import UsageError
from bot.testing.doubles.twilio import TwilioDouble

from .account import account
from .telephone import Telephone


def run(number: str, server: str, api_port: int, business: str) -> int:
    """Talks until /quit or the end of the input; 1 when a script's message could not be delivered. Raises UsageError."""
    try:
        own, ours = as_number(number), as_number(business)
    except ValueError as error:
        raise UsageError(f"--as and --to: {error}") from None
    settings = account(os.environ, server.rstrip("/"), api_port)
    port = urlsplit(settings.api_base_url).port or api_port
    double = TwilioDouble(
        account=settings.account_sid,
        token=settings.auth_tokens[0],
        api_keys=dict([settings.api_key] if settings.api_key else []),
        senders=(ours,),
        services={settings.messaging_service_sid: ours} if settings.messaging_service_sid else {},
        public_base_url=settings.public_base_url,
        connect_to=server.rstrip("/"),
        port=port,
        salt=secrets.token_hex(8),  # a server remembers the messages of the last telephone
        handles_opt_out=settings.provider_handles_opt_out,
    )
    try:
        return asyncio.run(Telephone(double, settings, Handset(own), ours).run())
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise UsageError(f"port {port} is taken, perhaps by another `switchboard phone`: end it, or choose one with --api-port") from None
