"""A broadcast's surroundings: a project in two languages, files of invented customers, and a channel in this process that counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot.channels import (
    Absent,
    Address,
    Capabilities,
    ConversationKey,
    Outbound,
    Payload,
    QuietHours,
    Reconciled,
    SendOutcome,
    Sent,
    count,
    zones_of,
)
from bot.conversations import Database, Sealer
from bot.conversations.tables import outbox_table
from bot.language import Project, load
from bot.runtime.broadcasts import BroadcastOrder, Broadcasts, Wording
from bot.runtime.broadcasts.recipients import e164

US = "+12025550100"
NEW_YORK = ZoneInfo("America/New_York")
AT_ANY_HOUR = QuietHours({})
SENTENCE = {
    "en": "Planned work tonight, {name}. Sorry for the trouble.",
    "ko": "{name}님, 오늘 밤 점검이 있습니다. 불편을 드려 죄송합니다.",
}

DOMAIN = """
responses:
  utter_work:
    - text: "Work near you on {day:date}, {name}."
      translation: {ko: "{name}님, {day:date} 점검 작업이 있습니다."}
  utter_due:
    - text: "You owe {amount:money}."
      translation: {ko: "납부하실 금액은 {amount:money}입니다."}
  utter_plan:
    - condition: slots.tier = "gold"
      text: "Gold customers get more."
    - text: "Standard."
      channel: elsewhere
  utter_buttons:
    - text: "Well?"
      buttons: [{title: "Yes", payload: "yes"}]
  utter_jinja:
    - text: "{% if slots.name == 'Sam' %}Hello Sam{% else %}{{ 1 // 0 if slots.name == 'Bad' else 'Hello' }}{% endif %}"
      template: jinja
slots:
  tier: {type: text}
  name: {type: text}
"""


def project_in(folder: Path) -> Project:
    root = folder / "project"
    (root / "data").mkdir(parents=True, exist_ok=True)
    (root / "domain.yml").write_text("version: '3.1'\n" + DOMAIN, encoding="utf-8")
    (root / "switchboard.yml").write_text("language: en\nadditional_languages: [ko]\n")
    return load(root).project


@dataclass
class CountingChannel:
    """Accepts everything at once. `sent` holds what it was given, in order."""

    name: str = "test"
    can: Capabilities = field(default_factory=lambda: Capabilities(max_segments=1, segments_per_second=1000.0))
    sent: list[tuple[str, str]] = field(default_factory=list)

    def capabilities(self, key: ConversationKey) -> Capabilities:
        return self.can

    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        if message.template is not None:
            fields = (("To", key.customer.value), ("Template", message.template.id), ("Values", str(dict(message.template.variables))))
            return (Payload(message.idempotency_key, fields),)
        return tuple(
            Payload(
                message.idempotency_key if number == 1 else f"{message.idempotency_key}/{number}",
                (("To", key.customer.value), ("Body", part)),
                count(part).segments,
            )
            for number, part in enumerate(self.can.fit(message.text), start=1)
        )

    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        self.sent.append((key.customer.value, payload.get("Body") or ""))
        return Sent(f"id-{payload.reference}")

    async def reconcile(
        self, key: ConversationKey, payload: Payload, *, attempted_at: datetime, now: datetime, known: Collection[str] = ()
    ) -> Reconciled:
        return Absent()


def broadcasts(database: Database, folder: Path, channel: CountingChannel | None = None, **more: Any) -> Broadcasts:
    channel = channel or CountingChannel()
    given: dict[str, Any] = {
        "sealer": Sealer({"k": b"k" * 32}),
        "channels": {channel.name: channel},
        "project": project_in(folder),
        "quiet_hours": AT_ANY_HOUR,
        "default_zone": NEW_YORK,
    }
    return Broadcasts(database, **{**given, **more})


ORDER = BroadcastOrder(id="work", channel="test", business=Address("tel", US), wording=Wording(texts=SENTENCE), rate=100.0)


def order(**more: Any) -> BroadcastOrder:
    return replace(ORDER, **more)


@cache
def _areas(zone: ZoneInfo | None) -> tuple[str, ...]:
    """Area codes that are in one zone: this, or any."""
    codes = [f"{code}" for code in range(201, 990) if e164(f"+1{code}5550100", "US")]
    zones = {code: zones_of(f"+1{code}5550100") for code in codes}
    return tuple(code for code in codes if len(zones[code]) == 1 and zone in (None, zones[code][0]))


def us(number: int, zone: ZoneInfo | None = None) -> str:
    """Numbers reserved for fiction: 555-0100 to 555-0199 of every area, or of the areas of a zone."""
    areas = _areas(zone)
    return f"+1{areas[number % len(areas)]}55501{number // len(areas):02d}"


def write(path: Path, lines: Iterable[str], header: str = "number,language,name") -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def file_of(folder: Path, customers: int) -> Path:
    """Every third is Korean."""
    lines = (f"+8210000{n:05d},ko,지민{n}" if n % 3 == 2 else f"{us(n)},en,Sam{n}" for n in range(customers))
    return write(folder / "customers.csv", lines)


async def rows(database: Database, broadcast: str = "work") -> Sequence[Any]:
    table = outbox_table.c
    columns = (
        table.id,
        table.key,
        table.status,
        table.due,
        table.customer,
        table.conversation,
        table.purpose,
        table.priority,
        table.payload,
    )
    async with database.read() as connection:
        return (await connection.execute(select(*columns).where(table.broadcast == broadcast).order_by(table.id))).all()
