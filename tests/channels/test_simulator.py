"""The simulated telephone: what it remembers, what it shows, what it reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import Status
from bot.channels.simulator import HELP, Command, Handset, Misread, Say, Shown, number, plain, read, spans

ME, OTHER = "+12025550101", "+821000000101"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SEOUL = timezone(timedelta(hours=9))


def incoming(text: str, id: str = "SM1", **more: object) -> Shown:
    return Shown(id, ME, text, True, NOON, **more)  # type: ignore[arg-type]


def line(handset: Handset, message: Shown) -> str:
    return "".join(span.text for span in spans(handset, message, SEOUL))


def test_marks_only_go_up() -> None:
    handset = Handset(ME).wrote("out-1", "hi", NOON).got(incoming("hello"))
    for status in (Status.DELIVERED, Status.SENT):  # late receipts come backwards
        handset = handset.marked("SM1", status)
    message = handset.find("SM1")
    assert message is not None
    assert message.progress.status is Status.DELIVERED
    assert handset.marked("SM9", Status.SENT) == handset
    assert [shown.id for shown in handset.messages] == ["out-1", "SM1"]
    assert handset.find("out-2") is None


@given(st.lists(st.tuples(st.sampled_from(("a", "b")), st.sampled_from((Status.SENT, Status.DELIVERED, Status.UNDELIVERED))), max_size=8))
def test_news_in_any_order_end_the_same(news: list[tuple[str, Status]]) -> None:
    start = Handset(ME).wrote("a", "one", NOON).wrote("b", "two", NOON)

    def told(order: list[tuple[str, Status]]) -> Handset:
        handset = start
        for id, status in order:
            handset = handset.marked(id, status)
        return handset

    assert told(news) == told(news[::-1]) == told(sorted(news))


def test_each_sim_is_on_or_off_by_itself() -> None:
    handset = Handset(ME).switched(on=False).using(OTHER)
    assert (handset.on, handset.sims) == (True, (ME, OTHER))
    assert not handset.using(ME).on
    assert handset.using(ME).switched(on=True).on
    assert handset.using(ME).sims == (ME, OTHER)


def test_plain_lines() -> None:
    handset = Handset(ME)
    assert plain(handset, incoming("Which?\n1. One\n2. Two")) == "< Which?\n  1. One\n  2. Two"
    assert plain(handset, Shown("1", ME, "", False, NOON, ("a.png",))) == "> [file] a.png"
    assert plain(handset, Shown("1", ME, "look", False, NOON, ("a.png",))) == "> look\n  [file] a.png"
    assert plain(handset, incoming("You are out.", by_carrier=True)) == "< (from the carrier) You are out."
    assert plain(handset.using(OTHER), incoming("hello")) == f"{ME} < hello"
    assert plain(handset, Shown("1", ME, "", False, NOON)) == "> "


def test_lines_in_a_terminal_have_the_time_here_how_far_it_got_and_what_it_cost() -> None:
    handset = Handset(ME).wrote("out-1", "안녕", NOON)
    assert line(handset, handset.messages[0]) == "21:00 > 안녕  …"
    for status, mark in ((Status.SENT, "✓"), (Status.DELIVERED, "✓✓")):
        handset = handset.marked("out-1", status)
        assert line(handset, handset.messages[0]) == f"21:00 > 안녕  {mark}"
    failed = handset.got(incoming("no")).marked("SM1", Status.UNDELIVERED, "30003").messages[-1]
    assert line(handset, failed) == "21:00 < no  ✗ not delivered (30003)"
    assert line(handset, incoming("가" * 71, part=2)).endswith("  … part 2, 2 segments")
    assert line(handset, incoming("one\ntwo")).startswith("21:00 < one\n        two")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", None), ("   ", None), ("hi there ", Say("hi there")), ("//quit", Say("/quit")), ("/quit", Command("quit")), ("/q", Command("quit")),
        ("/OFF", Command("offline")), ("/on", Command("online")), ("/twice", Command("duplicate")), ("/as +1 (202) 555-0102", Command("as", "+12025550102")),
        ("/photo a.png look", Command("photo", "a.png look")), ("/fail 21610", Command("fail", "21610")), ("/fail lost", Command("fail", "lost")),
    ],
)  # fmt: skip
def test_what_is_typed(typed: str, expected: object) -> None:
    assert read(typed) == expected


@pytest.mark.parametrize(
    ("typed", "told"),
    [("/of", "did you mean /off"), ("/zzz", "//zzz sends it"), ("/as", "needs a number"), ("/as bob", "begins with +"), ("/fail 7", "/fail takes"), ("/photo", "a file or a URL")],
)  # fmt: skip
def test_what_is_mistyped(typed: str, told: str) -> None:
    misread = read(typed)
    assert isinstance(misread, Misread)
    assert told in misread.problem


@given(st.text(max_size=50))
def test_nothing_that_is_typed_raises(typed: str) -> None:
    found = read(typed)
    assert (found is None) == (not typed.strip())


def test_every_command_is_in_the_help() -> None:
    named = {word.strip("/, ") for text in HELP.splitlines() for word in text.split("  ")[0].split() if word.startswith("/")}
    for name in named - {"text"}:
        assert not isinstance(read(f"/{name} +12025550102" if name == "as" else f"/{name} 21610"), Misread | Say), name
    assert all(len(text) < 80 for text in HELP.splitlines())


def test_numbers() -> None:
    assert number("+82 10-0000-0101") == "+821000000101"
    for wrong in ("2025550101", "+0123456789", "+1202", "+1202555010a", ""):
        with pytest.raises(ValueError, match="begins with"):
            number(wrong)
