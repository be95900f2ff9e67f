"""Which account the telephone and the server have in common."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.cli.failures import UsageError
from integrations.twilio import TwilioSettings, TwilioSettingsError
from integrations.twilio.simulated import simulated_settings

_LOCAL = ("127.0.0.1", "localhost", "::1")


def account(env: Mapping[str, str], server: str, api_port: int) -> TwilioSettings:
    """The account a server on this machine uses: the one its environment names, if its API is simulated here, else the simulated one.

    Raises UsageError where the telephone could not take the provider's place.
    """
    parts = urlsplit(server)
    if parts.scheme != "http" or parts.hostname not in _LOCAL or parts.path:
        raise UsageError(f"--server {server}: a server on this machine, such as http://127.0.0.1:8080")
    try:
        if not env.get("TWILIO_ACCOUNT_SID"):
            return simulated_settings(f"http://127.0.0.1:{parts.port or 80}", f"http://127.0.0.1:{api_port}")
        settings = TwilioSettings.from_env(env)
    except TwilioSettingsError as error:
        raise UsageError(str(error)) from None
    if urlsplit(settings.api_base_url).hostname not in _LOCAL:
        raise UsageError(
            "TWILIO_ACCOUNT_SID is set, so a server started here sends to Twilio itself, not to this telephone: unset the TWILIO_* "
            f"variables, or set TWILIO_API_BASE_URL=http://127.0.0.1:{api_port} for both"
        )
    return settings
