"""Values as people write them, in English and Korean: money, dates, numbers, data volumes. Locale data comes from Babel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

LOCALES = {"en": "en_US", "ko": "ko_KR"}


def written(value: Any, form: str, language: str) -> str:
    """A value as text. `form` is "" (as it is), `money`, `date`, `number` or `data`; a value the form does not fit is written plainly."""
    if value is None:
        return ""
    try:
        match form:
            case "money":
                return money(value, language)
            case "date":
                return day(value, language)
            case "number":
                return number(value, language)
            case "data":
                return data_volume(value, language)
    except (ValueError, TypeError, KeyError, InvalidOperation):
        pass
    if isinstance(value, Mapping) and "amount" in value and "currency" in value:
        return money(value, language)
    if isinstance(value, bool):
        return {"en": ("no", "yes"), "ko": ("아니요", "예")}.get(language, ("no", "yes"))[value]
    if isinstance(value, (list, tuple)):
        return ", ".join(written(item, "", language) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def money(value: Any, language: str) -> str:
    """`{"amount": "55.00", "currency": "USD"}` -> "$55.00"; won have no decimals: "69,000원" in Korean, "₩69,000" in English."""
    amount, currency = Decimal(str(value["amount"])), str(value["currency"])
    if currency == "KRW" and language == "ko":
        return f"{number(int(amount), language)}원"
    from babel.numbers import format_currency

    return str(format_currency(amount, currency, locale=_locale(language)))


def day(value: Any, language: str) -> str:
    """An ISO date or date-time -> "March 3, 2026" or "2026년 3월 3일"."""
    when = (
        value
        if isinstance(value, date)
        else datetime.fromisoformat(str(value)).date()
        if "T" in str(value)
        else date.fromisoformat(str(value))
    )
    if language == "ko":
        return f"{when.year}년 {when.month}월 {when.day}일"
    from babel.dates import format_date

    return str(format_date(when, "long", locale=_locale(language)))


def number(value: Any, language: str) -> str:
    from babel.numbers import format_decimal

    return str(format_decimal(Decimal(str(value)), locale=_locale(language)))


def data_volume(value: Any, language: str) -> str:
    """Gigabytes -> "1.5 GB", below one gigabyte in megabytes: "300 MB"."""
    gigabytes = Decimal(str(value))
    if 0 < gigabytes < 1:
        return f"{number(round(gigabytes * 1000), language)} MB"
    return f"{number(round(gigabytes, 1).normalize() if gigabytes % 1 else int(gigabytes), language)} GB"


@lru_cache(maxsize=16)
def _locale(language: str) -> Any:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(LOCALES.get(language, language))
    except (ValueError, TypeError, UnknownLocaleError):
        return Locale.parse("en_US")
