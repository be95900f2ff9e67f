"""What comes in, over TCP: messages in all codings and forms, receipts, and what happens to them in trouble."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from bot.channels import Address, Consent, ConsentKind, Receipt, Sent, Status, UserMessage
from bot.testing.doubles.smsc import SmscDouble, alphabets, wire
from bot.testing.doubles.smsc.phones import from_phone, receipt_body
from integrations.smpp.inbound import GAP

from .conftest import KEY, OURS, THEIRS, Store, payloads, quick, running

LONG = "요금이 청구되었습니다. 납부일은 금요일입니다. 지금 납부하시거나 연기를 요청하실 수 있습니다. 감사합니다. 오늘도 좋은 하루 보내세요."
TEMPORARY, PERMANENT = 0x64, 0x65


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        ("hello {world} [€] @", alphabets.GSM),
        ("hello", alphabets.ASCII),
        ("café ñ ü", alphabets.LATIN),
        ("안녕하세요 😀", alphabets.UCS2),
        ("안녕하세요 abc", alphabets.KOREAN),
    ],
)
async def test_codings(smsc: SmscDouble, text: str, coding: int) -> None:
    async with running(quick(smsc)) as run:
        smsc.text(THEIRS, text, coding=coding)
        await smsc.settled()
    (event,) = run.store.events
    assert isinstance(event, UserMessage)
    assert (event.text, event.key) == (text, KEY)


async def test_the_default_alphabet_is_a_setting(smsc: SmscDouble) -> None:
    async with running(quick(smsc, default_alphabet="latin-1", data_codings={2: "utf-8"})) as run:
        ends = (1, 1, "821000000001"), (3, 0, OURS)
        smsc.tell(wire.delivery(*ends, b"caf\xe9", data_coding=0))
        smsc.tell(wire.delivery(*ends, "요금".encode(), data_coding=2))
        smsc.tell(wire.delivery(*ends, b"\x00\x01", data_coding=4))
        await smsc.settled()
    assert run.store.texts == ["café", "요금", ""], "what is no text is told, without one"


@pytest.mark.parametrize(("text", "kind"), [("수신거부", ConsentKind.STOP), ("Stop.", ConsentKind.STOP), ("HELP", ConsentKind.HELP)])
async def test_words_of_consent(smsc: SmscDouble, text: str, kind: ConsentKind) -> None:
    async with running(quick(smsc)) as run:
        smsc.text(THEIRS, text)
        await smsc.settled()
    (event,) = run.store.events
    assert isinstance(event, Consent)
    assert event.kind is kind
    assert not event.provider_replied, "an SMSC answers nobody"


# -- long messages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("long", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize("text", [LONG, "The quick brown fox {jumps}. " * 12])
async def test_long_messages(smsc: SmscDouble, long: str, text: str) -> None:
    async with running(quick(smsc)) as run:
        smsc.text(THEIRS, text, long=long, reference=300)
        await smsc.settled()
    assert run.store.texts == [text]


async def test_data_sm_brings_messages_too(smsc: SmscDouble) -> None:
    body = b"".join(
        (wire.text(""), b"\x01\x01", wire.text("821000000001"), b"\x03\x00", wire.text(OURS), b"\0\0\x08")
    ) + wire.parameter(0x0424, "안녕".encode("utf-16-be"))  # fmt: skip
    async with running(quick(smsc)) as run:
        smsc.tell(body, wire.DATA_SM)
        await smsc.settled()
    assert run.store.texts == ["안녕"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_parts_in_any_order(smsc: SmscDouble, order: tuple[int, ...]) -> None:
    text = LONG + " " + LONG
    bodies = from_phone(THEIRS, OURS, text)
    async with running(quick(smsc)) as run:
        for number in order:
            smsc.tell(bodies[number])
        await smsc.settled()
    assert run.store.texts == [text]


async def test_a_phone_that_cuts_through_a_character(smsc: SmscDouble) -> None:
    emoji, braces = "한" + "😀" * 60, "a" + "{" * 120
    async with running(quick(smsc)) as run:
        smsc.text(THEIRS, emoji, careless=True, reference=1)
        smsc.text(THEIRS, braces, careless=True, reference=2)
        await smsc.settled()
    assert run.store.texts == [emoji, braces]


async def test_parts_of_two_customers_with_one_reference_are_not_mixed(smsc: SmscDouble) -> None:
    other = "+821000000002"
    mine, theirs = from_phone(THEIRS, OURS, LONG), from_phone(other, OURS, LONG.replace("요금", "전화"))
    async with running(quick(smsc)) as run:
        for body in (mine[0], theirs[0], theirs[1], mine[1]):
            smsc.tell(body)
        await smsc.settled()
    assert {(event.key.customer.value, event.text) for event in run.store.events if isinstance(event, UserMessage)} == {
        (THEIRS, LONG),
        (other, LONG.replace("요금", "전화")),
    }


async def test_a_part_is_not_acknowledged_before_the_whole_is_stored(smsc: SmscDouble) -> None:
    store = Store()
    store.gate.clear()
    first, second = from_phone(THEIRS, OURS, LONG)
    async with running(quick(smsc), store):
        one = smsc.tell(first)
        await smsc.until(lambda: one.times == 1)
        smsc.tell(second)
        smsc.text(THEIRS, "and another thing")
        await smsc.until(lambda: all(told.times == 1 for told in smsc.told))
        await asyncio.sleep(0.1)
        assert [told.statuses for told in smsc.told] == [[], [], []]
        store.gate.set()
        await smsc.settled()
    assert store.texts == [LONG, "and another thing"]


@pytest.mark.parametrize("swapped", [False, True])
async def test_a_crash_between_the_parts_loses_nothing(smsc: SmscDouble, swapped: bool) -> None:
    bodies = from_phone(THEIRS, OURS, LONG)
    first, second = reversed(bodies) if swapped else bodies
    store = Store()
    async with running(quick(smsc), store) as run:
        told = smsc.tell(first)
        await smsc.until(lambda: told.times == 1)
        await asyncio.sleep(0.1)
        assert told.statuses == []
        smsc.refuse_connections()  # so that it cannot part in good order: a process that is killed
        await run.stop()
    assert store.events == []
    await smsc.accept_connections()
    async with running(quick(smsc), store):
        smsc.tell(second)
        await smsc.settled()
    assert store.texts == [LONG]
    assert told.times == 2


async def test_a_crash_after_storing_tells_a_long_message_once(smsc: SmscDouble) -> None:
    """The whole was stored and no part acknowledged: another process gives it the same id, so the inbox knows it."""
    bodies = from_phone(THEIRS, OURS, LONG)
    ids = []
    for _ in range(2):
        async with running(quick(smsc)) as run:
            for body in bodies:
                smsc.tell(body)
            await smsc.settled()
        ids += [event.event_id for event in run.store.events]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_a_lost_connection_between_the_parts_loses_nothing(smsc: SmscDouble) -> None:
    first, second = from_phone(THEIRS, OURS, LONG)
    async with running(quick(smsc)) as run:
        told = smsc.tell(first)
        await smsc.until(lambda: told.times == 1)
        smsc.drop()
        await smsc.until(lambda: told.times == 2)
        smsc.tell(second)
        await smsc.settled()
    assert run.store.texts == [LONG]


async def test_what_never_becomes_whole_is_told_as_it_is(smsc: SmscDouble) -> None:
    text = LONG + " " + LONG
    first, second, third = from_phone(THEIRS, OURS, text)
    async with running(quick(smsc, parts_wait=0.4)) as run:
        smsc.tell(first)
        smsc.tell(third)
        await smsc.settled()
        smsc.tell(second)
        await smsc.settled()
    units = [text[:67], text[67:134], text[134:]]
    assert run.store.texts == [units[0] + GAP + units[2], GAP + units[1] + GAP]
    assert [event.raw["missing"] for event in run.store.events] == ["1", "2"]


async def test_a_repeated_part_changes_nothing_and_is_acknowledged_too(smsc: SmscDouble) -> None:
    first, second = from_phone(THEIRS, OURS, LONG)
    async with running(quick(smsc)) as run:
        for body in (first, first, second, second):
            smsc.tell(body)
        await smsc.settled()
    assert run.store.texts[0] == LONG
    assert [told.statuses for told in smsc.told[:3]] == [[0]] * 3


async def test_a_reference_that_comes_round_begins_another_message(smsc: SmscDouble) -> None:
    old, new = from_phone(THEIRS, OURS, LONG), from_phone(THEIRS, OURS, LONG.replace("요금", "전화"))
    async with running(quick(smsc)) as run:
        for body in (old[0], *new):
            smsc.tell(body)
        await smsc.settled()
    assert run.store.texts == [LONG[:67] + GAP, LONG.replace("요금", "전화")]


async def test_an_smsc_that_waits_for_each_answer_needs_a_setting(smsc: SmscDouble) -> None:
    smsc.window = 1
    async with running(quick(smsc, parts="acknowledge")) as run:
        smsc.text(THEIRS, LONG)
        await smsc.settled()
        await smsc.until(lambda: bool(run.store.events))
        first, _ = from_phone(THEIRS, OURS, LONG, reference=9)
        smsc.tell(first)
        await smsc.settled()
        assert run.store.texts == [LONG]
        await run.stop()
    assert run.store.texts == [LONG, LONG[:67] + GAP], "acknowledged, so it must not be lost by a stop"


async def test_acknowledged_parts_outlive_their_connection(smsc: SmscDouble) -> None:
    first, second = from_phone(THEIRS, OURS, LONG)
    async with running(quick(smsc, parts="acknowledge")) as run:
        smsc.tell(first)
        await smsc.settled()
        smsc.drop()
        await smsc.bound()
        smsc.tell(second)
        await smsc.until(lambda: bool(run.store.events))
    assert run.store.texts == [LONG]


# -- told twice --------------------------------------------------------------------------------------------------------------


async def test_the_same_words_again_are_another_message(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        for _ in range(3):
            smsc.text(THEIRS, "1")
            await smsc.settled()
    assert run.store.texts == ["1"] * 3


async def test_a_repetition_while_we_still_store_is_one_message(smsc: SmscDouble) -> None:
    smsc.response_timer = 0.1
    store = Store()
    store.gate.clear()
    async with running(quick(smsc), store):
        (told,) = smsc.text(THEIRS, "yes please")
        await smsc.until(lambda: told.times >= 14)
        store.gate.set()
        await smsc.until(lambda: len(told.statuses) == told.times)
        assert set(told.statuses) == {0}
    assert store.texts == ["yes please"]


async def test_a_repetition_that_crosses_a_late_answer_is_one_message(smsc: SmscDouble) -> None:
    store = Store()
    store.gate.clear()
    async with running(quick(smsc), store):
        connection = smsc.connections[0]
        (told,) = smsc.text(THEIRS, "yes please")
        await smsc.until(lambda: told.times == 1)
        await asyncio.sleep(1.2)
        connection.reading.clear()  # our answer is on its way, and so is the repetition
        store.gate.set()
        await smsc.until(lambda: bool(store.events))
        again = smsc.tell(told.body)
        await smsc.until(lambda: again.times == 1)
        connection.reading.set()
        await smsc.settled()
        assert store.texts == ["yes please"]
        await smsc.until(lambda: smsc.enquiries == 1)
        await asyncio.sleep(0.1)
        smsc.tell(told.body)
        await smsc.settled()
    assert store.texts == ["yes please"] * 2, "once it has our answer, the same words are another message"


async def test_an_answer_that_was_lost_with_its_connection_is_given_again(smsc: SmscDouble) -> None:
    """Stored, acknowledged into a connection nobody reads, told again on the next: acknowledged again, and told to nobody."""
    store = Store()
    store.gate.clear()
    async with running(quick(smsc), store):
        (told,) = smsc.text(THEIRS, "yes please")
        await smsc.until(lambda: told.times == 1)
        await asyncio.sleep(0.1)
        smsc.connections[0].reading.clear()
        store.gate.set()
        await smsc.until(lambda: bool(store.events))
        await asyncio.sleep(0.1)
        smsc.drop()
        await smsc.settled()
        assert told.times == 2
        assert store.texts == ["yes please"]
        smsc.text(THEIRS, "yes please")
        await smsc.settled()
    assert store.texts == ["yes please"] * 2, "and the customer may still say it again"


async def test_a_later_answer_of_the_smsc_proves_that_it_has_ours(smsc: SmscDouble) -> None:
    """After that the same words on the next connection are new: they must not be taken for a repetition."""
    async with running(quick(smsc)) as run:
        smsc.text(THEIRS, "1")
        await smsc.settled()
        (payload,) = payloads(run.channel, "You said one.")
        assert isinstance(await run.channel.send(KEY, payload), Sent)
        smsc.drop()
        await smsc.bound()
        smsc.text(THEIRS, "1")
        await smsc.settled()
    assert run.store.texts == ["1", "1"]


async def test_an_id_of_the_smscs_is_known_by_every_process(smsc: SmscDouble) -> None:
    ids = []
    for _ in range(2):
        async with running(quick(smsc)) as run:
            smsc.text(THEIRS, "yes", identity="mo-1")
            await smsc.settled()
        ids += [event.event_id for event in run.store.events]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(smsc: SmscDouble) -> None:
    store = Store(broken=2)
    async with running(quick(smsc), store):
        (told,) = smsc.text(THEIRS, "hello")
        await smsc.settled()
    assert store.texts == ["hello"]
    assert told.statuses == [TEMPORARY, TEMPORARY, 0]


async def test_one_that_cannot_be_stored_holds_up_no_other(smsc: SmscDouble) -> None:
    class Picky(Store):
        async def deliver(self, events):  # type: ignore[no-untyped-def]
            await self.gate.wait()
            if any(event.text == "poison" for event in events):
                raise ValueError("cannot be stored")
            await Store.deliver(self, events)

    store = Picky()
    store.gate.clear()
    async with running(quick(smsc), store):
        told = [smsc.text(THEIRS, text)[0] for text in ("one", "two", "poison", "three")]
        await smsc.until(lambda: all(each.times for each in told))
        store.gate.set()
        await smsc.until(lambda: len(store.events) == 3)
        await smsc.until(lambda: bool(told[2].statuses))
        told[2].done.set()
    assert store.texts == ["one", "two", "three"]
    assert set(told[2].statuses) == {TEMPORARY}


async def test_what_cannot_be_read_is_refused_for_good(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        told = smsc.tell(b"\x00\x01\x01no end")
        await smsc.settled()
        smsc.text(THEIRS, "hello")
        await smsc.settled()
    assert told.statuses == [PERMANENT]
    assert run.store.texts == ["hello"]


# -- receipts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "parameters", "both"])
@pytest.mark.parametrize(
    ("stat", "status", "error"),
    [("DELIVRD", Status.DELIVERED, "000"), ("UNDELIV", Status.UNDELIVERED, "027"), ("EXPIRED", Status.UNDELIVERED, "001"), ("REJECTD", Status.FAILED, "011")],
)  # fmt: skip
async def test_receipts(smsc: SmscDouble, form: str, stat: str, status: Status, error: str) -> None:
    async with running(quick(smsc)) as run:
        (payload,) = payloads(run.channel, "hello")
        sent = await run.channel.send(KEY, payload)
        assert isinstance(sent, Sent)
        smsc.receipt(sent.provider_id, stat, form=form, error=error, echo=False)
        await smsc.settled()
    (event,) = run.store.events
    assert isinstance(event, Receipt)
    assert (event.provider_id, event.status, event.key) == (sent.provider_id, status, KEY)
    codes = {"text": error, "parameters": f"3:{int(error)}", "both": f"3:{int(error)}"}
    assert event.error_code == (codes[form] if status.failed else None)


@pytest.mark.parametrize(("ids", "convert"), [("decimal", lambda told: str(int(told, 16))), ("same", str)])
async def test_ids_in_another_base(smsc: SmscDouble, ids: str, convert) -> None:  # type: ignore[no-untyped-def]
    async with running(quick(smsc, receipt_ids=ids)) as run:
        (payload,) = payloads(run.channel, "hello")
        sent = await run.channel.send(KEY, payload)
        assert isinstance(sent, Sent)
        smsc.receipt(sent.provider_id, as_id=convert(sent.provider_id))
        await smsc.settled()
    (event,) = run.store.events
    assert isinstance(event, Receipt)
    assert event.provider_id == sent.provider_id


async def test_a_receipt_without_its_class_is_a_receipt_if_its_parameters_say_so(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        (payload,) = payloads(run.channel, "hello")
        await run.channel.send(KEY, payload)
        ends = (1, 1, "821000000001"), (3, 0, OURS)
        smsc.tell(wire.delivery(*ends, b"", parameters=((0x001E, b"m-1\0"), (0x0427, b"\x02"))))
        await smsc.settled()
    (event,) = run.store.events
    assert isinstance(event, Receipt)


async def test_a_receipt_that_says_nothing_is_acknowledged_and_passed_over(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        for words in (b"", b"id:1 stat:WHATEVER err:000", b"stat:DELIVRD"):
            smsc.tell(wire.delivery((1, 1, "821000000001"), (3, 0, OURS), words, esm_class=4))
        await smsc.settled()
    assert run.store.events == []


async def test_a_receipt_told_twice_has_one_id(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        (payload,) = payloads(run.channel, "hello")
        await run.channel.send(KEY, payload)
        bodies = [receipt_body(smsc.submitted[0], stat) for stat in ("ENROUTE", "DELIVRD")]
        for body in (*bodies, *bodies):
            smsc.tell(body)
            await smsc.settled()
    assert [event.status for event in run.store.events if isinstance(event, Receipt)] == [Status.SENT, Status.DELIVERED]


async def test_numbers_are_those_of_the_framework(smsc: SmscDouble) -> None:
    found = []
    ends = [(1, "821000000001"), (0, "01000000001"), (2, "1000000001"), (0, "+821000000001"), (0, "1588"), (5, "Operator"), (0, "")]
    async with running(quick(smsc, country_code="82")) as run:
        for ton, number in ends:
            smsc.tell(wire.delivery((ton, 0, number), (0, 0, OURS), b"hi"))
            await smsc.settled()
        found = [event.key.customer for event in run.store.events]
    assert found == [Address("tel", value) for value in (*[THEIRS] * 4, "1588", "Operator", "unknown")]
