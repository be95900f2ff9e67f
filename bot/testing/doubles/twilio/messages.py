"""Messages as Twilio keeps and shows them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

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

    @property
    def reference(self) -> str:
        """What the sender's own callback address calls it, in a parameter `ref`; empty if it has none."""
        return dict(parse_qsl(urlsplit(self.callback or "").query)).get("ref", "")

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
