"""What can still become known of a message whose answer was lost: an answer that comes late, a receipt that echoes our reference.

Kept for a day, in this process only, and no more than ten thousand of each: an aid to `reconcile`, never its only ground.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from bot.channels import Address, Receipt, SendOutcome

T = TypeVar("T")

_MOST = 10_000
_KEPT = timedelta(days=1)
_SKEW = timedelta(seconds=5)


@dataclass(slots=True)
class Memory:
    _late: OrderedDict[str, tuple[datetime, SendOutcome]] = field(default_factory=OrderedDict)
    _echoes: OrderedDict[str, tuple[datetime, Address, int]] = field(default_factory=OrderedDict)

    def answered_late(self, reference: str, outcome: SendOutcome, now: datetime) -> None:
        _keep(self._late, reference, (now, outcome), now, lambda kept: kept[0])

    def noted(self, receipt: Receipt, user_message_reference: int) -> None:
        """A receipt that echoes our reference of 16 bits."""
        moment = receipt.received_at
        if receipt.provider_id not in self._echoes:
            _keep(self._echoes, receipt.provider_id, (moment, receipt.key.customer, user_message_reference), moment, lambda kept: kept[0])

    def late(self, reference: str, attempted_at: datetime) -> SendOutcome | None:
        """The answer to the attempt begun then, if it has come since."""
        found = self._late.get(reference)
        return found[1] if found and found[0] >= attempted_at - _SKEW else None

    def echo(self, customer: Address, reference: int, attempted_at: datetime, known: Collection[str]) -> str | None:
        """The provider id of a message to this customer with this reference, told since then and not another message's."""
        for provider_id, (moment, address, echoed) in self._echoes.items():
            if address == customer and echoed == reference and moment >= attempted_at - _SKEW and provider_id not in known:
                return provider_id
        return None


def _keep(store: OrderedDict[str, T], name: str, value: T, now: datetime, moment: Callable[[T], datetime]) -> None:
    store[name] = value
    store.move_to_end(name)
    while len(store) > _MOST or moment(next(iter(store.values()))) < now - _KEPT:
        store.popitem(last=False)
