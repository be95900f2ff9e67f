"""Money and text in two languages: the two small values every other model uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

MINOR_UNITS: Final = {"USD": 2, "KRW": 0}
"""Decimal places of a currency (ISO 4217)."""


class Language(StrEnum):
    EN = "en"
    KO = "ko"


@dataclass(frozen=True, slots=True)
class LocalText:
    """The same words in every language the operator speaks."""

    en: str
    ko: str

    def text(self, language: str) -> str:
        """The words in `language`; English when it is not spoken here ("ko-KR" counts as "ko")."""
        return self.ko if language.lower().startswith("ko") else self.en


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency. `amount` carries exactly the currency's decimal places.

    Adding or comparing two currencies raises ValueError; `amount` as a float raises TypeError.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError("Money.amount is a Decimal; use Money.of(...) to round a number")
        places = MINOR_UNITS.get(self.currency)
        if places is None:
            raise ValueError(f"unknown currency {self.currency!r}; known: {', '.join(MINOR_UNITS)}")
        exponent = self.amount.as_tuple().exponent
        if exponent != -places:
            if not isinstance(exponent, int):
                raise ValueError("Money.amount is a finite number")
            rounded = self.amount.quantize(Decimal(1).scaleb(-places))
            if rounded != self.amount:
                raise ValueError(f"{self.currency} has {places} decimal places; use Money.of(...) to round")
            object.__setattr__(self, "amount", rounded)

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str) -> Money:
        """`amount` rounded half up to the currency's smallest unit."""
        if isinstance(amount, float):
            raise TypeError("Money.of takes a Decimal, an int or a string, never a float")
        places = MINOR_UNITS.get(currency, 0)
        return cls(Decimal(amount).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls.of(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """The sum; zero in `currency` when there is nothing to add."""
        return sum(amounts, cls.zero(currency))

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        """Rounded half up to the smallest unit."""
        return Money.of(self.amount * factor, self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: Money) -> Decimal:
        if not isinstance(other, Money):
            raise TypeError(f"cannot combine Money with {type(other).__name__}")
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")
        return other.amount
