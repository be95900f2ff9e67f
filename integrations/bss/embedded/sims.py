"""The desk that hands out SIM cards and eSIM profiles."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Final

from ..billing import ChargeType
from ..errors import BssError, Code
from ..parties import Customer, Device, Line, LineStatus, SimCard, SimKind, SimReason, SimStatus
from .charges import account_charge
from .desk import Desk, new_id
from .store import Transaction
from .tables import TABLES

DELIVERY: Final = timedelta(days=3)
_S = TABLES[SimCard].c


class SimDesk(Desk):
    async def sim_cards(self, line_id: str) -> tuple[SimCard, ...]:
        async with self._read("sim_cards") as tx:
            await tx.get(Line, line_id)
            return await tx.select(SimCard, _S.line_id == line_id, order=[_S.ordered.desc(), _S.id])

    async def order_sim(self, line_id: str, kind: SimKind, reason: SimReason, key: str) -> SimCard:
        kind, reason = SimKind(kind), SimReason(reason)

        async def effect(tx: Transaction) -> SimCard:
            line, customer = await self._with_customer(tx, line_id)
            if line.status is LineStatus.CLOSED:
                raise BssError(Code.NOT_ELIGIBLE, "the line is closed", ("closed",))
            if await tx.select(SimCard, _S.line_id == line_id, _S.status == SimStatus.ORDERED.value, limit=1):
                raise BssError(Code.CONFLICT, "a SIM for this line is on order")
            device = await tx.find(Device, line.device_id) if line.device_id else None
            if kind is SimKind.ESIM and device is not None and not device.esim_capable:
                raise BssError(Code.NOT_ELIGIBLE, "the device has no eSIM", ("device_not_esim",))
            now, today = self._now(), self._today(customer.market)
            sim = SimCard(
                id=_iccid(customer, key),
                customer_id=customer.id,
                line_id=line.id,
                kind=kind,
                status=SimStatus.ORDERED,
                reason=reason,
                ordered=now,
                activated=None,
                activation_code=f"LPA:1$esim.example.com${new_id('ES', key)[3:]}" if kind is SimKind.ESIM else None,
                delivery_expected=today + DELIVERY if kind is SimKind.SIM else None,
            )
            await tx.add(sim)
            if kind is SimKind.SIM:
                await self._charge_card(tx, customer, line, key)
            return sim

        return await self._write("order_sim", key, (line_id, kind, reason), effect)

    async def activate_sim(self, sim_id: str, key: str) -> SimCard:
        async def effect(tx: Transaction) -> SimCard:
            sim = await tx.get(SimCard, sim_id)
            if sim.status is SimStatus.ACTIVE:
                raise BssError(Code.ALREADY_DONE, "the SIM is active already")
            if sim.status is not SimStatus.ORDERED:
                raise BssError(Code.NOT_ELIGIBLE, "the SIM was replaced", ("replaced",))
            line, customer = await self._with_customer(tx, sim.line_id)
            if line.sim_id is not None:
                old = await tx.find(SimCard, line.sim_id)
                if old is not None:
                    await tx.change(old, status=SimStatus.INACTIVE)
            today = self._today(customer.market)
            await tx.change(line, sim_id=sim.id, sim_kind=sim.kind, last_sim_replacement=today)
            if sim.kind is SimKind.ESIM and line.device_id:
                await tx.change(await tx.get(Device, line.device_id), last_esim_transfer=today)
            return await tx.change(sim, status=SimStatus.ACTIVE, activated=self._now(), activation_code=None)

        return await self._write("activate_sim", key, (sim_id,), effect)

    async def _charge_card(self, tx: Transaction, customer: Customer, line: Line, key: str) -> None:
        name = self._sources.charges["sim_card"]
        today = self._today(customer.market)
        charge = account_charge(ChargeType.ONE_OFF, name, name.amount[customer.market], customer.id, today, line.id)
        await tx.add(replace(charge, id=new_id("CHG", key)))


def _iccid(customer: Customer, key: str) -> str:
    """Nineteen digits like an ICCID, from the key."""
    country = "01" if customer.currency == "USD" else "82"
    digits = int(hashlib.sha256(key.encode()).hexdigest(), 16) % 10**13
    return f"89{country}01{digits:013d}"
