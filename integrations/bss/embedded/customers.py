"""The desk that knows customers."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_

from ..errors import BssError, Code
from ..money import Language
from ..parties import Customer, Line, LineStatus
from .desk import Desk
from .numbers import e164_candidates
from .store import Transaction
from .tables import TABLES

_C, _L = TABLES[Customer].c, TABLES[Line].c


async def customer_by_number(tx: Transaction, number: str) -> Customer | None:
    candidates = e164_candidates(number)
    line = await line_by_number(tx, number)
    if line is not None:
        return await tx.get(Customer, line.customer_id)
    if not candidates:
        return None
    # A number that is a line answers through the line, so that a closed line's number tells nothing.
    contact = [_C.contact_numbers.contains(f'"{candidate}"', autoescape=True) for candidate in candidates]
    for customer in await tx.select(Customer, or_(*contact), limit=1):
        lines = await tx.select(Line, _L.msisdn.in_(candidates))
        return None if lines else customer
    return None


async def line_by_number(tx: Transaction, number: str) -> Line | None:
    found = await tx.select(Line, _L.msisdn.in_(e164_candidates(number)), _L.status != LineStatus.CLOSED.value, limit=1)
    return found[0] if found else None


class CustomerDesk(Desk):
    async def find_customer_by_number(self, number: str) -> Customer | None:
        async with self._read("find_customer_by_number") as tx:
            return await customer_by_number(tx, number)

    async def find_customers_by_name(self, name: str, birth_date: date) -> tuple[Customer, ...]:
        async with self._read("find_customers_by_name") as tx:
            born = await tx.select(Customer, _C.birth_date == birth_date.isoformat(), order=[_C.id])
        return tuple(customer for customer in born if _plain(customer.name) == _plain(name))

    async def customer(self, customer_id: str) -> Customer:
        async with self._read("customer") as tx:
            return await tx.get(Customer, customer_id)

    async def update_customer(self, customer_id: str, key: str, *, email: str | None = None, language: Language | None = None) -> Customer:
        async def effect(tx: Transaction) -> Customer:
            customer = await tx.get(Customer, customer_id)
            if email is None and language is None:
                raise BssError(Code.INVALID, "update_customer needs something to change: email or language")
            if email is not None and (email.count("@") != 1 or " " in email or email.startswith("@") or "." not in email.split("@")[1]):
                raise BssError(Code.INVALID, "the email address is not one")
            return await tx.change(customer, email=email or customer.email, language=Language(language or customer.language))

        return await self._write("update_customer", key, (customer_id, email, language), effect)

    async def set_auto_pay(self, customer_id: str, on: bool, key: str) -> Customer:
        async def effect(tx: Transaction) -> Customer:
            customer = await tx.get(Customer, customer_id)
            if customer.auto_pay is on:
                raise BssError(Code.ALREADY_DONE, f"auto-pay is {'on' if on else 'off'} already")
            if on and not customer.payment_methods:
                raise BssError(Code.NOT_ELIGIBLE, "there is no payment method to charge", ("no_payment_method",))
            return await tx.change(customer, auto_pay=on)

        return await self._write("set_auto_pay", key, (customer_id, on), effect)


def _plain(name: str) -> str:
    """For comparing: Hangul names are written with and without a space."""
    return "".join(name.split()).casefold()
