"""Lays out a picture of several parts that nothing connects: each part by itself, one under the other, single boxes in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .layout import arrange
from .shapes import Layout, Link, Point, Route, Size

GAP = 40.0
GRID_GAP = 20.0


def pack(sizes: Mapping[str, Size], links: Sequence[Link], *, across: bool = True) -> Layout:
    """The layout of all parts; the largest comes first."""
    places: dict[str, Point] = {}
    routes: dict[int, Route] = {}
    wide = y = 0.0
    single: list[str] = []
    for part in sorted(_parts(list(sizes), links), key=len, reverse=True):
        if len(part) == 1 and not any(link.source in part for link in links):
            single += part
            continue
        numbers = [number for number, link in enumerate(links) if link.source in part]
        inner = arrange({id: sizes[id] for id in sizes if id in part}, [links[number] for number in numbers], across=across)
        places.update({id: (x, y + below) for id, (x, below) in inner.places.items()})
        routes.update(zip(numbers, (_lowered(route, y) for route in inner.routes), strict=True))
        wide, y = max(wide, inner.width), y + inner.height + GAP
    grid, grid_wide, grid_high = _grid([(id, sizes[id]) for id in sizes if id in single], max(wide, 900.0))
    places.update({id: (x, y + below) for id, (x, below) in grid.items()})
    height = y + grid_high if grid else max(y - GAP, 0.0)
    return Layout(places, tuple(routes[number] for number in range(len(links))), max(wide, grid_wide), height)


def _lowered(route: Route, y: float) -> Route:
    points = tuple((x, below + y) for x, below in route.points)
    return Route(points, (route.label[0], route.label[1] + y) if route.label else None, route.back)


def _grid(boxes: Sequence[tuple[str, Size]], room: float) -> tuple[dict[str, Point], float, float]:
    """Boxes in rows no wider than the room: their middles, and the size of it all."""
    if not boxes:
        return {}, 0.0, 0.0
    cell_wide, cell_high = max(size[0] for _, size in boxes) + GRID_GAP, max(size[1] for _, size in boxes) + GRID_GAP
    columns = max(1, int((room + GRID_GAP) // cell_wide))
    found = {
        id: ((number % columns) * cell_wide + (cell_wide - GRID_GAP) / 2, (number // columns) * cell_high + (cell_high - GRID_GAP) / 2)
        for number, (id, _) in enumerate(boxes)
    }
    rows = -(-len(boxes) // columns)
    return found, min(columns, len(boxes)) * cell_wide - GRID_GAP, rows * cell_high - GRID_GAP


def _parts(ids: Sequence[str], links: Sequence[Link]) -> list[set[str]]:
    near: dict[str, set[str]] = {id: set() for id in ids}
    for link in links:
        near[link.source].add(link.target)
        near[link.target].add(link.source)
    seen: set[str] = set()
    parts: list[set[str]] = []
    for root in ids:
        if root in seen:
            continue
        part, todo = {root}, [root]
        while todo:
            more = near[todo.pop()] - part
            part |= more
            todo.extend(more)
        seen |= part
        parts.append(part)
    return parts
