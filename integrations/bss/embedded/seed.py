"""Stories become customers with a past: lines, devices, usage, fourteen months of bills, payments, tickets, orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from ..billing import AppliedBillingRate, BillState, ChargeType, CustomerBill, Payment, PaymentStatus
from ..care import ProblemStatus, Service, ServiceProblem, Severity, TicketKind, TicketNote, TicketStatus, TroubleTicket
from ..catalog import OrderAction, OrderState, ProductOrder
from ..money import Language, LocalText, Money
from ..parties import (
    Address,
    Customer,
    CustomerStatus,
    Device,
    Discount,
    Line,
    LineStatus,
    PaymentMethod,
    SimCard,
    SimKind,
    SimReason,
    SimStatus,
    SuspensionReason,
    Usage,
)
from .charges import LineMonth, account_charge, bill_id, make_bill, month_charges
from .rules import INSTALMENTS, Cycle, add_months, today_in
from .sources import DeviceModel, Sources
from .stories import CustomerStory, LineStory, invented, personas

MONTHS = 14
"""Bills in the past."""
FRESH_DAYS = 5
"""How old the latest bill of a persona is, at least."""


@dataclass(slots=True)
class Batch:
    """What is to be stored, by kind."""

    kinds: dict[type[Any], list[Any]] = field(default_factory=dict)

    def add(self, *entities: Any) -> None:
        for entity in entities:
            self.kinds.setdefault(type(entity), []).append(entity)


def seed(sources: Sources, now: datetime, customers: int, number: int) -> Batch:
    """Everything for an empty database: the personas and `customers` in all, the same for the same arguments."""
    batch = Batch()
    batch.add(*(place.area for place in sources.places.values()), *sources.offerings.values())
    written = list(personas(sources))
    for story in (*written, *invented(sources, max(0, customers - len(written)), number)):
        Past(sources, story, now).fill(batch)
    batch.add(*_problems(sources, now, batch))
    return batch


class Past:
    """One story told from fourteen months ago to today."""

    def __init__(self, sources: Sources, story: CustomerStory, now: datetime) -> None:
        self.sources = sources
        self.story = story
        self.now = now
        self.today = today_in(story.market, now)
        fresh = self.today - timedelta(days=FRESH_DAYS)
        bill_day = story.bill_day or min(fresh.day, 28)
        self.current = Cycle.around(self.today, bill_day)
        self.digits = story.id.removeprefix("CUS-")
        self.rng = Random(int(self.digits))
        self.months = min(MONTHS, story.since_months)
        self.customer = self._customer(bill_day)

    def cycle(self, bill: int) -> Cycle:
        """The cycle of a bill; -1 is the running one."""
        return self.current.shifted(-1 - bill)

    def fill(self, batch: Batch) -> None:
        batch.add(self.customer)
        rates: dict[int, list[AppliedBillingRate]] = {k: [] for k in range(self.months)}
        for index, story in enumerate(self.story.lines, start=1):
            self._line(batch, index, story, rates)
        for k in reversed(range(self.months)):
            self._bill(batch, k, rates[k])
        for index, written in enumerate(self.story.tickets, start=1):
            batch.add(self._ticket(index, written))

    def _customer(self, bill_day: int) -> Customer:
        story = self.story
        place = self.sources.places[story.area]
        korean = story.language == "ko"
        zero = Money.zero(story.market.currency)
        return Customer(
            id=story.id,
            account_id=f"ACC-{self.digits}",
            name=story.name,
            birth_date=story.born,
            language=Language(story.language),
            market=story.market,
            status=CustomerStatus.ACTIVE,
            contact_number=story.lines[0].number if story.lines else "",
            contact_numbers=tuple(line.number for line in story.lines),
            email=f"customer{self.digits}@example.com",
            address=Address(
                story.street,
                place.city.ko if korean else place.city.en,
                place.region,
                story.postal_code,
                story.market.value,
                story.area,
            ),
            auto_pay=story.auto_pay,
            payment_methods=tuple(self._method(text) for text in story.methods),
            bill_day=bill_day,
            last_extension_date=None,
            goodwill_credit_used=zero,
            since=self.current.shifted(-story.since_months).start,
        )

    def _method(self, text: str) -> PaymentMethod:
        kind, label, last4 = text.split(" ")
        expires = f"{self.today.month:02d}/{self.today.year + 2}" if kind.endswith("card") else None
        return PaymentMethod(kind, label, last4, expires)

    def _line(self, batch: Batch, index: int, story: LineStory, rates: dict[int, list[AppliedBillingRate]]) -> None:
        identity = f"LIN-{self.digits}-{index}"
        months = min(story.since_months or self.story.since_months, self.story.since_months)
        activated = self.current.shifted(-months).start
        device = self._device(index, story, activated)
        sim = self._sim(index, story, identity, activated)
        discounts = tuple(self._discount(written) for written in story.discounts)
        for k in range(min(self.months, months)):
            used = self._usage(identity, story, k)
            batch.add(used)
            month = LineMonth(
                identity,
                self.sources.offerings[self._plan(story, k)],
                discounts,
                self._instalment(story, k),
                used.data_gb,
                Decimal(0),
                used.roaming_days,
            )
            rates[k] += month_charges(month, self.cycle(k), self.customer.id, self.sources.charges)
        running = self._usage(identity, story, -1)
        changed = self._plan_change(batch, story, identity)
        offering = self.sources.offerings[story.offering]
        batch.add(device, sim, running)
        batch.add(
            Line(
                id=identity,
                customer_id=self.customer.id,
                msisdn=story.number,
                label=story.label,
                status=LineStatus.SUSPENDED if story.suspended else LineStatus.ACTIVE,
                offering_id=story.offering,
                device_id=device.id,
                sim_id=sim.id,
                sim_kind=sim.kind,
                activated=activated,
                contract_end=None
                if story.contract_months_left is None
                else add_months(self.today, story.contract_months_left) - timedelta(days=1),
                suspension_start=self.today - timedelta(days=int(story.suspended["days_ago"])) if story.suspended else None,
                suspension_reason=SuspensionReason(story.suspended["reason"]) if story.suspended else None,
                roaming_enabled=story.roaming,
                data_used_gb=running.data_gb,
                data_limit_gb=offering.data_gb,
                data_top_up_gb=Decimal(0),
                # Those that ended long ago are of no use to anybody.
                discounts=tuple(d for d in discounts if d.ends is None or d.ends >= add_months(self.today, -4)),
                last_plan_change=changed,
                last_sim_replacement=None,
            )
        )

    def _plan(self, story: LineStory, bill: int) -> str:
        if story.previous is not None and bill >= story.previous[1]:
            return story.previous[0]
        return story.offering

    def _plan_change(self, batch: Batch, story: LineStory, line_id: str) -> date | None:
        if story.previous is None or story.previous[1] >= self.months:
            return None
        before, bill = story.previous
        start = self.cycle(bill - 1).start
        zero = Money.zero(self.customer.currency)
        ordered = _at(start - timedelta(days=6), 15)
        batch.add(
            ProductOrder(
                id=f"ORD-{self.digits}-{line_id[-1]}",
                customer_id=self.customer.id,
                line_id=line_id,
                action=OrderAction.CHANGE_PLAN,
                from_offering_id=before,
                to_offering_id=story.offering,
                state=OrderState.COMPLETED,
                ordered=ordered,
                effective_date=start,
                undo_until=ordered + timedelta(days=6),
                due_now=zero,
                monthly_price=self.sources.offerings[story.offering].price,
            )
        )
        return start

    def _instalment(self, story: LineStory, bill: int) -> Money | None:
        """What the device cost on a bill: twenty-four instalments, counted back from the last."""
        if story.instalments_left is None or not 1 <= story.instalments_left + bill + 1 <= INSTALMENTS:
            return None
        return self._monthly(self.sources.devices[story.device])

    def _monthly(self, model: DeviceModel) -> Money:
        price = model.price[self.story.market]
        return Money.of(price.amount / INSTALMENTS, price.currency)

    def _device(self, index: int, story: LineStory, activated: date) -> Device:
        model = self.sources.devices[story.device]
        left = max(story.instalments_left or 0, 0)
        return Device(
            id=f"DEV-{self.digits}-{index}",
            customer_id=self.customer.id,
            kind=model.kind,
            brand=model.brand,
            model=model.model,
            imei=_with_check_digit(f"00499901{int(self.digits) % 100_000 * 8 + index:06d}"[:14]),
            esim_capable=model.esim,
            five_g=model.five_g,
            activated=activated,
            last_esim_transfer=activated if story.esim else None,
            instalment=self._monthly(model) if left else None,
            instalments_left=left,
        )

    def _sim(self, index: int, story: LineStory, line_id: str, activated: date) -> SimCard:
        country = "01" if self.story.market.value == "US" else "82"
        return SimCard(
            id=_with_check_digit(f"89{country}00{int(self.digits):010d}{index:02d}"),
            customer_id=self.customer.id,
            line_id=line_id,
            kind=SimKind.ESIM if story.esim else SimKind.SIM,
            status=SimStatus.ACTIVE,
            reason=SimReason.NEW,
            ordered=_at(activated, 9),
            activated=_at(activated, 12),
            activation_code=None,
            delivery_expected=None,
        )

    def _discount(self, written: Mapping[str, Any]) -> Discount:
        charge = self.sources.charges[written["code"]]
        ends = None
        if "ended_bills_ago" in written:
            ends = self.cycle(int(written["ended_bills_ago"])).end
        elif "months_left" in written:
            ends = self.cycle(-1 - int(written["months_left"])).end
        return Discount(charge.code, charge.name, charge.amount[self.story.market], ends, charge.survives_plan_change)

    def _usage(self, line_id: str, story: LineStory, bill: int) -> Usage:
        cycle = self.cycle(bill)
        told = story.bills.get(bill, {})
        limit = self.sources.offerings[self._plan(story, bill)].data_gb
        data = (story.typical_gb * self.rng.randint(88, 108) / 100).quantize(Decimal("0.1"))
        share = Decimal(1)
        if bill < 0:
            share = Decimal((self.today - cycle.start).days + 1) / cycle.days
            data = Decimal(0) if story.suspended else (data * share).quantize(Decimal("0.1"))
            data = data if story.now_gb is None else story.now_gb
        if "data_gb" in told:
            data = Decimal(str(told["data_gb"]))
        elif limit is not None:
            data = min(data, limit)
        return Usage(
            id=f"USE-{line_id.removeprefix('LIN-')}-{cycle.bill_date:%Y%m}",
            customer_id=self.customer.id,
            line_id=line_id,
            start=cycle.start,
            end=cycle.end,
            data_gb=data,
            voice_minutes=int(self.rng.randint(20, 400) * share),
            texts=int(self.rng.randint(5, 120) * share),
            roaming_data_gb=Decimal(str(told.get("roaming_gb", "0"))),
            roaming_days=int(told.get("roaming_days", 0)),
        )

    def _bill(self, batch: Batch, k: int, rates: list[AppliedBillingRate]) -> None:
        story, charges = self.story, self.sources.charges
        tax_rate = self.sources.places[story.area].area.tax_rate
        # The bill before was not paid when it was due: this one carries the fee.
        if k + 1 in story.late | story.unpaid and k + 1 < self.months:
            fee = charges["late_fee"]
            rates.append(account_charge(ChargeType.LATE_FEE, fee, fee.amount[story.market], self.customer.id, self.cycle(k).end))
        bill, lines = make_bill(self.customer, self.cycle(k), rates, tax_rate, charges["tax"])
        bill, payment = self._paid(bill, k)
        batch.add(bill, *lines)
        if payment is not None:
            batch.add(payment)

    def _paid(self, bill: CustomerBill, k: int) -> tuple[CustomerBill, Payment | None]:
        story = self.story
        days = self.rng.randint(1, 8)
        day = bill.due_date if story.auto_pay else bill.due_date - timedelta(days=days)
        if k in story.late:
            day = bill.due_date + timedelta(days=days)
        paid = k not in story.unpaid and day < self.today and bool(bill.remaining_amount)
        disputed = story.disputed is not None and story.disputed["bill"] == k
        if disputed and story.disputed is not None:
            return replace(bill, state=BillState.DISPUTED, dispute_reason=story.disputed["reason"]), None
        if not paid:
            if bill.remaining_amount and bill.due_date < self.today:
                bill = replace(bill, state=BillState.OVERDUE)
            return bill, None
        payment = Payment(
            id=f"PAY-{bill.id.removeprefix('BIL-')}",
            customer_id=bill.customer_id,
            bill_id=bill.id,
            amount=bill.remaining_amount,
            method="auto_pay" if story.auto_pay else "payment_link",
            last4=self.customer.payment_methods[0].last4,
            status=PaymentStatus.DONE,
            paid_at=_at(day, 10),
        )
        nothing = Money.zero(bill.amount_due.currency)
        return replace(bill, state=BillState.PAID, remaining_amount=nothing), payment

    def _ticket(self, index: int, written: Mapping[str, Any]) -> TroubleTicket:
        created = self.now - timedelta(days=int(written["days_ago"]))
        about = f"LIN-{self.digits}-1"
        if "about_bill" in written:
            about = bill_id(self.customer.id, self.cycle(int(written["about_bill"])).bill_date)
        notes = tuple(TicketNote(note["author"], note["text"], created + timedelta(hours=2)) for note in written.get("notes", ()))
        return TroubleTicket(
            id=f"TIC-{self.digits}-{index}",
            customer_id=self.customer.id,
            kind=TicketKind(written["kind"]),
            description=written["description"],
            severity=Severity(written.get("severity", "minor")),
            status=TicketStatus(written["status"]),
            related_id=about,
            created=created,
            updated=created + timedelta(hours=2 if notes else 0),
            notes=notes,
        )


def _problems(sources: Sources, now: datetime, batch: Batch) -> Iterator[ServiceProblem]:
    in_service = {line.customer_id for line in batch.kinds.get(Line, []) if line.status is LineStatus.ACTIVE}
    living = [c.area_id for c in batch.kinds.get(Customer, []) if c.id in in_service]
    for written in sources.outages:
        areas = tuple(written["areas"])
        expected, resolved = written.get("expected"), written.get("resolved")
        yield ServiceProblem(
            id=written["id"],
            area_ids=areas,
            services=tuple(Service(service) for service in written["services"]),
            planned=bool(written.get("planned", False)),
            cause=LocalText(**written["cause"]),
            status=ProblemStatus(written["status"]),
            started=now - timedelta(hours=float(written["started"])),
            expected_resolution=now + timedelta(hours=float(expected)) if expected is not None else None,
            resolved=now - timedelta(hours=float(resolved)) if resolved is not None else None,
            affected_count=sum(area in areas for area in living),
        )


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def _with_check_digit(digits: str) -> str:
    """With the Luhn digit at the end, as IMEI and ICCID have."""
    doubled = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        doubled += value - 9 if value > 9 else value
    return f"{digits}{-doubled % 10}"
