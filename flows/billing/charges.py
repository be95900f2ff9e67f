"""Which charges of a bill a customer means by "the roaming", "$12", "Ella's extra data". Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from integrations.bss.models import AppliedBillingRate, ChargeType

WORDS: Final[Mapping[ChargeType, str]] = {
    ChargeType.PLAN: r"plan|monthly (charge|fee|price)|base (charge|fee)|subscription|요금제|기본료|월정액",
    ChargeType.PRORATION: r"pro ?rat|part of the month|partial|일할",
    ChargeType.EXTRA_DATA: r"extra|overage|over (the|my) limit|top.?up|data|데이터|초과|추가|충전",
    ChargeType.ROAMING: r"roam|abroad|travel|foreign|international|로밍|해외",
    ChargeType.DEVICE_INSTALMENT: r"instal|device|phone|handset|단말|할부|기기|폰",
    ChargeType.DISCOUNT: r"discount|promo|할인|결합|약정",
    ChargeType.CREDIT: r"credit|refund|goodwill|환급|환불|크레딧|적립",
    ChargeType.ONE_OFF: r"one.?off|one.?time|sim|유심|재발급|일회성",
    ChargeType.EARLY_TERMINATION: r"terminat|penalty|cancell?ation|위약금|해지",
    ChargeType.LATE_FEE: r"late|overdue|연체|가산",
    ChargeType.TAX: r"tax|fees?\b|surcharge|세금|부가세|수수료",
}
"""What customers call a kind of charge. Looked for only when neither an id, an amount nor a printed name fits."""

_SPECIAL: Final = (
    ChargeType.ROAMING,
    ChargeType.LATE_FEE,
    ChargeType.EARLY_TERMINATION,
    ChargeType.ONE_OFF,
    ChargeType.DEVICE_INSTALMENT,
)
"""Kinds whose words decide before the general ones: "roaming data" is about roaming, "late fee" is no tax."""


def find_charges(said: str, rates: Sequence[AppliedBillingRate], line_prefixes: Mapping[str | None, str]) -> list[AppliedBillingRate]:
    """The charges meant, in the order of the bill; none when it is not clear.

    `said` is a charge's id (from a button) or words. Tried in turn: the id, an amount, a printed name, the words of a kind of
    charge. A line named besides ("Ella") narrows it down.
    """
    said = said.strip()
    by_id = [rate for rate in rates if rate.id == said]
    if by_id:
        return by_id
    folded = said.casefold()
    on_lines = [rate for rate in rates if (label := line_prefixes.get(rate.line_id, "").removesuffix(" - ")) and label.casefold() in folded]
    for among in (on_lines, rates):
        for choose in (_by_amount, _by_name, _by_words):
            if among and (found := choose(folded, among)):
                return found
    return on_lines


def _by_amount(said: str, rates: Sequence[AppliedBillingRate]) -> list[AppliedBillingRate]:
    amounts = {Decimal(written.replace(",", "")) for written in re.findall(r"\d[\d,]*(?:\.\d+)?", said)}
    return [rate for rate in rates if abs(rate.amount.amount) in amounts]


def _by_name(said: str, rates: Sequence[AppliedBillingRate]) -> list[AppliedBillingRate]:
    def names(rate: AppliedBillingRate) -> bool:
        return any(len(name) > 1 and name.casefold() in said for name in (rate.name.en, rate.name.ko))

    return [rate for rate in rates if names(rate)]


def _by_words(said: str, rates: Sequence[AppliedBillingRate]) -> list[AppliedBillingRate]:
    kinds = [*_SPECIAL, *(kind for kind in WORDS if kind not in _SPECIAL)]
    for kind in kinds:
        if re.search(WORDS[kind], said) and (found := [rate for rate in rates if rate.type is kind]):
            return found
    return []
