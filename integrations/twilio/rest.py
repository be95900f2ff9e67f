"""Twilio's REST API, as little of it as messages need: create one, list them, list the files of one.

One call is one request, within a total time that nothing outlives: no retries, no redirects. (The vendor's asynchronous client
ignores its timeout and repeats a POST after HTTP 500, which sends the message again.) Whether the request had begun to be
written when it failed is observed, not guessed: that is the line between `Retry` and `Unknown`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.channels import MediaLink, Progress, Rejected, Retry, SendOutcome, Sent, Status, Unknown

from .errors import ErrorKind, lookup
from .settings import TwilioSettings
from .webhook import read_status

_MOST_BYTES = 4 * 1024 * 1024


class NoAnswer(Exception):
    """No complete answer came. `written`: whether any of the request may have left this machine. `reason` is a short code."""

    def __init__(self, reason: str, *, written: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.written = written


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer; `json` is an empty mapping if the body is no JSON object."""

    status: int
    headers: Mapping[str, str]
    json: Mapping[str, Any] = field(repr=False)

    @property
    def code(self) -> str | None:
        """Twilio's own error code, if the answer is Twilio's (a proxy's has none)."""
        code = self.json.get("code")
        return str(code) if isinstance(code, int) else None

    @property
    def retry_after(self) -> float | None:
        """Seconds; a date is not used by Twilio."""
        value = self.headers.get("retry-after", "")
        return float(value) if value.isascii() and value.isdigit() else None


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A message Twilio has. `created` is when it accepted it, `files` how many came with it; addresses are as Twilio writes them."""

    provider_id: str
    text: str = field(repr=False)
    sender: str = field(repr=False)
    to: str = field(repr=False)
    outbound: bool
    progress: Progress
    created: datetime | None
    segments: int | None
    files: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, newest first. `next` is the address of the rest, or empty."""

    messages: tuple[ListedMessage, ...]
    next: str = field(repr=False, default="")


@dataclass(slots=True)
class TwilioRest:
    """`http` is the caller's to close; make it with `open_http`."""

    settings: TwilioSettings
    http: httpx.AsyncClient

    async def create(self, fields: Sequence[tuple[str, str]]) -> SendOutcome:
        """One attempt to send. Never raises for what the network or Twilio does."""
        try:
            answer = await self._request("POST", f"{self._account_url}/Messages.json", self.settings.send_timeout, fields)
        except NoAnswer as failure:
            return Unknown(failure.reason) if failure.written else Retry(failure.reason)
        return outcome_of(answer)

    async def list(
        self, *, to: str | None = None, sender: str | None = None, sent_since: datetime | None = None, page: str = "", size: int = 50
    ) -> Page:
        """Messages, newest first. Raises NoAnswer also for an answer that is no list.

        `sent_since` may be taken by the day, as the description of the API has it, and leaves out what has not been sent yet.
        """
        since = [("DateSent>", sent_since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))] if sent_since else []
        filters = [*([("To", to)] if to else []), *([("From", sender)] if sender else []), *since, ("PageSize", str(size))]
        url = self.settings.api_base_url + page if page else f"{self._account_url}/Messages.json?{urlencode(filters)}"
        answer = await self._request("GET", url, self.settings.list_timeout)
        listed = answer.json.get("messages")
        if answer.status != 200 or not isinstance(listed, list):
            raise NoAnswer(f"list_{answer.code or answer.status}", written=True)
        following = answer.json.get("next_page_uri")
        # A path on the same host, and not the page just read: a list that points at itself must end.
        usable = isinstance(following, str) and following.startswith("/2010-04-01/") and not url.endswith(following)
        return Page(tuple(_listed(item) for item in listed if isinstance(item, Mapping)), str(following) if usable else "")

    async def files(self, provider_id: str) -> tuple[MediaLink, ...]:
        """The files that came with a message; none when it, or they, have been deleted. Raises NoAnswer."""
        base = f"{self._account_url}/Messages/{provider_id}/Media"
        answer = await self._request("GET", f"{base}.json?PageSize=100", self.settings.list_timeout)
        listed = answer.json.get("media_list")
        if answer.status == 404 and answer.code is not None:
            return ()
        if answer.status != 200 or not isinstance(listed, list):
            raise NoAnswer(f"files_{answer.code or answer.status}", written=True)
        files = ((item.get("sid"), item.get("content_type")) for item in listed if isinstance(item, Mapping))
        return tuple(MediaLink(f"{base}/{sid}", str(kind or "application/octet-stream")) for sid, kind in files if sid)

    @property
    def _account_url(self) -> str:
        return f"{self.settings.api_base_url}/2010-04-01/Accounts/{self.settings.account_sid}"

    async def _request(self, method: str, url: str, seconds: float, fields: Sequence[tuple[str, str]] = ()) -> Answer:
        written = False

        async def watch(event: str, _: Mapping[str, Any]) -> None:
            nonlocal written
            written = written or "send_request_headers" in event

        request = self.http.build_request(
            method,
            url,
            headers={"Accept": "application/json"} | ({"Content-Type": "application/x-www-form-urlencoded"} if fields else {}),
            content=urlencode(fields).encode() if fields else None,
            extensions={"trace": watch},
            timeout=seconds,
        )
        try:
            async with asyncio.timeout(seconds):
                response = await self.http.send(request, auth=self.settings.basic_auth, follow_redirects=False, stream=True)
                try:
                    return Answer(response.status_code, response.headers, _json(await _read(response)))
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer("timeout" if written else "connect_timeout", written=written) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            reason = "connection_lost" if written else "no_connection"
            raise NoAnswer(f"{reason}_{type(error).__name__}", written=written) from None


