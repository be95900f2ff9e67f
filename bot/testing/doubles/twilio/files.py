"""The files of messages: behind the account's key on the API's host, redirected to a host that must never see the key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from email.utils import format_datetime

from ..http_server import Request, Response
from .messages import Message


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    content_type: str
    redirect_to: str = ""  # instead of the file host: where a forged answer would lead


@dataclass(slots=True)
class Files:
    """`missing_for`: how many requests for a file are answered 404 first. `leaks`: keys that were shown to the file host."""

    account: str
    missing_for: int = 0
    leaks: list[str] = field(default_factory=list)
    _files: dict[str, File] = field(default_factory=dict)

    def add(self, content: bytes, content_type: str, *, redirect_to: str = "") -> str:
        """The path of a new file on the API's host, to be put after its address."""
        number = hashlib.md5(str(len(self._files)).encode()).hexdigest()
        self._files[f"ME{number}"] = File(content, content_type, redirect_to)
        return f"/2010-04-01/Accounts/{self.account}/Messages/MM{number}/Media/ME{number}"

    def page(self, message: Message, path: str) -> dict[str, object]:
        """The list of a message's files, as `GET .../Media.json` answers."""
        sids = [url.rpartition("/")[2] for url in message.media]
        when = format_datetime(message.created)
        own = [
            {
                "account_sid": self.account,
                "content_type": self._files[sid].content_type,
                "date_created": when,
                "date_updated": when,
                "parent_sid": message.sid,
                "sid": sid,
                "uri": f"{path.removesuffix('.json')}/{sid}.json",
            }
            for sid in sids
            if sid in self._files
        ]
        uri = f"{path}?PageSize=50&Page=0"
        paging = {"first_page_uri": uri, "uri": uri, "next_page_uri": None, "previous_page_uri": None}
        return {"media_list": own, "page": 0, "page_size": 50, "start": 0, "end": max(0, len(own) - 1), **paging}

    def redirect(self, request: Request) -> Response:
        sid = request.path.rpartition("/")[2]
        if sid not in self._files or self.missing_for > 0:
            self.missing_for -= 1
            return Response(404, b"{}")
        port = request.headers["host"].rpartition(":")[2]
        return Response(307, headers={"Location": self._files[sid].redirect_to or f"http://localhost:{port}/files/{sid}"})

    def serve_file(self, request: Request) -> Response:
        if "authorization" in request.headers:
            self.leaks.append(request.headers["authorization"])
        file = self._files.get(request.path.removeprefix("/files/"))
        return Response(200, file.content, file.content_type) if file else Response(404)
