"""What to look for when all has gone quiet: nothing lost, nothing twice, nothing out of order, nothing left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select, text

from bot.conversations import Database
from bot.conversations.tables import effect_table, event_table, inbox_table, outbox_table


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise: how often it was broken (0 is good), and an example."""

    promise: str
    broken: int
    example: str = ""


def replies(accepted: Mapping[str, int], sent: Mapping[str, Sequence[str]]) -> list[Finding]:
    """`sent` is what the carrier has for each customer, in the order it was accepted."""
    lost, twice, disorder, strange = [], [], [], []
    for number, count in accepted.items():
        wanted = [f"Ordered: {article}." for article in range(1, count + 1)]
        got = Counter(sent.get(number, ()))
        lost += [f"{number[-4:]}: {reply}" for reply in wanted if not got[reply]]
        twice += [f"{number[-4:]}: {reply}" for reply in wanted if got[reply] > 1]
        strange += [f"{number[-4:]}: {reply}" for reply in got if reply not in set(wanted)]
        firsts = [reply for reply in dict.fromkeys(sent.get(number, ())) if reply in set(wanted)]
        disorder += [f"{number[-4:]}: {a} before {b}" for a, b in pairwise(firsts) if wanted.index(a) > wanted.index(b)]
    return [
        _finding("every message answered", lost),
        _finding("no message answered twice", twice),
        _finding("answers in order", disorder),
        _finding("no other answer", strange),
    ]


def orders(accepted: Mapping[str, int], made: Mapping[tuple[str, int], int]) -> list[Finding]:
    wanted = {(number, article) for number, count in accepted.items() for article in range(1, count + 1)}
    return [
        _finding("every effect happened", [f"{number[-4:]}: {article}" for number, article in sorted(wanted - set(made))]),
        _finding("no effect happened twice", [f"{number[-4:]}: {article}" for (number, article), count in made.items() if count > 1]),
    ]


def _finding(promise: str, broken: Sequence[str]) -> Finding:
    return Finding(promise, len(broken), broken[0] if broken else "")


async def leftovers(database: Database, messages: int) -> list[Finding]:
    """What the tables say once everything has been done."""
    inbox, outbox, effect, event = inbox_table.c, outbox_table.c, effect_table.c, event_table.c
    async with database.read() as connection:

        async def count(query: Any) -> int:
            return int((await connection.execute(query)).scalar_one())

        def rows(table: Any, *where: Any) -> Any:
            return select(func.count()).select_from(table).where(*where)

        found = [
            Finding("no inbox row left open", await count(rows(inbox_table, inbox.status == "open"))),
            Finding("no dead letter", await count(rows(inbox_table, inbox.status == "dead"))),
            Finding("an inbox row a message", abs(await count(rows(inbox_table)) - messages)),
            Finding("an outbox row a message", abs(await count(rows(outbox_table)) - messages)),
            Finding("all replies sent", await count(rows(outbox_table, outbox.status != "sent"))),
            Finding("no effect of unknown outcome", await count(rows(effect_table, effect.status != "done"))),
            Finding("a transcript without gaps or doubles", await _gaps(connection, event)),
        ]
        if database.is_postgres:
            jobs = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed')"
            found.append(Finding("no job left in the queue", int((await connection.execute(text(jobs))).scalar_one())))
    return found


async def _gaps(connection: Any, event: Any) -> int:
    query = select(func.count(), func.max(event.seq)).group_by(event.conversation)
    return sum(1 for count, last in await connection.execute(query) if count != last)


def clean(findings: Iterable[Finding]) -> bool:
    return all(not finding.broken for finding in findings)
