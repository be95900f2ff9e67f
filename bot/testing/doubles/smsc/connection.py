"""One connection to the double, from its bind to its end."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from . import wire
from .phones import Told
from .wire import BINDS, Cursor, Frame, Malformed, read_frame

if TYPE_CHECKING:
    from .double import SmscDouble


class Connection:
    """`bound` is the command it was bound by, 0 before. `reading` can be cleared: it then reads nothing."""

    def __init__(self, smsc: SmscDouble, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._smsc = smsc
        self._reader = reader
        self._writer = writer
        self._sequence = 0
        self._outstanding: dict[int, tuple[Told, float]] = {}
        self._enquired: dict[int, asyncio.Event] = {}
        self.bound = 0
        self.reading = asyncio.Event()
        self.reading.set()

    async def serve(self) -> None:
        telling: asyncio.Task[None] | None = None
        try:
            while True:
                await self.reading.wait()
                frame = await read_frame(self._reader)
                await self.reading.wait()  # it may have been told to stop while it waited for the frame
                if self._writer.is_closing():
                    break
                await self._take(frame)
                if self.bound in (wire.BIND_RECEIVER, wire.BIND_TRANSCEIVER) and telling is None:
                    telling = asyncio.create_task(self._tell())
        except Malformed as bad:
            self._smsc.violations.append(str(bad))
        except (EOFError, OSError):
            pass
        finally:
            self.bound = 0
            if telling is not None:
                telling.cancel()
            self._writer.transport.abort()

    def write(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self.write_octets(Frame(command, status, sequence, body).octets())

    def write_octets(self, octets: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(octets)

    def reset(self) -> None:
        """Ends it as a machine that dies does: without a word."""
        found = self._writer.get_extra_info("socket")
        if found is not None and found.fileno() >= 0:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.bound = 0
        self.reading.set()
        self._writer.transport.abort()

    async def enquire(self) -> None:
        """Asks whether the other end is there, until it answers."""
        self._sequence += 1
        event = self._enquired[self._sequence] = asyncio.Event()
        self.write(wire.ENQUIRE_LINK, 0, self._sequence)
        await event.wait()

    def unbind(self) -> None:
        self._sequence += 1
        self.write(wire.UNBIND, 0, self._sequence)

    async def _take(self, frame: Frame) -> None:
        if frame.command in BINDS:
            self._bind(frame)
        elif frame.command == wire.GENERIC_NACK:
            self._smsc.nacks.append(frame.status)
        elif frame.command & wire.RESPONSE:
            self._answered(frame)
        elif not self.bound:
            self.write(frame.command | wire.RESPONSE, 0x04, frame.sequence)
        elif frame.command == wire.SUBMIT_SM:
            if self.bound == wire.BIND_RECEIVER:
                self.write(frame.command | wire.RESPONSE, 0x04, frame.sequence)
            else:
                await self._smsc.take(self, frame.sequence, frame.body)
        elif frame.command == wire.ENQUIRE_LINK:
            self._smsc.enquiries += 1
            if self._smsc.answers_enquiries:
                self.write(frame.command | wire.RESPONSE, 0, frame.sequence)
        elif frame.command == wire.UNBIND:
            self._smsc.unbinds += 1
            self.bound = 0
            self.write(frame.command | wire.RESPONSE, 0, frame.sequence)
        else:
            self.write(wire.GENERIC_NACK, 0x03, frame.sequence)

    def _bind(self, frame: Frame) -> None:
        cursor = Cursor(frame.body)
        system_id, password = cursor.text(16), cursor.text(9)
        cursor.text(13)
        if cursor.number() != 0x34:
            raise Malformed("interface_version")
        cursor.octets(2)
        cursor.text(41)
        if not cursor.ended:
            raise Malformed("a bind with more behind it")
        status = self._smsc.admit(system_id, password)
        if status == 0:
            self.bound = frame.command
            self._smsc.binds.append(frame.command)
        self.write(frame.command | wire.RESPONSE, status, frame.sequence, wire.text("smsc") if status == 0 else b"")

    def _answered(self, frame: Frame) -> None:
        if frame.command == wire.ENQUIRE_LINK | wire.RESPONSE:
            if event := self._enquired.pop(frame.sequence, None):
                event.set()
            return
        told, _ = self._outstanding.pop(frame.sequence, (None, 0.0))
        if told is None:
            if frame.command != wire.UNBIND | wire.RESPONSE:
                self._smsc.violations.append("an answer to nothing")
            return
        if frame.command != told.command | wire.RESPONSE:
            self._smsc.violations.append("an answer of another command")
        if frame.body != b"\0":
            self._smsc.violations.append("a deliver_sm_resp holds an empty message_id")
        self._smsc.answered(told, frame.status)

    async def _tell(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            now, timer = clock(), self._smsc.response_timer
            unanswered = [told for told, at in self._outstanding.values() if timer is None or at + timer > now]
            for told in self._smsc.told:
                if len(unanswered) >= self._smsc.window:
                    break
                if told.done.is_set() or told in unanswered:
                    continue
                self._sequence += 1
                self._outstanding[self._sequence] = (told, now)
                unanswered.append(told)
                told.times += 1
                self.write(told.command, 0, self._sequence, told.body)
            await asyncio.sleep(self._smsc.repeat_after)
