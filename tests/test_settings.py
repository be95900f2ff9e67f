from __future__ import annotations

from datetime import timedelta

import pytest

from bot.settings import Messaging, Settings, SettingsError


def test_everything_has_a_default() -> None:
    settings = Settings.read()
    assert settings.database_url == "sqlite:///switchboard.db"
    assert settings.host == "127.0.0.1"
    assert not settings.is_postgres


def test_the_environment_and_what_is_given_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_PORT", "9000")
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", "postgresql://localhost/bot")
    assert Settings.read().port == 9000
    assert Settings.read(port=9001, host=None).port == 9001
    assert Settings.read().is_postgres


def test_all_that_is_wrong_at_once_and_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_PORT", "seventy-seven")
    monkeypatch.setenv("SWITCHBOARD_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert {problem.split(":")[0] for problem in caught.value.problems} == {"SWITCHBOARD_PORT", "SWITCHBOARD_LOG_LEVEL"}
    assert "seventy" not in str(caught.value)


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_ENCRYPTION_KEYS", "k1:c2VjcmV0")
    assert "c2VjcmV0" not in repr(Settings.read())


def test_messaging() -> None:
    assert Messaging.read({}).burst_seconds == 1.0
    assert Messaging.read({"messaging": {"silence_minutes": 15}}).silence == timedelta(minutes=15)
    with pytest.raises(SettingsError, match="messaging.bursts"):
        Messaging.read({"messaging": {"bursts": 1}})
    with pytest.raises(SettingsError, match=r"messaging\.retention_days\.messages"):
        Messaging.read({"messaging": {"retention_days": {"messages": -1}}})
    with pytest.raises(SettingsError, match="mapping"):
        Messaging.read({"messaging": [1]})
