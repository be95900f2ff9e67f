"""The double's store: many messages, found by name and listed by page at the same price as few."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from bot.testing.doubles.twilio import Message, MessageStore

START = datetime(2026, 3, 1, tzinfo=UTC)
PATH = "/2010-04-01/Accounts/AC1/Messages.json"


def message(number: int, *, to: str = "+12025550101", sender: str = "+12025550100") -> Message:
    at = START + timedelta(seconds=number)
    return Message(f"SM{number:032}", "AC1", to, sender, f"number {number}", "outbound-api", "queued", at, at, at)


def walk(store: MessageStore, **filters: str) -> list[str]:
    """The SIDs of all pages."""
    seen: list[str] = []
    page = store.page(PATH, {"PageSize": "50"} | filters)
    while True:
        seen += [item["sid"] for item in page["messages"]]
        if page["next_page_uri"] is None:
            return seen
        page = store.page(PATH, dict(parse_qsl(urlsplit(page["next_page_uri"]).query)))


class Counted(MessageStore):
    """Counts how many messages it looks at: what makes it fast or slow, on any machine."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = 0

    def _at(self, position: int) -> Message:
        self.looked += 1
        return super()._at(position)


def test_twenty_thousand_messages_are_as_quick_as_few() -> None:
    store = Counted()
    for number in range(20_000):
        store.append(message(number, to=f"+1202555{number % 2000:04}"))
    assert store.get(f"SM{15_000:032}") == store[15_000]
    assert walk(store, To="+12025550101") == [f"SM{n:032}" for n in range(18_101, 0, -2000)]
    assert store.looked <= 12
    store.looked = 0
    assert walk(store) == [f"SM{n:032}" for n in range(19_999, -1, -1)]
    assert store.looked <= 20_000 + 2 * 400


def test_messages_accepted_meanwhile_shift_no_page() -> None:
    store = MessageStore()
    for number in range(10):
        store.append(message(number))
    first = store.page(PATH, {"PageSize": "4"})
    for number in range(10, 15):
        store.append(message(number))
    second = store.page(PATH, dict(parse_qsl(urlsplit(first["next_page_uri"]).query)))
    assert [item["body"] for item in second["messages"]] == ["number 5", "number 4", "number 3", "number 2"]
    assert [item["body"] for item in store.page(PATH, {"PageSize": "4", "Page": "1"})["messages"]] == [f"number {n}" for n in (10, 9, 8, 7)]


def test_filters() -> None:
    store = MessageStore()
    for number in range(6):
        store.append(message(number, to=f"+1202555010{number % 2}", sender=f"+1202555019{number % 3}"))
    assert walk(store, To="+12025550100", From="+12025550192") == [f"SM{2:032}"]
    assert walk(store, From="+12025550192") == [f"SM{5:032}", f"SM{2:032}"]
    assert len(walk(store, **{"DateSent>": "2026-03-01T00:00:04Z"})) == 2
    assert len(walk(store, **{"DateSent>": "2026-03-01"})) == 6
    assert walk(store, To="+12025559999") == []
    store.put(replace(store[3], sent=None))
    assert len(walk(store, **{"DateSent>": "2026-03-01"})) == 5, "what has not been sent has no date"


def test_a_message_keeps_its_name() -> None:
    store = MessageStore()
    store.append(message(1))
    store[0] = replace(store[0], status="delivered")
    assert [item.status for item in store.to("+12025550101")] == ["delivered"]
    with pytest.raises(ValueError, match="keeps its SID"):
        store[0] = replace(store[0], to="+12025550102")
    with pytest.raises(KeyError):
        store.put(message(2))
    assert (store == [store[0]], store == [], len(store), store.get("SM2")) == (True, False, 1, None)
