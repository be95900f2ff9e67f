"""The web application: webhooks of channels, health, metrics. FastAPI, so that other APIs can be included in it.

A webhook is verified and read by its channel, stored, and answered; nothing else happens in the request. What could not be stored is
answered with 503, so that the provider tells it again or tells its fallback. Webhooks go by plain ASGI: they are all that is fast here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels import Deliver, HttpReply, HttpRequest, Received, WebhookChannel
from bot.conversations.database import utc_now

from .deadline import Deadline
from .health import Health, Report
from .observing import CONTENT_TYPE, Observer

FORM = "application/x-www-form-urlencoded"

_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_TEXT = "text/plain; charset=utf-8"
_REPORT_SCHEMA = {
    "type": "object",
    "required": ["status", "checks"],
    "properties": {"status": {"type": "string"}, "checks": {"type": "object", "additionalProperties": {"type": "object"}}},
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a channel is called. `takes` and `answers` are media types, for the description of the API; the channel checks its own."""

    path: str
    channel: WebhookChannel
    takes: str = FORM
    answers: str = "text/xml"


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    """Bytes and seconds. `read`: in which a body must have come; `store`: in which its events must be stored, shorter than the provider
    waits for its answer (Twilio: 15); `retry_after`: what a provider is told when they were not."""

    body: int = 64 * 1024
    read: float = 10.0
    store: float = 10.0
    retry_after: int = 5


