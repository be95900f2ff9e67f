"""Who the seed makes: hand-written personas and invented customers, in one vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from ..catalog import ProductOffering
from ..parties import Market
from .sources import SourceError, Sources

KOREAN_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class LineStory:
    """A line as a story tells it. Months count back from today, bills from the latest (0)."""

    number: str
    offering: str
    device: str
    typical_gb: Decimal
    label: str = ""
    esim: bool = False
    roaming: bool = False
    since_months: int | None = None
    contract_months_left: int | None = None
    instalments_left: int | None = None
    """Below zero: the last one was that many bills ago, less one."""
    discounts: tuple[Mapping[str, Any], ...] = ()
    bills: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    now_gb: Decimal | None = None
    suspended: Mapping[str, Any] | None = None
    previous: tuple[str, int] | None = None
    """The plan before, and on which bill it was the last time."""


@dataclass(frozen=True, slots=True)
class CustomerStory:
    id: str
    name: str
    market: Market
    born: date
    area: str
    street: str
    postal_code: str
    since_months: int
    lines: tuple[LineStory, ...]
    language: str
    methods: tuple[str, ...]
    auto_pay: bool = False
    bill_day: int | None = None
    """None: five to eight days before today, so that the latest bill is always fresh."""
    unpaid: frozenset[int] = frozenset()
    late: frozenset[int] = frozenset()
    """Bills paid after their due date."""
    disputed: Mapping[str, Any] | None = None
    tickets: tuple[Mapping[str, Any], ...] = ()


def personas(sources: Sources) -> Iterator[CustomerStory]:
    """The hand-written ones. Raises SourceError naming the one that is wrong."""
    for written in sources.personas:
        try:
            yield _persona(dict(written))
        except (KeyError, TypeError, ValueError) as problem:
            raise SourceError(f"personas.yml: {written.get('id', '?')}: {problem!r}: correct this persona") from problem


def _persona(written: dict[str, Any]) -> CustomerStory:
    market = Market(written.pop("market"))
    lines = []
    for line in written.pop("lines"):
        for name in ("typical_gb", "now_gb"):
            if name in line:
                line = {**line, name: Decimal(str(line[name]))}
        lines.append(LineStory(**{**line, "discounts": tuple(line.get("discounts", ()))}))
    born = written.pop("born")
    return CustomerStory(
        market=market,
        born=born if isinstance(born, date) else date.fromisoformat(born),
        lines=tuple(lines),
        language=written.pop("language", "ko" if market is Market.KR else "en"),
        methods=tuple(written.pop("methods")),
        unpaid=frozenset(written.pop("unpaid", ())),
        late=frozenset(written.pop("late", ())),
        tickets=tuple(written.pop("tickets", ())),
        **written,
    )


def invented(sources: Sources, count: int, seed: int) -> Iterator[CustomerStory]:
    """`count` more, the same for the same seed; the first hundred of two hundred are the hundred of one hundred.

    Raises ValueError when there are no numbers kept for fiction left, at some five thousand customers.
    """
    numbers = {place.area.id: _numbers(place.area_code) for place in sources.places.values() if place.area_code}
    korean = [f"+82100000{n:04d}" for n in range(9999, 999, -1)]
    for index in range(count):
        rng = Random(seed * 1_000_003 + index)
        market = Market.KR if rng.random() < KOREAN_SHARE else Market.US
        areas = [place.area.id for place in sources.places.values() if place.area.market is market and numbers.get(place.area.id, korean)]
        if not areas:  # the American ones are used up
            market, areas = Market.KR, [place.area.id for place in sources.places.values() if place.area.market is Market.KR]
        area = rng.choice(areas)
        pool = numbers.get(area, korean)
        if not pool:
            raise ValueError(f"there are numbers for {index} invented customers: ask for fewer")
        yield _invent(sources, rng, 20001 + index, market, area, pool)


def _numbers(area_code: str) -> list[str]:
    """From the hundred numbers kept for fiction in each area, last first; the first twenty belong to personas."""
    return [f"+1{area_code}55501{n:02d}" for n in range(99, 19, -1)]


def _invent(sources: Sources, rng: Random, number: int, market: Market, area_id: str, numbers: list[str]) -> CustomerStory:
    place = sources.places[area_id]
    first, last = sources.names[market]
    korean = market is Market.KR
    given, family = rng.choice(first), rng.choice(last)
    since = rng.randint(4, 14) if rng.random() < 0.15 else rng.randint(15, 120)
    wanted = rng.choices((1, 2, 3, 4), (60, 25, 10, 5))[0]
    # A fictional range is small: a customer has as many lines as there are numbers left.
    taken = [numbers.pop() for _ in range(min(wanted, len(numbers)))]
    owes = rng.random() < 0.04
    lines = tuple(
        # The first line is as old as the customer: there is no month without something to bill.
        _line(sources, rng, market, msisdn, since if index == 0 else max(1, since - rng.choice((0, 0, 0, 5, 20))), len(taken), owes)
        for index, msisdn in enumerate(taken)
    )
    street = rng.choice(place.streets)
    house = rng.randint(1, 240)
    prefix = rng.choice(place.area.postal_prefixes)
    return CustomerStory(
        id=f"CUS-{number}",
        name=f"{family}{given}" if korean else f"{given} {family}",
        market=market,
        born=date(rng.randint(1945, 2005), rng.randint(1, 12), rng.randint(1, 28)),
        area=area_id,
        street=f"{street} {house}" if korean else f"{house} {street}",
        postal_code=f"{prefix}{rng.randint(10, 99)}",
        since_months=since,
        lines=lines,
        language="en" if not korean or rng.random() < 0.03 else "ko",
        methods=(f"credit_card {'한빛카드' if korean else 'Visa'} {rng.randint(0, 9999):04d}",),
        auto_pay=not owes and rng.random() < 0.6,
        bill_day=rng.choice((1, 5, 10, 15, 20, 25)),
        unpaid=frozenset({0, 1}) if owes else frozenset(),
        late=frozenset(k for k in range(2, 14) if rng.random() < 0.03),
        tickets=_tickets(rng),
    )


def _line(sources: Sources, rng: Random, market: Market, msisdn: str, since: int, family_size: int, owes: bool) -> LineStory:
    sold = [offering for offering in sources.offerings.values() if offering.market is market]
    offering = rng.choice(sold)
    devices = [
        device
        for device in sources.devices.values()
        if market in device.price and (device.five_g or offering.family != "5G") and device.kind.value == "phone"
    ]
    device = rng.choice(devices)
    limit = offering.data_gb if offering.data_gb is not None else Decimal(80)
    typical = (limit * Decimal(rng.randint(20, 92)) / 100).quantize(Decimal("0.1"))
    heavy = {k: limit * Decimal(rng.randint(101, 130)) / 100 for k in range(14) if rng.random() < 0.05}
    bills: dict[int, dict[str, Any]] = {k: {"data_gb": gb.quantize(Decimal("0.1"))} for k, gb in heavy.items()}
    roaming = rng.random() < 0.35
    for k in range(14) if roaming else ():
        if rng.random() < 0.08:
            trip = {"roaming_days": rng.randint(2, 9), "roaming_gb": Decimal(rng.randint(3, 60)) / 10}
            bills.setdefault(k, {}).update(trip)
    discounts: list[dict[str, Any]] = []
    if family_size > 1:
        discounts.append({"code": "family"})
    elif rng.random() < 0.3:
        ends = {"ended_bills_ago": rng.randint(0, 12)} if rng.random() < 0.5 else {"months_left": rng.randint(1, 12)}
        discounts.append({"code": "welcome", **ends})
    elif market is Market.KR and rng.random() < 0.4:
        discounts.append({"code": "contract"})
    return LineStory(
        number=msisdn,
        offering=offering.id,
        device=device.id,
        typical_gb=typical,
        esim=device.esim and rng.random() < 0.3,
        roaming=roaming,
        since_months=since,
        contract_months_left=rng.randint(-6, offering.contract_months) if offering.contract_months else None,
        instalments_left=rng.randint(-3, 23) if rng.random() < 0.5 else None,
        discounts=tuple(discounts),
        bills=bills,
        suspended={"reason": "overdue_bill", "days_ago": 2} if owes and rng.random() < 0.5 else None,
        previous=_previous(rng, sold, offering),
    )


def _previous(rng: Random, sold: list[ProductOffering], offering: ProductOffering) -> tuple[str, int] | None:
    if rng.random() >= 0.12:
        return None
    other = rng.choice([other for other in sold if other.id != offering.id])
    return other.id, rng.randint(1, 12)


def _tickets(rng: Random) -> tuple[Mapping[str, Any], ...]:
    if rng.random() >= 0.06:
        return ()
    kind, description = rng.choice(
        [
            ("network", "Calls drop at home."),
            ("device", "The phone shows no service."),
            ("billing", "Question about a charge on the bill."),
        ]
    )
    days, status = rng.choice([(1, "acknowledged"), (4, "in_progress"), (40, "resolved"), (90, "closed")])
    return ({"kind": kind, "description": description, "status": status, "days_ago": days},)
