"""Fetches the files customers sent, long after their messages are answered: no reply waits for a picture."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from bot.channels import MediaFile, MediaRefused, MediaSource, MessageChannel
from bot.conversations import Attachments, WaitingAttachment

from .telemetry import Telemetry, silence

ATTEMPTS = 6
"""Times a file is asked for; with the waits between them they span more than an hour."""

_FIRST_WAIT = timedelta(seconds=15)
_AT_ONCE = 4
_SPARE = timedelta(seconds=30)  # of a lease, to store what came at the last moment


async def fetch_attachments(
    attachments: Attachments, channels: Mapping[str, MessageChannel], telemetry: Telemetry = silence, *, seconds: float = 45.0
) -> int:
    """Fetches what is due, a few files at once, for up to `seconds` in all; returns how many it has tried. A job to be run periodically.

    New files are begun in the first third of that time, so that each has the rest of it. Several processes may do this at once. Raises
    what the database raises, once the files under way are done with.
    """
    clock = asyncio.get_running_loop().time
    begin_until, end = clock() + seconds / 3, clock() + seconds
    lease = timedelta(seconds=seconds) + _SPARE

    async def worker(row: WaitingAttachment | None) -> int:
        """Goes on with the next file, so that a slow one holds up only its own."""
        tried = 0
        while row is not None:
            await _fetch(attachments, channels, telemetry, row, end)
            tried += 1
            more = await attachments.claim(limit=1, lease=lease) if clock() < begin_until else []
            row = next(iter(more), None)
        return tried

    first = await attachments.claim(limit=_AT_ONCE, lease=lease)
    results = await asyncio.gather(*(worker(row) for row in first), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return sum(result for result in results if isinstance(result, int))


async def _fetch(
    attachments: Attachments, channels: Mapping[str, MessageChannel], telemetry: Telemetry, row: WaitingAttachment, end: float
) -> None:
    """One file, and what became of it."""
    try:
        file = await _file(attachments, channels, row, end)
    except MediaRefused as refused:
        if refused.again and row.attempts < ATTEMPTS:
            outcome, code = "retry", refused.code
            stored = await attachments.retry(row, _FIRST_WAIT * 4 ** (row.attempts - 1), code)
        else:
            outcome, code = "refused", refused.code
            stored = await attachments.refused(row, code)
    else:
        outcome, code = "kept", ""
        stored = await attachments.kept(row, file)
    if stored:
        telemetry("attachment", conversation=row.conversation, channel=row.channel, outcome=outcome, code=code)


async def _file(attachments: Attachments, channels: Mapping[str, MessageChannel], row: WaitingAttachment, end: float) -> MediaFile:
    """Raises MediaRefused, whatever goes wrong: a fault in one channel, or one row, must not keep the other files waiting."""
    channel = channels.get(row.channel)
    if row.attempts > ATTEMPTS:
        raise MediaRefused("process_lost", "whoever fetched it died, again and again")
    if channel is None:
        raise MediaRefused("no_channel", "the channel it came over is not connected here", again=True)
    if not isinstance(channel, MediaSource):
        raise MediaRefused("no_media", "files cannot be fetched from the channel it came over")
    try:
        async with asyncio.timeout_at(end):
            return await channel.fetch(attachments.link(row))
    except MediaRefused:
        raise
    except TimeoutError:
        raise MediaRefused("timeout", "the file did not come in time", again=True) from None
    except Exception as error:
        raise MediaRefused(type(error).__name__, "fetching it failed", again=True) from error
