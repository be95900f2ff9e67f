"""`switchboard broadcast`: one message to many, from a file; its progress, its end, going on with it."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.channels import Address, MessageChannel, Purpose, QuietHours
from bot.conversations import Database, Sealer
from bot.language import Project
from bot.runtime.broadcasts import BAD, REASONS, BroadcastOrder, BroadcastRefused, Broadcasts, BroadcastStatus, Checked, Wording
from bot.runtime.telemetry import Telemetry
from bot.runtime.zones import home_zone

from .failures import UsageError

_SHOWN = 50
_EVERY = 1.0


class Given(Protocol):
    """What a broadcast is made with; `bot.deployment` opens it."""

    @property
    def project(self) -> Project: ...
    @property
    def database(self) -> Database: ...
    @property
    def sealer(self) -> Sealer: ...
    @property
    def channels(self) -> Mapping[str, MessageChannel]: ...
    @property
    def telemetry(self) -> Telemetry: ...


Open = Callable[[], AbstractAsyncContextManager[Given]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """The command line of `start`. `texts` and `templates` are `language=...`; `at` is ISO, in the project's own zone without one."""

    file: Path
    business: str
    name: str = ""
    response: str = ""
    texts: Sequence[str] = ()
    templates: Sequence[str] = ()
    purpose: str = "notify"
    channel: str = ""
    rate: float | None = None
    at: str = ""
    region: str = ""
    check: bool = False
    most_bad: int = 20
    force: bool = False
    watch: bool = False
    as_json: bool = False


def run_start(open_deployment: Open, options: StartOptions) -> int:
    """Plans a broadcast, or with `check` only looks at its file: then 1 if lines are wrong."""

    async def work(room: Broadcasts, given: Given) -> int:
        order = _order(options, given)
        if options.check:
            checked = await room.check(order, options.file)
            _print_json(_check_json(checked)) if options.as_json else _show_check(checked, home_zone(given.project))
            return 1 if checked.bad_lines else 0
        with _bar() as bar:
            task = bar.add_task("planning", total=None)
            await room.start(
                order,
                options.file,
                most_bad=options.most_bad,
                force=options.force,
                progress=lambda done, of: bar.update(task, completed=done, total=of),
            )
        return await _follow(room, order.id, options.watch, options.as_json)

    return _run(open_deployment, work)


def run_status(open_deployment: Open, name: str, watch: bool, as_json: bool) -> int:
    """Shows how far a broadcast is; with `watch` until it is over."""
    return _run(open_deployment, lambda room, _: _follow(room, name, watch, as_json))


def run_list(open_deployment: Open, as_json: bool) -> int:
    """Shows the latest broadcasts."""

    async def work(room: Broadcasts, _: Given) -> int:
        await room.tidy()
        found = await room.list()
        if as_json:
            for status in found:
                _print_json(status.to_json())
            return 0
        if not found:
            sys.stdout.write("no broadcasts\n")
            return 0
        table = Table("name", "state", "channel", "purpose", "recipients", "sent", "waiting", "started")
        for status in found:
            counts = status.counts
            started = f"{status.created_at.astimezone():%Y-%m-%d %H:%M}"
            figures = (str(status.total), str(counts.sent), str(counts.waiting))
            table.add_row(status.id, status.status, status.channel, status.purpose, *figures, started)
        Console().print(table)
        return 0

    return _run(open_deployment, work)


def run_stop(open_deployment: Open, name: str, as_json: bool) -> int:
    """Takes back all that no sender has in hand."""

    async def work(room: Broadcasts, _: Given) -> int:
        count = await room.stop(name)
        if as_json:
            _print_json({"id": name, "taken_back": count})
        else:
            sys.stdout.write(f"{count} messages were taken back; go on with: switchboard broadcast resume {name}\n")
        return 0

    return _run(open_deployment, work)


def run_resume(open_deployment: Open, name: str, file: Path | None, watch: bool, as_json: bool) -> int:
    """Goes on with what was stopped, or whose planning was cut off."""

    async def work(room: Broadcasts, _: Given) -> int:
        with _bar() as bar:
            task = bar.add_task("planning", total=None)
            await room.resume(name, file, progress=lambda done, of: bar.update(task, completed=done, total=of))
        return await _follow(room, name, watch, as_json)

    return _run(open_deployment, work)


def _run(open_deployment: Open, work: Callable[[Broadcasts, Given], Awaitable[int]]) -> int:
    async def opened() -> int:
        async with open_deployment() as given:
            try:
                return await work(_room(given), given)
            except BroadcastRefused as refused:
                raise UsageError(str(refused)) from None

    return asyncio.run(opened())


def _room(given: Given) -> Broadcasts:
    return Broadcasts(
        given.database,
        sealer=given.sealer,
        channels=given.channels,
        project=given.project,
        quiet_hours=QuietHours(),
        default_zone=home_zone(given.project),
        telemetry=given.telemetry,
    )


