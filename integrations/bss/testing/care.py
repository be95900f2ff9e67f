"""Contract: outages, tickets, visits."""

from __future__ import annotations

import asyncio

from ..errors import BssError, Code
from ..models import (
    AppointmentKind,
    OutageSubscription,
    TicketKind,
    TicketStatus,
)
from ..port import Bss
from .calls import free_slot, refused
from .cast import Cast


class CareContract:
    """What goes wrong and who comes to mend it."""

    async def test_an_outage_is_found_by_area_and_by_line(self, bss: Bss, cast: Cast) -> None:
        by_line = await bss.service_problems(line_id=cast.outage_line)
        customer = await bss.customer(cast.outage_customer)
        assert by_line
        assert by_line == await bss.service_problems(area_id=customer.area_id)
        assert all(problem.current for problem in await bss.service_problems())
        assert set(by_line) < set(await bss.service_problems(include_resolved=True))
        assert customer in await bss.affected_customers(by_line[0].id)
        assert await bss.customer(cast.customer) not in await bss.affected_customers(by_line[0].id)
        assert by_line[0].affected_count == len(await bss.affected_customers(by_line[0].id))

    async def test_a_report_is_tied_to_the_known_outage(self, bss: Bss, cast: Cast) -> None:
        problem = (await bss.service_problems(line_id=cast.outage_line))[0]
        known = await bss.report_problem(cast.outage_line, TicketKind.NETWORK, "no data", "a")
        other = await bss.report_problem(cast.outage_line, TicketKind.DEVICE, "broken", "b")
        elsewhere = await bss.report_problem(cast.line, TicketKind.NETWORK, "no data", "c")
        assert [known.related_id, other.related_id, elsewhere.related_id] == [problem.id, cast.outage_line, cast.line]

    async def test_a_customer_is_told_once(self, bss: Bss, cast: Cast) -> None:
        wish = await self._subscribe(bss, cast, "a")
        assert (await refused(self._subscribe(bss, cast, "b"))).code == Code.ALREADY_DONE
        assert await bss.problem_subscriptions(wish.problem_id) == (wish,)

    async def test_a_ticket_is_made_noted_and_closed(self, bss: Bss, cast: Cast) -> None:
        ticket = await bss.create_ticket(cast.customer, TicketKind.BILLING, "why", "a", related_id=cast.line)
        assert (await refused(bss.update_ticket(ticket.id, "b"))).code == Code.INVALID
        ticket = await bss.update_ticket(ticket.id, "c", note="looked", author="agent", status=TicketStatus.CLOSED)
        assert [(note.author, note.text) for note in ticket.notes] == [("agent", "looked")]
        assert await bss.tickets(cast.customer, open_only=True) == ()
        assert await bss.tickets(cast.customer) == (ticket,)
        assert (await refused(bss.update_ticket(ticket.id, "d", note="more"))).code == Code.NOT_ELIGIBLE
        assert (await refused(bss.create_ticket(cast.customer, TicketKind.OTHER, " ", "e"))).code == Code.INVALID

    async def test_a_visit_is_booked_moved_and_cancelled(self, bss: Bss, cast: Cast) -> None:
        slots = await bss.time_slots(cast.area, AppointmentKind.TECHNICIAN_VISIT, limit=4)
        assert len(slots) == 4
        assert [slot.start for slot in slots] == sorted(slot.start for slot in slots)
        visit = await bss.book_appointment(cast.customer, slots[0].id, "a")
        assert (visit.start, visit.end) == (slots[0].start, slots[0].end)
        assert (await refused(bss.move_appointment(visit.id, slots[0].id, "b"))).code == Code.ALREADY_DONE
        assert (await bss.move_appointment(visit.id, slots[2].id, "c")).start == slots[2].start
        assert [a.id for a in await bss.appointments(cast.customer)] == [visit.id]
        assert (await bss.cancel_appointment(visit.id, "d")).status.value == "cancelled"
        assert (await refused(bss.cancel_appointment(visit.id, "e"))).code == Code.ALREADY_DONE
        assert (await refused(bss.book_appointment(cast.customer, "SLOT.x", "f"))).code == Code.NOT_FOUND

    async def test_a_window_is_never_booked_beyond_its_room(self, bss: Bss, cast: Cast) -> None:
        slot = await free_slot(bss, cast, 0)
        tries = (bss.book_appointment(cast.customer, slot, f"k{n}") for n in range(6))
        results = await asyncio.gather(*tries, return_exceptions=True)
        booked = [result for result in results if not isinstance(result, BaseException)]
        assert 1 <= len(booked) < 6
        assert {r.code for r in results if isinstance(r, BssError)} == {Code.CONFLICT}
        assert slot not in [s.id for s in await bss.time_slots(cast.area, AppointmentKind.TECHNICIAN_VISIT)]

    async def _subscribe(self, bss: Bss, cast: Cast, key: str) -> OutageSubscription:
        problem = (await bss.service_problems(line_id=cast.outage_line))[0]
        return await bss.subscribe_to_problem(problem.id, cast.outage_customer, key)
