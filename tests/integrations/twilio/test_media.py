from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import MediaLink, MediaRefused
from bot.testing.doubles.http_server import Request, Response, Server
from bot.testing.doubles.twilio import TwilioDouble
from integrations.twilio import MediaFetcher, MediaPolicy, TwilioSettings

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100
# On this machine: the API is 127.0.0.1 and the file host is localhost, so that the two differ.
POLICY = MediaPolicy(api_host="127.0.0.1", file_hosts=("localhost",), scheme="http", max_bytes=1000)
SETTINGS = TwilioSettings("AC" + "1" * 32, ("token",), "https://bot.example")
GOOD = f"https://api.twilio.com/2010-04-01/Accounts/{SETTINGS.account_sid}/Messages/MM{'a' * 32}/Media/ME{'b' * 32}"


class Waits(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def fetch(twilio: TwilioDouble, quick: TwilioSettings, path: str, waits: Waits | None = None, policy: MediaPolicy = POLICY) -> object:
    async with httpx.AsyncClient(trust_env=False) as http:
        fetcher = MediaFetcher(quick, http, policy, waits if waits is not None else Waits())
        try:
            return await fetcher.fetch(MediaLink(twilio.url + path, "image/png"))
        except MediaRefused as refused:
            return refused.code


async def test_a_file_comes_and_the_key_stays(twilio: TwilioDouble, quick: TwilioSettings) -> None:
    found = await fetch(twilio, quick, twilio.files.add(PNG, "image/png; charset=binary"))
    assert (getattr(found, "content", None), getattr(found, "content_type", None)) == (PNG, "image/png")
    assert twilio.files.leaks == []


async def test_a_file_that_is_late_is_asked_for_again(twilio: TwilioDouble, quick: TwilioSettings) -> None:
    path, waits = twilio.files.add(PNG, "image/png"), Waits()
    twilio.files.missing_for = 2
    assert getattr(await fetch(twilio, quick, path, waits), "content", None) == PNG
    assert waits == [1.0, 3.0]
    twilio.files.missing_for = 3
    assert await fetch(twilio, quick, path) == "missing"


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (PNG + b"\x00" * 1000, "image/png", "size"),
        (b"<html>", "text/html", "type"),
        (b"<svg/>", "image/svg+xml", "type"),
        (b"MZ", "application/octet-stream", "type"),
        (b"<html><script>", "image/png", "content"),
        (b"", "image/jpeg", "content"),
    ],
)
async def test_what_is_not_accepted(twilio: TwilioDouble, quick: TwilioSettings, content: bytes, kind: str, code: str) -> None:
    assert await fetch(twilio, quick, twilio.files.add(content, kind)) == code


@pytest.mark.parametrize(
    ("away", "code"),
    [
        ("http://127.0.0.1:9/", "redirect"),  # even back to the API's host: a file host is where files are
        ("http://localhost.evil.example/x", "redirect"),
        ("http://evillocalhost/x", "redirect"),
        ("http://localhost@evil.example/x", "redirect"),
        ("http://user@localhost/x", "redirect"),
        ("https://localhost/x", "redirect"),
        ("file:///etc/passwd", "redirect"),
        ("http://169.254.169.254/latest/meta-data", "redirect"),
        ("//evil.example/x", "redirect"),
        ("http://[::1", "network"),
    ],
)
async def test_redirects_lead_nowhere_else(twilio: TwilioDouble, quick: TwilioSettings, away: str, code: str) -> None:
    assert await fetch(twilio, quick, twilio.files.add(PNG, "image/png", redirect_to=away)) == code
    assert twilio.files.leaks == []


