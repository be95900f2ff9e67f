from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.channels import Address, Capabilities, Purpose
from bot.runtime.broadcasts import BroadcastOrder, BroadcastRefused, Skipped, Wording
from bot.runtime.broadcasts.recipients import Recipient
from bot.runtime.broadcasts.timeline import Timeline
from bot.runtime.broadcasts.writer import Composer, Writer, Zones

from .world import AT_ANY_HOUR, NEW_YORK, CountingChannel, order, project_in


def said(folder: Path, wording: Wording, language: str, **values: str) -> str | None:
    written = Writer(wording, project_in(folder), "test").write(2, language, values)
    return None if isinstance(written, Skipped) else written[0]


@pytest.mark.parametrize(
    ("response", "language", "values", "text"),
    [
        ("utter_work", "en", {"day": "2026-03-05", "name": "Sam"}, "Work near you on March 5, 2026, Sam."),
        ("utter_work", "ko", {"day": "2026-03-05", "name": "지민"}, "지민님, 2026년 3월 5일 점검 작업이 있습니다."),
        ("utter_due", "en", {"amount": "55.00 USD"}, "You owe $55.00."),
        ("utter_due", "ko", {"amount": "69000 KRW"}, "납부하실 금액은 69,000원입니다."),
        ("utter_due", "en", {"amount": "$55"}, "You owe $55."),
        ("utter_plan", "en", {"tier": "gold"}, "Gold customers get more."),
        ("utter_jinja", "en", {"name": "Sam"}, "Hello Sam"),
        ("utter_jinja", "en", {"name": "Kim"}, "Hello"),
    ],
)
def test_a_response_in_the_customers_language(tmp_path: Path, response: str, language: str, values: dict[str, str], text: str) -> None:
    assert said(tmp_path, Wording(response=response), language, **values) == text


def test_what_cannot_be_said_to_one_is_skipped(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    assert Writer(Wording(response="utter_plan"), project, "test").write(7, "en", {"tier": "silver"}) == Skipped(7, "nothing_to_say")
    assert Writer(Wording(response="utter_jinja"), project, "test").write(8, "en", {"name": "Bad"}) == Skipped(8, "broken_template")


def test_what_a_message_needs(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    assert Writer(Wording(response="utter_work"), project, "test").needs == {"day", "name"}
    writer = Writer(Wording(texts={"ko": "{a}", "en": "{b:money}", "fr": "c"}), project, "test")
    assert writer.needs == {"a", "b"}
    assert writer.languages == ("en", "ko", "fr"), "the project's own first"


@pytest.mark.parametrize(
    ("wording", "code"),
    [
        (Wording(response="utter_none"), "unknown_response"),
        (Wording(response="utter_buttons"), "offers_choices"),
        (Wording(texts={"en": "  "}), "bad_wording"),
    ],
)
def test_words_that_cannot_be_used(tmp_path: Path, wording: Wording, code: str) -> None:
    with pytest.raises(BroadcastRefused) as refused:
        Writer(wording, project_in(tmp_path), "test")
    assert refused.value.code == code


def test_parts_of_one_message_are_due_together_and_in_order(tmp_path: Path) -> None:
    channel = CountingChannel()
    now = datetime(2026, 3, 4, 17, tzinfo=UTC)
    asked = order(wording=Wording(texts={"en": "A sentence of some length, said again. " * 10}), purpose=Purpose.MARKETING)
    timeline = Timeline(now, 10.0, AT_ANY_HOUR, asked.purpose)
    composer = Composer(asked, channel, Writer(asked.wording, project_in(tmp_path), "test"), timeline, Zones(NEW_YORK))
    rows = composer.compose(Recipient(2, "+12025550101", "en", {}))
    assert not isinstance(rows, Skipped)
    assert [row.key for row in rows] == ["broadcast-work:2", "broadcast-work:2/2", "broadcast-work:2/3"]
    assert {(row.conversation, row.not_before, row.priority, row.purpose, row.broadcast) for row in rows} == {
        ("broadcast-work:2", now, 5, "marketing", "work")
    }
    assert composer.segments == len(rows) == 3
    assert timeline.take((NEW_YORK,), 1) is not None
    assert (timeline.last - now).total_seconds() == pytest.approx(0.3)


WHATSAPP = Capabilities(templates=True, free_form_window_s=86400)


@pytest.mark.parametrize(
    ("asked", "can", "code"),
    [
        (order(id="No Good"), Capabilities(), "bad_name"),
        (order(id=""), Capabilities(), "bad_name"),
        (order(purpose=Purpose.REPLY), Capabilities(), "bad_purpose"),
        (order(rate=0), Capabilities(), "bad_rate"),
        (order(wording=Wording()), Capabilities(), "bad_wording"),
        (order(wording=Wording("utter_work", {"en": "x"})), Capabilities(), "bad_wording"),
        (order(wording=Wording(templates={"en": "HX1"})), Capabilities(), "no_templates"),
        (order(business=Address("whatsapp", "+12025550100")), WHATSAPP, "needs_template"),
        (order(), Capabilities(can_initiate=False), "cannot_initiate"),
    ],
)
def test_orders_that_are_refused(asked: BroadcastOrder, can: Capabilities, code: str) -> None:
    with pytest.raises(BroadcastRefused) as refused:
        asked.verify(CountingChannel(can=can))
    assert refused.value.code == code


def test_an_order_comes_back_as_it_was_stored() -> None:
    asked = order(start_at=datetime(2026, 3, 4, tzinfo=UTC), purpose=Purpose.MARKETING, region="KR")
    assert BroadcastOrder.from_json(asked.to_json()) == asked
    assert asked.key("+821000000001").customer == Address("tel", "+821000000001")


@pytest.mark.parametrize(
    ("asked", "most", "pace"), [(None, 3.0, 3.0), (2.0, 3.0, 2.0), (9.0, 3.0, 3.0), (None, None, 10.0), (9.0, None, 9.0)]
)
def test_not_faster_than_the_channel(asked: float | None, most: float | None, pace: float) -> None:
    channel = CountingChannel(can=Capabilities(segments_per_second=most))
    assert replace(order(), rate=asked).pace(channel) == pace
