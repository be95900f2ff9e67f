"""The double itself: that it says no where Twilio does, and that the vendor's own description agrees with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.testing.doubles.openapi import Description
from bot.testing.doubles.twilio import TwilioDouble

OURS, THEIRS = "+12025550100", "+12025550101"
GOOD = {"To": THEIRS, "From": OURS, "Body": "hello"}


async def post(twilio: TwilioDouble, fields: dict[str, Any], *, token: str = "", account: str = "") -> httpx.Response:
    url = f"{twilio.url}/2010-04-01/Accounts/{account or twilio.account}/Messages.json"
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(url, data=fields, auth=(twilio.account, token or twilio.token))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": None}, 21604), ({"To": "12025550101"}, 21211), ({"To": "+0123"}, 21211), ({"From": None}, 21603), ({"From": "+12025550109"}, 21606),
        ({"Body": None}, 21602), ({"Body": "x" * 1601}, 21617), ({"To": OURS}, 21266), ({"MediaUrl": "file:///x"}, 21620), ({"StatusCallback": "nowhere"}, 21609),
        ({"MediaUrl": ["https://bot.example/a.png"] * 11}, 21623), ({"From": None, "MessagingServiceSid": "MG" + "1" * 32}, 21701), ({"To": "+12025550103"}, 21614),
        ({"To": "+12025550104"}, 21610), ({"To": "+821000000001"}, 21408),
    ],
)  # fmt: skip
async def test_what_twilio_refuses(change: dict[str, Any], code: int) -> None:
    async with TwilioDouble() as twilio:
        twilio.world.landlines.add("+12025550103")
        twilio.world.opted_out.add((OURS, "+12025550104"))
        twilio.world.closed_regions = ("+82",)
        response = await post(twilio, {name: value for name, value in (GOOD | change).items() if value is not None})
        assert (response.status_code, response.json()["code"]) == (400, code)
        assert twilio.messages == []


async def test_keys_and_accounts(twilio: TwilioDouble) -> None:
    assert (await post(twilio, GOOD, token="wrong")).json()["code"] == 20003
    assert (await post(twilio, GOOD, account="AC" + "9" * 32)).json()["code"] == 20404
    assert (await post(twilio, GOOD)).status_code == 201


async def test_a_message_can_be_looked_up_and_listed_page_by_page(twilio: TwilioDouble) -> None:
    for n in range(5):
        await post(twilio, GOOD | {"Body": f"number {n}"})
    twilio.status(twilio.messages[0].sid, "delivered")
    base = f"{twilio.url}/2010-04-01/Accounts/{twilio.account}"
    async with httpx.AsyncClient(trust_env=False, auth=(twilio.account, twilio.token)) as http:
        one = (await http.get(f"{base}/Messages/{twilio.messages[0].sid}.json")).json()
        assert (one["status"], one["body"]) == ("delivered", "number 0")
        assert (await http.get(f"{base}/Messages/SM{'0' * 32}.json")).status_code == 404
        seen: list[str] = []
        following = f"/2010-04-01/Accounts/{twilio.account}/Messages.json?To=%2B12025550101&PageSize=2"
        while following:
            page = (await http.get(twilio.url + following)).json()
            seen += [message["sid"] for message in page["messages"]]
            following = page["next_page_uri"]
        assert sorted(seen) == sorted(message.sid for message in twilio.messages)


def test_the_description_finds_what_breaks_it(description: Path | None) -> None:
    if description is None:
        pytest.skip("Twilio's API description is not here: set SWITCHBOARD_SPECS to a folder with twilio_api_v2010.json")
    spec = Description.load(description)
    path = f"/2010-04-01/Accounts/AC{'1' * 32}/Messages.json"
    form = "application/x-www-form-urlencoded"
    assert (
        spec.request(
            "POST", path, form, b"To=%2B12025550101&From=%2B12025550100&Body=hi&MediaUrl=https://a.example/1&MediaUrl=https://a.example/2"
        )
        == []
    )
    assert spec.request("GET", path + "?To=%2B12025550101&PageSize=50", "", b"") == []
    broken = {
        ("POST", path, form, b"Body=hi"): "To: is required",
        ("POST", path, form, b"To=a&Boddy=hi"): "Boddy: is not described",
        ("POST", path, form, b"To=a&To=b"): "To: given more than once",
        ("POST", path, form, b"To=a&StatusCallback=nowhere"): "StatusCallback: is no URI",
        ("POST", path, form, b"To=a&ScheduleType=soon"): "ScheduleType: is none of",
        ("POST", path, form, b"To=a&MessagingServiceSid=MG1"): "MessagingServiceSid: is 3 characters",
        ("POST", path, "application/json", b"{}"): "the body is application/json",
        ("GET", path + "?PageSize=many", "", b""): "PageSize: is str, not integer",
        ("GET", path + "?Size=1", "", b""): "Size: not a parameter",
        ("GET", "/2010-04-01/Nowhere.json", "", b""): "no such operation",
        ("GET", path.replace("AC", "XX"), "", b""): "AccountSid: does not match",
    }
    for request, problem in broken.items():
        assert any(problem in found for found in spec.request(*request)), problem


async def test_answers_are_checked_too(description: Path | None) -> None:
    if description is None:
        pytest.skip("Twilio's API description is not here: set SWITCHBOARD_SPECS to a folder with twilio_api_v2010.json")
    async with TwilioDouble(description=description) as twilio:
        await post(twilio, GOOD)
        assert twilio.violations == []
        twilio.inbound(THEIRS, "hi")
        value = twilio.messages[0].to_json()
        spec = Description.load(description)
        path = f"/2010-04-01/Accounts/{twilio.account}/Messages.json"
        assert spec.answer("POST", path, 201, value) == []
        for change in (
            {"status": "flying"},
            {"sid": "SM1"},
            {"date_created": "yesterday"},
            {"error_code": "x"},
            {"colour": "red"},
            {"body": 5},
        ):
            assert spec.answer("POST", path, 201, value | change), change
        assert spec.answer("POST", path, 418, value)


async def test_times_and_ids_come_from_outside() -> None:
    when = datetime(2026, 1, 1, tzinfo=UTC)

    async def play() -> str:
        async with TwilioDouble(clock=lambda: when) as twilio:
            await post(twilio, GOOD)
            twilio.inbound(THEIRS, "hi")
            return json.dumps([message.to_json() for message in twilio.messages])

    assert await play() == await play()
