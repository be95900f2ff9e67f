"""What Twilio accepts, and the code it gives for what it does not. Source: its "Error and Warning Dictionary"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_MESSAGES: Mapping[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    21211: (400, "Invalid 'To' Phone Number"),
    21266: (400, "'To' and 'From' number cannot be the same"),
    21408: (400, "Permission to send an SMS has not been enabled for the region"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' phone number is not a valid, message-capable Twilio phone number"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL"),
    21623: (400, "Number of media files exceeds the limit"),
    21701: (400, "The Messaging Service does not exist"),
}
AUTO_REPLIES: Mapping[str, str] = {
    "stop": "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.",
    "start": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe.",
    "help": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
"""What Twilio itself answers to words of consent."""

_E164 = re.compile(r"\+[1-9]\d{7,14}")
_SHORT = re.compile(r"\d{3,8}")


class Refused(Exception):
    """An answer with a code."""

    def __init__(self, code: int) -> None:
        status, text = _MESSAGES.get(code, (400, "Refused"))
        super().__init__(f"{code}: {text}")
        self.code, self.status, self.text = code, status, text

    def to_json(self) -> dict[str, object]:
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.text, "more_info": more, "status": self.status}


@dataclass(slots=True)
class World:
    """What an account has and whom it may reach. `opted_out` are pairs (ours, customer's)."""

    senders: set[str]
    services: dict[str, str] = field(default_factory=dict)
    opted_out: set[tuple[str, str]] = field(default_factory=set)
    landlines: set[str] = field(default_factory=set)
    closed_regions: tuple[str, ...] = ()


def check(world: World, fields: Sequence[tuple[str, str]]) -> str:
    """The sender a message goes out from. Raises Refused, in the order Twilio looks at things."""
    values = dict(fields)
    to, sender, service = values.get("To", ""), values.get("From", ""), values.get("MessagingServiceSid", "")
    media = [value for name, value in fields if name == "MediaUrl"]
    if not to:
        raise Refused(21604)
    network, _, number = to.rpartition(":")
    if not (network == "whatsapp" or _E164.fullmatch(number) or _SHORT.fullmatch(number)):
        raise Refused(21211)
    if not sender and not service:
        raise Refused(21603)
    if service and service not in world.services:
        raise Refused(21701)
    if sender and sender not in world.senders:
        raise Refused(21606)
    sender = sender or world.services[service]
    if sender == to:
        raise Refused(21266)
    if not (values.get("Body") or media or values.get("ContentSid")):
        raise Refused(21602)
    if len(values.get("Body", "")) > 1600:
        raise Refused(21617)
    if len(media) > 10:
        raise Refused(21623)
    if not all(_is_url(url) for url in media):
        raise Refused(21620)
    if "StatusCallback" in values and not _is_url(values["StatusCallback"]):
        raise Refused(21609)
    if world.closed_regions and number.startswith(world.closed_regions):
        raise Refused(21408)
    if to in world.landlines:
        raise Refused(21614)
    if (sender, to) in world.opted_out:
        raise Refused(21610)
    return sender


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
