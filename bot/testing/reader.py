"""Reads test files. A mistake in one case leaves the other cases of the file usable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.dialogue.commands import Command, CommandSyntaxError, parse
from bot.language import Place, Problem
from bot.language.yamlfile import Node, parse_bytes

from . import nodes
from .expectations import PLAIN, read_assertions, read_plain
from .nodes import Field, Wrong
from .scenarios import Case, CaseFile, Exchange, Stub

_OURS = frozenset({"test_cases", "fixtures", "metadata", "stub_custom_actions"})
_THEIRS = frozenset({"version", "flows", "slots", "responses", "actions", "session_config", "examples", "nlu"})
"""Keys of other readers, which may share a file with test cases."""
_CASE = frozenset({"test_case", "fixtures", "metadata", "steps"})
_USER = frozenset({"user", "metadata", "assertions", "assertion_order_enabled", "commands"})
_STUB = frozenset({"events", "responses"})
_SEPARATOR = "::"


def read_file(path: Path) -> CaseFile:
    """Reads a test file. Never raises: what is wrong is among the problems of the file or of a case.

    Places name the file as seen from the current folder if it is inside, so that terminals can link to it.
    """
    here = Path.cwd()
    file = str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path)
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = Problem(Place(file), "error", "test-unreadable", f"cannot be read: {error.strerror or error}")
        return CaseFile(file, problems=(problem,))
    return read_cases(content, file)


def read_cases(content: bytes, file: str) -> CaseFile:
    """Reads test cases from the bytes of a file; `file` names it in places."""
    root, problems = parse_bytes(content, file)
    if root is None:
        if not problems:
            problems.append(Problem(Place(file), "error", "test-no-cases", "the file is empty", "list cases under test_cases:"))
        return CaseFile(file, problems=tuple(problems))
    cases: list[Case] = []
    keys: list[Place] = []
    try:
        top = nodes.fields(root, "a test file")
        keys += (entry.place for entry in top.values())
        if "test_cases" not in top:
            raise Wrong(root.place, "test-no-cases", "there is no test_cases here", "list cases under test_cases:")
        for key, entry in top.items():
            if key not in _OURS | _THEIRS:
                hint = nodes.known(_OURS)
                problems.append(Problem(entry.place, "error", "test-unknown-key", f"a test file has no {key!r}", hint))
        shared = _Shared(
            fixtures=_named(top.get("fixtures"), "fixtures", problems),
            metadata=_named(top.get("metadata"), "metadata", problems),
            stubs=_stubs(top.get("stub_custom_actions"), problems),
        )
        for item in nodes.items(top["test_cases"].value, "test_cases"):
            cases.append(_case(item, shared))
        names = {case.name for case in cases}
        for key, stub in shared.stubs.items():
            if stub.case and stub.case not in names:
                message, hint = f"the stub {key!r} is for no case of this file", "write action, or case::action"
                problems.append(Problem(stub.place, "error", "test-unknown-case", message, hint))
    except Wrong as wrong:
        problems.append(wrong.problem)
    return _settled(file, cases, keys, problems)


def _settled(file: str, cases: Sequence[Case], keys: Sequence[Place], problems: Sequence[Problem]) -> CaseFile:
    """Mistakes of spelling that stand inside a case are the case's, so that the others still run. `keys`: where parts of the file begin."""
    inside: dict[Place | None, list[Problem]] = {}
    parts: list[tuple[Place, Case | None]] = [*((key, None) for key in keys), *((case.place, case) for case in cases)]
    parts.sort(key=lambda part: part[0])
    for problem in problems:
        owner = next((case for place, case in reversed(parts) if place <= problem.place), None)
        if owner is not None and problem.place.column < owner.place.column:
            owner = None
        inside.setdefault(owner.place if owner else None, []).append(problem)
    settled = (replace(case, problems=(*case.problems, *inside.get(case.place, ()))) for case in cases)
    return CaseFile(file, tuple(settled), tuple(inside.get(None, ())))