def _order(options: StartOptions, given: Given) -> BroadcastOrder:
    channels = sorted(given.channels)
    if not options.channel and len(channels) != 1:
        raise UsageError(f"several channels are configured ({', '.join(channels)}): name one with --channel")
    try:
        business = Address.parse(options.business)
        purpose = Purpose(options.purpose)
    except ValueError as error:
        raise UsageError(f"{error}") from None
    return BroadcastOrder(
        id=options.name or f"{datetime.now():%Y%m%d}-{secrets.token_hex(3)}",
        channel=options.channel or channels[0],
        business=business,
        wording=Wording(options.response, _by_language(options.texts, "--text"), _by_language(options.templates, "--template")),
        purpose=purpose,
        rate=options.rate,
        start_at=_moment(options.at, home_zone(given.project)),
        region=options.region.upper() or _region(business),
    )


def _by_language(given: Sequence[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for written in given:
        language, equals, text = written.partition("=")
        if not equals or not language.strip():
            raise UsageError(f"{option} is language=..., such as {option} 'en=Hello'")
        found[language.strip()] = text
    return found


def _moment(written: str, zone: ZoneInfo) -> datetime | None:
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError(f"--at {written}: write a day and a time, such as 2026-03-05T09:00 (or with a zone, +09:00)") from None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


def _region(business: Address) -> str:
    """Numbers that are written without a country are of the country they are written to from."""
    import phonenumbers

    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(business.value, None)) or "US"
    except phonenumbers.NumberParseException:
        return "US"


# --- showing ---------------------------------------------------------------------------------------------------------------------------


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


async def _follow(room: Broadcasts, name: str, watch: bool, as_json: bool) -> int:
    """Shows the status; with `watch` a bar on a terminal, or a line a second as JSON, until the broadcast is over."""
    await room.tidy()
    status = await room.status(name)
    if watch:
        with _bar() as bar:
            task = bar.add_task(name, total=None)
            while status.status in ("planning", "running"):
                if as_json:
                    _print_json(status.to_json())
                counts = status.counts
                speed = f"{status.status}, {status.speed:.0f} a second"
                bar.update(task, description=f"{name} ({speed})", completed=counts.settled, total=counts.all - counts.cancelled)
                await asyncio.sleep(_EVERY)
                await room.tidy()
                status = await room.status(name)
    _print_json(status.to_json()) if as_json else _show(status)
    return 0


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _show(status: BroadcastStatus) -> None:
    counts = status.counts
    table = Table(title=f"broadcast {status.id}: {status.status}", show_header=False, title_justify="left")
    rows: list[tuple[str, object]] = [
        ("lines planned", f"{status.planned} of {status.total}"),
        *((f"skipped: {_reason(reason)}", count) for reason, count in sorted(status.skipped.items())),
        ("waiting", counts.waiting),
        ("with a sender", counts.sending),
        ("sent", counts.sent),
        ("arrived, by receipts", counts.delivered),
        *((f"did not arrive: {code}", count) for code, count in sorted(counts.undelivered.items())),
        *((f"failed: {code}", count) for code, count in sorted(counts.rejected.items())),
        ("said stop meanwhile", counts.opted_out),
        ("unknown, being asked for", counts.unknown),
        ("taken back", counts.cancelled),
        ("segments", status.segments),
        ("segments a second, at most", f"{status.rate:g}"),
        ("messages a second, last minute", f"{status.speed:.1f}"),
        *([("over at about", f"{status.ends.astimezone():%Y-%m-%d %H:%M:%S}")] if status.ends else []),
    ]
    always = ("lines planned", "waiting", "sent", "segments", "segments a second, at most")
    for label, value in rows:
        if value not in (0, "0.0") or label in always:
            table.add_row(label, str(value))
    Console().print(table)


def _reason(code: str) -> str:
    return code.replace("_", " ")


def _show_check(checked: Checked, zone: ZoneInfo) -> None:
    lines = [f"{line}" for line in checked.bad[:_SHOWN]]
    if checked.bad_lines > len(lines):
        lines.append(f"... and {checked.bad_lines - len(lines)} more")
    lines += [f"{count} skipped: the line {REASONS[reason]}" for reason, count in sorted(checked.skipped.items()) if reason not in BAD]
    lines.append(f"{checked.bad_lines} of {checked.total} lines are wrong")
    lines.append(f"{checked.messages} messages to {checked.good} customers, {checked.segments} segments")
    if checked.ends:
        ends = datetime.fromisoformat(checked.ends).astimezone(zone)
        lines.append(f"started now, the last would go at {ends:%Y-%m-%d %H:%M:%S} ({zone.key})")
    sys.stdout.write("\n".join(lines) + "\n")


def _check_json(checked: Checked) -> dict[str, Any]:
    bad = [{"line": line.line, "reason": line.reason, **({"column": line.column} if line.column else {})} for line in checked.bad]
    return {
        "lines": checked.total,
        "good": checked.good,
        "wrong": checked.bad_lines,
        "skipped": dict(checked.skipped),
        "messages": checked.messages,
        "segments": checked.segments,
        "ends": checked.ends or None,
        "bad": bad,
    }
