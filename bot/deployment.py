"""The composition root of servers: settings in, everything that runs in a process out. Beside `bot.app`, the only module that knows the
integrations.

`open_store` is the database alone, for tools; `open_deployment` adds channels, the project and, where turns are taken, the bot.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from bot.channels import MessageChannel, WebhookChannel
from bot.conversations import Database, MigrationError, Sealer, connect, migrate
from bot.conversations.migrations import HEAD, current
from bot.language import Project
from bot.runtime.telemetry import Telemetry, silence
from bot.settings import Messaging, Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.app import Bot
    from integrations.twilio import TwilioSettings

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class DeploymentError(Exception):
    """The processes cannot be started as configured; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Store:
    """An open database of conversations."""

    database: Database
    sealer: Sealer


@dataclass(frozen=True, slots=True)
class Deployment:
    """All that a process works with. `webhooks` are channels by the paths they are called at; `bot` is None where no turns are taken;
    `simulated`: no provider is configured."""

    settings: Settings
    messaging: Messaging
    project: Project
    database: Database
    sealer: Sealer
    channels: Mapping[str, MessageChannel]
    webhooks: Mapping[str, WebhookChannel]
    bot: Bot | None
    telemetry: Telemetry
    holder: str
    simulated: bool


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The database, up to date: SQLite migrates itself, PostgreSQL must have been migrated. Raises DeploymentError, MigrationError."""
    try:
        sealer = Sealer.from_text(settings.encryption_keys.get_secret_value(), strict=settings.encryption_strict)
        engine = connect(settings.database_url, **_pool(settings))
    except (ValueError, ImportError) as error:
        raise DeploymentError(_told(error)) from None
    try:
        if not settings.is_postgres:
            await migrate(engine)
        elif (here := await current(engine)) != HEAD:
            raise DeploymentError(
                f"the database is at revision {here or 'none'}, this version needs {HEAD}: run `switchboard migrate` first"
            )
        yield Store(Database(engine), sealer)
    finally:
        await engine.dispose()


def _pool(settings: Settings) -> dict[str, Any]:
    """Turns hold no connection while they wait, so few connections serve many conversations."""
    return {"pool_size": 12, "max_overflow": 0, "pool_timeout": 10} if settings.is_postgres else {}


def _told(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"PostgreSQL needs more packages ({error.name}): pip install 'switchboard[postgres]'"
    return str(error)


@asynccontextmanager
async def open_deployment(
    settings: Settings,
    project: Path,
    *,
    telemetry: Telemetry = silence,
    takes_turns: bool = True,
    env: Mapping[str, str] = os.environ,
) -> AsyncIterator[Deployment]:
    """Everything, closed at the end. Raises DeploymentError, SettingsError, MigrationError, ProjectNotFound, ProjectBroken."""
    from bot.app import Bot, ProjectBroken, load_project
    from bot.conversations import SqlConversations, SqlEffects

    loaded = load_project(project)
    if loaded.errors:
        raise ProjectBroken(loaded.errors)
    messaging = Messaging.read(loaded.project.settings)
    async with AsyncExitStack() as closing:
        store = await closing.enter_async_context(open_store(settings))
        channels, webhooks, simulated = await _channels(settings, env, closing)
        bot = None
        if takes_turns:
            database, sealer = store.database, store.sealer
            kept = SqlConversations(database, now=database.now, sealer=sealer)
            effects = SqlEffects(database, now=database.now, sealer=sealer)
            bss = await _operator(settings, loaded.project, database, closing)
            opening = Bot.open(loaded.project, bss=bss, store=kept, effects=effects, clock=database.now)
            bot = await closing.enter_async_context(opening)
        holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"  # process ids come again, above all in containers
        yield Deployment(
            settings, messaging, loaded.project, store.database, store.sealer, channels, webhooks, bot, telemetry, holder, simulated
        )


async def _channels(
    settings: Settings, env: Mapping[str, str], closing: AsyncExitStack
) -> tuple[dict[str, MessageChannel], dict[str, WebhookChannel], bool]:
    """The channels that the environment configures, with their paths; without any, a simulated account that only this machine can reach."""
    from integrations.twilio import TwilioSettings, TwilioSettingsError, open_channel

    twilio, smpp = (_given(env, prefix) for prefix in ("TWILIO_", "SMPP_"))
    channels: dict[str, MessageChannel] = {}
    webhooks: dict[str, WebhookChannel] = {}
    try:
        if twilio or not smpp:
            account = TwilioSettings.from_env(env) if twilio else _simulated(settings)
            channel = await closing.enter_async_context(open_channel(account, trust_env=twilio))
            channels[channel.name] = channel
            webhooks.update({account.message_path: channel, account.status_path: channel})
        if smpp:
            from integrations.smpp import SmppChannel, SmppSettings

            connected = SmppChannel(SmppSettings.from_env(env))
            channels[connected.name] = connected
    except (TwilioSettingsError, ValueError) as error:
        raise SettingsError("environment", [str(error)]) from None
    return channels, webhooks, not (twilio or smpp)


def _given(env: Mapping[str, str], prefix: str) -> bool:
    return any(name.startswith(prefix) and value.strip() for name, value in env.items())


def _simulated(settings: Settings) -> TwilioSettings:
    from integrations.twilio.simulated import simulated_settings

    if settings.host not in _LOOPBACK:
        advice = "set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_PUBLIC_BASE_URL, or listen on 127.0.0.1 to use the simulated phone"
        raise DeploymentError(
            f"no channel is configured, and the simulated account is for this machine only, not for {settings.host}: {advice}"
        )
    return simulated_settings(public_base_url=f"http://127.0.0.1:{settings.port}")


async def _operator(settings: Settings, project: Project, database: Database, closing: AsyncExitStack) -> Any:
    """The embedded operator in a file of its own, so that what was ordered survives, and processes of one machine share it."""
    if project.settings.get("operator") != "embedded":
        return None
    from integrations.bss.embedded import EmbeddedOperator

    path = settings.operator_database or _beside(settings)
    return await closing.enter_async_context(EmbeddedOperator.open(f"sqlite+aiosqlite:///{path}", now=database.now))


def _beside(settings: Settings) -> str:
    url = make_url(settings.database_url)
    if settings.is_postgres or not url.database or url.database == ":memory:":
        return "switchboard-operator.db"
    file = Path(url.database)
    return str(file.with_name(f"{file.stem}-operator.db"))


@contextmanager
def only_process(settings: Settings) -> Iterator[None]:
    """Holds the lock of a SQLite database for as long as the server runs: it is one process's. Raises DeploymentError."""
    url = make_url(settings.database_url)
    if settings.is_postgres or not url.database or url.database == ":memory:":
        yield
        return
    with open(f"{url.database}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            advice = "one process serves SQLite; use PostgreSQL for several (SWITCHBOARD_DATABASE_URL=postgresql://...)"
            raise DeploymentError(f"another process serves {url.database}: {advice}") from None
        yield


__all__ = ["Deployment", "DeploymentError", "MigrationError", "Store", "only_process", "open_deployment", "open_store"]
