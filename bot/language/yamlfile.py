"""YAML 1.2 files with positions: every value knows the line and column it was written at.

The parser is libyaml's (through PyYAML's events), some ten times as fast as one in Python. What a scalar means is decided here, by
the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): `yes`, `no` and `on` are texts, `true` and `false` are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from .spec import Place, Problem

MAX_DEPTH = 100
MAX_COPIES = 100_000
"""Bounds of one file, the second one on what its aliases spell out: a handful of lines could otherwise fill the memory."""

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_STR_TAG = "tag:yaml.org,2002:str"


class Node:
    """A value as written. `data` is the plain value; `entries` (mappings) or `items` (lists) hold the nodes inside.

    `text` is the spelling of a scalar; `plain` says that it stood without quotes on one line; `inset` is how many characters of
    quoting precede its text, None for texts over several lines. `keys` says where each key of a mapping stands.
    """

    __slots__ = ("column", "data", "entries", "file", "inset", "items", "keys", "line", "plain", "size", "text")

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.data: Any = None
        self.entries: dict[str, Node] | None = None
        self.items: list[Node] | None = None
        self.keys: dict[str, Place] | None = None
        self.text = ""
        self.plain = False
        self.inset: int | None = None
        self.size = 1

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.column)

    @property
    def is_null(self) -> bool:
        return self.data is None

    @property
    def is_scalar(self) -> bool:
        return self.entries is None and self.items is None

    @property
    def kind(self) -> str:
        """What it is, in words for messages."""
        if self.entries is not None:
            return "a mapping"
        if self.items is not None:
            return "a list"
        if self.data is None:
            return "nothing"
        if isinstance(self.data, bool):
            return "true or false"
        return "a number" if isinstance(self.data, (int, float)) else "a text"

    def get(self, key: str) -> Node | None:
        """The value under a key; None when there is none or this is no mapping."""
        return self.entries.get(key) if self.entries is not None else None

    def has(self, key: str) -> bool:
        return self.entries is not None and key in self.entries

    def key_place(self, key: str) -> Place:
        """Where a key stands; the place of the whole when it is not there."""
        return (self.keys and self.keys.get(key)) or self.place

    def pairs(self) -> Iterator[tuple[str, Node]]:
        yield from (self.entries or {}).items()


@dataclass(frozen=True, slots=True)
class Positions:
    """Where the parts of a YAML file stand, by path: keys of mappings, indexes of lists, from the outermost inwards."""

    file: str
    node: Node | None
    problems: tuple[Problem, ...] = ()

    def place(self, path: Sequence[str | int] = ()) -> Place:
        """Where the entry at `path` begins: its key in a mapping, the item itself in a list.

        For what is not there, where the nearest part outside begins.
        """
        return self._find(path)[1]

    def value(self, path: Sequence[str | int] = ()) -> Place:
        """Where the value at `path` begins (for `key: value`, behind the colon)."""
        node, place = self._find(path)
        return node.place if node is not None else place

    def _find(self, path: Sequence[str | int]) -> tuple[Node | None, Place]:
        node, place = self.node, self.node.place if self.node else Place(self.file)
        for part in path:
            if node is None:
                break
            if node.items is not None and isinstance(part, int) and -len(node.items) <= part < len(node.items):
                node = node.items[part]
                place = node.place
            elif node.entries is not None and str(part) in node.entries:
                place = node.key_place(str(part))
                node = node.entries[str(part)]
            else:
                return None, place
        return node, place


def read_yaml(path: Path, root: Path) -> tuple[Any, Positions]:
    """The plain value of a file, and where everything in it stands. Keys are always texts.

    Places name the file relative to `root`. Never raises for what is in the file: `positions.problems` says what is wrong
    (`yaml-syntax`, `yaml-duplicate-key`), the value is then None or what could be read. Raises OSError when it cannot be opened.
    """
    file = relative_name(path, root)
    node, problems = parse_bytes(path.read_bytes(), file)
    return (node.data if node else None), Positions(file, node, tuple(problems))


def relative_name(path: Path, root: Path) -> str:
    """The name of a file in places: relative to the project's folder, with forward slashes."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def parse_bytes(content: bytes, file: str) -> tuple[Node | None, list[Problem]]:
    """Parses the bytes of a file; what is not UTF-8 is a `yaml-syntax` problem."""
    try:
        return parse_yaml(content.decode("utf-8-sig"), file)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        return None, [Problem(place, "error", "yaml-syntax", "the file is not UTF-8 text", "save the file as UTF-8")]