def open_http(settings: TwilioSettings, *, trust_env: bool = True) -> httpx.AsyncClient:
    """A client fit for this: few idle connections and briefly, so that one is seldom found closed at the moment of writing."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
    return httpx.AsyncClient(limits=limits, timeout=settings.send_timeout, trust_env=trust_env, headers={"User-Agent": "switchboard"})


def outcome_of(answer: Answer) -> SendOutcome:
    """What an answer to "create a message" means. Pure."""
    if answer.status in (200, 201):
        return _sent(answer)
    if answer.status == 429:
        return Retry("rate", answer.code, answer.retry_after)
    if answer.status == 408 or not 400 <= answer.status < 500:
        # A 5xx may come after the message was made; a redirect or anything odd is not Twilio's way to say no.
        return Unknown(f"http_{answer.status}", answer.retry_after)
    if answer.code is None:  # a proxy or a captive portal in between: Twilio has not seen it
        return Retry(f"http_{answer.status}", after=answer.retry_after, alert=True)
    error = lookup(answer.code)
    if error.kind is ErrorKind.RATE:
        return Retry("rate", error.code, answer.retry_after)
    if error.kind is ErrorKind.ACCOUNT or (error.kind is ErrorKind.UNLISTED and answer.status in (401, 403)):
        return Retry("account", error.code, answer.retry_after, alert=True)
    return Rejected(error.kind.value, error.code, closes_consent=error.kind is ErrorKind.CONSENT)


def _sent(answer: Answer) -> SendOutcome:
    sid = answer.json.get("sid")
    if not isinstance(sid, str) or not sid:
        return Unknown("answer_without_sid")
    return Sent(sid, _progress(answer.json), _whole(answer.json.get("num_segments")))


def _listed(item: Mapping[str, Any]) -> ListedMessage:
    return ListedMessage(
        str(item.get("sid") or ""),
        str(item.get("body") or ""),
        str(item.get("from") or ""),
        str(item.get("to") or ""),
        str(item.get("direction") or "").startswith("outbound"),
        _progress(item),
        _date(item.get("date_created")),
        _whole(item.get("num_segments")),
        _whole(item.get("num_media")) or 0,
    )


def _progress(item: Mapping[str, Any]) -> Progress:
    code = item.get("error_code")
    return Progress(read_status(str(item.get("status"))) or Status.ACCEPTED, str(code) if code else "")


def _date(text: object) -> datetime | None:
    try:
        return parsedate_to_datetime(str(text))
    except ValueError:
        return None


def _whole(text: object) -> int | None:
    """Twilio writes "0" when it does not know yet."""
    written = str(text)
    return int(written) or None if written.isascii() and written.isdigit() else None


async def _read(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise NoAnswer("answer_too_large", written=True)
    return body


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