@dataclass(frozen=True, slots=True)
class _WrittenStub:
    """A stub and what it is for: an action, in one case or (`case` empty) in all."""

    place: Place
    case: str
    action: str
    stub: Stub


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the cases of a file have in common; stubs by the key they are written under."""

    fixtures: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, Mapping[str, Any]]
    stubs: Mapping[str, _WrittenStub]

    def stubs_for(self, case: str) -> dict[str, Stub]:
        """Stubs by action; those of the case itself win over those of the file."""
        rows = sorted(self.stubs.values(), key=lambda row: row.case != "")
        return {row.action: row.stub for row in rows if row.case in ("", case)}


@dataclass(slots=True)
class _Draft:
    """An exchange while its steps are being read."""

    place: Place
    text: str | None
    expected: list[Any] = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)

    def done(self) -> Exchange:
        return Exchange(self.place, self.text, tuple(self.expected), **self.rest)


def _named(entry: Field | None, what: str, problems: list[Problem]) -> dict[str, Mapping[str, Any]]:
    """Fixtures or metadata: a list of `name: values`, the values being a mapping or a list of mappings."""
    found: dict[str, Mapping[str, Any]] = {}
    if entry is None:
        return found
    try:
        for item in nodes.items(entry.value, what) if entry.value.entries is None else [entry.value]:
            for name, part in nodes.fields(item, what).items():
                found[name] = _values(part.value, f"{what} {name!r}")
    except Wrong as wrong:
        problems.append(wrong.problem)
    return found


def _values(node: Node, what: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in nodes.items(node, what) if node.entries is None else [node]:
        values.update({name: entry.value.data for name, entry in nodes.fields(item, what).items()})
    return values


def _stubs(entry: Field | None, problems: list[Problem]) -> dict[str, _WrittenStub]:
    found: dict[str, _WrittenStub] = {}
    if entry is None or entry.value.is_null:
        return found
    try:
        for key, part in nodes.fields(entry.value, "stub_custom_actions").items():
            what = f"the stub {key!r}"
            lists: dict[str, tuple[Mapping[str, Any], ...]] = {}
            for name, sub in nodes.fields(part.value, what, _STUB).items() if not part.value.is_null else ():
                rows = nodes.items(sub.value, f"{name} of {what}")
                for row in rows:
                    nodes.fields(row, f"an entry in {name} of {what}")
                lists[name] = tuple(row.data for row in rows)
            case, _, action = key.rpartition(_SEPARATOR)
            found[key] = _WrittenStub(part.place, case.strip(), action.strip(), Stub(**lists))
    except Wrong as wrong:
        problems.append(wrong.problem)
    return found


def _case(node: Node, shared: _Shared) -> Case:
    """One case; whatever is wrong in it is collected, step by step."""
    place = node.place
    case = Case("(unnamed)", place)
    problems: list[Problem] = []
    exchanges: list[_Draft] = []
    try:
        fields = nodes.fields(node, "a test case")
        if "test_case" in fields:
            case = replace(case, name=nodes.text(fields["test_case"].value, "test_case").strip() or case.name)
        else:
            problems.append(Problem(place, "error", "test-bad-value", "this test case has no name", "add test_case:"))
        nodes.fields(node, "a test case", _CASE)
        if "fixtures" in fields:
            case = replace(case, slots=_chosen(fields["fixtures"].value, "fixture", shared.fixtures))
        if "metadata" in fields:
            case = replace(case, metadata=_chosen(fields["metadata"].value, "metadata", shared.metadata))
        steps = nodes.items(fields["steps"].value, "steps") if "steps" in fields else []
        if not steps:
            problems.append(Problem(place, "error", "test-bad-value", "this test case has no steps", "add steps:"))
        for step in steps:
            try:
                _step(step, exchanges, shared)
            except Wrong as wrong:
                problems.append(wrong.problem)
    except Wrong as wrong:
        problems.append(wrong.problem)
    return replace(
        case,
        exchanges=tuple(draft.done() for draft in exchanges),
        stubs=shared.stubs_for(case.name),
        problems=tuple(problems),
    )


def _chosen(node: Node, what: str, known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The values of the named fixtures or metadata, later ones on top; inline mappings are taken as they are."""
    values: dict[str, Any] = {}
    for item in nodes.items(node, what) if node.items is not None or node.is_null else [node]:
        if item.entries is not None:
            values.update({name: entry.value.data for name, entry in nodes.fields(item, what).items()})
            continue
        name = nodes.text(item, what)
        if name not in known:
            hint = f"known: {', '.join(sorted(known))}" if known else "this file defines none"
            raise Wrong(item.place, f"test-unknown-{what}", f"there is no {what} {name!r} in this file", hint)
        values.update(known[name])
    return values


def _step(node: Node, exchanges: list[_Draft], shared: _Shared) -> None:
    """Adds a step: a user step begins an exchange, any other belongs to the latest one."""
    fields = nodes.fields(node, "a step")
    kinds = [key for key in fields if key == "user" or key in PLAIN]
    if len(kinds) != 1:
        hint = "one of user, bot, utter, slot_was_set, slot_was_not_set"
        raise Wrong(node.place, "test-bad-step", f"a step has exactly one kind, this one has {len(kinds)}", hint)
    kind = kinds[0]
    if kind == "user":
        draft = _Draft(node.place, nodes.text(fields["user"].value, "user"))
        exchanges.append(draft)
        nodes.fields(node, "a user step", _USER)
        draft.rest.update(_user(fields, shared))
        return
    if not exchanges:
        exchanges.append(_Draft(node.place, None))
    nodes.fields(node, f"the step {kind}", frozenset({kind}))
    exchanges[-1].expected += read_plain(kind, fields[kind].value)


def _user(fields: Mapping[str, Field], shared: _Shared) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "metadata" in fields:
        found["metadata"] = _chosen(fields["metadata"].value, "metadata", shared.metadata)
    if "assertions" in fields:
        found["assertions"] = read_assertions(fields["assertions"].value)
    if "assertion_order_enabled" in fields:
        found["ordered"] = nodes.flag(fields["assertion_order_enabled"].value, "assertion_order_enabled")
    if "commands" in fields:
        items = nodes.items(fields["commands"].value, "commands")
        found["commands"] = tuple(_command(item) for item in items)
    return found


def _command(node: Node) -> Command:
    written = nodes.text(node, "a command")
    try:
        return parse(written)
    except CommandSyntaxError as error:
        hint = "inside [ ] quote a command with a comma" if "(" in written and ")" not in written else ""
        raise Wrong(node.place, "test-bad-command", str(error), hint) from error
