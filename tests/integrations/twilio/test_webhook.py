from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels import Address, Consent, ConsentKind, HttpRequest, MediaLink, Receipt, Received, Status, UserMessage
from bot.testing.doubles.twilio import Caller, SignedRequest, TwilioDouble
from integrations.twilio import TwilioSettings
from integrations.twilio.signature import sign
from integrations.twilio.webhook import receive

OURS, THEIRS = "+12025550100", "+12025550101"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOUBLE = TwilioDouble()
SETTINGS = TwilioSettings(DOUBLE.account, (DOUBLE.token,), DOUBLE.public_base_url)
SID = "SM" + "a" * 32


def request(signed: SignedRequest) -> HttpRequest:
    return HttpRequest("POST", signed.target, signed.headers, signed.body, NOW)


def told(text: str, **more: str) -> Received:
    return receive(SETTINGS, request(DOUBLE.inbound(more.pop("From", THEIRS), text, **more)))


def signed(fields: Mapping[str, str], path: str = "/channels/twilio/messages") -> Received:
    return receive(SETTINGS, request(DOUBLE.caller.sign(DOUBLE.public_base_url + path, list(fields.items()))))


def test_a_message() -> None:
    found = told("Hello, 요금 & more=?")
    (event,) = found.events
    assert isinstance(event, UserMessage)
    assert (event.text, event.media, event.choice_id, event.received_at) == ("Hello, 요금 & more=?", (), None, NOW)
    assert (event.key.channel, event.key.business, event.key.customer) == ("twilio", Address("tel", OURS), Address("tel", THEIRS))
    assert event.event_id == f"twilio:msg:{event.raw['MessageSid']}"
    assert (found.reply.status, found.problem) == (200, None)
    assert found.reply.content_type.startswith("text/xml")
    assert found.reply.body.endswith(b"<Response/>")


def test_fields_added_without_notice_do_no_harm() -> None:
    assert told("hi", BrandNew="", Other="1").events


def test_files_without_a_text_are_a_message_and_no_receipt() -> None:
    url = "https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME"
    (event,) = told("", NumMedia="2", MediaUrl0=url, MediaContentType0="image/jpeg", MediaUrl1=url + "2").events
    assert isinstance(event, UserMessage)
    assert event.media == (MediaLink(url, "image/jpeg"), MediaLink(url + "2", "application/octet-stream"))


@pytest.mark.parametrize("count", ["", "-1", "1e9", "９", "99999999999", "x"])
def test_a_count_of_files_that_makes_no_sense_is_none(count: str) -> None:
    (event,) = told("hi", NumMedia=count).events
    assert isinstance(event, UserMessage)
    assert event.media == ()


def test_a_button_is_a_choice() -> None:
    (event,) = told("", From=f"whatsapp:{THEIRS}", to=f"whatsapp:{OURS}", ButtonPayload="/confirm", ButtonText="Stop").events
    assert isinstance(event, UserMessage)
    assert (event.text, event.choice_id, event.key.customer) == ("Stop", "/confirm", Address("whatsapp", THEIRS))


def test_a_customer_without_a_number() -> None:
    (event,) = told("hi", From="whatsapp:KR.13491208655302741918", to=f"whatsapp:{OURS}").events
    assert event.key.customer == Address("whatsapp", "KR.13491208655302741918")


@pytest.mark.parametrize(
    ("text", "kind", "replied", "only"),
    [
        ("STOP", ConsentKind.STOP, True, False), (" stop ", ConsentKind.STOP, True, False), ("Stop.", ConsentKind.STOP, False, False),
        ("CANCEL", ConsentKind.STOP, True, False), ("수신거부", ConsentKind.STOP, False, False), ("START", ConsentKind.START, True, False),
        ("YES", ConsentKind.START, True, True), ("동의", ConsentKind.START, False, True), ("HELP", ConsentKind.HELP, True, False),
        ("도움말", ConsentKind.HELP, False, False),
    ],
)  # fmt: skip
def test_consent(text: str, kind: ConsentKind, replied: bool, only: bool) -> None:
    (event,) = told(text).events
    assert isinstance(event, Consent)
    assert (event.kind, event.provider_replied, event.only_if_stopped, event.text) == (kind, replied, only, text)


def test_advanced_opt_out_knows_words_we_do_not() -> None:
    (event,) = told("ARRET", OptOutType="STOP").events
    assert isinstance(event, Consent)
    assert (event.kind, event.provider_replied) == (ConsentKind.STOP, True)


def test_where_twilio_does_not_act_its_extra_words_are_words() -> None:
    (event,) = told("cancel", From=f"whatsapp:{THEIRS}", to=f"whatsapp:{OURS}").events
    assert isinstance(event, UserMessage)
    (event,) = told("STOP", From=f"whatsapp:{THEIRS}", to=f"whatsapp:{OURS}").events
    assert isinstance(event, Consent)
    assert not event.provider_replied
    ours = replace(SETTINGS, provider_handles_opt_out=False)
    (event,) = receive(ours, request(DOUBLE.inbound(THEIRS, "cancel"))).events
    assert isinstance(event, UserMessage)


def status_fields(status: str, **more: str) -> dict[str, str]:
    return {
        "MessageSid": SID,
        "MessageStatus": status,
        "SmsStatus": status,
        "From": OURS,
        "To": THEIRS,
        "AccountSid": DOUBLE.account,
    } | more


def test_a_receipt() -> None:
    found = signed(status_fields("undelivered", ErrorCode="30003"), "/channels/twilio/status?ref=turn%3A0%2F2")
    (event,) = found.events
    assert isinstance(event, Receipt)
    assert (event.status, event.error_code, event.provider_id, event.reference) == (Status.UNDELIVERED, "30003", SID, "turn:0/2")
    assert event.event_id == f"twilio:receipt:{SID}:undelivered"
    assert (event.key.business, event.key.customer) == (Address("tel", OURS), Address("tel", THEIRS))


