"""Where everything goes: a layered layout from top to bottom (after Sugiyama, Tagawa and Toda, 1981), in our own few lines.

1. edges that lead back (found depth first from the start) are set aside; 2. every node gets the layer of its longest way from the start;
3. long edges, and labels, get nodes of their own in between, so that nothing is drawn over a box; 4. the order inside layers comes from
barycentres, keeping the order with the fewest crossings; 5. places across come from repeated least squares with minimal distances;
6. edges that lead back run up in lanes at the right side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .layers import backward, layers_of, ordered
from .shapes import Cell, Layout, Link, Point, Route, Size

GAP_ACROSS = 36.0
GAP_DOWN = 34.0
BEFORE_TRACKS = 14.0
TRACK = 8.0
AFTER_TRACKS = 20.0
LANE = 26.0
SMALL_STEP = 18.0
LEAST_GAP = 8.0
SWEEPS = 48


def arrange(sizes: Mapping[str, Size], links: Sequence[Link], *, across: bool = False) -> Layout:
    """Lays out boxes of the given sizes; ids of links must be among them. The first box is the start.

    From top to bottom, or, `across`, from left to right.
    """
    if across:
        turned = arrange({id: (high, wide) for id, (wide, high) in sizes.items()}, [_turned(link) for link in links])
        return _turned_back(turned)
    ids = list(sizes)
    back = backward(ids, links)
    layers = layers_of(ids, [link for number, link in enumerate(links) if number not in back])
    cells = [Cell(layers[id], sizes[id], fixed=True) for id in ids]
    number_of = {id: number for number, id in enumerate(ids)}
    chains: dict[int, list[int]] = {}
    labels: dict[int, int] = {}
    for number, link in enumerate(links):
        if number not in back:
            chains[number] = _chain(cells, number_of[link.source], number_of[link.target], link.label, labels, number)
    order = ordered(cells)
    _place_across(cells, order)
    rows = _rows_down(cells, order)
    lanes = _Lanes(cells, order, rows)
    shortest_first = sorted(back, key=lambda number: abs(layers[links[number].source] - layers[links[number].target]))
    upward: dict[int, Route] = {}
    for number in shortest_first:
        link = links[number]
        upward[number] = lanes.route(number_of[link.source], number_of[link.target], link.label)
    routes = [
        upward[number] if number in back else _downward(cells, chains[number], labels.get(number), rows) for number in range(len(links))
    ]
    places = {id: (cells[number].x, rows.middle(cells[number].layer)) for id, number in number_of.items()}
    return _framed(places, sizes, routes, links)


def _turned(link: Link) -> Link:
    return Link(link.source, link.target, (link.label[1], link.label[0]))


def _turned_back(layout: Layout) -> Layout:
    places = {id: (y, x) for id, (x, y) in layout.places.items()}
    routes = tuple(
        Route(tuple((y, x) for x, y in route.points), (route.label[1], route.label[0]) if route.label else None, route.back)
        for route in layout.routes
    )
    return Layout(places, routes, layout.height, layout.width)


def _chain(cells: list[Cell], source: int, target: int, label: Size, labels: dict[int, int], number: int) -> list[int]:
    """Cells from source to target, one a layer; the first between carries the label."""
    chain = [source]
    for layer in range(cells[source].layer + 1, cells[target].layer):
        carries = bool(label[0]) and len(chain) == 1
        cells.append(Cell(layer, label if carries else (12.0, 0.0), bend=not carries))
        if carries:
            labels[number] = len(cells) - 1
        chain.append(len(cells) - 1)
    chain.append(target)
    for upper, lower in pairwise(chain):
        cells[upper].below.append(lower)
        cells[lower].above.append(upper)
    return chain


# --- places --------------------------------------------------------------------------------------------------------------------------


def _place_across(cells: Sequence[Cell], rows: Sequence[Sequence[int]]) -> None:
    """Up and down in turns: going down, boxes stand under those above them; going up, those above stand over their middle."""
    for row in rows:
        _settle(cells, row, [0.0] * len(row), [1.0] * len(row))
    for sweep in range(SWEEPS):
        down = sweep % 2 == 1
        for row in rows if down else reversed(rows):
            wanted, weights = [], []
            for number in row:
                cell = cells[number]
                neighbours = [cells[other] for other in (cell.above if down else cell.below)]
                heavy = [8.0 if cell.bend and other.bend else 1.0 for other in neighbours]
                total = sum(heavy)
                wanted.append(sum(other.x * each for other, each in zip(neighbours, heavy, strict=True)) / total if total else cell.x)
                weights.append(max(total, 0.1))
            _settle(cells, row, wanted, weights)
    _straighten(cells, rows)


def _straighten(cells: Sequence[Cell], rows: Sequence[Sequence[int]]) -> None:
    """Moves labels and bends the last few pixels, so that lines have no small steps."""
    for row in reversed(rows):
        for place, number in enumerate(row):
            cell = cells[number]
            if not (cell.above and len(cell.below) == 1):
                continue
            step = cells[cell.below[0]].x - cell.x
            after = row[place + 1] if step > 0 and place + 1 < len(row) else row[place - 1] if step < 0 and place else None
            room = abs(cells[after].x - cell.x) - (cells[after].size[0] + cell.size[0]) / 2 if after is not None else SMALL_STEP + LEAST_GAP
            if not cell.fixed and abs(step) <= min(SMALL_STEP, room - LEAST_GAP):
                cell.x += step


def _settle(cells: Sequence[Cell], row: Sequence[int], wanted: Sequence[float], weights: Sequence[float]) -> None:
    """The places closest to the wanted ones (weighted least squares) that keep order and distance: pool adjacent violators."""
    offsets: list[float] = []
    for place, number in enumerate(row):
        if place:
            before = cells[row[place - 1]]
            gap = GAP_ACROSS if not (before.bend or cells[number].bend) else GAP_ACROSS / 2
            offsets.append(offsets[-1] + before.size[0] / 2 + cells[number].size[0] / 2 + gap)
        else:
            offsets.append(0.0)
    blocks: list[tuple[float, float, int]] = []
    for target, weight, offset in zip(wanted, weights, offsets, strict=True):
        block = (target - offset, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            value, heavy, count = blocks.pop()
            block = ((value * heavy + block[0] * block[1]) / (heavy + block[1]), heavy + block[1], count + block[2])
        blocks.append(block)
    values = [value for value, _, count in blocks for _ in range(count)]
    for number, value, offset in zip(row, values, offsets, strict=True):
        cells[number].x = value + offset


@dataclass(frozen=True, slots=True)
class _Rows:
    """Heights of layers, and of the tracks between them on which edges go across."""

    tops: Sequence[float]
    heights: Sequence[float]
    track_of: Mapping[int, int]

    def bottom(self, layer: int) -> float:
        return self.tops[layer] + self.heights[layer]

    def middle(self, layer: int) -> float:
        return self.tops[layer] + self.heights[layer] / 2

    def track(self, number: int, layer: int) -> float:
        return self.bottom(layer) + BEFORE_TRACKS + TRACK * self.track_of.get(number, 0)


def _rows_down(cells: Sequence[Cell], rows: Sequence[Sequence[int]]) -> _Rows:
    heights = [max((cells[number].size[1] for number in row), default=0.0) for row in rows]
    tops: list[float] = []
    track_of: dict[int, int] = {}
    y = 0.0
    for row, height in zip(rows, heights, strict=True):
        tops.append(y)
        tracks = _tracks(cells, row)
        track_of.update(tracks)
        count = max(tracks.values(), default=-1) + 1
        y += height + max(GAP_DOWN, BEFORE_TRACKS + TRACK * max(count - 1, 0) + AFTER_TRACKS)
    return _Rows(tops, heights, track_of)


def _tracks(cells: Sequence[Cell], row: Sequence[int]) -> dict[int, int]:
    """A track for every cell of a row whose edges go across: ways that would run over each other get tracks of their own."""
    spans: list[tuple[float, float, int]] = []
    for number in row:
        xs = [cells[number].x, *(cells[other].x for other in cells[number].below)]
        if max(xs) - min(xs) > 1:
            spans.append((min(xs), max(xs), number))
    found: dict[int, int] = {}
    ends: list[float] = []
    for left, right, number in sorted(spans):
        track = next((index for index, end in enumerate(ends) if end + 6 < left), len(ends))
        ends[track : track + 1] = [right]
        found[number] = track
    return found


# --- ways ----------------------------------------------------------------------------------------------------------------------------


def _downward(cells: Sequence[Cell], chain: Sequence[int], label: int | None, rows: _Rows) -> Route:
    """From box to box through the cells between, across only on tracks."""
    points: list[Point] = []
    for upper, lower in pairwise(chain):
        one, other = cells[upper], cells[lower]
        if upper == chain[0]:
            points.append((one.x, rows.middle(one.layer) + one.size[1] / 2))
        if abs(one.x - other.x) > 1:
            y = rows.track(upper, one.layer)
            points += [(one.x, y), (other.x, y)]
        if lower == chain[-1]:
            points.append((other.x, rows.middle(other.layer) - other.size[1] / 2))
    return Route(tuple(points), (cells[label].x, rows.middle(cells[label].layer)) if label is not None else None)


class _Lanes:
    """Ways up at the right side. A box with others to its right is left below and entered above."""

    def __init__(self, cells: Sequence[Cell], order: Sequence[Sequence[int]], rows: _Rows) -> None:
        self._cells, self._order, self._rows = cells, order, rows
        self._right = [max((cells[number].x + cells[number].size[0] / 2 for number in row), default=0.0) for row in order]

    def route(self, source: int, target: int, label: Size) -> Route:
        cells, rows = self._cells, self._rows
        low, high = cells[source].layer, cells[target].layer
        lane = max(self._right[high : low + 1]) + LANE + label[0] / 2
        for layer in range(high, low + 1):
            self._right[layer] = lane + label[0] / 2
        leave, enter = self._free(source) and source != target, self._free(target)
        one, other = cells[source], cells[target]
        if leave:
            out = [(one.x + one.size[0] / 2, rows.middle(low)), (lane, rows.middle(low))]
        else:
            y = rows.bottom(low) + BEFORE_TRACKS / 2
            out = [(one.x, rows.middle(low) + one.size[1] / 2), (one.x, y), (lane, y)]
        if enter:
            into = [(lane, rows.middle(high)), (other.x + other.size[0] / 2, rows.middle(high))]
        else:
            y = rows.tops[high] - AFTER_TRACKS * 0.6
            into = [(lane, y), (other.x, y), (other.x, rows.middle(high) - other.size[1] / 2)]
        middle = (lane, (out[-1][1] + into[0][1]) / 2)
        return Route((*out, *into), middle if label[0] else None, back=True)

    def _free(self, number: int) -> bool:
        """Whether no box or label stands to the right of a cell in its row."""
        row = self._order[self._cells[number].layer]
        return all(self._cells[other].bend for other in row[row.index(number) + 1 :])


def _framed(places: Mapping[str, Point], sizes: Mapping[str, Size], routes: Sequence[Route], links: Sequence[Link]) -> Layout:
    """Moves everything so that the left upper corner is (0, 0)."""
    boxes = [(x - sizes[id][0] / 2, y - sizes[id][1] / 2, x + sizes[id][0] / 2, y + sizes[id][1] / 2) for id, (x, y) in places.items()]
    for route, link in zip(routes, links, strict=True):
        boxes += [(x, y, x, y) for x, y in route.points]
        if route.label:
            (x, y), (wide, high) = route.label, link.label
            boxes.append((x - wide / 2, y - high / 2, x + wide / 2, y + high / 2))
    if not boxes:
        return Layout({}, (), 0.0, 0.0)
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)

    def moved(points: Iterable[Point]) -> tuple[Point, ...]:
        return tuple((x - left, y - top) for x, y in points)

    shifted = tuple(Route(moved(route.points), moved([route.label])[0] if route.label else None, route.back) for route in routes)
    return Layout({id: moved([place])[0] for id, place in places.items()}, shifted, right - left, bottom - top)
