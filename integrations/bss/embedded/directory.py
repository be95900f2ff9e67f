"""Which table an id belongs to: ids begin with their kind."""

from __future__ import annotations

from types import MappingProxyType

from ..billing import AppliedBillingRate, CustomerBill, Payment, PaymentRequest, PromiseToPay
from ..care import Appointment, OutageSubscription, ServiceProblem, TroubleTicket
from ..catalog import ProductOffering, ProductOrder
from ..models import Entity
from ..parties import Area, Customer, Device, Line, SimCard, TopUp, Usage
from .store import Transaction

_KINDS: MappingProxyType[str, type[Entity]] = MappingProxyType(
    {
        "CUS": Customer,
        "LIN": Line,
        "DEV": Device,
        "USE": Usage,
        "TOP": TopUp,
        "ORD": ProductOrder,
        "BIL": CustomerBill,
        "CHG": AppliedBillingRate,
        "PAY": Payment,
        "REQ": PaymentRequest,
        "PRO": PromiseToPay,
        "PRB": ServiceProblem,
        "SUB": OutageSubscription,
        "TIC": TroubleTicket,
        "APP": Appointment,
    }
)


async def find_entity(tx: Transaction, entity_id: str) -> Entity | None:
    """Anything with an id; None when there is no such thing."""
    prefix, _, rest = entity_id.partition("-")
    if prefix == "BIL" and rest.count("-") == 2:  # a line of a bill: BIL-10001-202601-03
        return await tx.find(AppliedBillingRate, entity_id)
    if prefix in _KINDS:
        return await tx.find(_KINDS[prefix], entity_id)
    if entity_id.isdigit():
        return await tx.find(SimCard, entity_id)
    return await tx.find(ProductOffering, entity_id) or await tx.find(Area, entity_id)
