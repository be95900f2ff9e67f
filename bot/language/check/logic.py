"""Can a condition hold, can it fail, does one leave anything to the next: decided by trying every value that could make a difference.

For each name a condition reads, a few values stand for all: null, the written values, their neighbours, and something else. What trying
cannot decide (regular expressions, parts of texts, comparing two names) may be either. So `never` and `always` are only said when certain;
above a bound on the work nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from ..conditions import Compare, Contains, Expression, Logical, Matches, Names, Not, Ref, SetOf, Special, Value, evaluate, truth, walk
from ..spec import Slot
from .values import number_of

MOST_TRIALS = 20_000
_ELSE = "§ something else"

Name = tuple[str, str]
Trial = tuple[Any, ...]


@dataclass(frozen=True)
class Space:
    """Every combination of values worth trying for some expressions. None of `trials` when there are too many."""

    names: tuple[Name, ...]
    unknowns: tuple[Expression, ...]
    candidates: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, expressions: Sequence[Expression], slots: Mapping[str, Slot]) -> Space | None:
        unknowns = tuple(dict.fromkeys(node for expression in expressions for node in _undecidable(expression, slots)))
        values: dict[Name, list[Any]] = {}
        for expression in expressions:
            for node in _decidable(expression, unknowns):
                _gather(node, values)
        names = tuple(values)
        candidates = [_candidates(slots.get(path) if namespace == "slots" else None, values[namespace, path]) for namespace, path in names]
        size = 2 ** len(unknowns)
        for choices in candidates:
            size *= len(choices)
            if size > MOST_TRIALS:
                return None
        return cls(names, unknowns, (*candidates, *(((False, True),) * len(unknowns))))

    def trials(self) -> Iterator[Trial]:
        return product(*self.candidates)

    def holds(self, expression: Expression, trial: Trial) -> bool:
        names: dict[str, dict[str, Any]] = {"slots": {}, "context": {}}
        for (namespace, path), value in zip(self.names, trial, strict=False):
            _put(names[namespace], path, value)
        free = dict(zip(self.unknowns, trial[len(self.names) :], strict=True))
        return _truth(expression, names, free)


def verdict(expression: Expression, slots: Mapping[str, Slot]) -> bool | None:
    """True when the expression always holds, False when it never does, None when either may happen or nobody can say."""
    space = Space.of([expression], slots)
    if space is None:
        return None
    seen: set[bool] = set()
    for trial in space.trials():
        seen.add(space.holds(expression, trial))
        if len(seen) == 2:
            return None
    return seen.pop() if seen else None


def taken_before(earlier: Sequence[Expression], expression: Expression, slots: Mapping[str, Slot]) -> bool:
    """Whether some earlier expression holds whenever this one does. False when nobody can say."""
    space = Space.of([*earlier, expression], slots)
    if space is None:
        return False
    possible = False
    for trial in space.trials():
        if space.holds(expression, trial):
            possible = True
            if not any(space.holds(other, trial) for other in earlier):
                return False
    return possible


def _truth(expression: Expression, names: Names, free: Mapping[Expression, bool]) -> bool:
    if expression in free:
        return free[expression]
    match expression:
        case Logical(op="and", left=left, right=right):
            return _truth(left, names, free) and _truth(right, names, free)
        case Logical(left=left, right=right):
            return _truth(left, names, free) or _truth(right, names, free)
        case Not(operand=operand):
            return not _truth(operand, names, free)
        case Ref(namespace=""):
            return False
        case _:
            return truth(evaluate(expression, names))


def _undecidable(expression: Expression, slots: Mapping[str, Slot]) -> Iterator[Expression]:
    """Predicates that trying values cannot decide."""
    match expression:
        case Logical(left=left, right=right):
            yield from _undecidable(left, slots)
            yield from _undecidable(right, slots)
        case Not(operand=operand):
            yield from _undecidable(operand, slots)
        case Matches():
            yield expression
        case Contains(left=left, right=right):
            if not (isinstance(left, SetOf) and all(isinstance(member, Value) for member in left.members)):
                yield expression
        case Compare(op=op, left=left, right=right):
            both_names = _is_name(left) and _is_name(right)
            by_letters = op not in ("=", "!=") and any(isinstance(side, Value) and number_of(side.value) is None for side in (left, right))
            if both_names or by_letters:
                yield expression
        case _:
            pass


def _decidable(expression: Expression, unknowns: Sequence[Expression]) -> Iterator[Expression]:
    if expression in unknowns:
        return
    match expression:
        case Logical(left=left, right=right):
            yield from _decidable(left, unknowns)
            yield from _decidable(right, unknowns)
        case Not(operand=operand):
            yield from _decidable(operand, unknowns)
        case _:
            yield expression


def _gather(predicate: Expression, values: dict[Name, list[Any]]) -> None:
    """The names a predicate reads, with what each is compared with."""
    nodes = list(walk(predicate))
    written = [node.value for node in nodes if isinstance(node, Value)]
    written += [node.path for node in nodes if isinstance(node, Ref) and not node.namespace]
    written += ["" for node in nodes if isinstance(node, Special)]
    for node in nodes:
        if isinstance(node, Ref) and node.namespace in ("slots", "context"):
            values.setdefault((node.namespace, node.path), []).extend(written)


def _candidates(slot: Slot | None, written: Sequence[Any]) -> tuple[Any, ...]:
    """Values that stand for all a name may hold; null always is one."""
    kind = slot.type if slot is not None else "any"
    found: list[Any] = [None]
    if kind == "bool":
        found += [True, False]
    elif kind == "categorical" and slot is not None and slot.values:
        found += slot.values
    elif kind == "float" and slot is not None:
        numbers = [*_around(written), *(bound for bound in (slot.minimum, slot.maximum) if bound is not None)]
        if slot.minimum is not None and slot.maximum is not None:
            numbers.append((slot.minimum + slot.maximum) / 2)
        low = slot.minimum if slot.minimum is not None else float("-inf")
        high = slot.maximum if slot.maximum is not None else float("inf")
        found += [number for number in numbers if low <= number <= high]
    else:
        found += ["", _ELSE, *(value for value in written if isinstance(value, str)), *_around(written)]
        if any(isinstance(value, bool) for value in written) or kind != "text":
            found += [True, False, "true", "false"]
    return tuple({(type(value), value): value for value in found}.values())


def _around(written: Sequence[Any]) -> list[float]:
    """Numbers on, between and beyond the written ones."""
    points = sorted({number for number in map(number_of, written) if number is not None and number == number and abs(number) < 1e300})
    if not points:
        return [0.0, 1.0]
    between = [(low + high) / 2 for low, high in pairwise(points)]
    return [*points, *between, points[0] - 1, points[-1] + 1]


def _is_name(expression: Expression) -> bool:
    return isinstance(expression, Ref) and bool(expression.namespace)


def _put(names: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        inner = names.get(parent)
        if not isinstance(inner, dict):
            inner = names[parent] = {}
        names = inner
    if not isinstance(names.get(last), dict):
        names[last] = value
