"""Pictures and files to send from the simulated telephone: from this machine or from a URL."""

from __future__ import annotations

import asyncio
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_MOST_BYTES = 5 * 1024 * 1024  # what the provider takes
_KNOWN = "application/octet-stream"


class FileProblem(Exception):
    """The file cannot be sent; the message says why, and what can be done."""


@dataclass(frozen=True, slots=True)
class File:
    """`words` go with it."""

    name: str
    content: bytes = field(repr=False)
    content_type: str
    words: str = ""


async def load(argument: str) -> File:
    """`PATH words` or `URL words`; a path with spaces goes in quotes. Raises FileProblem."""
    place, words = _split(argument)
    if urlsplit(place).scheme in ("http", "https"):
        return await _fetch(place, words)
    return await asyncio.to_thread(_read, place, words)


def _read(place: str, words: str) -> File:
    path = Path(place).expanduser()
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileProblem(f"{place} has more than 5 MB, which no network carries")
        return File(path.name, path.read_bytes(), mimetypes.guess_type(path.name)[0] or _KNOWN, words)
    except OSError as error:
        raise FileProblem(f"{place}: {error.strerror or 'cannot be read'}; a path with spaces goes in quotes") from None


def _split(argument: str) -> tuple[str, str]:
    if argument[:1] in "\"'" and (end := argument.find(argument[0], 1)) > 0:
        return argument[1:end], argument[end + 1 :].strip()
    place, _, words = argument.partition(" ")
    return place, words.strip()


async def _fetch(url: str, words: str) -> File:
    import httpx

    content = bytearray()
    try:
        async with httpx.AsyncClient(timeout=15.0, follow_redirects=True) as http, http.stream("GET", url) as response:
            if response.status_code != 200:
                raise FileProblem(f"{url} answered {response.status_code}")
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _MOST_BYTES:
                    raise FileProblem(f"{url} has more than 5 MB, which no network carries")
            kind = response.headers.get("Content-Type", _KNOWN).partition(";")[0].strip()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FileProblem(f"{url} cannot be fetched ({type(error).__name__})") from None
    return File(urlsplit(url).path.rpartition("/")[2] or "file", bytes(content), kind, words)
