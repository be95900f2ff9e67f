"""Sending, over TCP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels import Absent, Address, ConversationKey, Outbound, Payload, Receipt, Rejected, Retry, Sent, Unknown
from bot.testing.doubles.smsc import Fault, SmscDouble
from integrations.smpp.rendering import digest16

from .conftest import KEY, THEIRS, payloads, quick, running

LONG = "요금이 청구되었습니다. 납부일은 금요일입니다. 지금 납부하시거나 연기를 요청하실 수 있습니다. 감사합니다. 오늘도 좋은 하루 보내세요."


async def send(run: object, text: str, reference: str = "turn:0") -> object:
    (payload,) = payloads(run.channel, text, reference)  # type: ignore[attr-defined]
    return await run.channel.send(KEY, payload)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("long", "requests"), [("udh", 2), ("sar", 2), ("payload", 1)])
async def test_a_long_message_is_one_on_the_handset(smsc: SmscDouble, long: str, requests: int) -> None:
    async with running(quick(smsc, long_messages=long)) as run:
        rendered = payloads(run.channel, LONG)
        outcomes = [await run.channel.send(KEY, payload) for payload in rendered]
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len({outcome.provider_id for outcome in outcomes if isinstance(outcome, Sent)}) == requests
    assert sum(payload.segments for payload in rendered) == 2
    assert smsc.sent_to(THEIRS) == [LONG]
    assert all(message.registered_delivery == 1 for message in smsc.submitted)


async def test_a_part_sent_again_is_the_same_part(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        first, second = payloads(run.channel, LONG)
        smsc.fail(Fault.STATUS, status=0x58)
        assert isinstance(await run.channel.send(KEY, first), Retry)
        for payload in (first, payloads(run.channel, LONG)[0], second):
            assert isinstance(await run.channel.send(KEY, payload), Sent)
    assert smsc.sent_to(THEIRS) == [LONG], "the repeated part has the same reference and number, so the handset shows it once"


async def test_several_messages_of_a_reply_are_not_mixed_up_on_the_handset(smsc: SmscDouble) -> None:
    text = LONG * 6
    async with running(quick(smsc, max_segments=2)) as run:
        for payload in payloads(run.channel, text):
            await run.channel.send(KEY, payload)
    assert len({message.part for message in smsc.submitted}) == len(smsc.submitted)
    assert "".join("".join(smsc.sent_to(THEIRS)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("number", "written"),
    [("+821000000001", (1, 1, "821000000001")), ("1588", (0, 0, "1588")), ("Operator", (5, 0, "Operator"))],
)
async def test_numbers_by_their_kind(smsc: SmscDouble, number: str, written: tuple[int, int, str]) -> None:
    async with running(quick(smsc)) as run:
        key = ConversationKey("smpp", Address("tel", number), Address("tel", THEIRS))
        (payload,) = run.channel.render(key, Outbound("turn:0", "hi"))
        assert isinstance(await run.channel.send(key, payload), Sent)
    assert smsc.submitted[0].source == written


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x58, Retry("rthrottled", "0x58", after=2.0)),
        (0x14, Retry("rmsgqful", "0x14", after=30.0)),
        (0x08, Retry("rsyserr", "0x08")),
        (0x0A, Retry("rinvsrcadr", "0x0a", alert=True)),
        (0x04, Retry("rinvbndsts", "0x04", alert=True)),
        (0x0B, Rejected("rinvdstadr", "0x0b")),
        (0x45, Rejected("rsubmitfail", "0x45")),
        (0x412, Rejected("status", "0x412")),
        (0x413, Rejected("status", "0x413", closes_consent=True)),
        (0x414, Retry("status", "0x414", after=2.0)),
    ],
)
@pytest.mark.parametrize("fault", [Fault.STATUS, Fault.NACK])
async def test_refusals(smsc: SmscDouble, status: int, expected: object, fault: Fault) -> None:
    smsc.fail(fault, status=status)
    async with running(quick(smsc, statuses={0x413: "opted_out", 0x414: "throttled"})) as run:
        assert await send(run, "hello") == expected
    assert smsc.submitted == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.SILENCE_BEFORE, "no_answer_in_time"),
        (Fault.SILENCE_AFTER, "no_answer_in_time"),
        (Fault.DROP_BEFORE, "connection_lost"),
        (Fault.DROP_AFTER, "connection_lost"),
        (Fault.GARBAGE_AFTER, "garbage"),
        (Fault.ODD_ID_AFTER, "unreadable_answer"),
        (Fault.OTHER_COMMAND_AFTER, "wrong_answer"),
    ],
)
async def test_what_nobody_knows(smsc: SmscDouble, fault: Fault, reason: str) -> None:
    smsc.fail(fault)
    async with running(quick(smsc, send_timeout=0.5)) as run:
        assert await send(run, "hello") == Unknown(reason)
        await smsc.bound()
        await smsc.until(lambda: run.channel.connected)
        assert isinstance(await send(run, "again", "turn:1"), Sent), "and the channel goes on"


async def test_an_acceptance_without_an_id_is_an_acceptance(smsc: SmscDouble) -> None:
    smsc.fail(Fault.NO_ID_AFTER)
    async with running(quick(smsc)) as run:
        assert await send(run, "hello") == Sent("unnamed:turn:0", segments=1)


async def test_not_connected_is_retry(smsc: SmscDouble) -> None:
    smsc.refuse_connections()
    async with running(quick(smsc), connected=False) as run:
        assert await send(run, "hello") == Retry("not_connected")


async def test_a_full_window_is_retry_and_nothing_is_written(smsc: SmscDouble) -> None:
    smsc.fail(Fault.SILENCE_BEFORE, times=2)
    async with running(quick(smsc, window=2, send_timeout=0.6)) as run:
        first = [asyncio.create_task(send(run, "hello", f"turn:{number}")) for number in range(2)]
        await smsc.until(lambda: smsc.attempts == 2)
        # Less time than those two have left, or the window would be free again.
        blocked = await asyncio.gather(*(send(run, "hello", f"late:{number}") for number in range(3)))
        assert all(isinstance(outcome, Unknown) for outcome in await asyncio.gather(*first))
        assert all(isinstance(outcome, Retry | Sent) for outcome in blocked), "never Unknown: they had not been written"
        assert smsc.attempts == 2 + sum(isinstance(outcome, Sent) for outcome in blocked)


async def test_requests_go_side_by_side_within_the_window(smsc: SmscDouble) -> None:
    smsc.fail(Fault.LATE, times=10, seconds=0.5)
    async with running(quick(smsc, window=10, send_timeout=20.0)) as run:
        outcomes = await asyncio.gather(*(send(run, f"hello {number}", f"turn:{number}") for number in range(10)))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    ids = {message.text: message.message_id for message in smsc.submitted}
    assert [outcome.provider_id for outcome in outcomes if isinstance(outcome, Sent)] == [ids[f"hello {number}"] for number in range(10)]


async def test_an_smsc_that_does_not_read_is_given_no_more(smsc: SmscDouble) -> None:
    async with running(quick(smsc, window=1000, send_timeout=0.5, max_segments=255, long_messages="payload")) as run:
        smsc.connections[0].reading.clear()
        outcomes: list[object] = []
        async with asyncio.timeout(60):
            while not outcomes or not any(isinstance(outcome, Retry) for outcome in outcomes):
                text = "x" * 30_000
                batch = (send(run, text, f"turn:{len(outcomes) + number}") for number in range(100))
                outcomes += await asyncio.gather(*batch)
        assert {type(outcome) for outcome in outcomes} == {Unknown, Retry}, "unknown what was written, retry what was not"
        assert Retry("not_read") in outcomes


# -- reconciling -------------------------------------------------------------------------------------------------------------


async def reconcile(run: object, attempted_at: datetime, *, after: float = 0.0, known: tuple[str, ...] = ()) -> object:
    (payload,) = payloads(run.channel, "hello")  # type: ignore[attr-defined]
    now = attempted_at + timedelta(seconds=after)
    return await run.channel.reconcile(KEY, payload, attempted_at=attempted_at, now=now, known=known)  # type: ignore[attr-defined]


async def test_an_unknown_stays_unknown(smsc: SmscDouble) -> None:
    smsc.fail(Fault.SILENCE_AFTER)
    began = datetime.now(UTC)
    async with running(quick(smsc, send_timeout=0.3)) as run:
        assert isinstance(await send(run, "hello"), Unknown)
        assert await reconcile(run, began, after=1e6) == Unknown("cannot_be_asked")


async def test_an_unknown_is_sent_again_only_where_that_is_wanted_and_a_receipt_could_have_come(smsc: SmscDouble) -> None:
    smsc.fail(Fault.SILENCE_BEFORE)
    began = datetime.now(UTC)
    async with running(quick(smsc, send_timeout=0.3, unknown_resend_after=timedelta(minutes=10))) as run:
        assert isinstance(await send(run, "hello"), Unknown)
        assert await reconcile(run, began, after=540) == Unknown("cannot_be_asked", 60.0)
        assert await reconcile(run, began, after=600) == Absent()
        smsc.refuse_connections()
        await smsc.until(lambda: not run.channel.connected)
        assert await reconcile(run, began, after=600) == Unknown("not_connected")


@pytest.mark.parametrize(("fault", "found"), [(Fault.LATE, Sent), (Fault.LATE_REFUSAL, Absent)])
async def test_an_answer_that_comes_late_settles_it(smsc: SmscDouble, fault: Fault, found: type) -> None:
    smsc.fail(fault, seconds=1.0)
    began = datetime.now(UTC)
    async with running(quick(smsc, send_timeout=0.3)) as run:
        assert isinstance(await send(run, "hello"), Unknown)
        async with asyncio.timeout(30):
            while isinstance(outcome := await reconcile(run, began), Unknown):
                await asyncio.sleep(0.05)
    assert isinstance(outcome, found)
    if isinstance(outcome, Sent):
        assert outcome.provider_id == smsc.submitted[0].message_id


async def test_a_receipt_that_echoes_our_reference_settles_it(smsc: SmscDouble) -> None:
    smsc.fail(Fault.SILENCE_AFTER, times=2)
    began = datetime.now(UTC)
    async with running(quick(smsc, send_timeout=0.3)) as run:
        await send(run, "hello")
        await send(run, "hello", "turn:1")
        first, second = smsc.submitted
        assert first.user_message_reference == digest16("turn:0") != second.user_message_reference
        smsc.receipt(second.message_id)
        await smsc.settled()
        assert await reconcile(run, began) == Unknown("cannot_be_asked"), "another message's receipt"
        smsc.receipt(first.message_id)
        await smsc.settled()
        assert await reconcile(run, began, known=(first.message_id,)) == Unknown("cannot_be_asked"), "ascribed already"
        assert await reconcile(run, began) == Sent(first.message_id, segments=1)
        receipt = run.store.events[-1]
        assert isinstance(receipt, Receipt)
        assert receipt.reference is None, "sixteen bits are not the payload's reference"


async def test_a_stored_payload_that_is_none_of_ours_is_rejected(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        for fields in ((), (("short_message", "zz"),), (("Body", "hello"),), (("short_message", "6869"),)):
            assert await run.channel.send(KEY, Payload("turn:0", fields)) == Rejected("malformed_payload")
    assert smsc.attempts == 0
