"""Files customers send, fetched without lending our key to strangers.

The address comes from outside (even a signed webhook's fields are only as good as their signature), so: the key goes to one
path on Twilio's own host and nowhere else; redirects are followed without it, to Twilio's file host only; size, kind, time
and the number of hops are bounded; and what the bytes are is looked at, not only what they are said to be.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from bot.channels import MediaFile, MediaLink, MediaRefused

from .settings import TwilioSettings

_TYPES = frozenset(
    (
        *(
            "image/jpeg",
            "image/png",
            "image/gif",
            "image/webp",
            "image/heic",
            "application/pdf",
            "text/plain",
            "text/vcard",
            "text/x-vcard",
        ),
        *("audio/mpeg", "audio/ogg", "audio/amr", "audio/mp4", "video/mp4", "video/3gpp"),
    )
)
# How files of a kind begin: (offset, bytes).
_BEGINNINGS: dict[str, tuple[tuple[int, bytes], ...]] = {
    "image/jpeg": ((0, b"\xff\xd8\xff"),),
    "image/png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "image/gif": ((0, b"GIF87a"), (0, b"GIF89a")),
    "image/webp": ((8, b"WEBP"),),
    "image/heic": ((4, b"ftyp"),),
    "application/pdf": ((0, b"%PDF-"),),
    "audio/mp4": ((4, b"ftyp"),),
    "video/mp4": ((4, b"ftyp"),),
    "video/3gpp": ((4, b"ftyp"),),
    "audio/ogg": ((0, b"OggS"),),
    "audio/amr": ((0, b"#!AMR"),),
}


@dataclass(frozen=True, slots=True)
class MediaPolicy:
    """`api_host` gets the key; `file_hosts` and their subdomains may be redirected to, without it."""

    api_host: str = "api.twilio.com"
    file_hosts: tuple[str, ...] = ("twiliocdn.com",)
    scheme: str = "https"
    max_bytes: int = 8 * 1024 * 1024
    types: frozenset[str] = _TYPES
    max_redirects: int = 3
    waits: tuple[float, ...] = (1.0, 3.0)  # a file may be missing for a moment after its message has come

    @classmethod
    def of(cls, settings: TwilioSettings) -> MediaPolicy:
        """The one for an account: Twilio's hosts, or this machine's own when the API is simulated on it."""
        api = urlsplit(settings.api_base_url)
        if api.scheme == "https":
            return cls()
        return cls(api_host=api.hostname or "", file_hosts=("127.0.0.1", "localhost"), scheme="http")


@dataclass(slots=True)
class MediaFetcher:
    settings: TwilioSettings
    http: httpx.AsyncClient
    policy: MediaPolicy = MediaPolicy()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def fetch(self, link: MediaLink) -> MediaFile:
        """Raises MediaRefused: `address`, `redirect`, `type`, `size`, `content`, `missing`, `status`, `network`, `timeout`."""
        url = self._own_url(link.url)
        try:
            async with asyncio.timeout(self.settings.media_timeout):
                for wait in (*self.policy.waits, None):
                    try:
                        return await self._follow(url)
                    except MediaRefused as refused:
                        if refused.code != "missing" or wait is None:
                            raise
                    await self.sleep(wait)
        except (TimeoutError, httpx.TimeoutException):
            raise MediaRefused("timeout", "the file did not come in time", again=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError):
            raise MediaRefused("network", "the connection failed", again=True) from None
        raise AssertionError("unreachable: the last wait returns or raises")

    def _own_url(self, text: str) -> httpx.URL:
        """A file of a message of our own account, on the API's host: the key opens more than files there."""
        url = _parse(text)
        path = rf"/2010-04-01/Accounts/{re.escape(self.settings.account_sid)}/Messages/[SM]M[0-9a-fA-F]{{32}}/Media/ME[0-9a-fA-F]{{32}}"
        if not self._at(url, (self.policy.api_host,), subdomains=False) or not re.fullmatch(path, url.raw_path.decode()):
            raise MediaRefused("address", "the address is not that of a file of this account")
        return url

    def _at(self, url: httpx.URL, hosts: tuple[str, ...], *, subdomains: bool) -> bool:
        if url.scheme != self.policy.scheme or url.userinfo:
            return False
        if self.policy.scheme == "https" and url.port is not None:
            return False
        return any(url.host == host or (subdomains and url.host.endswith("." + host)) for host in hosts)

    async def _follow(self, url: httpx.URL) -> MediaFile:
        auth: tuple[str, str] | None = self.settings.basic_auth
        for _ in range(self.policy.max_redirects + 1):
            request = self.http.build_request("GET", url, headers={"Accept-Encoding": "identity"})
            # `auth=None` of httpx means "none at all", also none from a netrc file or the client.
            response = await self.http.send(request, auth=auth, follow_redirects=False, stream=True)
            try:
                if not response.has_redirect_location:
                    return await self._file(response)
                url = _parse(str(url.join(response.headers["Location"])))
            finally:
                await response.aclose()
            if not self._at(url, self.policy.file_hosts, subdomains=True):
                raise MediaRefused("redirect", "the file's address leads away from Twilio")
            auth = None
        raise MediaRefused("redirect", "the file's address leads on and on")

    async def _file(self, response: httpx.Response) -> MediaFile:
        if response.status_code == 404:
            raise MediaRefused("missing", "the file is not there (any more, or yet)", again=True)
        if response.status_code != 200:
            raise MediaRefused("status", f"the answer was HTTP {response.status_code}", again=response.status_code >= 500)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in self.policy.types:
            raise MediaRefused("type", "files of this type are not accepted")
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > self.policy.max_bytes:
            raise MediaRefused("size", f"the file has more than {self.policy.max_bytes} bytes")
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > self.policy.max_bytes:
                raise MediaRefused("size", f"the file has more than {self.policy.max_bytes} bytes")
        beginnings = _BEGINNINGS.get(kind)
        if beginnings and not any(content[offset : offset + len(start)] == start for offset, start in beginnings):
            raise MediaRefused("content", "the file is not of the type it says")
        return MediaFile(bytes(content), kind)


def _parse(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL:
        raise MediaRefused("address", "the address cannot be read") from None
