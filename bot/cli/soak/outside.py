"""The world outside of the crash test: customers who write, a carrier that tells everything twice, an operator's system that counts."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from bot.testing.doubles.http_server import Request, Response, Server
from bot.testing.doubles.twilio import TwilioDouble
from bot.testing.doubles.twilio.webhooks import SignedRequest


@dataclass(slots=True)
class Operator:
    """Takes orders over HTTP. The same key is the same order and is answered the same; `orders` counts what was really ordered.

    `on_order` is told the process that ordered, after the order was carried out and before it is answered: the worst instant.
    """

    on_order: Callable[[int], None] = lambda process: None
    keys: dict[str, tuple[str, int]] = field(default_factory=dict)
    orders: Counter[tuple[str, int]] = field(default_factory=Counter)
    repeated: int = 0
    _server: Server = field(init=False)

    def __post_init__(self) -> None:
        self._server = Server(self._serve)

    @property
    def url(self) -> str:
        return self._server.url

    async def __aenter__(self) -> Operator:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    async def _serve(self, request: Request) -> Response:
        order = json.loads(request.body)
        wanted = (order["customer"], order["article"])
        known = self.keys.get(order["key"])
        if known is None:
            self.keys[order["key"]] = wanted
            self.orders[wanted] += 1
        elif known != wanted:
            return Response(409, b'{"error": "the key belongs to another order"}')
        else:
            self.repeated += 1
        self.on_order(order["process"])
        return Response(200, json.dumps({"receipt": str(order["article"])}).encode())


def numbers(count: int) -> list[str]:
    """Numbers of customers, of the range that is reserved for fiction (555-0100 to 0199 in every area)."""
    areas = (202, 206, 212, 213, 214, 303, 305, 312, 313, 404, 415, 503, 504, 512, 602, 615, 617, 702, 713, 718)
    found = [f"+1{area}55501{last:02d}" for area in areas for last in range(100) if (area, last) != (202, 0)]
    if count > len(found):
        raise ValueError(f"at most {len(found)} customers")
    return found[:count]


@dataclass(slots=True)
class Customers:
    """Each writes `order article 1`, `order article 2`, ... and waits a little in between, but for no answer.

    The carrier tells every message until it is answered 200, then once more; some copies come late, after the following message.
    """

    carrier: TwilioDouble
    chance: random.Random
    per_second: float
    accepted: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    duplicates: int = 0
    written: dict[tuple[str, int], float] = field(default_factory=dict)
    _late: set[asyncio.Task[None]] = field(default_factory=set)

    async def write(self, people: list[str], messages: int, on_accepted: Callable[[], None]) -> None:
        """Returns when `messages` have been accepted, shared out among all."""
        shares = [messages // len(people) + (n < messages % len(people)) for n in range(len(people))]
        pause = len(people) / self.per_second
        await asyncio.gather(*(self._one(p, share, pause, on_accepted) for p, share in zip(people, shares, strict=True)))
        while self._late:
            await asyncio.gather(*self._late)

    async def _one(self, number: str, share: int, pause: float, on_accepted: Callable[[], None]) -> None:
        await asyncio.sleep(self.chance.random() * pause)
        for article in range(1, share + 1):
            request = self.carrier.inbound(number, f"order article {article}")
            self.written[number, article] = monotonic()
            while await self.carrier.caller.call(request) != 200:
                self.refused += 1
                await asyncio.sleep(0.3 + 0.7 * self.chance.random())
            self.accepted[number] += 1
            on_accepted()
            again = asyncio.create_task(self._again(request, self.chance.random() * 3 if self.chance.random() < 0.3 else 0.0))
            self._late.add(again)
            again.add_done_callback(self._late.discard)
            await asyncio.sleep(pause * (0.5 + self.chance.random()))

    async def _again(self, request: SignedRequest, delay: float) -> None:
        await asyncio.sleep(delay)
        self.duplicates += 1
        await self.carrier.caller.call(request)
