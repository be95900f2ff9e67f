"""The parts of long messages, until the last has come or it takes too long."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .inbound import Piece

T = TypeVar("T")

_MOST_GROUPS = 1000


@dataclass(slots=True)
class Group(Generic[T]):
    """Parts of one message by number, each with what is due to whoever sent it. `owner` is the connection they came by."""

    owner: Hashable
    due: float
    parts: dict[int, tuple[Piece, T]] = field(default_factory=dict)

    @property
    def pieces(self) -> list[Piece]:
        return [self.parts[number][0] for number in sorted(self.parts)]

    @property
    def tickets(self) -> list[T]:
        return [ticket for _, ticket in self.parts.values()]


class Joining(Generic[T]):
    """Keeps no more than a thousand messages at once: above that the oldest is given out as it is.

    `wait` in seconds from the first part; `clock` is any steady one.
    """

    def __init__(self, wait: float, clock: Callable[[], float]) -> None:
        self._wait = wait
        self._clock = clock
        self._groups: dict[tuple[object, ...], Group[T]] = {}

    def add(self, owner: Hashable, piece: Piece, ticket: T) -> list[Group[T]]:
        """Takes a part. Gives messages that are whole now, or that must make room, in the order they are to be told."""
        assert piece.place is not None
        given: list[Group[T]] = []
        name = (owner, *piece.group)
        group = self._groups.get(name)
        if group is not None and piece.place.number in group.parts:
            if group.parts[piece.place.number][0].digest == piece.digest:
                return given  # told twice
            # The reference has come round: another message.
            given.append(self._groups.pop(name))
            group = None
        if group is None:
            if len(self._groups) >= _MOST_GROUPS:
                given.append(self._groups.pop(next(iter(self._groups))))
            group = self._groups[name] = Group(owner, self._clock() + self._wait)
        group.parts[piece.place.number] = (piece, ticket)
        if len(group.parts) == piece.place.total:
            given.append(self._groups.pop(name))
        return given

    @property
    def next_due(self) -> float | None:
        """When the oldest has waited long enough."""
        return next((group.due for group in self._groups.values()), None)

    def overdue(self) -> list[Group[T]]:
        """Gives out what has waited long enough."""
        now = self._clock()
        return self._take(lambda group: group.due <= now)

    def of(self, owner: Hashable) -> list[Group[T]]:
        """Gives out all of a connection's."""
        return self._take(lambda group: group.owner == owner)

    def _take(self, wanted: Callable[[Group[T]], bool]) -> list[Group[T]]:
        names = [name for name, group in self._groups.items() if wanted(group)]
        return [self._groups.pop(name) for name in names]
