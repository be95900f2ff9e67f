from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.twilio import TwilioSettings, TwilioSettingsError

ENV = {"TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "TWILIO_AUTH_TOKEN": "secret-token", "TWILIO_PUBLIC_BASE_URL": "https://bot.example/"}


def test_from_the_environment() -> None:
    settings = TwilioSettings.from_env(ENV)
    assert settings.public_base_url == "https://bot.example"
    assert settings.basic_auth == (ENV["TWILIO_ACCOUNT_SID"], "secret-token")
    assert settings.api_base_url == "https://api.twilio.com"
    assert settings.status_url == "https://bot.example/channels/twilio/status"
    more = TwilioSettings.from_env(
        ENV
        | {
            "TWILIO_AUTH_TOKEN_SECONDARY": "older-token",
            "TWILIO_API_KEY_SID": "SK1",
            "TWILIO_API_KEY_SECRET": "key-secret",
            "TWILIO_WEBHOOK_SHARED_KEYS": "one, two",
            "TWILIO_MAX_SEGMENTS": "2",
            "TWILIO_HANDLES_OPT_OUT": "false",
        }
    )
    assert more.webhook_secrets == ("secret-token", "older-token", "one", "two")
    assert more.basic_auth == ("SK1", "key-secret")  # never a key's name with the account's token
    assert (more.max_segments, more.provider_handles_opt_out) == (2, False)


def test_all_that_is_missing_is_told_at_once_without_values() -> None:
    with pytest.raises(TwilioSettingsError) as error:
        TwilioSettings.from_env({"TWILIO_API_KEY_SID": "SK-private", "TWILIO_SEND_TIMEOUT": "soon", "TWILIO_HANDLES_OPT_OUT": "maybe"})
    assert len(error.value.problems) == 6
    assert "SK-private" not in str(error.value)
    assert "TWILIO_AUTH_TOKEN is not set" in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_ACCOUNT_SID", "SK" + "1" * 32),
        ("TWILIO_PUBLIC_BASE_URL", "http://bot.example"),
        ("TWILIO_PUBLIC_BASE_URL", "bot.example"),
        ("TWILIO_PUBLIC_BASE_URL", "https://user:pass@bot.example"),
        ("TWILIO_PUBLIC_BASE_URL", "https://bot.example?x=1"),
        ("TWILIO_PUBLIC_BASE_URL", "https://[bot"),
        ("TWILIO_API_BASE_URL", "http://api.twilio.com"),
        ("TWILIO_MESSAGING_SERVICE_SID", "SM1"),
        ("TWILIO_MAX_SEGMENTS", "0"),
        ("TWILIO_SEND_TIMEOUT", "-1"),
        ("TWILIO_SEGMENTS_PER_SECOND", "0"),
    ],
)
def test_what_is_wrong_is_told(name: str, value: str) -> None:
    with pytest.raises(TwilioSettingsError) as error:
        TwilioSettings.from_env(ENV | {name: value})
    assert len(error.value.problems) == 1


def test_secrets_do_not_show() -> None:
    settings = replace(TwilioSettings.from_env(ENV), webhook_keys=("hidden-key",), api_key=("SK1", "hidden-secret"))
    assert not any(secret in repr(settings) for secret in ("secret-token", "hidden-key", "hidden-secret"))


def test_messages_and_receipts_do_not_share_a_path() -> None:
    with pytest.raises(TwilioSettingsError, match="different paths"):
        replace(TwilioSettings.from_env(ENV), status_path="/channels/twilio/messages")
