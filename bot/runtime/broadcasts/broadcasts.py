"""Starting, stopping, resuming and watching broadcasts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Exists, and_, exists, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import MessageChannel, QuietHours
from bot.conversations import Database, Sealer
from bot.conversations.tables import broadcast_table, outbox_table
from bot.language import Project

from ..telemetry import Telemetry, silence
from .order import BroadcastOrder, BroadcastRefused
from .planner import OnProgress, Planner, Stored
from .progress import BroadcastStatus, Counts, pulse
from .recipients import Checked, RecipientFile
from .writer import Composer, Writer, Zones, timeline_of

_YEAR = timedelta(days=365)


def _nobody(done: int, of: int) -> None:
    """For those who do not watch."""


class Broadcasts:
    """All broadcasts of a database. Any process may call any method at any time; `tidy` is for the one that keeps house."""

    def __init__(
        self,
        database: Database,
        *,
        sealer: Sealer,
        channels: Mapping[str, MessageChannel],
        project: Project,
        quiet_hours: QuietHours,
        default_zone: ZoneInfo,
        telemetry: Telemetry = silence,
    ) -> None:
        self._database = database
        self._channels = channels
        self._project = project
        self._hours = quiet_hours
        self._default_zone = default_zone
        self._tell = telemetry
        self._planner = Planner(database, sealer=sealer)

    async def check(self, order: BroadcastOrder, path: Path, *, estimate: bool = True) -> Checked:
        """Reads a file through and stores nothing: what is wrong in it, and, as an estimate, what it would cost and when it would end.

        Raises BroadcastRefused when it cannot be sent at all, OSError when the file cannot be read.
        """
        channel = order.verify(self._channels.get(order.channel))
        writer = Writer(order.wording, self._project, order.channel)
        file = self._file(order, writer, path)
        timeline = timeline_of(order, channel, self._hours, self._database.now())
        composer = Composer(order, channel, writer, timeline, Zones(self._default_zone)) if estimate else None
        checked = Checked(sha256=await asyncio.to_thread(file.sha256))
        await self._planner.check(file, order, composer, checked)
        if composer is not None:
            checked.segments = composer.segments
            checked.ends = timeline.last.isoformat() if checked.messages else ""
        return checked

    async def start(
        self, order: BroadcastOrder, path: Path, *, most_bad: int = 20, force: bool = False, progress: OnProgress = _nobody
    ) -> Checked:
        """Plans a broadcast; senders take up what is due meanwhile. Returns what the file looked like.

        Raises BroadcastRefused: what `check` refuses, more than `most_bad` wrong lines unless forced, a name that was used before.
        Should the process die, `resume` goes on.
        """
        checked = await self.check(order, path, estimate=False)
        if checked.bad_lines > most_bad and not force:
            first = "; ".join(str(line) for line in checked.bad[:3])
            raise BroadcastRefused(
                "bad_lines", f"{checked.bad_lines} lines of {path.name} are wrong ({first}); look with --check, or --force"
            )
        if not checked.total:
            raise BroadcastRefused("no_recipients", f"{path.name} has no lines after its header")
        body = self._body(order, path, checked)
        row = {"id": order.id, "status": "planning", "body": body, "total": checked.total, "planned": 0, "created_at": self._database.now()}
        entry = self._database.insert(broadcast_table).values(row).on_conflict_do_nothing().returning(broadcast_table.c.id)
        async with self._database.write() as tx:
            if (await tx.execute(entry)).scalar_one_or_none() is None:
                raise BroadcastRefused("name_taken", f"there is a broadcast {order.id} already: resume it, or give this one another name")
        self._tell("broadcast", broadcast=order.id, state="planning", count=checked.total)
        await self._plan(await self._find(order.id), path, progress)
        return checked

    async def resume(self, broadcast: str, path: Path | None = None, *, progress: OnProgress = _nobody) -> int:
        """Goes on with what was stopped, or whose planning died: rows that were taken back wait again, at new times, and the rest of the
        file is planned. Returns how many rows were put back.

        `path` is where the file is now, if it was moved; it must not have changed. Raises BroadcastRefused.
        """
        stored = await self._find(broadcast)
        if stored.status not in ("stopped", "planning"):
            raise BroadcastRefused("not_stopped", f"broadcast {broadcast} is {stored.status}: there is nothing to resume")
        channel = stored.order.verify(self._channels.get(stored.order.channel))
        path = path or Path(stored.body["file"]["path"])
        if stored.planned < stored.total:
            file = self._file(stored.order, Writer(stored.order.wording, self._project, stored.order.channel), path)
            if await asyncio.to_thread(file.sha256) != stored.body["file"]["sha256"]:
                raise BroadcastRefused("other_file", f"{path.name} is not the file that broadcast {broadcast} was started with")
        table = broadcast_table.c
        again = update(broadcast_table).where(table.id == broadcast, table.status == stored.status, table.planned == stored.planned)
        async with self._database.write() as tx:
            values = {"status": "planning", "finished_at": None, "body": {**stored.body, "counts": None}}
            if (await tx.execute(again.values(values))).rowcount != 1:
                raise BroadcastRefused("interrupted", f"somebody else changed broadcast {broadcast} just now: see its status")
        self._tell("broadcast", broadcast=broadcast, state="resumed", count=stored.total - stored.planned)
        return await self._plan(await self._find(broadcast), path, progress, afresh=False, channel=channel)

    async def _plan(
        self, stored: Stored, path: Path, progress: OnProgress, *, afresh: bool = True, channel: MessageChannel | None = None
    ) -> int:
        order = stored.order
        channel = channel or self._channels[order.channel]
        timeline, zones = timeline_of(order, channel, self._hours, self._database.now()), Zones(self._default_zone)
        back = 0 if afresh else await self._planner.reschedule(stored, timeline, zones, _nobody)
        if stored.planned < stored.total:
            writer = Writer(order.wording, self._project, order.channel)
            composer = Composer(order, channel, writer, timeline, zones)
            await self._planner.plan(stored, self._file(order, writer, path), composer, progress)
        else:
            await self._planner.planned(stored)
        self._tell("broadcast", broadcast=order.id, state="running", count=stored.total)
        return back

    async def stop(self, broadcast: str) -> int:
        """Takes back everything that no sender has taken up. Returns how many messages. Raises BroadcastRefused for an unknown name.

        What a sender has in hand at this moment may still go; nothing after that does. `resume` undoes it.
        """
        await self._find(broadcast)
        table = broadcast_table.c
        stopped = update(broadcast_table).where(table.id == broadcast, table.status.in_(("planning", "running", "stopped")))
        async with self._database.write() as tx:
            if (await tx.execute(stopped.values(status="stopped", finished_at=self._database.now()))).rowcount == 0:
                return 0
            count = await self._take_back(tx, broadcast)
        self._tell("broadcast", broadcast=broadcast, state="stopped", count=count)
        return count

    async def _take_back(self, tx: AsyncConnection, broadcast: str) -> int:
        row = outbox_table.c
        if self._database.is_postgres:  # a million rows take longer than any other statement may
            await tx.execute(text("SET LOCAL statement_timeout = 0"))
        waiting = update(outbox_table).where(row.broadcast == broadcast, row.status.in_(("pending", "retry")))
        return (await tx.execute(waiting.values(status="cancelled", finished_at=self._database.now()))).rowcount

    async def status(self, broadcast: str) -> BroadcastStatus:
        """How far it is. Raises BroadcastRefused for an unknown name."""
        return await self._status(await self._find(broadcast))

    async def list(self, limit: int = 50) -> list[BroadcastStatus]:
        """The latest, newest first."""
        async with self._database.read() as connection:
            query = select(broadcast_table).order_by(broadcast_table.c.created_at.desc(), broadcast_table.c.id).limit(limit)
            rows = (await connection.execute(query)).all()
        return [await self._status(Stored(*row)) for row in rows]

    async def tidy(self) -> None:
        """Notes which broadcasts are done, and takes back what a sender gave back after its broadcast was stopped. Call it often."""
        table = broadcast_table.c
        async with self._database.read() as connection:
            rows = (await connection.execute(select(broadcast_table).where(table.status.in_(("running", "stopped"))))).all()
        for stored in (Stored(*row) for row in rows):
            if stored.body["counts"] is None:
                await self._tidy(stored)

    async def _tidy(self, stored: Stored) -> None:
        table, now = broadcast_table.c, self._database.now()
        same = update(broadcast_table).where(table.id == stored.id, table.status == stored.status)
        async with self._database.write() as tx:
            if (await tx.execute(same.values(status=stored.status))).rowcount != 1:
                return
            if stored.status == "stopped":
                await self._take_back(tx, stored.id)
            if (await tx.execute(select(_under_way(stored.id, now + _YEAR)))).scalar_one():
                return
            counts = (await pulse(tx, stored.id, now)).counts
            status = "stopped" if stored.status == "stopped" else "done"
            # Rows are deleted when they are old; how many there were stays.
            body = {**stored.body, "counts": counts.to_json()}
            await tx.execute(same.values(status=status, finished_at=stored.finished_at or now, body=body))
        self._tell("broadcast", broadcast=stored.id, state=status, count=counts.all)

    async def _status(self, stored: Stored) -> BroadcastStatus:
        now, order = self._database.now(), stored.order
        async with self._database.read() as connection:
            beat = await pulse(connection, stored.id, now)
        kept = stored.body["counts"]
        counts = Counts(**kept) if kept is not None and Counts(**kept).all > beat.counts.all else beat.counts
        ends = beat.ends(now, stored.body["rate"]) if stored.status != "stopped" else None
        return BroadcastStatus(
            id=stored.id,
            status=stored.status,
            channel=order.channel,
            purpose=order.purpose.value,
            created_at=stored.created_at,
            finished_at=stored.finished_at,
            total=stored.total,
            planned=stored.planned,
            skipped=stored.body["skipped"],
            segments=stored.body["segments"],
            rate=stored.body["rate"],
            counts=counts,
            speed=beat.speed,
            ends=ends,
        )

    async def _find(self, broadcast: str) -> Stored:
        async with self._database.read() as connection:
            row = (await connection.execute(select(broadcast_table).where(broadcast_table.c.id == broadcast))).one_or_none()
        if row is None:
            raise BroadcastRefused("unknown_broadcast", f"there is no broadcast {broadcast}: see the list")
        return Stored(*row)

    def _body(self, order: BroadcastOrder, path: Path, checked: Checked) -> dict[str, object]:
        """What is kept of a broadcast. Nothing of its recipients: the file stays where it is, known by its hash."""
        return {
            "order": order.to_json(),
            "file": {"path": str(path.resolve()), "sha256": checked.sha256},
            "rate": order.pace(self._channels[order.channel]),
            "skipped": {},
            "segments": 0,
            "counts": None,
        }

    def _file(self, order: BroadcastOrder, writer: Writer, path: Path) -> RecipientFile:
        return RecipientFile(
            path, region=order.region, languages=writer.languages, needs=writer.needs, needs_agreement=order.needs_agreement
        )


def _under_way(broadcast: str, given_up: datetime) -> Exists:
    """Whether anything may still happen. What nobody could resolve is asked for no more: its time is years away."""
    row = outbox_table.c
    unresolved = and_(row.status == "unknown", row.due < given_up)
    return exists().where(row.broadcast == broadcast, or_(row.status.in_(("pending", "retry", "sending")), unresolved))
