"""How Twilio calls: signed forms, told again on a failed connection, and complaints about answers it cannot read.

The signature is written from the vendor's documentation, apart from the adapter's: each checks the other.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

from ..http_client import Answer, post


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A webhook ready to be made: also for tests that need no network. `target` is what follows the public base."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True)
class Alert:
    """What Twilio's debugger would show: 11200 and its kin."""

    code: int
    detail: str


@dataclass(slots=True)
class Caller:
    """`public_base_url` is what is signed and written in callbacks; `connect_to` is where the bot really listens, if elsewhere
    (as behind a proxy that ends TLS). `salt` makes the tokens of one run differ from another's. `shared_key` is a pair (id, secret):
    webhooks are then signed by it with SHA-256."""

    token: str
    public_base_url: str
    connect_to: str = ""
    shared_key: tuple[str, str] | None = None
    timeout: float = 15.0
    alerts: list[Alert] = field(default_factory=list)
    salt: str = ""
    _told: int = 0

    def sign(self, url: str, fields: Sequence[tuple[str, str]]) -> SignedRequest:
        self._told += 1
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": hashlib.md5(f"token {self.salt}{self._told}".encode()).hexdigest(),
        }
        text = url
        for name, value in sorted(fields):
            text += name + value
        if self.shared_key:
            key, secret = self.shared_key
            headers["X-Twilio-Webhooks-Signature-Settings"] = f"key={key},algorithm=HMAC_SHA256"
            made = hmac.digest(secret.encode(), text.encode(), "sha256")
        else:
            made = hmac.digest(self.token.encode(), text.encode(), "sha1")
        headers["X-Twilio-Signature"] = b64encode(made).decode()
        return SignedRequest(url, headers, urlencode(fields).encode())

    async def call(self, request: SignedRequest) -> int:
        """The HTTP status of the answer, 0 for none; one more attempt if no connection could be made, as is Twilio's default."""
        url = request.url
        if self.connect_to and url.startswith(self.public_base_url):
            url = self.connect_to + url[len(self.public_base_url) :]
        for _ in range(2):
            try:
                answer = await post(url, request.body, request.headers, seconds=self.timeout)
            except ConnectionRefusedError:
                await asyncio.sleep(0)
            except (OSError, ValueError) as error:
                self.alerts.append(Alert(11205, type(error).__name__))
                return 0
            else:
                self._judge(answer)
                return answer.status
        self.alerts.append(Alert(11205, "no connection"))
        return 0

    def _judge(self, response: Answer) -> None:
        if response.status >= 400:
            self.alerts.append(Alert(11200, f"HTTP {response.status}"))
        elif response.body and "xml" not in response.headers.get("content-type", ""):
            self.alerts.append(Alert(12300, response.headers.get("content-type", "none")))
        elif response.body:
            try:
                root = ElementTree.fromstring(response.body)
            except ElementTree.ParseError:
                self.alerts.append(Alert(12100, "no XML"))
            else:
                if root.tag != "Response":
                    self.alerts.append(Alert(12200, root.tag))
