"""What an extractor reports: a value and where it stands in the folded text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """`value` as a slot takes it; it stands at `fold(text)[start:end]`."""

    value: Any
    start: int
    end: int


def number(value: float) -> float | int:
    """Whole numbers as int, so that they read naturally when shown."""
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def without_overlaps(found: list[Found]) -> tuple[Found, ...]:
    """The longest of overlapping finds, in order of appearance."""
    kept: list[Found] = []
    for candidate in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if all(candidate.end <= other.start or candidate.start >= other.end for other in kept):
            kept.append(candidate)
    return tuple(sorted(kept, key=lambda one: one.start))
