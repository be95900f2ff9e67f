"""A small HTTP/1.1 server for doubles: it can also do what no proper server does, such as falling silent or hanging up."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Literal

_MOST_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is the path and query as sent; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Response:
    """`ending`: what to do instead of answering, or in the middle of it (`trickle` sends the body too slowly, for ever)."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Literal["answer", "hang_up", "reset", "silence", "trickle", "cut"] = "answer"
    after: float = 0.0


Handler = Callable[[Request], Awaitable[Response]]


class Server:
    """Serves a handler on 127.0.0.1. `async with Server(handler) as server: server.url`. Port 0 is any that is free."""

    def __init__(self, handler: Handler, *, port: int = 0) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=_MOST_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def stop(self) -> None:
        """No connection can be made any more; those that are open end."""
        self.refuse()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def refuse(self) -> None:
        """From now on connections are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await _read(reader)) is not None and await _write(writer, await self._handler(request)):
                if self._server is None:
                    break
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # the client has gone, or talks something else
        except asyncio.CancelledError:
            pass  # the server stops; nobody waits for this task but `stop`
        finally:
            self._tasks.discard(task)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    length = int(headers.get("content-length", "0"))
    if length > _MOST_BYTES:
        raise ValueError("too large")
    return Request(method, target, headers, await reader.readexactly(length))


async def _write(writer: asyncio.StreamWriter, response: Response) -> bool:
    """Whether the connection is to be used again."""
    await asyncio.sleep(response.after)
    if response.ending == "silence":
        await asyncio.Event().wait()
    if response.ending == "reset":
        # Without lingering, closing sends RST in place of FIN.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if response.ending == "hang_up":
        return False
    phrase = HTTPStatus(response.status).phrase
    lines = [
        f"HTTP/1.1 {response.status} {phrase}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    writer.write("\r\n".join((*lines, "", "")).encode("latin-1"))
    if response.ending == "cut":
        writer.write(response.body[: len(response.body) // 2])
        await writer.drain()
        return False
    if response.ending == "trickle":
        for index in range(len(response.body) - 1):
            writer.write(response.body[index : index + 1])
            await writer.drain()
            await asyncio.sleep(0.05)
        await asyncio.Event().wait()
    writer.write(response.body)
    await writer.drain()
    return True
