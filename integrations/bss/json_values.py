"""Any model as plain JSON and back: for slots, logs of effects, tables and wires. from_json(T, to_json(x)) == x."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints


def to_json(value: Any) -> Any:
    """Any model as plain JSON: amounts as {amount, currency}, decimals as text, instants in UTC."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return value


def from_json(hint: Any, value: Any) -> Any:
    """Back from `to_json`, given the type."""
    if value is None:
        return None
    hint = without_none(hint)
    if get_origin(hint) is tuple:
        return tuple(from_json(get_args(hint)[0], item) for item in value)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return hint(**{name: from_json(hints[name], item) for name, item in value.items()})
    if hint is datetime:
        return datetime.fromisoformat(value)
    if hint is date:
        return date.fromisoformat(value)
    if hint is Decimal or (isinstance(hint, type) and issubclass(hint, Enum)):
        return hint(value)
    return value


def instant(value: datetime) -> str:
    """An aware datetime as fixed-width text that sorts by time. Raises ValueError for a naive one."""
    if value.tzinfo is None:
        raise ValueError("datetimes here are aware: give a time zone")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def without_none(hint: Any) -> Any:
    """The type itself, without `| None`."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(arg for arg in get_args(hint) if arg is not type(None))
    return hint
