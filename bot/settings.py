"""What a deployment is told by its environment: databases, keys, addresses, sizes. Read once, at the start; `bot/docs/operations.md` lists it.

How the bot behaves is the project's matter (`switchboard.yml`), whose `messaging` section is read here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(ValueError):
    """Settings that cannot be used: all that is wrong at once, with names and never with values."""

    def __init__(self, source: str, problems: list[str]) -> None:
        super().__init__(f"{source}: " + "; ".join(problems))
        self.problems = tuple(problems)


class Settings(BaseSettings):
    """Environment variables `SWITCHBOARD_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="SWITCHBOARD_", extra="ignore", hide_input_in_errors=True, frozen=True)

    database_url: str = "sqlite:///switchboard.db"
    operator_database: str = ""
    encryption_keys: SecretStr = SecretStr("")
    encryption_strict: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    concurrency: int = Field(default=64, ge=1, le=1000)
    grace_seconds: float = Field(default=25.0, ge=0)
    claim_seconds: float = Field(default=3.0, ge=0.5, le=60)

    @property
    def is_postgres(self) -> bool:
        return self.database_url.startswith(("postgres:", "postgresql"))

    @classmethod
    def read(cls, **given: Any) -> Settings:
        """From the environment, under what is given (None: not given). Raises SettingsError."""
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise SettingsError("environment", [f"SWITCHBOARD_{_name(e).upper()}: {e['msg']}" for e in error.errors()]) from None


class RetentionDays(BaseModel):
    """Days after which things are deleted; none: kept. See `bot.conversations.RetentionPolicy`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    conversations: float | None = Field(default=None, gt=0)
    transcripts: float | None = Field(default=None, gt=0)
    messages: float | None = Field(default=90, gt=0)
    effects: float | None = Field(default=90, gt=0)


class Messaging(BaseModel):
    """The section `messaging` of `switchboard.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    burst_seconds: float = Field(default=1.0, ge=0, le=30)
    silence_minutes: float | None = Field(default=None, gt=0)
    reply_expires_minutes: float = Field(default=240, gt=0)
    attempts: int = Field(default=5, ge=1, le=20)
    retention_days: RetentionDays = RetentionDays()

    @property
    def silence(self) -> timedelta | None:
        return None if self.silence_minutes is None else timedelta(minutes=self.silence_minutes)

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> Messaging:
        """From a project's settings. Raises SettingsError."""
        section = settings.get("messaging") or {}
        if not isinstance(section, Mapping):
            raise SettingsError("switchboard.yml", ["`messaging` is a mapping, such as `messaging: {burst_seconds: 1}`"])
        try:
            return cls.model_validate(dict(section))
        except ValidationError as error:
            raise SettingsError("switchboard.yml", [f"messaging.{_name(e)}: {e['msg']}" for e in error.errors()]) from None


def _name(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"])
