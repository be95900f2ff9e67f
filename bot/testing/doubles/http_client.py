"""One POST over a connection of its own, as a stranger would make it: a tenth of the cost of a full client, which counts when a double
plays a whole carrier. HTTP/1.1 without TLS, for servers on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
    """Raises ConnectionRefusedError when nobody listens, TimeoutError, and OSError or ValueError for an answer that breaks off or is none."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{parts.scheme}: this client speaks http to servers on this machine only")
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            own = {"Host": parts.netloc, "Content-Length": str(len(body)), "Connection": "close", "Accept": "*/*"}
            head = "".join(f"{name}: {value}\r\n" for name, value in {**own, **headers}.items())
            writer.write(f"POST {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
            await writer.drain()
            return await _read(reader)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Answer:
    try:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        else:
            body = await reader.read()
    except asyncio.IncompleteReadError:
        raise ConnectionResetError("the answer broke off") from None
    return Answer(int(first.split(" ", 2)[1]), headers, body)
