"""Walking through a table in pages, without holding a transaction open or counting rows from the beginning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_


def following(order: Sequence[ColumnElement[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """Rows after the one with the values `last`, by the columns `order`. Spelled out: not every database uses an index for tuples."""
    return or_(*(and_(*(order[i] == last[i] for i in range(n)), order[n] > last[n]) for n in range(len(order))))
