"""Both ends against octets written out by hand from the specification (SMPP 3.4, chapters 3 to 5)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import Sent
from bot.testing.doubles.smsc import SmscDouble
from integrations.smpp import SmppSettings, inbound, pdus
from integrations.smpp.pdus import BadPdu, Pdu

from .conftest import KEY, THEIRS, Store, payloads, running


def octets(written: str) -> bytes:
    return bytes.fromhex("".join(line.partition("|")[0] for line in written.splitlines()).replace(" ", ""))


BIND = octets(
    """
    00000020 00000009 00000000 00000001 | length 32, bind_transceiver, status, sequence
    626f7400                            | system_id bot
    73656372657400                      | password secret
    00 34 0000 00                       | system_type, interface_version 3.4, addr_ton, addr_npi, address_range
    """
)
BOUND = octets("00000015 80000009 00000000 00000001 736d736300")
SUBMIT = octets(
    """
    0000003a 00000004 00000000 00000002 | length 58, submit_sm
    00                                  | service_type
    00 00 3135383800                    | source_addr_ton, _npi, source_addr 1588
    01 01 38323130303030303030303100    | dest_addr_ton, _npi, destination_addr 821000000001
    00 00 00 00 00                      | esm_class, protocol_id, priority_flag, schedule_delivery_time, validity_period
    01 00 00 00                         | registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id
    03 686900                           | sm_length, short_message: h, i and the at sign, which is 0 in the GSM alphabet
    0204 0002                           | user_message_reference, and its length
    """
)
DELIVER = octets(
    """
    00000035 00000005 00000000 00000001 | length 53, deliver_sm
    00                                  | service_type
    01 01 38323130303030303030303100    | source 821000000001
    03 00 3135383800                    | destination 1588
    00 00 00 00 00 00 00 08 00          | esm_class ... data_coding UCS-2, sm_default_msg_id
    04 c548b155                         | two syllables
    """
)
DELIVERED = octets("00000011 80000005 00000000 00000001 00")


async def test_the_double_speaks_the_octets_of_the_specification() -> None:
    async with SmscDouble() as smsc:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(smsc.environment()["SMPP_PORT"]))
        writer.write(BIND)
        assert await reader.readexactly(len(BOUND)) == BOUND
        writer.write(SUBMIT + b"\x12\x34")
        assert await reader.readexactly(25) == octets("00000019 80000004 00000000 00000002") + b"a0000001\0"
        (message,) = smsc.submitted
        assert (message.source, message.destination, message.text) == ((0, 0, "1588"), (1, 1, "821000000001"), "hi@")
        assert message.user_message_reference == 0x1234
        (told,) = smsc.text(THEIRS, "안녕")
        assert await reader.readexactly(len(DELIVER)) == DELIVER
        writer.write(DELIVERED)
        await smsc.settled()
        assert told.statuses == [0]
        writer.write(octets("00000010 00000015 00000000 00000007"))
        assert await reader.readexactly(16) == octets("00000010 80000015 00000000 00000007")
        writer.write(octets("00000010 00000006 00000000 00000008"))
        assert await reader.readexactly(16) == octets("00000010 80000006 00000000 00000008")
        writer.close()
        assert smsc.violations == []


async def test_the_adapter_speaks_the_octets_of_the_specification() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say() -> None:
            while True:
                writer.write(await said.get())

        saying = asyncio.create_task(say())
        try:
            while True:
                length = await reader.readexactly(4)
                heard.put_nowait(length + await reader.readexactly(int.from_bytes(length, "big") - 4))
        except EOFError:
            saying.cancel()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    settings = replace(SmppSettings("127.0.0.1", "bot", "secret", port=server.sockets[0].getsockname()[1]), send_timeout=20.0)
    store = Store()
    said.put_nowait(BOUND)
    async with asyncio.timeout(60), running(settings, store) as run:
        assert await heard.get() == BIND
        (payload,) = payloads(run.channel, "hi@")
        sending = asyncio.create_task(run.channel.send(KEY, payload))
        sent = await heard.get()
        assert sent[:-2] == SUBMIT
        said.put_nowait(octets("00000014 80000004 00000000 00000002 6d2d3100"))
        assert await sending == Sent("m-1", segments=1)
        said.put_nowait(DELIVER)
        assert await heard.get() == DELIVERED
        assert store.texts == ["안녕"]
        stopping = asyncio.create_task(run.stop())
        assert await heard.get() == octets("00000010 00000006 00000000 00000003")
        said.put_nowait(octets("00000010 80000006 00000000 00000003"))
        await stopping
    server.close()


@pytest.mark.parametrize("cut", range(1, 37))
def test_a_body_that_ends_early_is_an_error_and_not_a_message(cut: int) -> None:
    body = DELIVER[16:]
    whole = pdus.read_delivery(Pdu("deliver_sm", 0, 1, body))
    assert (whole.source, whole.destination, whole.text.decode("utf-16-be")) == ("821000000001", "1588", "안녕")
    with pytest.raises(BadPdu):
        pdus.read_delivery(Pdu("deliver_sm", 0, 1, body[:-cut]))


@given(
    st.binary(max_size=80),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=60),
    st.sampled_from(["same", "decimal", "hexadecimal"]),
)
def test_whatever_a_body_holds_is_an_event_or_an_error(text: bytes, esm_class: int, coding: int, extra: bytes, ids: str) -> None:
    settings = SmppSettings("127.0.0.1", "bot", "secret", receipt_ids=ids)
    body = DELIVER[16:39] + bytes((esm_class, 0, 0, 0, 0, 0, 0, coding, 0, len(text))) + text + extra
    found = pdus.read_delivery(Pdu("deliver_sm", 0, 1, body))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    if inbound.is_receipt(found):
        inbound.read_receipt(settings, "smpp", found, now)
    event = inbound.read_message("smpp", [inbound.read_piece(settings, "smpp", found, "digest")], now)
    assert event.key == KEY
    event.text.encode()


@given(st.binary(max_size=120))
def test_no_body_at_all_breaks_reading(body: bytes) -> None:
    with suppress(BadPdu):
        found = pdus.read_delivery(Pdu("deliver_sm", 0, 1, body))
        inbound.read_piece(SmppSettings("127.0.0.1", "bot", "secret"), "smpp", found, "digest")


def test_parameters_nobody_expects_are_kept_and_broken_ones_passed_over() -> None:
    extra = octets("0005 0001 01  1400 0003 616200  001e 0099 6162")
    found = pdus.read_delivery(Pdu("deliver_sm", 0, 1, DELIVER[16:] + extra))
    assert dict(found.tlvs) == {0x0005: b"\x01", 0x1400: b"ab\0"}
    assert found.text.decode("utf-16-be") == "안녕"
