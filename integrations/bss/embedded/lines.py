"""The desk that switches lines: suspend, resume, roam, top up; and what they use."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ..billing import ChargeType
from ..errors import BssError, Code
from ..parties import Customer, DataUsage, Device, Line, LineStatus, SuspensionReason, TopUp, Usage
from .charges import account_charge
from .customers import line_by_number
from .desk import Desk, new_id
from .rules import MAX_TOP_UP_GB, Cycle
from .standing import overdue_bills
from .store import Transaction
from .tables import TABLES

_L, _D, _U = TABLES[Line].c, TABLES[Device].c, TABLES[Usage].c


class LineDesk(Desk):
    async def lines(self, customer_id: str) -> tuple[Line, ...]:
        async with self._read("lines") as tx:
            await tx.get(Customer, customer_id)
            return await tx.select(Line, _L.customer_id == customer_id, order=[_L.activated, _L.id])

    async def line(self, line_id: str) -> Line:
        async with self._read("line") as tx:
            return await tx.get(Line, line_id)

    async def find_line_by_number(self, number: str) -> Line | None:
        async with self._read("find_line_by_number") as tx:
            return await line_by_number(tx, number)

    async def device(self, device_id: str) -> Device:
        async with self._read("device") as tx:
            return await tx.get(Device, device_id)

    async def devices(self, customer_id: str) -> tuple[Device, ...]:
        async with self._read("devices") as tx:
            await tx.get(Customer, customer_id)
            return await tx.select(Device, _D.customer_id == customer_id, order=[_D.activated.desc(), _D.id])

    async def usage(self, line_id: str, months: int = 3) -> tuple[Usage, ...]:
        async with self._read("usage") as tx:
            await tx.get(Line, line_id)
            return await tx.select(Usage, _U.line_id == line_id, order=[_U.start.desc()], limit=max(months, 0))

    async def data_usage(self, line_id: str) -> DataUsage:
        async with self._read("data_usage") as tx:
            line, customer = await self._with_customer(tx, line_id)
        cycle = Cycle.around(self._today(customer.market), customer.bill_day)
        return DataUsage(line.id, line.data_used_gb, line.data_limit_gb, line.data_top_up_gb, cycle.start, cycle.end)

    async def suspend_line(self, line_id: str, reason: SuspensionReason, key: str) -> Line:
        reason = SuspensionReason(reason)

        async def effect(tx: Transaction) -> Line:
            line, customer = await self._with_customer(tx, line_id)
            if line.status is LineStatus.SUSPENDED:
                raise BssError(Code.ALREADY_DONE, "the line is suspended already")
            _must_be_active(line)
            today = self._today(customer.market)
            return await tx.change(line, status=LineStatus.SUSPENDED, suspension_start=today, suspension_reason=reason)

        return await self._write("suspend_line", key, (line_id, reason), effect)

    async def resume_line(self, line_id: str, reason: str, key: str) -> Line:
        async def effect(tx: Transaction) -> Line:
            line, customer = await self._with_customer(tx, line_id)
            if line.status is LineStatus.ACTIVE:
                raise BssError(Code.ALREADY_DONE, "the line is active already")
            await self._check_resumable(tx, line, customer)
            return await tx.change(line, status=LineStatus.ACTIVE, suspension_start=None, suspension_reason=None)

        return await self._write("resume_line", key, (line_id, reason), effect)

    async def _check_resumable(self, tx: Transaction, line: Line, customer: Customer) -> None:
        barred: list[str] = []
        today = self._today(customer.market)
        if line.status is LineStatus.CLOSED:
            barred.append("closed")
        if line.suspension_reason is SuspensionReason.FRAUD:
            barred.append("fraud")
        if line.suspension_reason is SuspensionReason.CONTRACT_ENDED and line.contract_end and line.contract_end < today:
            barred.append("contract_ended")
        if line.suspension_reason is SuspensionReason.OVERDUE_BILL and await overdue_bills(tx, customer.id, today):
            barred.append("overdue_bill")
        if barred:
            raise BssError(Code.NOT_ELIGIBLE, "the line cannot be resumed", tuple(barred))

    async def set_roaming(self, line_id: str, on: bool, key: str) -> Line:
        async def effect(tx: Transaction) -> Line:
            line = await tx.get(Line, line_id)
            _must_be_active(line)
            if line.roaming_enabled is on:
                raise BssError(Code.ALREADY_DONE, f"roaming is {'on' if on else 'off'} already")
            return await tx.change(line, roaming_enabled=on)

        return await self._write("set_roaming", key, (line_id, on), effect)

    async def top_up_data(self, line_id: str, gb: Decimal, key: str) -> TopUp:
        gb = Decimal(gb)

        async def effect(tx: Transaction) -> TopUp:
            line, customer = await self._with_customer(tx, line_id)
            if not 0 < gb <= MAX_TOP_UP_GB or gb != gb.quantize(Decimal("0.1")):
                raise BssError(Code.INVALID, f"a top-up is above 0 and up to {MAX_TOP_UP_GB} GB, in steps of 0.1")
            _must_be_active(line)
            if line.data_limit_gb is None:
                raise BssError(Code.NOT_ELIGIBLE, "the plan has unlimited data", ("unlimited",))
            price = self._sources.offerings[line.offering_id].top_up_price * gb
            name = self._sources.charges["top_up"]
            today = self._today(customer.market)
            charge = account_charge(ChargeType.EXTRA_DATA, name, price, customer.id, today, line.id)
            await tx.add(replace(charge, id=new_id("CHG", key), quantity=gb, unit="gb"))
            await tx.change(line, data_top_up_gb=line.data_top_up_gb + gb)
            top_up = TopUp(new_id("TOP", key), customer.id, line.id, gb, price, self._now())
            await tx.add(top_up)
            return top_up

        return await self._write("top_up_data", key, (line_id, str(gb.normalize())), effect)


def _must_be_active(line: Line) -> None:
    if line.status is not LineStatus.ACTIVE:
        raise BssError(Code.NOT_ELIGIBLE, f"the line is {line.status.value}, not active", ("line_not_active",))
