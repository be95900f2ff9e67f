"""Finding out who is writing, and having them prove it by a one-time code. Codes are never said, logged or kept."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.common.actions import customer_slots, default_line
from flows.common.values import slot
from flows.identity.birth_dates import read_birth_date
from integrations.bss import Bss, BssError, Code
from integrations.bss.models import CodeRefusal
from integrations.rasa import call

Events = list[dict[str, Any]]

RESEND = "RESEND"
_RESEND_WORDS = re.compile(
    r"re-?\s?send|send (it |the code |me one )?again|another (code|one)|new code|did(n'?t| not) (get|come|arrive|receive)"
    r"|ha(ven'?t|ve not) (got|received)|no code|재전송|재발송|다시\s*(보내|전송)|(안|못)\s*(왔|와|받|옴|옵)|새\s*(인증)?번호",
    re.IGNORECASE,
)
_OUR_DIGITS = re.compile(r"(?<!\d)\d(?:[\s.-]?\d){5}(?!\d)")


class ActionIdentifyCustomer(Action):  # type: ignore[misc]
    """Looks for the one customer with this name and birth date. None, or more than one, is a failed try."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_identify_customer"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        again = [SlotSet("identity_tries", int(tracker.get_slot("identity_tries") or 0) + 1)]
        born = date.fromisoformat(slot(tracker, "identity_birth_date"))
        found = await self._bss.find_customers_by_name(slot(tracker, "identity_name"), born)
        if len(found) != 1:
            return again
        customer = found[0]
        line = await default_line(self._bss, customer, tracker.get_slot("customer_number"))
        return [*customer_slots(customer, line, level="known"), SlotSet("identity_how", "details")]


class ActionSendIdentityCode(Action):  # type: ignore[misc]
    """Texts a code to the number on file: the customer's own contact number, never one given in the conversation."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_send_identity_code"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        customer = await self._bss.customer(slot(tracker, "customer_id"))
        try:
            sent = await self._bss.send_one_time_code(customer.contact_number, call(tracker).key)
        except BssError as error:
            if error.code not in (Code.NOT_ELIGIBLE, Code.NOT_FOUND):
                raise
            return [SlotSet("identity_code_result", "not_sent")]
        ending = None if tracker.get_slot("identity_how") == "details" else sent.last_digits
        return [SlotSet("identity_code_result", "sent"), SlotSet("identity_code_ending", ending)]


class ValidateIdentityBirthDate(Action):  # type: ignore[misc]
    """Reads the birth date however it is written."""

    def name(self) -> str:
        return "validate_identity_birth_date"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        born = read_birth_date(slot(tracker, "identity_birth_date"), call(tracker).now.date())
        if born is None:
            dispatcher.utter_message(response="utter_birth_date_unclear")
        return [SlotSet("identity_birth_date", born.isoformat() if born else None)]


class ValidateIdentityCode(Action):  # type: ignore[misc]
    """Finds the six digits, or the wish for another code, in what the customer wrote."""

    def name(self) -> str:
        return "validate_identity_code"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        written = code_or_resend(slot(tracker, "identity_code"))
        if written is None:
            dispatcher.utter_message(response="utter_code_unclear")
        return [SlotSet("identity_code", written)]


def code_or_resend(text: str) -> str | None:
    """Six digits, `RESEND`, or None when the text is neither. "123 456" and "it's 123-456" are codes."""
    if digits := _OUR_DIGITS.search(text):
        return re.sub(r"\D", "", digits[0])
    return RESEND if _RESEND_WORDS.search(text) else None


class ActionVerifyIdentityCode(Action):  # type: ignore[misc]
    """Checks the code. Right: the customer is verified for this session. Wrong or right, the code is forgotten at once."""

    def __init__(self, bss: Bss) -> None:
        self._bss = bss

    def name(self) -> str:
        return "action_verify_identity_code"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        customer = await self._bss.customer(slot(tracker, "customer_id"))
        answer = await self._bss.verify_one_time_code(customer.contact_number, slot(tracker, "identity_code"), call(tracker).key)
        forget = SlotSet("identity_code", None)
        if answer:
            return [forget, SlotSet("identity_code_result", "right"), SlotSet("identity_level", "verified")]
        expired = answer.refusal in (CodeRefusal.EXPIRED, CodeRefusal.NOT_SENT)
        used_up = answer.refusal is CodeRefusal.TOO_MANY_ATTEMPTS
        tries = int(tracker.get_slot("identity_tries") or 0) + 1
        result = "used_up" if used_up else "expired" if expired else "wrong"
        return [forget, SlotSet("identity_code_result", result), SlotSet("identity_tries", tries)]