async def test_a_file_that_does_not_say_how_long_it_is_is_counted() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 100
            yield PNG[:100]

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless(), headers={"Content-Type": "image/png"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(MediaRefused) as refused:
            await MediaFetcher(SETTINGS, http, MediaPolicy(max_bytes=1000)).fetch(MediaLink(GOOD, "image/png"))
    assert refused.value.code == "size"
    assert read <= 1100


async def test_redirects_end(quick: TwilioSettings) -> None:
    async def handler(request: Request) -> Response:
        return Response(302, headers={"Location": f"http://localhost:{request.headers['host'].rpartition(':')[2]}/files/again"})

    async with Server(handler) as server, httpx.AsyncClient(trust_env=False) as http:
        link = MediaLink(
            server.url + GOOD.removeprefix("https://api.twilio.com").replace(SETTINGS.account_sid, quick.account_sid), "image/png"
        )
        with pytest.raises(MediaRefused, match="on and on"):
            await MediaFetcher(quick, http, POLICY, Waits()).fetch(link)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Response(200, PNG * 20, "image/png", {"Transfer-Encoding-Not": "x"}), "size"),
        (Response(500), "status"),
        (Response(401), "status"),
        (Response(302), "status"),  # a redirect to nowhere
        (Response(200, PNG, "image/png", ending="cut"), "network"),
        (Response(200, PNG, "image/png", ending="trickle"), "timeout"),
        (Response(ending="silence"), "timeout"),
        (Response(ending="reset"), "network"),
    ],
)
async def test_what_goes_wrong(quick: TwilioSettings, answer: Response, code: str) -> None:
    async def handler(_: Request) -> Response:
        return answer

    async with Server(handler) as server, httpx.AsyncClient(trust_env=False) as http:
        link = MediaLink(
            server.url + GOOD.removeprefix("https://api.twilio.com").replace(SETTINGS.account_sid, quick.account_sid), "image/png"
        )
        settings = replace(quick, media_timeout=1.0)
        with pytest.raises(MediaRefused) as refused:
            await MediaFetcher(settings, http, POLICY, Waits()).fetch(link)
    assert refused.value.code == code
    assert refused.value.again == (code in ("network", "timeout") or answer.status == 500)


def strangers() -> list[str]:
    path = GOOD.removeprefix("https://api.twilio.com")
    return [
        GOOD.replace("https", "http"),
        f"https://evil.example{path}",
        f"https://api.twilio.com.evil.example{path}",
        f"https://api.twilio.com@evil.example{path}",
        f"https://evil.example\\@api.twilio.com{path}",
        f"https://user:pass@api.twilio.com{path}",
        f"https://api.twilio.com:8443{path}",
        f"https://xapi.twilio.com{path}",
        f"https://mms.twiliocdn.com{path}",
        f"https://evil.example/#https://api.twilio.com{path}",
        GOOD + "?x=1",
        GOOD + "/../../..",
        GOOD.replace("AC1", "AC2"),
        # The key opens this one as well, and its answer holds the account's token.
        f"https://api.twilio.com/2010-04-01/Accounts/{SETTINGS.account_sid}.json",
        f"https://api.twilio.com/2010-04-01/Accounts/{SETTINGS.account_sid}/Messages/MM{'a' * 32}/Media/../../../../{SETTINGS.account_sid}.json",
        "",
        "https://",
        "file:///etc/passwd",
    ]


def no_network(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} must not be asked")


@pytest.mark.parametrize("url", strangers())
async def test_the_key_goes_to_twilios_files_only(url: str) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(no_network)) as http:
        with pytest.raises(MediaRefused) as refused:
            await MediaFetcher(SETTINGS, http).fetch(MediaLink(url, "image/png"))
    assert refused.value.code == "address"
    assert not refused.value.again


async def test_the_real_hosts_by_default() -> None:
    seen: list[tuple[str, bool]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.host, "authorization" in request.headers))
        if request.url.host == "api.twilio.com":
            return httpx.Response(307, headers={"Location": "https://mms.twiliocdn.com/AC/x?Expires=1&Signature=y"})
        return httpx.Response(200, content=PNG, headers={"Content-Type": "image/png"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        assert (await MediaFetcher(SETTINGS, http).fetch(MediaLink(GOOD, "image/png"))).content == PNG
    assert seen == [("api.twilio.com", True), ("mms.twiliocdn.com", False)]


@given(st.text(max_size=60), st.sampled_from(("", "https://", "https://api.twilio.com/", GOOD)))
async def test_no_address_raises_anything_else(text: str, start: str) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(410))) as http:
        with pytest.raises(MediaRefused) as refused:
            await MediaFetcher(SETTINGS, http, sleep=Waits()).fetch(MediaLink(start + text, "image/png"))
    assert refused.value.code == ("status" if start + text == GOOD else "address")
