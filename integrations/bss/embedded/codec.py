"""Frozen dataclasses to table rows and back. Nothing is lost: decode(encode(x)) == x.

Text orders as the value does: days and instants are ISO 8601 in UTC with a fixed width.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from typing import Any, TypeVar, get_origin, get_type_hints

from ..json_values import from_json, instant, to_json, without_none
from ..money import LocalText, Money

T = TypeVar("T")
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Codec:
    """How one dataclass is stored: a column a field."""

    names: tuple[str, ...]
    integers: frozenset[str]
    """Columns that hold an integer; every other one is text."""
    encoders: tuple[Convert | None, ...]
    """None where the value is stored as it is."""
    decoders: tuple[Convert | None, ...]


def codec(cls: type[Any]) -> Codec:
    """The codec of a dataclass. Raises TypeError for a field of a type that cannot be stored."""
    dataclass_type: Any = cls
    return _codec(dataclass_type)


@cache
def _codec(cls: Any) -> Codec:
    hints = get_type_hints(cls)
    names = tuple(field.name for field in fields(cls))
    pairs = [_column(hints[name]) for name in names]
    integers = frozenset(name for name in names if without_none(hints[name]) in (int, bool))
    return Codec(names, integers, tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def encode(entity: Any) -> tuple[Any, ...]:
    """The row of an entity, in the order of its fields."""
    how = codec(type(entity))
    row = []
    for name, encoder in zip(how.names, how.encoders, strict=True):
        value = getattr(entity, name)
        row.append(value if encoder is None or value is None else encoder(value))
    return tuple(row)


def decode(cls: type[T], row: Sequence[Any]) -> T:
    """The entity of a row."""
    how = codec(cls)
    return cls(*(value if decoder is None or value is None else decoder(value) for value, decoder in zip(row, how.decoders, strict=True)))


def _column(hint: Any) -> tuple[Convert | None, Convert | None]:
    kind = without_none(hint)
    if kind in (str, int):
        return None, None
    if kind is bool:
        return int, bool
    if kind is date:
        return date.isoformat, date.fromisoformat
    if kind is datetime:
        return instant, datetime.fromisoformat
    if kind is Decimal:
        return str, Decimal
    if kind is Money:
        return _money_text, _money
    if kind is LocalText:
        return _local_text, _local
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _value, kind
    if get_origin(kind) is tuple or is_dataclass(kind):
        return _dump, lambda text: from_json(kind, json.loads(text))
    raise TypeError(f"a field of type {hint!r} cannot be stored: add it to codec._column")


def _value(member: Enum) -> Any:
    return member._value_


def _money_text(money: Money) -> str:
    return f"{money.amount} {money.currency}"


def _money(text: str) -> Money:
    amount, currency = text.split(" ")
    return Money(Decimal(amount), currency)


@lru_cache(maxsize=1024)
def _local_text(text: LocalText) -> str:
    return _dump(text)


@lru_cache(maxsize=1024)
def _local(text: str) -> LocalText:
    return LocalText(**json.loads(text))


def _dump(value: Any) -> str:
    return json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":"))
