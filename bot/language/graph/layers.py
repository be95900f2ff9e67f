"""On which layer every box stands, and in what order: the first half of a layered layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from .shapes import Cell, Link

SWEEPS = 24


def backward(ids: Sequence[str], links: Sequence[Link]) -> set[int]:
    """Numbers of the links that close a circle, seen depth first in the order written."""
    out: dict[str, list[tuple[int, str]]] = {id: [] for id in ids}
    for number, link in enumerate(links):
        out[link.source].append((number, link.target))
    state: dict[str, int] = {}
    back: set[int] = set()
    for root in ids:
        if root in state:
            continue
        state[root] = 1
        work = [(root, iter(out[root]))]
        while work:
            node, following = work[-1]
            for number, target in following:
                if state.get(target) == 1:
                    back.add(number)
                elif target not in state:
                    state[target] = 1
                    work.append((target, iter(out[target])))
                    break
            else:
                state[node] = 2
                work.pop()
    return back


def layers_of(ids: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """The longest way from above; a link with words takes two layers."""
    waiting = dict.fromkeys(ids, 0)
    out: dict[str, list[Link]] = {id: [] for id in ids}
    for link in links:
        out[link.source].append(link)
        waiting[link.target] += 1
    layer = dict.fromkeys(ids, 0)
    ready = [id for id in ids if not waiting[id]]
    while ready:
        id = ready.pop()
        for link in out[id]:
            layer[link.target] = max(layer[link.target], layer[id] + (2 if link.label[0] else 1))
            waiting[link.target] -= 1
            if not waiting[link.target]:
                ready.append(link.target)
    return layer


def ordered(cells: Sequence[Cell]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max((cell.layer for cell in cells), default=-1) + 1)]
    for number in _as_written(cells):
        rows[cells[number].layer].append(number)
    best, fewest = [list(row) for row in rows], _crossings(cells, rows)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            at = {number: place for other in rows for place, number in enumerate(other)}
            keys = {number: _barycentre(cells[number].above if down else cells[number].below, at, at[number]) for number in row}
            row.sort(key=keys.__getitem__)
        count = _crossings(cells, rows)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    return best


def _as_written(cells: Sequence[Cell]) -> list[int]:
    """Cells depth first from above, so that the first branch stands leftmost."""
    seen: dict[int, None] = {}
    for root in (number for number, cell in enumerate(cells) if not cell.above):
        todo = [root]
        while todo:
            number = todo.pop()
            if number not in seen:
                seen[number] = None
                todo.extend(reversed(cells[number].below))
    return list(seen)


def _barycentre(neighbours: Sequence[int], at: Mapping[int, int], otherwise: int) -> float:
    return sum(at[other] for other in neighbours) / len(neighbours) if neighbours else float(otherwise)


def _crossings(cells: Sequence[Cell], rows: Sequence[Sequence[int]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        at = {number: place for place, number in enumerate(lower)}
        ends = [at[other] for number in upper for other in sorted(cells[number].below, key=at.__getitem__)]
        total += sum(1 for place, end in enumerate(ends) for later in ends[place + 1 :] if later < end)
    return total
