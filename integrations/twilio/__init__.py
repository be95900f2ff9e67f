"""Twilio: text messages, WhatsApp and RCS as one `bot.channels.MessageChannel`.

`open_channel` makes one; the rest is for tests and for an operator's own composition.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .channel import TwilioChannel
from .errors import ErrorKind, TwilioError, lookup
from .media import MediaFetcher, MediaPolicy
from .rest import TwilioRest, open_http
from .settings import TwilioSettings, TwilioSettingsError

__all__ = [
    "ErrorKind",
    "MediaFetcher",
    "MediaPolicy",
    "TwilioChannel",
    "TwilioError",
    "TwilioRest",
    "TwilioSettings",
    "TwilioSettingsError",
    "lookup",
    "open_channel",
]


@asynccontextmanager
async def open_channel(
    settings: TwilioSettings, *, media: MediaPolicy | None = None, trust_env: bool = True
) -> AsyncIterator[TwilioChannel]:
    """A channel and its connections, closed at the end. `trust_env`: whether proxies named in the environment are used."""
    async with open_http(settings, trust_env=trust_env) as http:
        yield TwilioChannel(settings, TwilioRest(settings, http), MediaFetcher(settings, http, media or MediaPolicy.of(settings)))