def parse_yaml(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """Parses the text of a file. An empty file is None without problems."""
    problems: list[Problem] = []
    parser = _PARSER(text)
    try:
        return _build(parser, file, problems), problems
    except _TooBig as error:
        problems.append(Problem(error.place, "error", "yaml-syntax", str(error), "write it out flatter, in several files"))
    except yaml.YAMLError as error:
        problems.append(_syntax_problem(error, text, file))
    finally:
        parser.dispose()
    return None, problems


class _TooBig(Exception):
    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def _build(parser: Any, file: str, problems: list[Problem]) -> Node | None:
    """Builds the tree from events, with a stack of its own: deep files must not exhaust Python's."""
    root: Node | None = None
    stack: list[Node] = []
    pending: list[tuple[str, Place] | None] = []  # the key read last, of each mapping on the stack
    anchors: dict[str, Node] = {}
    names: list[str | None] = []  # the anchor of each node on the stack
    documents = copied = 0
    get_event = parser.get_event
    while (event := get_event()) is not None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            node = _scalar(event, file)
            if event.anchor:
                anchors[event.anchor] = node
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            mark = event.start_mark
            node = Node(file, mark.line + 1, mark.column + 1)
            if len(stack) >= MAX_DEPTH:
                raise _TooBig(node.place, f"values are nested more than {MAX_DEPTH} deep")
            if kind is yaml.MappingStartEvent:
                node.entries, node.data, node.keys = {}, {}, {}
            else:
                node.items, node.data = [], []
            stack.append(node)
            pending.append(None)
            names.append(event.anchor)
            continue
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            node = stack.pop()
            pending.pop()
            if name := names.pop():
                anchors[name] = node
        elif kind is yaml.AliasEvent:
            mark = event.start_mark
            if event.anchor not in anchors:
                place = Place(file, mark.line + 1, mark.column + 1)
                problems.append(Problem(place, "error", "yaml-syntax", f"there is no anchor &{event.anchor} before this alias"))
                node = Node(file, mark.line + 1, mark.column + 1)
            else:
                node = anchors[event.anchor]
                if (copied := copied + node.size) > MAX_COPIES:
                    raise _TooBig(Place(file, mark.line + 1, mark.column + 1), "the file is too large when its aliases are written out")
                node = _copy(node)
        else:
            documents += kind is yaml.DocumentStartEvent
            if documents == 2:
                place = Place(file, event.start_mark.line + 1, event.start_mark.column + 1)
                problems.append(
                    Problem(place, "error", "yaml-syntax", "a file holds one YAML document", "put what follows `---` in a file of its own")
                )
                break
            continue
        if not stack:
            root = node
            continue
        parent = stack[-1]
        parent.size += node.size
        if parent.items is not None:
            parent.items.append(node)
            parent.data.append(node.data)
        elif (key := pending[-1]) is None:
            pending[-1] = (node.text if node.is_scalar else str(node.data), node.place)
        else:
            pending[-1] = None
            _put(parent, key[0], key[1], node, problems)
    return None if root is None or (root.is_scalar and root.data is None) else root


def _copy(node: Node) -> Node:
    """A node of its own for an alias: two steps written once are still two steps."""
    copy = Node(node.file, node.line, node.column)
    copy.data, copy.keys, copy.text, copy.plain, copy.inset, copy.size = node.data, node.keys, node.text, node.plain, node.inset, node.size
    copy.entries = None if node.entries is None else {key: _copy(inner) for key, inner in node.entries.items()}
    copy.items = None if node.items is None else [_copy(inner) for inner in node.items]
    return copy


def _put(mapping: Node, key: str, place: Place, value: Node, problems: list[Problem]) -> None:
    entries, keys = mapping.entries, mapping.keys
    assert entries is not None
    assert keys is not None
    if key == "<<" and value.entries is not None:  # the merge key: not of YAML 1.2, but widely used
        for name, inner in value.entries.items():
            if name not in entries:
                entries[name], mapping.data[name], keys[name] = inner, inner.data, value.key_place(name)
        return
    first = keys.get(key)
    if first is not None and first >= mapping.place:  # what came in by a merge key stands elsewhere, and gives way
        message = f"`{key}` is written twice in the same mapping (first in line {first.line}); the first counts"
        problems.append(Problem(place, "error", "yaml-duplicate-key", message, "remove one of the two, or rename it"))
        return
    entries[key], mapping.data[key], keys[key] = value, value.data, place


def _scalar(event: Any, file: str) -> Node:
    mark = event.start_mark
    node = Node(file, mark.line + 1, mark.column + 1)
    node.text = text = event.value
    style = event.style
    node.plain = plain = style is None or style == ""
    if event.end_mark.line == mark.line:
        node.inset = 0 if plain else 1
    node.data = resolve(text) if plain and event.tag is None else text
    if event.tag is not None and event.tag != _STR_TAG and event.tag.startswith("tag:yaml.org,2002:"):
        node.data = resolve(text)
    return node


def resolve(text: str) -> Any:
    """What a plain scalar means by the core schema of YAML 1.2."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "0123456789+-.":
        return text
    try:
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
        if _BASED.match(text):
            return int(text, 0)
    except ValueError:  # more digits than int() reads
        return text
    if special := _SPECIAL.match(text):
        return float("nan") if special[3] else float(f"{special[1]}inf")
    return text


def _syntax_problem(error: Exception, text: str, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if mark is None and isinstance(position := getattr(error, "position", None), int):
        before = text[:position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "this is no YAML")
    context = getattr(error, "context", None)
    lines = text.splitlines()
    written = lines[line - 1] if 0 < line <= len(lines) else ""
    hint = "check the indentation and the quotes here and in the line above"
    if "\t" in written[: len(written) - len(written.lstrip())]:
        hint = "indent with spaces, not with tabs"
    elif "mapping values are not allowed" in what:
        hint = "put the text in quotes when it holds a colon and a space, or check the indentation"
    elif written[column - 1 : column] in ("{", "[", "%", "@", "`", "*", "&", "!"):
        hint = f"put the text in quotes when it begins with {written[column - 1]}"
    return Problem(Place(file, line, column), "error", "yaml-syntax", f"{what} {context}" if context else what, hint)
