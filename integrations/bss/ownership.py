"""Is this theirs? The check before anything is shown to, or done for, a customer."""

from __future__ import annotations

from typing import Protocol, TypeVar

from .errors import BssError, Code
from .models import Customer, Entity

T = TypeVar("T")


class Lookup(Protocol):
    async def get_details_by_id(self, entity_id: str) -> Entity: ...


def owner_of(entity: object) -> str | None:
    """The id of the customer an entity belongs to; None for what is nobody's (a plan, an outage, an area)."""
    if isinstance(entity, Customer):
        return entity.id
    owner = getattr(entity, "customer_id", None)
    return owner if isinstance(owner, str) else None


async def owned(bss: Lookup, customer_id: str, entity_id: str, kind: type[T]) -> T:
    """The `kind` with this id, if it is the customer's own. Raises `not_found` otherwise, whoever's it may be.

    `line = await owned(bss, customer.id, line_id, Line)`
    """
    entity = await bss.get_details_by_id(entity_id)
    if not isinstance(entity, kind) or owner_of(entity) != customer_id:
        raise BssError(Code.NOT_FOUND, f"this customer has no {kind.__name__} with the id {entity_id}")
    return entity
