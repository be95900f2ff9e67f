"""Conditions: names nobody fills, comparisons that make no sense, conditions that never or always hold, branches nothing is left for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..conditions import Compare, Condition, Contains, Expression, Logical, Matches, Not, Ref, SetOf, Value, walk
from ..spec import Problem, Severity, Slot
from .logic import taken_before, verdict
from .values import misfit, number_of, spelled, value_hint
from .view import View, Where, did_you_mean

_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|[(){}]|[^\s(){}'"]+""")


def names(view: View) -> Iterator[Problem]:
    for where in view.conditions:
        expression = where.condition.expression
        if expression is None:
            continue
        predicates = {id(node) for node in _predicates(expression)}
        for node in walk(expression):
            if not isinstance(node, Ref):
                continue
            name = node.path.split(".")[0]
            if node.namespace == "context":
                if name not in view.context_names:
                    near = did_you_mean(name, view.context_names)
                    hint = near or "it is empty unless an event of the conversation brings it"
                    severity: Severity = "warning" if near else "info"
                    yield _problem(where, severity, "condition-unknown-name", f"nothing known fills `context.{name}`", hint)
            elif not node.namespace:
                yield _bare(view, where, node, id(node) in predicates)


def groups(view: View) -> Iterator[Problem]:
    """`and` before `or` without parentheses: the grammar reads `a and b or c` as `a and (b or c)`."""
    for where in view.conditions:
        if _and_then_or(where.condition.text):
            hint = "write `(a and b) or c`, or `a and (b or c)`; without parentheses it is read as the second"
            yield _problem(where, "warning", "condition-mixed-and-or", "`and` comes before `or` without parentheses", hint)


def types(view: View) -> Iterator[Problem]:
    for where in view.conditions:
        for node in walk(where.condition.expression) if where.condition.expression else ():
            yield from _mistypes(view, where, node)


def truths(view: View) -> Iterator[Problem]:
    for where in view.conditions:
        expression = where.condition.expression
        if expression is None or not _can_judge(view, where):
            continue
        answer = verdict(expression, view.slots)
        if answer is False:
            joined = any(isinstance(node, Logical) for node in walk(expression))
            hint = "its parts exclude each other" if joined else "remove it, or correct it"
            yield _problem(where, "error", "condition-never-true", "the condition can never hold", hint)
        elif answer is True:
            yield _problem(where, "warning", "condition-always-true", "the condition always holds", "write `else`, or correct it")


def branches(view: View) -> Iterator[Problem]:
    """Branches that come too late: after an unconditional one, or when earlier ones take every case."""
    for flow, step in view.steps():
        earlier: list[Condition] = []
        open_ended = True
        for branch in step.next:
            what = f"a branch of step `{step.id}` of flow `{flow.id}`"
            if not open_ended:
                hint = "put the branch without a condition last"
                yield Problem(branch.place, "warning", "branch-never-taken", f"{what} stands after one without a condition", hint)
                break
            if branch.condition is None:
                open_ended = False
                continue
            expression = branch.condition.expression
            where = Where(branch.condition, branch.place, what)
            if branch.condition in earlier:
                message = "an earlier branch has the same condition"
                yield _problem(where, "warning", "branch-never-taken", message, "remove one of the two")
            elif expression is not None and _can_judge(view, where):
                before = [other.expression for other in earlier if other.expression is not None]
                if before and verdict(expression, view.slots) is not False and taken_before(before, expression, view.slots):
                    message = "earlier branches take every case it holds for"
                    yield _problem(where, "warning", "branch-never-taken", message, "put the narrower condition first")
            earlier.append(branch.condition)


def _problem(where: Where, severity: Severity, code: str, message: str, hint: str = "") -> Problem:
    if where.judged and code == "condition-never-true":  # only superfluous: what the type does not allow is refused before
        severity, hint = "warning", "values that do not fit the slot's type are refused before, in words of their own"
    return Problem(where.place, severity, code, f"{where.what}: {message}: {where.condition.text}", hint)


def _predicates(expression: Expression) -> Iterator[Expression]:
    """The parts whose truth counts."""
    match expression:
        case Logical(left=left, right=right):
            yield from _predicates(left)
            yield from _predicates(right)
        case Not(operand=operand):
            yield from _predicates(operand)
        case _:
            yield expression