def application(
    webhooks: Sequence[Webhook],
    take: Deliver,
    health: Health,
    observer: Observer,
    *,
    prefix: str = "",
    limits: WebhookLimits | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    version: str = "",
    now: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """The routes of `webhooks`, `/health/live`, `/health/ready`, `/metrics` and `/openapi.json`.

    `take` stores events, or raises. `lifespan` is entered when the server starts; the heartbeat of `health` runs as long. `prefix` is the path before ours that a proxy leaves in its requests (one that cuts it off needs
    nothing); it stands before webhooks only. Nothing is believed of `X-Forwarded-*`. A provider reaches webhooks only: have the proxy
    pass on no other path. Raises ValueError for paths that do not begin with a slash, or are there twice.
    """
    _check([webhook.path for webhook in webhooks], prefix)
    app = _Application([_description(prefix, webhook) for webhook in webhooks], version=version or "0", lifespan=_living(health, lifespan))
    app.add_middleware(_Headers)
    for webhook in webhooks:
        endpoint = _Endpoint(webhook.channel, take, observer, limits or WebhookLimits(), prefix.encode(), now)
        app.router.routes.append(Route(prefix + webhook.path, endpoint))
    _add_operations(app, health, observer)
    return app


def _living(
    health: Health, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        heart = asyncio.create_task(health.watch(), name="heartbeat")
        try:
            async with lifespan(app) if lifespan else nullcontext():
                yield
        finally:
            heart.cancel()

    return living


def _check(paths: Sequence[str], prefix: str) -> None:
    for path in paths:
        if not path.startswith("/") or "{" in path:
            raise ValueError(f"the path of a webhook begins with a slash and has no braces: {path!r} [webhook-path]")
    if len(set(paths)) < len(paths):
        raise ValueError(f"two channels want the same path: {', '.join(sorted(paths))}; change one of them [webhook-path-twice]")
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise ValueError(f"a prefix begins with a slash and ends without one: {prefix!r} [webhook-prefix]")


class _Application(FastAPI):
    """FastAPI whose description holds the webhooks, too. No pages of documentation: they load scripts from elsewhere."""

    def __init__(self, described: Sequence[tuple[str, dict[str, Any]]], **options: Any) -> None:
        self._described = dict(described)
        super().__init__(title="Switchboard", docs_url=None, redoc_url=None, redirect_slashes=False, **options)

    def openapi(self) -> dict[str, Any]:
        described = super().openapi()
        described["paths"].update(self._described)
        return described


def _description(prefix: str, webhook: Webhook) -> tuple[str, dict[str, Any]]:
    def answer(text: str, content_type: str = "text/plain", **headers: str) -> dict[str, Any]:
        told = {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in headers.items()}
        content = {"content": {content_type: {"schema": {"type": "string"}}}}
        return {"description": text, **content, **({"headers": told} if told else {})}

    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    return prefix + webhook.path, {
        "post": {
            "tags": ["webhooks"],
            "summary": f"Called by the provider of {webhook.channel.name}",
            "operationId": "webhook" + "_".join(webhook.path.split("/")),
            "requestBody": {"required": True, "content": {webhook.takes: {"schema": schema}}},
            "responses": {
                "200": answer("Stored, or known already", webhook.answers),
                "400": answer("Signed, but not readable, or cut off"),
                "403": answer("Not signed by the provider"),
                "404": answer("No such path"),
                "405": answer("Another method", Allow="the method to use"),
                "408": answer("The body came too slowly"),
                "413": answer("The body is too large"),
                "503": answer("Not stored: tell it again", **{"Retry-After": "seconds"}),
            },
        }
    }


def _add_operations(app: FastAPI, health: Health, observer: Observer) -> None:
    def documented(status: int, text: str) -> dict[int | str, dict[str, Any]]:
        content = {"application/json": {"schema": _REPORT_SCHEMA}}
        return {200: {"description": "Yes", "content": content}, status: {"description": text, "content": content}}

    @app.get("/health/live", tags=["operations"], response_class=JSONResponse, responses=documented(503, "Stalled: restart it"))
    async def live() -> Response:
        return _report(health.live())

    @app.get("/health/ready", tags=["operations"], response_class=JSONResponse, responses=documented(503, "Send no webhooks here"))
    async def ready() -> Response:
        return _report(await health.ready())

    text = {"content": {"text/plain": {"schema": {"type": "string"}}}}

    @app.get("/metrics", tags=["operations"], response_class=Response, responses={200: {"description": "For Prometheus", **text}})
    async def metrics() -> Response:
        return Response(await observer.metrics(), headers={"content-type": CONTENT_TYPE})


def _report(report: Report) -> Response:
    return JSONResponse(report.to_json(), 200 if report.ok else 503)


class _Headers:
    """Headers of every answer that does not have them itself. Not Starlette's middleware for functions, which costs a task a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                names = {name.lower() for name, _ in headers}
                message["headers"] = headers + [header for header in _HEADERS if header[0] not in names]
            await send(message)

        await self._app(scope, receive, headed if scope["type"] == "http" else send)


class _Unreadable(Exception):
    """The request cannot be taken: `status` and a stable code."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem


class _Endpoint:
    """One path of a channel, as an ASGI application."""

    def __init__(
        self, channel: WebhookChannel, take: Deliver, observer: Observer, limits: WebhookLimits, prefix: bytes, now: Callable[[], datetime]
    ) -> None:
        self._channel = channel
        self._take = take
        self._tell = observer
        self._limits = limits
        self._prefix = prefix
        self._now = now
        self._deadline = Deadline(limits.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        more: dict[str, str] = {}
        try:
            body = await self._body(scope, receive)
        except _Unreadable as error:
            # The rest of the body is not read, so that the connection cannot be used again.
            reply, problem = HttpReply(error.status), error.problem
            more["connection"] = "close"
        else:
            reply, problem = await self._answer(self._request(scope, body))
        if reply.status == 405:
            more["allow"] = "POST"
        elif reply.status == 503:
            more["retry-after"] = str(self._limits.retry_after)
        self._tell("webhook", channel=self._channel.name, status=reply.status, problem=problem, seconds=time.perf_counter() - began)
        await _send(send, reply, more)

    async def _answer(self, request: HttpRequest) -> tuple[HttpReply, str]:
        """The answer, and the code of what was wrong. 500 only for a mistake in a channel, which promised never to raise."""
        try:
            received: Received = self._channel.receive(request)
        except Exception as error:
            _log.error("a channel failed on a webhook", exc_info=error)
            return HttpReply(500), "channel_failed"
        if received.events:
            try:
                await self._deadline(_coroutine(self._take(received.events)))
            except Exception as error:
                _log.warning("a webhook was not stored", exc_info=error)
                return HttpReply(503), "not_stored_in_time" if isinstance(error, TimeoutError) else "not_stored"
        return received.reply, received.problem or ""

    def _request(self, scope: Scope, body: bytes) -> HttpRequest:
        path: bytes = scope["raw_path"]
        if self._prefix and path.startswith(self._prefix):
            path = path[len(self._prefix) :]
        query: bytes = scope["query_string"]
        target = (path + b"?" + query if query else path).decode("latin-1")
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            known, text = name.decode("latin-1"), value.decode("latin-1")
            headers[known] = f"{headers[known]}, {text}" if known in headers else text
        return HttpRequest(scope["method"], target, headers, body, self._now())

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        most = self._limits.body
        if any(name == b"content-length" and int(value) > most for name, value in scope["headers"]):
            raise _Unreadable(413, "too_large")
        body = b""
        try:
            async with asyncio.timeout(self._limits.read):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Unreadable(400, "cut_off")
                    part: bytes = message.get("body", b"")
                    body += part
                    if len(body) > most:
                        raise _Unreadable(413, "too_large")
                    if not message.get("more_body", False):
                        return body
        except TimeoutError:
            raise _Unreadable(408, "too_slow") from None


async def _coroutine(awaited: Awaitable[None]) -> None:
    await awaited


async def _send(send: Send, reply: HttpReply, more: Mapping[str, str]) -> None:
    headers = [
        (b"content-type", (reply.content_type or _TEXT).encode("latin-1")),
        (b"content-length", str(len(reply.body)).encode()),
        *((name.encode(), value.encode()) for name, value in more.items()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
