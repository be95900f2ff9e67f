"""The desk that knows what is broken, where, and whom to tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..care import (
    OutageSubscription,
    ProblemStatus,
    Service,
    ServiceProblem,
    Severity,
    TicketKind,
    TicketStatus,
    TroubleTicket,
)
from ..errors import BssError, Code
from ..money import LocalText
from ..parties import Area, Customer, Line, LineStatus, Market
from .desk import Desk, new_id
from .offers import alike
from .store import Transaction
from .tables import TABLES

_P, _L, _S = TABLES[ServiceProblem].c, TABLES[Line].c, TABLES[OutageSubscription].c


class ProblemDesk(Desk):
    async def areas(self, market: Market | None = None) -> tuple[Area, ...]:
        await self.faults.before("areas")
        areas = (place.area for place in self._sources.places.values())
        return tuple(area for area in areas if market is None or area.market == market)

    async def find_areas(self, text: str, market: Market) -> tuple[Area, ...]:
        areas = await self.areas(market)
        digits = "".join(character for character in text if character.isdigit())
        if len(digits) >= 3:
            return tuple(area for area in areas if digits.startswith(area.postal_prefixes))
        cities = {place.area.id: place.city for place in self._sources.places.values()}
        named = [(area, (area.name.en, area.name.ko)) for area in areas]
        return alike(text, named) or alike(text, [(area, (cities[area.id].en, cities[area.id].ko)) for area in areas])

    async def service_problems(
        self, *, area_id: str | None = None, line_id: str | None = None, include_resolved: bool = False
    ) -> tuple[ServiceProblem, ...]:
        async with self._read("service_problems") as tx:
            wanted = {area_id} if area_id is not None else None
            if area_id is not None and area_id not in self._sources.places:
                raise BssError(Code.NOT_FOUND, f"no Area has the id {area_id!r}")
            if line_id is not None:
                _, customer = await self._with_customer(tx, line_id)
                wanted = (wanted or set()) | {customer.area_id}
            found = await _problems(tx, include_resolved)
        return tuple(problem for problem in found if wanted is None or wanted & set(problem.area_ids))

    async def service_problem(self, problem_id: str) -> ServiceProblem:
        async with self._read("service_problem") as tx:
            return await tx.get(ServiceProblem, problem_id)

    async def affected_customers(self, problem_id: str) -> tuple[Customer, ...]:
        async with self._read("affected_customers") as tx:
            problem = await tx.get(ServiceProblem, problem_id)
            return await _affected(tx, problem.area_ids)

    async def report_problem(self, line_id: str, kind: TicketKind, description: str, key: str) -> TroubleTicket:
        kind = TicketKind(kind)

        async def effect(tx: Transaction) -> TroubleTicket:
            line, customer = await self._with_customer(tx, line_id)
            if not description.strip():
                raise BssError(Code.INVALID, "a ticket needs a description")
            known = None
            if kind is TicketKind.NETWORK:
                current = await _problems(tx, include_resolved=False)
                known = next((problem for problem in current if customer.area_id in problem.area_ids), None)
            now = self._now()
            ticket = TroubleTicket(
                id=new_id("TIC", key),
                customer_id=customer.id,
                kind=kind,
                description=description,
                severity=Severity.MINOR,
                status=TicketStatus.ACKNOWLEDGED,
                related_id=known.id if known else line.id,
                created=now,
                updated=now,
                notes=(),
            )
            await tx.add(ticket)
            return ticket

        return await self._write("report_problem", key, (line_id, kind, description), effect)

    async def subscribe_to_problem(self, problem_id: str, customer_id: str, key: str) -> OutageSubscription:
        async def effect(tx: Transaction) -> OutageSubscription:
            problem, customer = await tx.get(ServiceProblem, problem_id), await tx.get(Customer, customer_id)
            if not problem.current:
                raise BssError(Code.ALREADY_DONE, "the problem is solved", ("resolved",))
            where = (_S.problem_id == problem_id, _S.customer_id == customer_id)
            if await tx.select(OutageSubscription, *where, limit=1):
                raise BssError(Code.ALREADY_DONE, "the customer will be told already", ("subscribed",))
            wish = OutageSubscription(new_id("SUB", key), problem_id, customer_id, customer.contact_number, self._now())
            await tx.add(wish)
            return wish

        return await self._write("subscribe_to_problem", key, (problem_id, customer_id), effect)

    async def problem_subscriptions(self, problem_id: str) -> tuple[OutageSubscription, ...]:
        async with self._read("problem_subscriptions") as tx:
            await tx.get(ServiceProblem, problem_id)
            return await tx.select(OutageSubscription, _S.problem_id == problem_id, order=[_S.created, _S.id])

    async def declare_problem(
        self,
        area_ids: tuple[str, ...],
        services: tuple[Service, ...],
        cause: LocalText,
        key: str,
        expected_resolution: datetime | None = None,
    ) -> ServiceProblem:
        """Network operations find an outage. Embedded only: the way a demo starts one. Raises `not_found`."""

        async def effect(tx: Transaction) -> ServiceProblem:
            for area_id in area_ids:
                if area_id not in self._sources.places:
                    raise BssError(Code.NOT_FOUND, f"no Area has the id {area_id!r}")
            problem = ServiceProblem(
                id=new_id("PRB", key),
                area_ids=tuple(area_ids),
                services=tuple(Service(service) for service in services),
                planned=False,
                cause=cause,
                status=ProblemStatus.IN_PROGRESS,
                started=self._now(),
                expected_resolution=expected_resolution,
                resolved=None,
                affected_count=len(await _affected(tx, area_ids)),
            )
            await tx.add(problem)
            return problem

        request = (area_ids, services, cause, expected_resolution)
        return await self._write("declare_problem", key, request, effect)

    async def resolve_problem(self, problem_id: str, key: str) -> ServiceProblem:
        """The outage is over. Embedded only; its subscribers are `problem_subscriptions`. Raises `already_done`."""

        async def effect(tx: Transaction) -> ServiceProblem:
            problem = await tx.get(ServiceProblem, problem_id)
            if not problem.current:
                raise BssError(Code.ALREADY_DONE, "the problem is solved already")
            return await tx.put(replace(problem, status=ProblemStatus.RESOLVED, resolved=self._now()))

        return await self._write("resolve_problem", key, (problem_id,), effect)


async def _problems(tx: Transaction, include_resolved: bool) -> tuple[ServiceProblem, ...]:
    where = [] if include_resolved else [_P.status != ProblemStatus.RESOLVED.value]
    return await tx.select(ServiceProblem, *where, order=[_P.started.desc(), _P.id])


async def _affected(tx: Transaction, area_ids: tuple[str, ...]) -> tuple[Customer, ...]:
    served = {line.customer_id for line in await tx.select(Line, _L.status == LineStatus.ACTIVE.value)}
    customers = await tx.select(Customer, order=[TABLES[Customer].c.id])
    return tuple(c for c in customers if c.area_id in area_ids and c.id in served)