def _bare(view: View, where: Where, ref: Ref, is_predicate: bool) -> Problem:
    head, _, rest = ref.path.partition(".")
    if ref.path in view.slots:
        hint = f"did you mean `slots.{ref.path}`?" + ("" if is_predicate else f" A text is written '{ref.path}'.")
        return _problem(where, "error", "condition-bare-word", f"`{ref.path}` is a word, not the slot", hint)
    if rest and rest.replace(".", "").replace("_", "").isalnum() and number_of(ref.path) is None:
        hint = f"did you mean `slots.{rest}`?" if rest in view.slots else "names begin with `slots.` or `context.`; texts stand in quotes"
        return _problem(where, "error", "condition-unknown-name", f"`{head}.` is no place to read from", hint)
    if is_predicate:
        hint = did_you_mean(ref.path, view.slots).replace("`", "`slots.", 1) or "names begin with `slots.` or `context.`"
        return _problem(where, "error", "condition-bare-word", f"the word `{ref.path}` alone is never true", hint)
    return _problem(where, "warning", "condition-bare-word", f"the text `{ref.path}` stands without quotes", f"write '{ref.path}'")


def _and_then_or(text: str) -> bool:
    seen_and = [False]
    for token in _TOKEN.findall(text):
        word = token.lower()
        if token in "({":
            seen_and.append(False)
        elif token in ")}":
            if len(seen_and) > 1:
                seen_and.pop()
        elif word == "and":
            seen_and[-1] = True
        elif word == "or" and seen_and[-1]:
            return True
    return False


def _can_judge(view: View, where: Where) -> bool:
    """Whether a verdict on the whole says something new: nothing is wrong with its parts."""
    expression = where.condition.expression
    if expression is None or any(ref.namespace == "" or _is_unknown(view, ref) for ref in where.condition.refs()):
        return False
    return not any(True for node in walk(expression) for _ in _mistypes(view, where, node))


def _is_unknown(view: View, ref: Ref) -> bool:
    return ref.namespace == "slots" and ref.path.split(".")[0] not in view.slots


def _mistypes(view: View, where: Where, node: Expression) -> Iterator[Problem]:
    match node:
        case Compare(op=op, left=left, right=right):
            for side, other in ((left, right), (right, left)):
                slot = _slot(view, side)
                if slot is not None and isinstance(other, Value) and other.value is not None:
                    yield from _compared(where, slot, op, other.value)
        case Contains(left=SetOf(members=members), right=right) if (slot := _slot(view, right)) is not None:
            for member in members:
                if isinstance(member, Value) and slot.type in ("bool", "categorical", "float"):
                    yield from _compared(where, slot, "=", member.value)
        case Contains(left=left) | Matches(left=left) if (slot := _slot(view, left)) is not None:
            if slot.type in ("bool", "float"):
                verb = "matches" if isinstance(node, Matches) else "contains"
                message = f"`{slot.name}` is a {slot.type}; `{verb}` is for texts"
                yield _problem(where, "error", "condition-wrong-type", message, "compare it with `=`")
        case _:
            pass


def _compared(where: Where, slot: Slot, op: str, value: object) -> Iterator[Problem]:
    ordered = op not in ("=", "!=")
    if slot.type == "bool":
        if ordered:
            message = f"`{slot.name}` is true or false, so `{op}` makes no sense"
            yield _problem(where, "error", "condition-wrong-type", message, f"write `slots.{slot.name}` or `not slots.{slot.name}`")
        elif value not in (0, 1) and misfit(slot, value):
            message = f"`{slot.name}` is true or false, never {value!r}"
            yield _problem(where, "error", "condition-wrong-type", message, f"write `slots.{slot.name}` or `not slots.{slot.name}`")
    elif slot.type == "float":
        if number_of(value) is None:
            message = f"`{slot.name}` is a number, never {value!r}"
            yield _problem(where, "error", "condition-wrong-type", message, "compare it with a number")
    elif slot.type == "categorical" and slot.values:
        if ordered:
            if any(number_of(known) is None for known in slot.values) or number_of(value) is None:
                message = f"`{slot.name}` is one of {', '.join(slot.values)}; `{op}` makes no sense"
                yield _problem(where, "error", "condition-wrong-type", message, "compare it with `=`")
        elif spelled(value) not in slot.values:
            severity: Severity = "warning" if slot.controlled else "error"
            code = "condition-never-true" if op == "=" else "condition-always-true"
            hint = value_hint(slot, value) or "add the value to the slot, or correct it"
            yield _problem(where, severity, code, f"`{slot.name}` is never {value!r}; it is one of {', '.join(slot.values)}", hint)
    elif slot.type == "text" and ordered and isinstance(value, (int, float)):
        message = f"`{slot.name}` is a text compared by size"
        yield _problem(where, "warning", "condition-wrong-type", message, "make the slot a `float`")
    elif slot.type == "list":
        yield _problem(where, "error", "condition-wrong-type", f"`{slot.name}` is a list, never {value!r}", "use `contains`")


def _slot(view: View, expression: Expression) -> Slot | None:
    """The slot an operand reads; None for other operands, and for a part of a slot (`slots.bill.amount`)."""
    return view.slots.get(expression.path) if isinstance(expression, Ref) and expression.namespace == "slots" else None
