"""Where a conversation takes place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Addresses:
    """Channel, the operator's address on it, and the customer's. Any may be "" (a chat in a terminal has none)."""

    channel: str = ""
    business: str = ""
    customer: str = ""

    def __bool__(self) -> bool:
        return bool(self.channel or self.business or self.customer)

    def columns(self) -> dict[str, Any]:
        """As the columns of a row."""
        return {"channel": self.channel, "business": self.business, "customer": self.customer}
