"""A web server inside a program of ours: it starts, says when it listens, and stops when it is told to. Signals are the program's."""

from __future__ import annotations

import asyncio
import errno
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_SECONDS = 10.0
_HEAD_BYTES = 32 * 1024
_BACKLOG = 2048


class ListenError(Exception):
    """The server could not start. The message says why and what to do; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{detail} [{code}]")
        self.code = code


async def serve(app: ASGIApp, host: str, port: int, *, connections: int = 1000, keep_alive: float = 20.0) -> Server:
    """Serves `app`; returns when it listens. Port 0 takes a free one. More than `connections` at once are answered with 503.

    Raises ListenError. End it with `await server.stop()`.
    """
    listener = _listen(host, port)
    server = Server(app, listener, connections=connections, keep_alive=keep_alive)
    try:
        await server.start()
    except BaseException:
        listener.close()
        raise
    return server


class Server:
    """A server that listens. Made by `serve`."""

    def __init__(self, app: ASGIApp, listener: socket.socket, *, connections: int, keep_alive: float) -> None:
        self.host, self.port = listener.getsockname()[:2]
        self._listener = listener
        config = uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # nothing is believed of X-Forwarded-*
            server_header=False,
            limit_concurrency=connections,
            timeout_keep_alive=math.ceil(keep_alive),
            backlog=_BACKLOG,
        )
        self._server = _Uvicorn(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens, for this machine."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        """Returns when it listens and the application has started. Raises ListenError when the application does not."""
        self._task = asyncio.create_task(self._server.serve([self._listener]), name="web server")
        listening = asyncio.create_task(self._server.listening.wait())
        try:
            await asyncio.wait((self._task, listening), return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                await self._task
                raise ListenError("not-started", "the web application did not start; the log has the reason")
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        finally:
            listening.cancel()

    async def stop(self, grace: float = 10.0) -> None:
        """Accepts no more connections, lets requests under way end for up to `grace` seconds, then cancels them."""
        if self._task is None:
            return
        self._server.config.timeout_graceful_shutdown = grace  # type: ignore[assignment]  # any number will do
        self._server.should_exit = True
        await self._task

    async def wait(self) -> None:
        """Until it has stopped. Raises what it ended by, if it was not stopped."""
        if self._task is not None:
            await asyncio.shield(self._task)


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: SIGTERM and SIGINT belong to the program."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # how uvicorn says that the lifespan of the application failed
            raise ListenError("not-started", "the web application did not start; the log has the reason") from None
        self.listening.set()


class _Connection(HttpToolsProtocol):
    """uvicorn bounds neither the time nor the size of a request's head, so that anybody could hold connections open for nothing."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._have_head()
        elif not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES:
                self._have_head()
                self.send_400_response("The head of the request is too large.")
            elif self._head_timer is None:
                self._expect_head()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _have_head(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise ListenError("no-such-port", f"cannot listen on {host}:{port}: a port is 0 to 65535 (0: any that is free)")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind(address)
            # Bound is not yet taken: with SO_REUSEADDR only listening finds out that another program has the port.
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise _refusal(error, host, port) from error
    return listener


def _refusal(error: OSError, host: str, port: int) -> ListenError:
    where = f"cannot listen on {host}:{port}"
    if error.errno == errno.EADDRINUSE:
        advice = f"stop the program that has it (`ss -ltnp 'sport = :{port}'` names it) or choose another port"
        return ListenError("port-in-use", f"{where}: the port is in use; {advice}")
    if error.errno == errno.EACCES:
        return ListenError("port-forbidden", f"{where}: ports below 1024 need a privilege; choose one above, behind a proxy that has 443")
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return ListenError("no-such-address", f"{where}: this machine has no such address; use 127.0.0.1, or 0.0.0.0 for all of them")
    return ListenError("not-listening", f"{where}: {type(error).__name__}")
