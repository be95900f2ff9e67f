"""Files customers sent: noted with the message they came with, fetched afterwards, kept for the people who will look at them.

    waiting -> kept | refused

A row that waits is taken with a lease: its `due` is moved ahead, so that nobody else fetches it, and somebody does if the one who took it
dies. What became of it is stored only while the row is there and was not taken again: a customer who was erased meanwhile stays erased.
The bytes are in the database, base64 in a sealed document, so that one place is encrypted, grows old and is erased.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels import MediaFile, MediaLink

from .addresses import Addresses
from .database import Database
from .encryption import Sealer
from .inbox import CAUSE_LENGTH
from .tables import attachment_table


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message, without its bytes. `status` is waiting, kept or refused; `cause` is a code, why it is not kept (yet).

    `event_id` is the message's, `position` which of its files, from 0. `content_type` is what the bytes are, "" until they are here;
    `size` is in bytes.
    """

    id: int
    conversation: str
    event_id: str
    position: int
    status: str
    cause: str
    content_type: str
    size: int
    received_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingAttachment:
    """A file that was taken up to be fetched. `attempts` counts the times it was, and is the token of the one who has it now."""

    id: int
    conversation: str
    event_id: str
    position: int
    channel: str
    attempts: int
    source: Any = field(repr=False)


class Attachments:
    """The files of all conversations. All methods but `expect` are transactions of their own."""

    def __init__(self, database: Database, *, sealer: Sealer | None = None) -> None:
        self._database = database
        self._sealer = sealer or Sealer()
        now = database.moment()
        new = {"status": "waiting", "cause": "", "attempts": 0, "content_type": "", "size": 0, "due": now, "received_at": now}
        self._expect = database.insert(attachment_table).values(new).on_conflict_do_nothing()

    async def expect(self, tx: AsyncConnection, conversation: str, event_id: str, addresses: Addresses, links: Sequence[MediaLink]) -> None:
        """Notes the files of a message, in the transaction that takes the message in. What is noted already stays as it is."""
        for position, link in enumerate(links):
            source = {"url": link.url, "content_type": link.content_type}
            row = {
                "conversation": conversation,
                "event_id": event_id,
                "position": position,
                **addresses.columns(),
                "source": self._sealer.seal(source, "attachment", _place(event_id, position, "source")),
            }
            await tx.execute(self._expect, row)

    async def claim(self, *, limit: int, lease: timedelta) -> list[WaitingAttachment]:
        """Takes up to `limit` files that are due, longest first. Nobody else gets them until `lease` is over."""
        table = attachment_table.c
        due = select(table.id).where(table.status == "waiting", table.due <= self._database.moment())
        chosen = due.order_by(table.due, table.id).limit(limit).with_for_update(skip_locked=True).cte("chosen")
        take = update(attachment_table).where(table.id.in_(select(chosen.c.id)), table.status == "waiting")
        taken = take.values(due=self._database.moment(lease), attempts=table.attempts + 1)
        columns = (table.id, table.conversation, table.event_id, table.position, table.channel, table.attempts, table.source)
        async with self._database.write_once() as connection:
            rows = (await connection.execute(taken.returning(*columns))).all()
        return sorted((WaitingAttachment(**row._mapping) for row in rows), key=lambda row: row.id)

    def link(self, row: WaitingAttachment) -> MediaLink:
        """Where the file is. Raises SealError."""
        source = self._sealer.open(row.source, "attachment", _place(row.event_id, row.position, "source"))
        return MediaLink(source["url"], source["content_type"])

    async def kept(self, row: WaitingAttachment, file: MediaFile) -> bool:
        """Stores the file. False when it is not wanted any more: the row was erased, or taken by another since."""
        # Megabytes take a moment to encrypt, in which other conversations go on.
        content = await asyncio.to_thread(self._sealed, row, file.content)
        return await self._settle(
            row,
            status="kept",
            cause="",
            content_type=file.content_type,
            size=len(file.content),
            content=content,
            finished_at=self._database.now(),
        )

    async def refused(self, row: WaitingAttachment, cause: str) -> bool:
        """Gives the file up. `cause` is a code. False as with `kept`."""
        return await self._settle(row, status="refused", cause=cause[:CAUSE_LENGTH], finished_at=self._database.now())

    async def retry(self, row: WaitingAttachment, after: timedelta, cause: str) -> bool:
        """Lets the file wait until `after` has passed. `cause` is a code. False as with `kept`."""
        return await self._settle(row, due=self._database.moment(after), cause=cause[:CAUSE_LENGTH])

    async def _settle(self, row: WaitingAttachment, **values: Any) -> bool:
        table = attachment_table.c
        mine = update(attachment_table).where(table.id == row.id, table.attempts == row.attempts, table.status == "waiting")
        async with self._database.write_once() as connection:
            return (await connection.execute(mine.values(values))).rowcount == 1

    async def of(self, conversation: str) -> list[Attachment]:
        """The files of a conversation, in the order they came."""
        table = attachment_table.c
        columns = (
            *(table.id, table.conversation, table.event_id, table.position, table.status, table.cause),
            *(table.content_type, table.size, table.received_at, table.finished_at),
        )
        query = select(*columns).where(table.conversation == conversation).order_by(table.id)
        async with self._database.read() as connection:
            return [Attachment(**row._mapping) for row in await connection.execute(query)]

    async def read(self, attachment: int) -> MediaFile | None:
        """A file that is kept, by its `Attachment.id`; None when it is not there (yet, or any more). Raises SealError.

        Who may see it is for the caller to know: ask `of` for the conversation first.
        """
        table = attachment_table.c
        query = select(table.event_id, table.position, table.content_type, table.content)
        async with self._database.read() as connection:
            row = (await connection.execute(query.where(table.id == attachment, table.status == "kept"))).one_or_none()
        if row is None:
            return None
        place = _place(row.event_id, row.position, "content")
        return MediaFile(await asyncio.to_thread(self._bytes, row.content, place), row.content_type)

    def _sealed(self, row: WaitingAttachment, content: bytes) -> Any:
        place = _place(row.event_id, row.position, "content")
        return self._sealer.seal(base64.b64encode(content).decode(), "attachment", place)

    def _bytes(self, stored: Any, place: str) -> bytes:
        return base64.b64decode(self._sealer.open(stored, "attachment", place))


def _place(event_id: str, position: int, document: str) -> str:
    """The row a document is bound to, as `sealed.SEALED` spells it."""
    return f"{event_id}/{position}/{document}"
