"""What a turn said, as rows of the outbox: rendered by the channel, ready to send. Pure but for the channel's own rendering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.channels import Choice, ConversationKey, MessageChannel, Outbound, Template
from bot.conversations import Addresses, Outgoing


def rendered(channel: MessageChannel, key: ConversationKey, message: Outbound, *, purpose: str = "") -> list[Outgoing]:
    """One message as the requests that say all of it, in order. `purpose` is the message's own if none is given."""
    addresses = Addresses(key.channel, str(key.business), str(key.customer))
    return [
        Outgoing(payload.to_json(), addresses=addresses, purpose=purpose or message.purpose.value, key=payload.reference)
        for payload in channel.render(key, message)
    ]


def replies(channel: MessageChannel, key: ConversationKey, turn: str, events: Sequence[Mapping[str, Any]], language: str) -> list[Outgoing]:
    """All that the `bot` events of a turn say. References are `<turn>:<n>`, so that a turn taken again would write the same ones."""
    joined = channel.capabilities(key).max_segments is not None
    said = [event for event in events if event["event"] == "bot"]
    messages = _joined(said) if joined else [_outbound(event) for event in said]
    return [
        row
        for number, message in enumerate(messages)
        for row in rendered(channel, key, replace(message, idempotency_key=f"{turn}:{number}", lang=language or None))
    ]


def _joined(events: Sequence[Mapping[str, Any]]) -> Iterator[Outbound]:
    """Texts of one turn as one message up to the next choice: where messages cost money and overtake each other, few are better."""
    texts: list[Outbound] = []
    for event in events:
        message = _outbound(event)
        if message.template is not None:
            if texts:
                yield _one(texts)
            yield message
            texts = []
            continue
        texts.append(message)
        if message.choices:
            yield _one(texts)
            texts = []
    if texts:
        yield _one(texts)


def _one(messages: Sequence[Outbound]) -> Outbound:
    text = "\n".join(message.text for message in messages if message.text)
    media = tuple(file for message in messages for file in message.media)
    return replace(messages[-1], text=text, media=media)


def _outbound(event: Mapping[str, Any]) -> Outbound:
    choices = tuple(Choice(str(button.get("payload", "")), str(button.get("title", ""))) for button in event.get("buttons") or ())
    files = (event.get("image"), event.get("attachment"))
    return Outbound(
        "",
        str(event.get("text") or ""),
        choices,
        tuple(link for file in files if (link := _link(file))),
        template=_template(event.get("custom")),
    )


def _link(file: Any) -> str:
    """Responses name files by address, or as `{url: ...}`; anything else is for other channels."""
    found = file.get("url") if isinstance(file, Mapping) else file
    return found if isinstance(found, str) and found.startswith(("https://", "http://")) else ""


def _template(custom: Any) -> Template | None:
    """`custom: {template: {id: ..., variables: {...}}}`: a text the provider has approved beforehand."""
    wanted = custom.get("template") if isinstance(custom, Mapping) else None
    if not isinstance(wanted, Mapping) or not wanted.get("id"):
        return None
    return Template(str(wanted["id"]), {str(name): str(value) for name, value in (wanted.get("variables") or {}).items()})
