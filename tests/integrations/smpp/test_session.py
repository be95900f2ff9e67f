"""The connection: binding, staying, losing it and having it again."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from bot.channels import Retry, Sent
from bot.testing.doubles.smsc import SmscDouble, wire
from integrations.smpp import SmppChannel

from .conftest import KEY, THEIRS, Store, payloads, quick, running


async def works(run: object, smsc: SmscDouble) -> None:
    """Both ways."""
    (payload,) = payloads(run.channel, "hello")  # type: ignore[attr-defined]
    assert isinstance(await run.channel.send(KEY, payload), Sent)  # type: ignore[attr-defined]
    before = len(run.store.events)  # type: ignore[attr-defined]
    smsc.text(THEIRS, "hello")
    await smsc.settled()
    assert len(run.store.events) == before + 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(("wrong", "status"), [({"password": "other"}, 0x0E), ({"system_id": "other"}, 0x0F), ({}, 0x0D)])
async def test_who_is_not_let_in_tries_again_and_says_that_somebody_must_repair_it(
    smsc: SmscDouble, wrong: dict[str, str], status: int
) -> None:
    smsc.bind_status = 0 if wrong else status
    async with running(quick(smsc, **wrong), connected=False) as run:
        (payload,) = payloads(run.channel, "hello")
        async with asyncio.timeout(30):
            while await run.channel.send(KEY, payload) != Retry("not_connected", alert=True):
                await asyncio.sleep(0.01)
        if not wrong:
            smsc.bind_status = 0
            await smsc.bound()
            await smsc.until(lambda: run.channel.connected)
            await works(run, smsc)


async def test_a_lost_connection_comes_back_and_a_message_is_told_again(smsc: SmscDouble) -> None:
    store = Store()
    store.gate.clear()
    async with running(quick(smsc), store) as run:
        (told,) = smsc.text(THEIRS, "before")
        await smsc.until(lambda: told.times == 1)
        smsc.refuse_connections()
        await smsc.until(lambda: not run.channel.connected)
        await smsc.accept_connections()
        await smsc.until(lambda: told.times == 2)
        store.gate.set()
        await smsc.settled()
        assert store.texts == ["before"]
        await works(run, smsc)


async def test_the_smsc_may_part(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        smsc.connections[0].unbind()
        await smsc.until(lambda: len(smsc.binds) == 2 and run.channel.connected)
        await works(run, smsc)


async def test_a_pair_of_binds(smsc: SmscDouble) -> None:
    async with running(quick(smsc, bind="pair")) as run:
        await smsc.bound(2)
        assert sorted(smsc.binds) == [wire.BIND_RECEIVER, wire.BIND_TRANSMITTER]
        await works(run, smsc)
        await run.stop()
    assert smsc.unbinds == 2


async def test_both_ends_ask_whether_the_other_is_there(smsc: SmscDouble) -> None:
    async with running(quick(smsc, enquire_link=0.05)) as run:
        await smsc.until(lambda: smsc.enquiries >= 3)
        async with asyncio.timeout(30):
            await smsc.connections[0].enquire()
        await works(run, smsc)
    assert len(smsc.binds) == 1


async def test_who_does_not_answer_is_left(smsc: SmscDouble) -> None:
    smsc.answers_enquiries = False
    async with running(quick(smsc, enquire_link=0.05, enquire_link_timeout=0.2)) as run:
        await smsc.until(lambda: len(smsc.binds) >= 2)
        smsc.answers_enquiries = True
        async with asyncio.timeout(30):
            while not (run.channel.connected and smsc.enquiries > len(smsc.binds) + 3):
                await asyncio.sleep(0.01)
        await works(run, smsc)


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
        b"\x00\x00\x00\x0f" + b"\x00" * 12,
        b"\xff" * 64,
        b"\x00\x20\x00\x00" + b"\x00" * 60,
    ],
)
async def test_garbage_and_oversized_pdus_end_the_connection_and_nothing_else(smsc: SmscDouble, octets: bytes) -> None:
    async with running(quick(smsc)) as run:
        smsc.connections[0].write_octets(octets)
        await smsc.until(lambda: len(smsc.binds) == 2 and run.channel.connected)
        await works(run, smsc)
    assert smsc.nacks == [0x02]


async def test_commands_nobody_has_are_refused_and_the_connection_stays(smsc: SmscDouble) -> None:
    async with running(quick(smsc)) as run:
        for command in (0x00000077, wire.SUBMIT_SM, 0x00000103 | wire.RESPONSE, wire.GENERIC_NACK, 0x00000102):
            smsc.connections[0].write(command, 0, 5, b"what")
        await smsc.until(lambda: len(smsc.nacks) == 2)
        assert smsc.nacks == [0x03, 0x03]
        await works(run, smsc)
    assert len(smsc.binds) == 1


async def test_pdus_in_pieces(smsc: SmscDouble) -> None:
    body = wire.delivery((1, 1, "821000000001"), (3, 0, "1588"), b"slowly")
    async with running(quick(smsc)) as run:
        octets = wire.Frame(wire.DELIVER_SM, 0, 900, body).octets()
        for at in range(len(octets)):
            smsc.connections[0].write_octets(octets[at : at + 1])
            await asyncio.sleep(0)
        await smsc.until(lambda: bool(run.store.events))
    assert run.store.texts == ["slowly"]
    smsc.violations.clear()  # the double did not know that it had told this


async def test_a_stop_stores_what_has_come_and_parts(smsc: SmscDouble) -> None:
    store = Store()
    store.gate.clear()
    async with running(quick(smsc), store) as run:
        (told,) = smsc.text(THEIRS, "the last word")
        await smsc.until(lambda: told.times == 1)
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(run.stop())
        await asyncio.sleep(0.1)
        store.gate.set()
        await stopping
        assert not run.channel.connected
    assert store.texts == ["the last word"]
    assert told.statuses == [0]
    assert smsc.unbinds == 1


async def test_a_host_that_is_not_there(smsc: SmscDouble) -> None:
    for host in ("127.0.0.1", "no-such-host.invalid", "a" * 80):
        settings = quick(smsc, host=host, port=1, connect_timeout=1.0)
        async with running(settings, connected=False) as run:
            await asyncio.sleep(0.1)
            assert not run.task.done()


async def test_thousands_of_messages_each_once_and_in_order(smsc: SmscDouble) -> None:
    smsc.window, smsc.repeat_after = 200, 0.0
    async with running(quick(smsc)) as run:
        for number in range(2_000):
            smsc.text(THEIRS, f"message {number}")
        async with asyncio.timeout(100):
            await asyncio.gather(*(told.done.wait() for told in smsc.told))
    assert run.store.texts == [f"message {number}" for number in range(2_000)]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=smsc.example"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *more], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with SmscDouble(tls=context) as smsc:
        async with running(quick(smsc, tls=True, tls_ca=str(certificate))) as run:
            await works(run, smsc)
        async with running(quick(smsc, tls=True), connected=False) as run:
            await asyncio.sleep(0.3)
            assert not run.channel.connected, "a certificate nobody vouches for"
        assert len(smsc.binds) == 1
        assert smsc.violations == []


async def test_a_channel_can_run_again(smsc: SmscDouble) -> None:
    store = Store()
    channel = SmppChannel(quick(smsc))
    for _ in range(2):
        task = asyncio.create_task(channel.run(store.deliver))
        await smsc.until(lambda: channel.connected)
        smsc.text(THEIRS, "hello")
        await smsc.settled()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not channel.connected
    assert store.texts == ["hello", "hello"]