def test_a_status_twilio_has_added_is_answered_and_seen() -> None:
    found = signed(status_fields("teleported"), "/channels/twilio/status")
    assert (found.reply.status, found.events, found.problem) == (200, (), "unknown_status")


def test_the_path_decides_what_it_is() -> None:
    """An inbound message has a status too; and a receipt sent to the wrong address is no message."""
    assert signed(status_fields("delivered")).problem is None  # read as a message without a text
    assert signed({"MessageSid": SID, "From": OURS, "To": THEIRS}, "/channels/twilio/status").problem == "unreadable"


@pytest.mark.parametrize(
    ("change", "status", "problem"),
    [
        ({"method": "GET"}, 405, "wrong_method"),
        ({"target": "/elsewhere"}, 404, "unknown_path"),
        ({"target": "/channels/twilio/messages/"}, 404, "unknown_path"),
        ({"target": "/channels/twilio/messages?a=1"}, 403, "bad_signature"),
        ({"target": "/channels/twilio/status"}, 403, "bad_signature"),
        ({"body": b"Body=other"}, 403, "bad_signature"),
        ({"body": b"\xff"}, 403, "bad_form"),
        ({"headers": {}}, 403, "no_form"),
        ({"headers": {"content-type": "application/x-www-form-urlencoded"}}, 403, "bad_signature"),
    ],
)
def test_what_is_not_signed_as_it_is_gives_nothing(change: dict[str, object], status: int, problem: str) -> None:
    found = receive(SETTINGS, replace(request(DOUBLE.inbound(THEIRS, "hi")), **change))  # type: ignore[arg-type]
    assert (found.reply.status, found.problem, found.events) == (status, problem, ())


def test_json_with_a_form_signature_is_refused() -> None:
    """A signature over a bare URL, as of a GET, must not vouch for a body."""
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Signature": sign(DOUBLE.token, DOUBLE.public_base_url + "/channels/twilio/messages"),
    }
    found = receive(SETTINGS, HttpRequest("POST", "/channels/twilio/messages", headers, b'{"Body":"hi"}', NOW))
    assert (found.reply.status, found.events) == (403, ())


def test_behind_a_proxy_only_the_configured_address_counts() -> None:
    """The proxy speaks http to us under an inner name; the signature covers what Twilio called."""
    sent = request(DOUBLE.inbound(THEIRS, "hi"))
    misled = replace(sent, headers={**sent.headers, "Host": "inner:8000", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"})
    assert receive(SETTINGS, misled).events
    assert not receive(replace(SETTINGS, public_base_url="https://inner:8000"), sent).events
    behind = replace(SETTINGS, public_base_url="https://bot.example/bots")
    caller = Caller(DOUBLE.token, behind.public_base_url)
    fields = [("MessageSid", SID), ("From", THEIRS), ("To", OURS), ("Body", "hi")]
    outer = caller.sign("https://bot.example/bots/channels/twilio/messages", fields)
    assert receive(behind, HttpRequest("POST", "/channels/twilio/messages", outer.headers, outer.body, NOW)).events


def test_both_tokens_while_one_is_rotated_and_shared_keys() -> None:
    sent = request(DOUBLE.inbound(THEIRS, "hi"))
    assert receive(replace(SETTINGS, auth_tokens=("f" * 32, DOUBLE.token)), sent).events
    assert not receive(replace(SETTINGS, auth_tokens=("f" * 32,)), sent).events
    caller = Caller("unused", SETTINGS.public_base_url, shared_key=("webhooks_sharedkey_1", "shared secret"))
    fields = [("MessageSid", SID), ("From", THEIRS), ("To", OURS), ("Body", "hi")]
    keyed = request(caller.sign(SETTINGS.public_base_url + SETTINGS.message_path, fields))
    assert receive(replace(SETTINGS, webhook_keys=("shared secret",)), keyed).events
    assert not receive(SETTINGS, keyed).events


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KNOWN = ("MessageSid", "From", "To", "Body", "NumMedia", "MediaUrl0", "MessageStatus", "OptOutType", "ErrorCode", "ButtonPayload")
values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from((SID, OURS, THEIRS, "whatsapp:", ":", "delivered", "STOP", "3", "")),
)
fields = st.lists(
    st.tuples(st.one_of(st.sampled_from(KNOWN), st.text(st.characters(exclude_categories=["Cs"]), max_size=12)), values), max_size=12
)
paths = st.sampled_from((SETTINGS.message_path, SETTINGS.status_path, SETTINGS.status_path + "?ref=%ff&ref"))


@pytest.mark.slow
@settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
@given(fields, paths)
def test_nothing_that_is_signed_raises(form: list[tuple[str, str]], path: str) -> None:
    headers = FORM | {"X-Twilio-Signature": sign(DOUBLE.token, SETTINGS.public_base_url + path, form)}
    found = receive(SETTINGS, HttpRequest("POST", path, headers, urlencode(form).encode(), NOW))
    assert found.reply.status in (200, 400)
    assert bool(found.events) == (found.problem is None)


@pytest.mark.slow
@settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(st.binary(max_size=200), fields.map(lambda form: urlencode(form).encode())),
    paths,
    st.text(max_size=40),
    st.sampled_from(("POST", "GET")),
)
def test_nothing_that_is_not_signed_raises_or_gets_in(body: bytes, path: str, signature: str, method: str) -> None:
    found = receive(SETTINGS, HttpRequest(method, path, FORM | {"X-Twilio-Signature": signature}, body, NOW))
    assert found.events == ()
    assert 400 <= found.reply.status < 500
