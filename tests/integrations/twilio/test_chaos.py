"""The double at its worst, the same each time; and in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bot.channels import HttpRequest, Outbound, Receipt, Status, UserMessage
from bot.channels.addresses import Address, ConversationKey
from bot.channels.receipts import merge
from bot.testing.doubles.http_server import Request, Response, Server
from bot.testing.doubles.twilio import Chaos, Deliveries, TwilioDouble
from integrations.twilio import TwilioSettings, open_channel
from integrations.twilio.webhook import receive

ROOT = Path(__file__).resolve().parents[3]
OURS, THEIRS = "+12025550100", "+12025550101"
KEY = ConversationKey("twilio", Address("tel", OURS), Address("tel", THEIRS))


@asynccontextmanager
async def bot(double: TwilioDouble) -> AsyncIterator[list[object]]:
    """What a bot at the double's address is told."""
    told: list[object] = []

    async def handler(request: Request) -> Response:
        settings = TwilioSettings.from_env(double.environment())
        found = receive(settings, HttpRequest(request.method, request.target, request.headers, request.body, datetime.now(UTC)))
        told.extend(found.events)
        return Response(found.reply.status, found.reply.body, found.reply.content_type)

    async with Server(handler) as server:
        double.caller.connect_to = server.url
        yield told


def test_the_same_seed_is_the_same_chaos() -> None:
    sids = [f"SM{n:032}" for n in range(200)]
    plans = [Chaos(7).receipts(sid, ("sent", "delivered")) for sid in sids]
    assert plans == [Chaos(7).receipts(sid, ("sent", "delivered")) for sid in reversed(sids)][::-1]
    assert plans != [Chaos(8).receipts(sid, ("sent", "delivered")) for sid in sids]
    words = [tuple(telling.what for telling in plan) for plan in plans]
    assert all(Counter(plan)["sent"] in (2, 3) and Counter(plan)["delivered"] in (2, 3) for plan in words)
    assert sum(plan[0] == "delivered" for plan in words) > 50, "receipts come in the wrong order"
    assert all(0 <= telling.after <= 0.2 for plan in plans for telling in plan)
    copies = [Chaos(7).inbound(sid) for sid in sids]
    assert all(len(copy) == 2 for copy in copies)
    assert {copy[1].after == 0 for copy in copies} == {True, False}, "some at once, some later"


async def test_all_is_told_twice_and_still_the_truth_can_be_had() -> None:
    async with TwilioDouble(chaos=Chaos(3), deliveries=Deliveries()) as double, bot(double) as told:
        assert await double.text(THEIRS, "hello") == [200, 200]
        assert [type(event) for event in told] == [UserMessage] * 2
        assert len({event.event_id for event in told if isinstance(event, UserMessage)}) == 1
        told.clear()
        async with open_channel(TwilioSettings.from_env(double.environment()), trust_env=False) as channel:
            await channel.send(KEY, channel.render(KEY, Outbound("turn:0", "hi"))[0])
        await double.settle()
        assert double.sent_to(THEIRS)[0].status == "delivered", "the provider's own list tells how it is, whatever was told"
        receipts = [event for event in told if isinstance(event, Receipt)]
        assert len(receipts) >= 4
        status = Status.CREATED
        for receipt in receipts:
            status = merge(status, receipt.status)
        assert status is Status.DELIVERED
        assert double.caller.alerts == []


async def test_runs_with_a_salt_share_no_name() -> None:
    def play(salt: str) -> tuple[str, str]:
        double = TwilioDouble(salt=salt)
        headers = double.inbound(THEIRS, "hi").headers
        return double.messages[0].sid, headers["I-Twilio-Idempotency-Token"]

    assert play("") == play("")
    assert not set(play("a")) & set(play("b"))


async def test_a_key_of_its_own_is_accepted() -> None:
    async with TwilioDouble(api_keys={"SK" + "1" * 32: "secret"}) as double:
        for secret, outcome in (("secret", "Sent"), ("another", "Retry")):
            env = double.environment(TWILIO_API_KEY_SID="SK" + "1" * 32, TWILIO_API_KEY_SECRET=secret)
            async with open_channel(TwilioSettings.from_env(env), trust_env=False) as channel:
                assert type(await channel.send(KEY, channel.render(KEY, Outbound("t:1", "hi"))[0])).__name__ == outcome


async def test_it_tells_what_it_refused() -> None:
    refused: list[int] = []
    async with (
        TwilioDouble(on_refused=lambda error: refused.append(error.code)) as double,
        bot(double),
        open_channel(TwilioSettings.from_env(double.environment()), trust_env=False) as channel,
    ):
        await double.text(THEIRS, "STOP")
        await channel.send(KEY, channel.render(KEY, Outbound("t:1", "hi"))[0])
    assert refused == [21610]


async def test_it_may_leave_opting_out_to_us() -> None:
    double = TwilioDouble(handles_opt_out=False)
    double.inbound(THEIRS, "STOP")
    assert (double.auto_replies, double.world.opted_out) == ([], set())


async def test_in_a_process_of_its_own() -> None:
    double = TwilioDouble()
    async with bot(double) as told:
        command = [sys.executable, "-m", "bot.testing.doubles.twilio", "--bot", double.caller.connect_to, "--chaos", "1", "--salt", "x"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = await asyncio.create_subprocess_exec(
            *command, "--public-base-url", double.public_base_url, stdout=asyncio.subprocess.PIPE, env=env
        )
        try:
            assert process.stdout is not None
            url = (await process.stdout.readline()).decode().strip()
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
                answered = await http.post("/double/texts", data={"From": THEIRS, "Body": "안녕하세요"})
                assert answered.json() == {"statuses": [200, 200]}
                assert [event.text for event in told if isinstance(event, UserMessage)] == ["안녕하세요"] * 2
                env = double.environment(TWILIO_API_BASE_URL=url)
                await http.post("/double/faults", data={"fault": "rate_limit"})
                async with open_channel(TwilioSettings.from_env(env), trust_env=False) as channel:
                    outcomes = [type(await channel.send(KEY, channel.render(KEY, Outbound("t:1", "hi"))[0])).__name__ for _ in range(2)]
                assert outcomes == ["Retry", "Sent"]
                listed = (await http.get("/double/messages?after=1")).json()["messages"]
                assert [(item["to"], item["body"], item["reference"]) for item in listed] == [(THEIRS, "hi", "t:1")]
                async with asyncio.timeout(60):
                    while sum(isinstance(event, Receipt) for event in told) < 4:
                        await asyncio.sleep(0.05)
                report = (await http.get("/double/report")).json()
                assert (report["messages"], report["attempts"], report["alerts"]) == (2, 2, [])
                assert (await http.post("/double/faults", data={"fault": "no such"})).status_code == 400
                assert (await http.get("/double/nowhere")).status_code == 404
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
