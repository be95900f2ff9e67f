"""The desk that books visits."""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from ..care import Appointment, AppointmentKind, AppointmentStatus, TimeSlot, TroubleTicket
from ..errors import BssError, Code
from ..parties import Customer
from .desk import Desk, new_id
from .rules import SLOT_DAYS
from .store import Transaction
from .tables import TABLES

_A = TABLES[Appointment].c
_WINDOWS = MappingProxyType(
    {
        AppointmentKind.TECHNICIAN_VISIT: ((9, 12), (13, 15), (15, 18)),
        AppointmentKind.STORE_VISIT: ((10, 11), (11, 12), (14, 15), (16, 17)),
        AppointmentKind.CALL_BACK: ((9, 10), (11, 12), (14, 15), (17, 18)),
    }
)
"""Local hours, Monday to Saturday."""


class VisitDesk(Desk):
    async def time_slots(self, area_id: str, kind: AppointmentKind, after: datetime | None = None, limit: int = 6) -> tuple[TimeSlot, ...]:
        kind = AppointmentKind(kind)
        now = self._now()
        async with self._read("time_slots") as tx:
            booked = await tx.select(Appointment, _A.area_id == area_id, _A.status == AppointmentStatus.CONFIRMED.value)
        taken = [appointment.slot_id for appointment in booked]
        first = now.astimezone(self._zone(area_id)).date()
        found = []
        for day in range(SLOT_DAYS + 1):
            for slot in self._slots_of(area_id, kind, first + timedelta(days=day)):
                free = _capacity(slot.id) > taken.count(slot.id)
                if free and slot.start > max(now, after or now):
                    found.append(slot)
        return tuple(found[: max(limit, 0)])

    async def book_appointment(self, customer_id: str, slot_id: str, key: str, *, ticket_id: str | None = None) -> Appointment:
        async def effect(tx: Transaction) -> Appointment:
            await tx.get(Customer, customer_id)
            if ticket_id is not None and (await tx.get(TroubleTicket, ticket_id)).customer_id != customer_id:
                raise BssError(Code.NOT_FOUND, f"this customer has no TroubleTicket with the id {ticket_id!r}")
            slot = await self._free_slot(tx, slot_id)
            appointment = Appointment(
                id=new_id("APP", key),
                customer_id=customer_id,
                slot_id=slot.id,
                area_id=slot.area_id,
                kind=slot.kind,
                start=slot.start,
                end=slot.end,
                status=AppointmentStatus.CONFIRMED,
                ticket_id=ticket_id,
                created=self._now(),
            )
            await tx.add(appointment)
            return appointment

        return await self._write("book_appointment", key, (customer_id, slot_id, ticket_id), effect)

    async def move_appointment(self, appointment_id: str, slot_id: str, key: str) -> Appointment:
        async def effect(tx: Transaction) -> Appointment:
            appointment = await self._upcoming(tx, appointment_id)
            if appointment.status is AppointmentStatus.CANCELLED:
                raise BssError(Code.NOT_ELIGIBLE, "the appointment is cancelled", ("cancelled",))
            if appointment.slot_id == slot_id:
                raise BssError(Code.ALREADY_DONE, "the appointment is at that time already")
            slot = await self._free_slot(tx, slot_id)
            if slot.kind is not appointment.kind:
                raise BssError(Code.NOT_FOUND, f"there is no {appointment.kind.value} window {slot_id!r}")
            return await tx.change(appointment, slot_id=slot.id, area_id=slot.area_id, start=slot.start, end=slot.end)

        return await self._write("move_appointment", key, (appointment_id, slot_id), effect)

    async def cancel_appointment(self, appointment_id: str, key: str) -> Appointment:
        async def effect(tx: Transaction) -> Appointment:
            appointment = await self._upcoming(tx, appointment_id)
            if appointment.status is AppointmentStatus.CANCELLED:
                raise BssError(Code.ALREADY_DONE, "the appointment is cancelled already")
            return await tx.change(appointment, status=AppointmentStatus.CANCELLED)

        return await self._write("cancel_appointment", key, (appointment_id,), effect)

    async def appointments(self, customer_id: str) -> tuple[Appointment, ...]:
        async with self._read("appointments") as tx:
            await tx.get(Customer, customer_id)
            found = await tx.select(Appointment, _A.customer_id == customer_id, order=[_A.start, _A.id])
        now = self._now()
        next_ones = [a for a in found if a.start > now and a.status is AppointmentStatus.CONFIRMED]
        return (*next_ones, *(a for a in reversed(found) if a not in next_ones))

    def _zone(self, area_id: str) -> ZoneInfo:
        place = self._sources.places.get(area_id)
        if place is None:
            raise BssError(Code.NOT_FOUND, f"no Area has the id {area_id!r}")
        return ZoneInfo(place.area.timezone)

    def _slots_of(self, area_id: str, kind: AppointmentKind, day: date) -> list[TimeSlot]:
        if day.weekday() == 6:
            return []
        zone = self._zone(area_id)
        slots = []
        for start, end in _WINDOWS[kind]:
            begins, ends = (datetime.combine(day, time(hour), zone).astimezone(UTC) for hour in (start, end))
            slots.append(TimeSlot(f"SLOT.{area_id}.{kind.value}.{day:%Y%m%d}.{start:02d}", area_id, kind, begins, ends))
        return slots

    async def _free_slot(self, tx: Transaction, slot_id: str) -> TimeSlot:
        slot = self._slot(slot_id)
        now = self._now()
        taken = await tx.select(Appointment, _A.slot_id == slot_id, _A.status == AppointmentStatus.CONFIRMED.value)
        if slot.start <= now or slot.start > now + timedelta(days=SLOT_DAYS + 1) or len(taken) >= _capacity(slot_id):
            raise BssError(Code.CONFLICT, "that time is no longer free")
        return slot

    def _slot(self, slot_id: str) -> TimeSlot:
        try:
            _, area_id, kind, day, _ = slot_id.split(".")
            when = datetime.strptime(day, "%Y%m%d").date()
            return next(s for s in self._slots_of(area_id, AppointmentKind(kind), when) if s.id == slot_id)
        except (ValueError, StopIteration):
            raise BssError(Code.NOT_FOUND, f"there is no window {slot_id!r}") from None

    async def _upcoming(self, tx: Transaction, appointment_id: str) -> Appointment:
        appointment = await tx.get(Appointment, appointment_id)
        if appointment.start <= self._now():
            raise BssError(Code.NOT_ELIGIBLE, "the appointment is past", ("past",))
        return appointment


def _capacity(slot_id: str) -> int:
    """How many visits a window takes, 0 to 2: other customers have filled some, always the same ones."""
    return zlib.crc32(slot_id.encode()) % 3
