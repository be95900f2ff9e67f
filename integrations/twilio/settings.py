"""What an account at Twilio needs to be told to us, as one value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_API = "https://api.twilio.com"
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|whatsapp:\+[1-9]\d{6,14}|rcs:\S+")


class TwilioSettingsError(ValueError):
    """What is missing or wrong, all of it at once. Holds names of variables, never their values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Twilio is not configured: " + "; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """`auth_tokens`: the account's token first, then the one being rotated out or in; all are accepted on webhooks.

    `public_base_url`: what Twilio calls us by, scheme and host and any path before ours, exactly as entered in its console;
    signatures cover it. `webhook_keys`: secrets of shared keys, if webhooks are signed by those. `api_key` is a pair (SK..., secret), used for requests instead of the account's token if given.
    Times are seconds in total, of one attempt; `settling_seconds` is how long an accepted message may be missing from Twilio's lists.
    `senders`: our own numbers as Twilio writes them (`+12025550100`, `whatsapp:+12025550100`), for listing what came to them; empty for all.
    """

    account_sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)
    public_base_url: str
    api_key: tuple[str, str] | None = field(default=None, repr=False)
    message_path: str = "/channels/twilio/messages"
    status_path: str = "/channels/twilio/status"
    webhook_keys: tuple[str, ...] = field(default=(), repr=False)
    messaging_service_sid: str | None = None
    senders: tuple[str, ...] = ()
    api_base_url: str = _API
    send_timeout: float = 10.0
    list_timeout: float = 15.0
    media_timeout: float = 30.0
    settling_seconds: float = 30.0
    max_segments: int = 3
    segments_per_second: float = 1.0
    provider_handles_opt_out: bool = True

    @property
    def basic_auth(self) -> tuple[str, str]:
        """A key with its own secret, or the account with its token: never one's name with the other's secret."""
        return self.api_key or (self.account_sid, self.auth_tokens[0])

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """All that may have signed a webhook."""
        return self.auth_tokens + self.webhook_keys

    @property
    def status_url(self) -> str:
        return self.public_base_url + self.status_path

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise TwilioSettingsError(problems)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> TwilioSettings:
        """From environment variables; see `integrations/twilio/README.md` for their list. Raises TwilioSettingsError."""
        problems: list[str] = []
        given = {name: value.strip() for name, value in env.items() if name.startswith("TWILIO_") and value.strip()}

        def need(name: str) -> str:
            if name not in given:
                problems.append(f"{name} is not set")
            return given.get(name, "")

        def number(name: str, default: float) -> float:
            try:
                return float(given.get(name, default))
            except ValueError:
                problems.append(f"{name} is not a number")
                return default

        key, secret = given.get("TWILIO_API_KEY_SID"), given.get("TWILIO_API_KEY_SECRET")
        if (key is None) != (secret is None):
            problems.append("TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET belong together: set both or neither")
        opt_out = given.get("TWILIO_HANDLES_OPT_OUT", "true").lower()
        if opt_out not in ("true", "false"):
            problems.append("TWILIO_HANDLES_OPT_OUT is 'true' or 'false'")
        account = need("TWILIO_ACCOUNT_SID")
        tokens = tuple(token for token in (need("TWILIO_AUTH_TOKEN"), given.get("TWILIO_AUTH_TOKEN_SECONDARY", "")) if token)
        base = need("TWILIO_PUBLIC_BASE_URL").rstrip("/")
        segments, rate = number("TWILIO_MAX_SEGMENTS", 3), number("TWILIO_SEGMENTS_PER_SECOND", 1)
        timeout, settling = number("TWILIO_SEND_TIMEOUT", 10), number("TWILIO_SETTLING_SECONDS", 30)
        if problems:
            raise TwilioSettingsError(problems)
        return cls(
            account,
            tokens,
            base,
            api_key=(key, secret) if key and secret else None,
            webhook_keys=_several(given.get("TWILIO_WEBHOOK_SHARED_KEYS", "")),
            messaging_service_sid=given.get("TWILIO_MESSAGING_SERVICE_SID"),
            senders=_several(given.get("TWILIO_SENDERS", "")),
            api_base_url=given.get("TWILIO_API_BASE_URL", _API).rstrip("/"),
            send_timeout=timeout,
            settling_seconds=settling,
            max_segments=int(segments),
            segments_per_second=rate,
            provider_handles_opt_out=opt_out == "true",
        )


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _problems(settings: TwilioSettings) -> list[str]:
    problems: list[str] = []
    if not (settings.account_sid.startswith("AC") and len(settings.account_sid) == 34):
        problems.append("TWILIO_ACCOUNT_SID is 'AC' and 32 characters")
    if not settings.auth_tokens or not all(settings.auth_tokens):
        problems.append("TWILIO_AUTH_TOKEN is empty")
    if settings.api_key and not (settings.api_key[0].startswith("SK") and settings.api_key[1]):
        problems.append("TWILIO_API_KEY_SID begins with 'SK' and has a secret of its own")
    if settings.messaging_service_sid and not settings.messaging_service_sid.startswith("MG"):
        problems.append("TWILIO_MESSAGING_SERVICE_SID begins with 'MG'")
    if not all(_SENDER.fullmatch(sender) for sender in settings.senders):
        problems.append("TWILIO_SENDERS are our numbers with commas: +12025550100, a short code, or whatsapp:+12025550100")
    for name, value in (("TWILIO_PUBLIC_BASE_URL", settings.public_base_url), ("TWILIO_API_BASE_URL", settings.api_base_url)):
        problems.extend(_url_problems(name, value))
    if settings.message_path == settings.status_path:
        problems.append("messages and receipts need different paths: their fields do not tell them apart")
    if min(settings.send_timeout, settings.list_timeout, settings.media_timeout, settings.segments_per_second) <= 0:
        problems.append("times and rates are positive")
    if settings.settling_seconds < 0:
        problems.append("TWILIO_SETTLING_SECONDS is 0 or more")
    if not 1 <= settings.max_segments <= 10:
        problems.append("TWILIO_MAX_SEGMENTS is 1 to 10")
    return problems


def _url_problems(name: str, value: str) -> list[str]:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return [f"{name} is not a URL"]
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment or parts.username or value.endswith("/"):
        return [f"{name} is https://host, maybe with a path, without a slash at the end, a query or a user"]
    if parts.scheme == "http" and host not in ("127.0.0.1", "localhost", "::1"):
        return [f"{name} is https (http only on this machine)"]
    return []
