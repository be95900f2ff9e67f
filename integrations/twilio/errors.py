"""Twilio's error codes, as far as they change what we do. Source: its "Error and Warning Dictionary"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ErrorKind(StrEnum):
    """What to do about it."""

    INPUT = "input"  # this message to this address will never go: tell the flow
    CONSENT = "consent"  # the customer has opted out: close consent
    COMPLIANCE = "compliance"  # a rule or a filter: an operator must act, this message is lost
    RATE = "rate"  # not now
    CARRIER = "carrier"  # the network could not deliver: maybe another channel
    WINDOW = "window"  # outside the free-form window: send a template
    ACCOUNT = "account"  # our key, account or number: nothing goes until somebody repairs it
    WEBHOOK = "webhook"  # Twilio could not reach us
    UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class TwilioError:
    code: str
    kind: ErrorKind
    meaning: str


_INPUT = {
    21211: "the number is not a valid phone number",
    21212: "the sender is not a valid phone number",
    21217: "the number is not a valid phone number",
    21265: "the number cannot be a short code",
    21266: "sender and recipient are the same",
    21408: "the account may not send to this country",
    21421: "the number is not valid",
    21602: "the message has no text",
    21603: "the message has no sender",
    21604: "the message has no recipient",
    21605: "the text is too long",
    21609: "the address for receipts is not valid",
    21612: "the recipient cannot be reached from this sender",
    21614: "the recipient is not a mobile number",
    21617: "the text is longer than 1600 characters",
    21619: "the message has neither text nor file nor template",
    21620: "the address of a file is not valid",
    21623: "there are too many files",
    21635: "the recipient is a landline",
    21654: "the template does not exist",
    21655: "the template's id is not valid",
    21656: "the template's variables are not valid",
    30006: "the recipient is a landline or cannot be reached",
    63013: "the message breaks the network's policy",
    63019: "a file could not be downloaded",
    63021: "the content is not valid for the network",
    63024: "the recipient is not on this network",
}
_COMPLIANCE = {
    30004: "the carrier or the customer blocks this sender",
    30007: "filtered as spam",
    30032: "the toll-free number is not verified",
    30034: "the number is not registered for A2P 10DLC",
    30047: "could not be moved out of quiet hours",
    30610: "outside the hours the law allows",
    63032: "the network limits this customer's messages",
}
_RATE = {
    20429: "too many requests",
    21611: "the sender's queue is full",
    14107: "the rate of messages is limited",
    30001: "the queue overflowed",
    30022: "the carrier's limit for this registration is reached",
    30023: "the carrier's daily limit is reached",
    63017: "the rate of messages is limited",
    63018: "the network's rate for this sender is reached",
}
_CARRIER = {
    30003: "the handset cannot be reached",
    30005: "the number is unknown or gone",
    30008: "the carrier gives no reason",
    30009: "a part of the message was lost",
    30010: "the price is above the limit set",
    30017: "the carrier is congested",
    63003: "the recipient does not exist on this network",
    63005: "the network rejected the content",
    63031: "sender and recipient are the same",
}
_ACCOUNT = {
    20003: "the account's key was not accepted",
    20005: "the account is not active",
    20008: "test keys may not be used here",
    20404: "there is no such account",
    20403: "the account may not do this",
    21606: "the sender is not a number of this account that can send messages",
    21659: "the sender is not a number of this account",
    21660: "the sender does not belong to this account",
    21701: "the messaging service does not exist",
    21703: "the messaging service has no sender",
    21704: "the messaging service has no number",
    30002: "the account is suspended",
    63007: "the network does not know this sender",
    63038: "the account's daily limit is reached",
}
_WEBHOOK = {
    11200: "our address could not be reached",
    11205: "no connection to our address",
    11220: "no TLS with our address",
    12100: "our answer is no XML",
    12200: "our answer is no TwiML",
    12300: "our answer has another content type",
    57012: "the signature was made with another token",
}


def _table() -> Mapping[str, TwilioError]:
    kinds = {
        ErrorKind.INPUT: _INPUT,
        ErrorKind.CONSENT: {21610: "the customer has opted out of this sender's messages"},
        ErrorKind.COMPLIANCE: _COMPLIANCE,
        ErrorKind.RATE: _RATE,
        ErrorKind.CARRIER: _CARRIER,
        ErrorKind.WINDOW: {63016: "outside the 24 hours for free-form messages"},
        ErrorKind.ACCOUNT: _ACCOUNT,
        ErrorKind.WEBHOOK: _WEBHOOK,
    }
    return MappingProxyType(
        {str(code): TwilioError(str(code), kind, text) for kind, codes in kinds.items() for code, text in codes.items()}
    )


ERRORS = _table()


def lookup(code: str | int | None) -> TwilioError:
    """What a code means; `UNLISTED` for one we have nothing special to do about."""
    text = str(code) if code else ""
    return ERRORS.get(text) or TwilioError(text, ErrorKind.UNLISTED, "an error without special handling" if text else "no error code")
