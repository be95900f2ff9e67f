"""An account at a Twilio that is simulated on this machine: what `switchboard serve` and `switchboard phone` agree on without being told.

Its token is public, so whoever can reach a server with this account can forge messages: servers take it on loopback addresses only.
"""

from __future__ import annotations

from .settings import TwilioSettings

ACCOUNT_SID = "AC" + "0" * 26 + "511711"
AUTH_TOKEN = "simulated" + "0" * 23
BUSINESS_NUMBER = "+12025550100"
SERVER_URL = "http://127.0.0.1:8080"
API_URL = "http://127.0.0.1:8090"


def simulated_settings(public_base_url: str = SERVER_URL, api_base_url: str = API_URL) -> TwilioSettings:
    """The account, with a server at `public_base_url` and the simulated carrier's API at `api_base_url`."""
    return TwilioSettings(ACCOUNT_SID, (AUTH_TOKEN,), public_base_url, api_base_url=api_base_url, segments_per_second=50.0)
