"""Runs custom actions in a separate action server (`python -m rasa_sdk --actions ...`), over HTTP.

Source of the format: the action server reference of Rasa 3.x: POST /webhook, GET /actions; 400 for a rejection, 404 for an
unknown action, 449 for "send me the domain again", 500 for an exception. The body of a 500 repeats the whole request, so no
body ever reaches an error text.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult, FailureKind

from .wire import plain, result_of, tracker_json, with_form

if TYPE_CHECKING:
    import httpx

DEFAULT_TIMEOUT = 10.0
_NO_DOMAIN = {"version": "3.1"}  # a server takes {} to mean "the last one you saw"


class HttpActions:
    """The actions of one action server.

    `url` is the server's, with or without `/webhook`. `names` are its actions; `refresh` asks the server for them. `timeout` is
    in seconds for the whole call. The domain is sent once and then by its digest. Environment proxies are not used.

    ActionFailed kinds: `failed` when the server was not reached or the action raised, `timeout`, `rejected`, `unknown`
    (no such action), `bad_event`, and `unknown_outcome` when the connection broke after the request had gone out.
    """

    def __init__(self, url: str, names: Iterable[str] = frozenset(), *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._base = url.rstrip("/").removesuffix("/webhook")
        self._names = frozenset(names)
        self._timeout = timeout
        self._client: httpx.AsyncClient | None = None
        self._digest: tuple[Mapping[str, Any] | None, str] = (None, "")
        self._sent = ""

    @property
    def names(self) -> frozenset[str]:
        return self._names

    async def refresh(self) -> frozenset[str]:
        """Asks the server for its actions. Raises ConnectionError when it does not answer as an action server does."""
        import httpx

        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._connected().get(f"{self._base}/actions")
            answer.raise_for_status()
            listed: Any = answer.json()
            self._names = frozenset(entry["name"] for entry in listed)
        except (httpx.HTTPError, TimeoutError, ValueError, TypeError, KeyError) as error:
            raise ConnectionError(f"no action server at {self._base} ({type(error).__name__}): start it, or mend the url") from None
        return self._names

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def run(self, call: ActionCall) -> ActionResult:
        """Runs one action. Raises ActionFailed."""
        import httpx

        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._ask(call)
        except (TimeoutError, httpx.TimeoutException):
            raise ActionFailed("timeout", call.action, f"no answer within {self._timeout:g} s") from None
        except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ActionFailed("failed", call.action, f"action server not reached ({type(error).__name__}), nothing was sent") from None
        except (TypeError, ValueError):
            raise ActionFailed("failed", call.action, "the call holds a value that is not JSON, nothing was sent") from None
        except httpx.HTTPError as error:
            raise ActionFailed("unknown_outcome", call.action, f"the connection broke mid-call ({type(error).__name__})") from None
        return self._read(call.action, answer)

    async def _ask(self, call: ActionCall) -> httpx.Response:
        domain, digest = self._domain_of(call)
        body = {
            "next_action": call.action,
            "sender_id": call.conversation,
            "tracker": tracker_json(call),
            "domain_digest": digest,
            "version": _sdk_version(),
        }
        if digest != self._sent:
            body["domain"] = domain
        answer = await self._post(body)
        if answer.status_code == 449:  # another worker, or a restarted one, which has not seen the domain
            body["domain"] = domain
            answer = await self._post(body)
        if answer.status_code == 200:
            self._sent = digest
        return answer

    async def _post(self, body: Mapping[str, Any]) -> httpx.Response:
        content = json.dumps(body, allow_nan=False)
        return await self._connected().post(f"{self._base}/webhook", content=content, headers={"Content-Type": "application/json"})

    def _read(self, action: str, answer: httpx.Response) -> ActionResult:
        status = answer.status_code
        if status != 200:
            known: dict[int, tuple[FailureKind, str]] = {
                400: ("rejected", "rejected its execution"),
                404: ("unknown", "the action server does not know it"),
                449: ("failed", "the action server asks for the domain again and again"),
            }
            kind, detail = known.get(status, ("failed", f"the action server answered {status}"))
            raise ActionFailed(kind, action, detail)
        try:
            content = answer.json()
        except ValueError:
            raise ActionFailed("failed", action, "the action server's answer is not JSON") from None
        if content is None:
            return ActionResult()
        responses = content.get("responses") or [] if isinstance(content, dict) else None
        if not isinstance(responses, list) or not all(isinstance(response, dict) for response in responses):
            raise ActionFailed("failed", action, "the action server's answer lacks events and responses")
        return result_of(action, content.get("events"), responses)

    def _domain_of(self, call: ActionCall) -> tuple[Mapping[str, Any], str]:
        if call.candidate is not None:
            domain = with_form(call.domain, call.candidate[0])
            return domain, _digest(domain)
        source, digest = self._digest
        if source is not call.domain:
            digest = _digest(call.domain or _NO_DOMAIN)
            self._digest = (call.domain, digest)
        return call.domain or _NO_DOMAIN, digest

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            import httpx

            self._client = httpx.AsyncClient(timeout=self._timeout, trust_env=False)
        return self._client


def _digest(domain: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain(domain), sort_keys=True).encode()).hexdigest()


def _sdk_version() -> str:
    """What the server compares with its own version, to warn of a difference."""
    try:
        return version("rasa-sdk")
    except PackageNotFoundError:
        return "3.21.1"
