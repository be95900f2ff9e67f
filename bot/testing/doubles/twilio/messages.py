"""Messages as Twilio keeps and shows them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from bot.channels.segments import count


@dataclass(frozen=True, slots=True)
class Message:
    sid: str
    account: str
    to: str
    sender: str | None
    body: str
    direction: str
    status: str
    created: datetime
    updated: datetime
    sent: datetime | None = None
    media: tuple[str, ...] = ()
    service: str | None = None
    callback: str | None = None
    error_code: int | None = None
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def segments(self) -> int:
        return count(self.body).segments

    def at(self, status: str, now: datetime, error_code: int | None = None) -> Message:
        sent = self.sent or (now if status in ("sent", "delivered", "read", "undelivered") else None)
        return replace(self, status=status, updated=now, sent=sent, error_code=error_code)

    def to_json(self) -> dict[str, Any]:
        path = f"/2010-04-01/Accounts/{self.account}/Messages/{self.sid}"
        return {
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": format_datetime(self.created),
            "date_sent": format_datetime(self.sent) if self.sent else None,
            "date_updated": format_datetime(self.updated),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None if self.error_code is None else "see the code",
            "from": self.sender,
            "messaging_service_sid": self.service,
            "num_media": str(len(self.media)),
            # Through a service the sender is not yet chosen, and Twilio does not count before.
            "num_segments": "0" if self.service and self.status == "accepted" else str(self.segments),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": self.to,
            "uri": f"{path}.json",
        }


def page(messages: list[Message], path: str, filters: dict[str, str]) -> dict[str, Any]:
    """A page of a list, newest first, as `GET .../Messages.json` answers."""
    size, number = int(filters.get("PageSize", "50")), int(filters.get("Page", "0"))
    found = [
        message
        for _, message in sorted(enumerate(messages), key=lambda item: (item[1].created, item[0]), reverse=True)
        if filters.get("To", message.to) == message.to
        and filters.get("From", message.sender) == message.sender
        and ("DateSent>" not in filters or (message.sent is not None and message.sent.isoformat() >= filters["DateSent>"]))
    ]
    part = found[number * size : (number + 1) * size]

    def uri(index: int) -> str:
        token = {"PageToken": f"PA{part[-1].sid}"} if index and part else {}
        return f"{path}?{urlencode(filters | {'PageSize': str(size), 'Page': str(index)} | token)}"

    more = (number + 1) * size < len(found)
    return {
        "messages": [message.to_json() for message in part],
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": max(0, number * size + len(part) - 1),
        "first_page_uri": uri(0),
        "uri": uri(number),
        "next_page_uri": uri(number + 1) if more else None,
        "previous_page_uri": uri(number - 1) if number else None,
    }
