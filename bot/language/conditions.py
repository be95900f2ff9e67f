"""Conditions: the predicates designers write after `if:`, parsed by pypred's grammar, evaluated null- and type-safe by us.

What we change against plain pypred, and why: a comparison with null or across types is false instead of an exception; the texts
"true" and "false" count as booleans (models and buttons send text); numbers in text compare as numbers; `undefined` means empty.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

Names = Mapping[str, Mapping[str, Any]]
"""What a condition may read: `{"slots": {...}, "context": {...}}`."""

CompareOp = Literal["=", "!=", "<", "<=", ">", ">="]


class ConditionError(ValueError):
    """A condition that cannot be parsed. `column` counts characters of the condition text from 0."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Ref:
    """A name looked up when the condition is evaluated: `namespace` is `slots`, `context`, or "" for a bare word."""

    namespace: str
    path: str
    column: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """A written value: text, number, true, false or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Special:
    """`empty` or `undefined`: what they are compared with decides."""

    name: Literal["empty", "undefined"]


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set literal `{'a' 'b'}`."""

    members: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Logical:
    op: Literal["and", "or"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression


@dataclass(frozen=True, slots=True)
class Compare:
    op: CompareOp
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Contains:
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Matches:
    left: Expression
    pattern: str


Expression = Ref | Value | Special | SetOf | Logical | Not | Compare | Contains | Matches

_MISSING = object()
_TEMPLATE = re.compile(r"\{\{\s*(?P<namespace>context|slots)\.(?P<path>[\w.]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition. Make one with `Condition.parse`; ask it with `holds`.

    A text with `{{context.x}}` is a template: it is filled in and parsed when asked.
    """

    text: str
    expression: Expression | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Raises ConditionError when the text is no predicate."""
        text = str(text).strip()
        if not text:
            raise ConditionError("the condition is empty")
        if _TEMPLATE.search(text):
            _expression(_TEMPLATE.sub("placeholder", text))
            return cls(text)
        return cls(text, _expression(text))

    def holds(self, slots: Mapping[str, Any], context: Mapping[str, Any] | None = None) -> bool:
        """Whether the condition is true. Never raises: what cannot be compared is false."""
        names: Names = {"slots": slots, "context": context or {}}
        expression = self.expression
        if expression is None:
            try:
                expression = _expression(
                    _TEMPLATE.sub(lambda match: _written(_look_up(names, match["namespace"], match["path"])), self.text)
                )
            except ConditionError:
                return False
        return truth(evaluate(expression, names))

    def refs(self) -> tuple[Ref, ...]:
        """Every name the condition reads, in order; empty for templates."""
        return tuple(node for node in walk(self.expression) if isinstance(node, Ref)) if self.expression else ()

    def __str__(self) -> str:
        return self.text


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything inside it, outermost first."""
    yield expression
    match expression:
        case Logical(left=left, right=right) | Compare(left=left, right=right) | Contains(left=left, right=right):
            yield from walk(left)
            yield from walk(right)
        case Not(operand=inner) | Matches(left=inner):
            yield from walk(inner)
        case SetOf(members=members):
            for member in members:
                yield from walk(member)
        case _:
            pass


def evaluate(expression: Expression, names: Names) -> Any:
    """The value of an expression: a bool for predicates, the looked-up or written value for operands."""
    match expression:
        case Ref(namespace=namespace, path=path):
            if not namespace:
                return path
            found = _look_up(names, namespace, path)
            return None if found is _MISSING else found
        case Value(value=value):
            return value
        case SetOf(members=members):
            return [evaluate(member, names) for member in members]
        case Logical(op="and", left=left, right=right):
            return _predicate(left, names) and _predicate(right, names)
        case Logical(left=left, right=right):
            return _predicate(left, names) or _predicate(right, names)
        case Not(operand=operand):
            return not _predicate(operand, names)
        case Compare(op=op, left=left, right=right):
            return _compare(op, left, right, names)
        case Contains(left=left, right=right):
            return _contains(evaluate(left, names), evaluate(right, names))
        case Matches(left=left, pattern=pattern):
            subject = evaluate(left, names)
            return subject is not None and re.search(pattern, _written(subject)) is not None
        case _:
            return None


def _predicate(expression: Expression, names: Names) -> bool:
    if isinstance(expression, Ref) and not expression.namespace:
        return False  # a bare word is no truth; the checker points it out
    return truth(evaluate(expression, names))


def truth(value: Any) -> bool:
    """Whether a value counts as true. The text "false" does not: yes/no answers often live in text slots."""
    if isinstance(value, str):
        return value != "" and value.strip().lower() != "false"
    return bool(value)


def equal(left: Any, right: Any) -> bool:
    """Loose equality: text equals the number or boolean it spells."""
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        left_bool, right_bool = _as_bool(left), _as_bool(right)
        return left_bool is not None and left_bool is right_bool
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    left_number, right_number = _as_number(left), _as_number(right)
    if left_number is not None and right_number is not None:
        return left_number == right_number
    return bool(left == right)


def _compare(op: CompareOp, left: Expression, right: Expression, names: Names) -> bool:
    for special, other in ((left, right), (right, left)):
        if isinstance(special, Special):
            value = evaluate(other, names)
            is_so = value is None or (special.name == "empty" and hasattr(value, "__len__") and len(value) == 0)
            return is_so if op == "=" else (not is_so if op == "!=" else False)
    a, b = evaluate(left, names), evaluate(right, names)
    if op == "=":
        return equal(a, b)
    if op == "!=":
        return not equal(a, b)
    if a is None or b is None:
        return False
    a_number, b_number = _as_number(a), _as_number(b)
    if a_number is not None and b_number is not None:
        return _ordered(op, (a_number > b_number) - (a_number < b_number))
    if isinstance(a, str) and isinstance(b, str):
        return _ordered(op, (a > b) - (a < b))
    return False


def _ordered(op: CompareOp, sign: int) -> bool:
    """`sign` is negative, zero or positive as the left side is less, equal or greater."""
    match op:
        case "<":
            return sign < 0
        case "<=":
            return sign <= 0
        case ">":
            return sign > 0
        case _:
            return sign >= 0


def _contains(container: Any, member: Any) -> bool:
    if container is None or member is None:
        return False
    if isinstance(container, str):
        return _written(member) in container
    if isinstance(container, (list, tuple, set, frozenset)):
        return any(equal(item, member) for item in container)
    if isinstance(container, Mapping):
        return _written(member) in container
    return False


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _as_bool(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    return None


def _look_up(names: Names, namespace: str, path: str) -> Any:
    value: Any = names.get(namespace, {})
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            return _MISSING
    return value


def _written(value: Any) -> str:
    if value is None or value is _MISSING:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


# --- parsing -------------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _grammar() -> tuple[Any, Any]:
    """pypred's lexer and parser, built once: building the tables takes some 50 ms. Tables are neither read from nor written to disk."""
    import ply.lex
    import ply.yacc
    from pypred import parser as grammar

    silent = ply.yacc.NullLogger()
    lexer = ply.lex.lex(module=grammar, errorlog=silent)
    return lexer, ply.yacc.yacc(module=grammar, debug=False, write_tables=False, errorlog=silent, debuglog=silent)


@lru_cache(maxsize=4096)
def _expression(text: str) -> Expression:
    base_lexer, parser = _grammar()
    lexer = base_lexer.clone()
    lexer.errors, parser.errors = [], []
    lexer.parser = parser
    try:
        tree = parser.parse(text, lexer=lexer)
    except SyntaxError as error:
        raise ConditionError(f"cannot read the condition {text!r}: {error}", len(text)) from None
    except (AttributeError, TypeError, ValueError) as error:
        raise ConditionError(f"cannot read the condition {text!r}") from error
    if lexer.errors:
        token, column, _ = lexer.errors[0]
        raise ConditionError(f"unexpected {token!r} in the condition {text!r}", column)
    if parser.errors:
        _, _, token, column, _ = parser.errors[0]
        raise ConditionError(f"unexpected {token!r} in the condition {text!r}", column)
    if tree is None:
        raise ConditionError(f"cannot read the condition {text!r}")
    return _translate(tree, text)


def _translate(node: Any, text: str) -> Expression:
    translate: Callable[[Any], Expression] = lambda inner: _translate(inner, text)  # noqa: E731
    match type(node).__name__:
        case "LogicalOperator":
            op: Literal["and", "or"] = "and" if str(node.type).lower() == "and" else "or"
            return Logical(op, translate(node.left), translate(node.right))
        case "NegateOperator":
            return Not(translate(node.left))
        case "CompareOperator":
            spelled: dict[str, CompareOp] = {"is": "=", "==": "=", "is not": "!="}
            name = str(node.type).lower()
            return Compare(spelled.get(name, name), translate(node.left), translate(node.right))  # type: ignore[arg-type]
        case "ContainsOperator":
            return Contains(translate(node.left), translate(node.right))
        case "MatchOperator":
            return _matches(node, text, translate)
        case "Literal":
            return _literal(str(node.value), getattr(node, "position", None))
        case "Number":
            number = float(node.value)
            return Value(int(number) if number.is_integer() else number)
        case "Constant":
            return Value(node.value)
        case "Undefined":
            return Special("undefined")
        case "Empty":
            return Special("empty")
        case "LiteralSet":
            return SetOf(tuple(translate(member) for member in node.value))
        case other:
            raise ConditionError(f"{other} is not supported in the condition {text!r}")


def _matches(node: Any, text: str, translate: Callable[[Any], Expression]) -> Expression:
    raw = node.right.value if hasattr(node.right, "value") else node.right
    pattern = str(getattr(raw, "value", raw))
    if len(pattern) >= 2 and pattern[0] == pattern[-1] and pattern[0] in "'\"":
        pattern = pattern[1:-1]
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConditionError(f"bad regular expression {pattern!r} in the condition {text!r}: {error}") from None
    return Matches(translate(node.left), pattern)


def _literal(written: str, position: Any) -> Expression:
    column = position[1] if isinstance(position, tuple) and len(position) > 1 else 0
    if len(written) >= 2 and written[0] == written[-1] and written[0] in "'\"":
        return Value(written[1:-1])
    namespace, dot, path = written.partition(".")
    if dot and namespace in ("slots", "context"):
        return Ref(namespace, path, column)
    return Ref("", written, column)


logging.getLogger("pypred").addHandler(logging.NullHandler())
