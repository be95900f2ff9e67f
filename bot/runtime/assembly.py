"""Putting the parts of a process together from what a deployment gives. Makes no decision of its own; `Deployment` is any object with
these attributes (`bot.deployment` has one)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from bot.channels import ConnectedChannel, MessageChannel, QuietHours
from bot.conversations import Attachments, Claims, Database, Inbox, Retention, RetentionPolicy, Sealer, Timers
from bot.language import Project
from bot.settings import Messaging, RetentionDays, Settings

from .attachments import fetch_attachments
from .broadcasts import Broadcasts
from .bursts import Bursts
from .change import Composer
from .dispatcher import Dispatcher
from .embedded import EmbeddedDispatcher
from .identity import installation_secret
from .leadership import Leadership
from .reception import Reception
from .reconciler import Reconciler
from .schedules import Job, Schedules, fetch_backlog, fire_timers, retain, sweep
from .sender import Sender, SendingPolicy
from .service import Part
from .telemetry import Telemetry
from .turns import Answer, TurnWorker
from .zones import home_zone


class Answering(Protocol):
    """A bot: it answers; `bss` are the operator's systems it uses, which may want something done once a day."""

    @property
    def answer(self) -> Answer: ...
    @property
    def bss(self) -> Any: ...


class Given(Protocol):
    """What a process is made of."""

    @property
    def settings(self) -> Settings: ...
    @property
    def messaging(self) -> Messaging: ...
    @property
    def project(self) -> Project: ...
    @property
    def database(self) -> Database: ...
    @property
    def sealer(self) -> Sealer: ...
    @property
    def channels(self) -> Mapping[str, MessageChannel]: ...
    @property
    def bot(self) -> Answering | None: ...
    @property
    def holder(self) -> str: ...
    @property
    def simulated(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Runtime:
    """`reception` is what webhooks are given to; `parts` stop in their order."""

    reception: Reception
    parts: Sequence[Part]


async def assemble(given: Given, telemetry: Telemetry, *, takes_turns: bool) -> Runtime:
    """The parts of a process. One that takes no turns only receives; where turns are taken `given.bot` is needed."""
    database = given.database
    dispatcher = _dispatcher(given, telemetry)
    secret = await installation_secret(database)
    reception = Reception(database, dispatcher, secret=secret, sealer=given.sealer, telemetry=telemetry)
    if not takes_turns:
        return Runtime(reception, ())
    if given.bot is None:
        raise ValueError("a process that takes turns needs a bot")
    leadership = Leadership(_claims(given), "lead", lease=timedelta(seconds=given.settings.claim_seconds), telemetry=telemetry)
    senders = [_sender(given, channel, leadership, telemetry) for channel in given.channels.values()]

    def nudge() -> None:
        for sender in senders:
            sender.nudge()

    worker = _worker(given, given.bot, telemetry, nudge)
    if isinstance(dispatcher, EmbeddedDispatcher):
        await _take_up(given, dispatcher)
    parts = [
        Part("turns", partial(dispatcher.run, worker), dispatcher.stop),
        *(Part(f"sending on {name}", sender.run, sender.stop) for name, sender in zip(given.channels, senders, strict=True)),
        _housekeeping(given, given.bot, dispatcher, reception, leadership, telemetry),
        *(
            Part(f"connection of {name}", partial(leadership.while_leading, partial(channel.run, reception)))
            for name, channel in given.channels.items()
            if isinstance(channel, ConnectedChannel)
        ),
        Part("leadership", leadership.run, leadership.stop),
    ]
    return Runtime(reception, parts)


def _dispatcher(given: Given, telemetry: Telemetry) -> Dispatcher:
    if not given.database.is_postgres:
        return EmbeddedDispatcher(concurrency=given.settings.concurrency, telemetry=telemetry)
    from .distributed import ProcrastinateDispatcher

    dead_after = timedelta(seconds=given.settings.claim_seconds)
    return ProcrastinateDispatcher(given.database, concurrency=given.settings.concurrency, dead_after=dead_after, telemetry=telemetry)


async def _take_up(given: Given, dispatcher: EmbeddedDispatcher) -> None:
    """The only process of its database starts: all holders of before are dead, and what they left open is rung for."""
    await _claims(given).abandon_all()
    async with given.database.read() as connection:
        waiting = await Inbox(given.database, sealer=given.sealer).waiting(connection, older_than=timedelta(0), limit=100_000)
    for conversation in waiting:
        dispatcher.ring(conversation)


def _claims(given: Given) -> Claims:
    return Claims(given.database, holder=given.holder, lease=timedelta(seconds=given.settings.claim_seconds))


def _worker(given: Given, bot: Answering, telemetry: Telemetry, nudge: Any) -> TurnWorker:
    window = timedelta(seconds=given.messaging.burst_seconds)
    return TurnWorker(
        given.database,
        bot.answer,
        Composer(given.project, given.channels, given.messaging.silence),
        claims=_claims(given),
        lease=timedelta(seconds=given.settings.claim_seconds),
        sealer=given.sealer,
        bursts=Bursts(window, 4 * window),
        telemetry=telemetry,
        attempts=given.messaging.attempts,
        committed=nudge,
    )


def _sender(given: Given, channel: MessageChannel, leadership: Leadership, telemetry: Telemetry) -> Sender:
    replies = timedelta(minutes=given.messaging.reply_expires_minutes)
    policy = SendingPolicy(default_zone=home_zone(given.project))
    policy = replace(policy, expire={**policy.expire, "reply": replies, "consent": replies})
    return Sender(given.database, channel, leadership, holder=given.holder, sealer=given.sealer, policy=policy, telemetry=telemetry)


def _housekeeping(
    given: Given, bot: Answering, dispatcher: Dispatcher, reception: Reception, leadership: Leadership, telemetry: Telemetry
) -> Part:
    database, sealer, channels = given.database, given.sealer, given.channels
    timers, inbox = Timers(database, sealer=sealer), Inbox(database, sealer=sealer)
    retention = Retention(database, _policy(given.messaging.retention_days))
    attachments = Attachments(database, sealer=sealer)
    jobs = [
        Job("timers", 1.0, partial(fire_timers, database, timers, dispatcher, telemetry)),
        Job("reconcile", 1.0, Reconciler(database, channels, sealer=sealer, telemetry=telemetry)),
        Job("broadcasts", 5.0, _broadcasts(given, telemetry).tidy),
        Job("attachments", 2.0, partial(fetch_attachments, attachments, channels, telemetry)),
        Job("sweep", 30.0, partial(sweep, database, inbox, dispatcher, telemetry)),
        Job("retention", 3600.0, partial(retain, retention, telemetry)),
    ]
    if not given.simulated:
        jobs.append(Job("backlog", 300.0, partial(fetch_backlog, database, channels, reception, telemetry)))
    if (day := getattr(bot.bss, "run_day", None)) is not None:  # the embedded operator closes its books
        jobs.append(Job("operator day", 3600.0, day))
    schedules = Schedules(jobs, leadership, telemetry=telemetry)
    return Part("housekeeping", schedules.run, schedules.stop)


def _broadcasts(given: Given, telemetry: Telemetry) -> Broadcasts:
    return Broadcasts(
        given.database,
        sealer=given.sealer,
        channels=given.channels,
        project=given.project,
        quiet_hours=QuietHours(),
        default_zone=home_zone(given.project),
        telemetry=telemetry,
    )


def _policy(days: RetentionDays) -> RetentionPolicy:
    def age(number: float | None) -> timedelta | None:
        return None if number is None else timedelta(days=number)

    return RetentionPolicy(age(days.conversations), age(days.transcripts), age(days.messages), age(days.effects))
