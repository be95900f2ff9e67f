"""What customers wrote while we could not be reached, as Twilio's lists have it: read as if it had come by webhook.

Twilio tells a message once or twice and then leaves it. Its list has every message, so asking for the last half hour finds what was
missed; what was not missed carries the same event id and is known to the inbox already.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.channels import Event, MediaLink

from .rest import ListedMessage, NoAnswer, TwilioRest
from .settings import TwilioSettings
from .webhook import read_message

FROM_LIST = "FromList"
"""The field of `raw` that tells such an event from a webhook's; its value is what the list could not give, or empty."""

_PAGE_SIZE = 200  # of the longest Korean texts, escaped, that is half of what an answer may have
_MOST_PAGES = 500
_SKEW = timedelta(minutes=2)  # how far the clocks may differ


class BacklogUnavailable(OSError):
    """Twilio's list could not be read to its end: nothing of it is given, ask again later. Holds a code, no personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Twilio's list of messages could not be read ({reason}); ask again later")
        self.reason = reason


async def read_backlog(settings: TwilioSettings, rest: TwilioRest, since: datetime) -> Sequence[Event]:
    """Messages that came since then, and perhaps a little before, oldest first. Raises BacklogUnavailable.

    Buttons pressed on WhatsApp come as their text: the list does not have their ids.
    """
    found: dict[str, ListedMessage] = {}
    events: list[Event] = []
    try:
        for sender in settings.senders or (None,):
            async for message in _inbound(rest, sender, since - _SKEW):
                found[message.provider_id] = message
        messages = list(found.values())
        messages.reverse()  # lists come newest first, and times are in whole seconds
        for message in sorted(messages, key=lambda message: message.created or since):
            files = await rest.files(message.provider_id) if message.files else ()
            try:
                events.append(read_message(settings, message.created or since, _fields(message, files)))
            except (KeyError, ValueError):
                continue  # no SID or no address: nobody could answer it, and it must not keep the others from coming
    except NoAnswer as failure:
        raise BacklogUnavailable(failure.reason) from None
    return events


async def _inbound(rest: TwilioRest, to: str | None, since: datetime) -> AsyncIterator[ListedMessage]:
    page = ""
    for _ in range(_MOST_PAGES):
        listed = await rest.list(to=to, sent_since=since, page=page, size=_PAGE_SIZE)
        for message in listed.messages:
            if not message.outbound and (message.created is None or message.created >= since):
                yield message
        page = listed.next
        if not page:
            return
    raise NoAnswer("too_many_messages", written=True)


def _fields(message: ListedMessage, files: Sequence[MediaLink]) -> Mapping[str, str]:
    """As the webhook would have had them, as far as the list knows."""
    fields = {"MessageSid": message.provider_id, "From": message.sender, "To": message.to, "Body": message.text}
    fields |= {"NumMedia": str(len(files)), FROM_LIST: "" if len(files) >= message.files else "files"}
    for index, file in enumerate(files):
        fields |= {f"MediaUrl{index}": file.url, f"MediaContentType{index}": file.content_type}
    return fields
