"""What a layout is made of: edges to place, the ways they take, boxes and bends on layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to lay out; `label` is the size of its words, (0, 0) for none."""

    source: str
    target: str
    label: Size = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an edge: points from box to box, the middle of its label. `back` ones run up at the side."""

    points: tuple[Point, ...]
    label: Point | None
    back: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Middles of boxes by id, routes in the order of the links, the size of the whole."""

    places: Mapping[str, Point]
    routes: tuple[Route, ...]
    width: float
    height: float


@dataclass(slots=True)
class Cell:
    """A box, a label, or a bend of a long edge."""

    layer: int
    size: Size
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    bend: bool = False
    fixed: bool = False
    """A box of the chart, not something on an edge."""
    x: float = 0.0
