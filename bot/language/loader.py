"""Loads a project's folder into a `Project`, with everything that is wrong in it as `Problem`s; it never raises for what is written.

Codes that begin with `refused-` name what the documented format holds and we do not run: that part is left out and the rest
works. Any other problem of severity "error" means that the project is not what its designer meant; an engine should not start it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from . import layout, refusals
from .builtins import BUILTIN_FILE_PREFIX
from .read_config import Settings, read_settings
from .read_domain import read_actions, read_session, read_slot
from .read_flows import read_examples, read_flow
from .read_responses import read_response
from .reading import Reading
from .spec import ActionSpec, Compat, Flow, Place, Problem, Project, SessionSettings
from .yamlfile import Node, parse_bytes, relative_name

DEFAULT_PATTERNS = Path(__file__).resolve().parent.parent / "dialogue" / "patterns"
"""The built-in patterns of conversation repair, found by path: this room does not import the one that runs them."""

FILE_KEYS = ("flows", "slots", "responses", "actions", "session_config", "examples")
QUIET_KEYS = ("version", "intents", "entities", "compat", "config")
"""Keys at the top of a file that need no word: they say nothing that we use, or travel in the domain as they are."""
_TESTS = re.compile(rb"^(test_cases|fixtures|stub_custom_actions)[ \t]*:", re.MULTILINE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project and what is wrong with it, in the order of files and lines."""

    project: Project
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What must be repaired before the project can run: errors, but not the refused parts it can run without."""
        return tuple(problem for problem in self.problems if problem.severity == "error" and not problem.code.startswith("refused-"))


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something named, not read yet.

    Of two with one name the higher rank counts: 0 built in, 1 built in for this compat only, 2 the project's.
    """

    name: str
    node: Node
    place: Place
    rank: int


@dataclass(slots=True)
class _Gathered:
    """What the files hold, before it is read."""

    named: dict[str, list[_Entry]] = field(default_factory=lambda: {"flows": [], "slots": [], "responses": [], "examples": []})
    actions: list[ActionSpec] = field(default_factory=list)
    session: SessionSettings = field(default_factory=SessionSettings)
    plain: dict[str, Any] = field(default_factory=lambda: {"session_config": {}, "intents": [], "entities": []})


def load(root: Path, *, compat: Compat | None = None, patterns: Path | None = None, aliases: Mapping[str, str] | None = None) -> Loaded:
    """Reads the project in `root`, in either layout, over the built-in patterns.

    `compat` overrides the project's own setting. `patterns` is a folder of built-in flows, slots and responses; a file there may say
    `compat: ["3.14"]` to count for these only. `aliases` maps other names of responses to ours; they are replaced wherever they are used.
    Raises ProjectNotFound when the folder holds no project.
    """
    root = Path(root)
    where = layout.find(root)
    reading = Reading(aliases=aliases or {}, agents=frozenset(where.agents))
    settings = read_settings(reading, where, compat)
    reading.compat, reading.language = settings.compat, settings.language
    if where.agents:
        reading.refuse(Place("sub_agents"), refusals.SUB_AGENTS, ", ".join(where.agents))
    gathered = _Gathered()
    folder = DEFAULT_PATTERNS if patterns is None else patterns
    for path in layout.yaml_files(folder):
        _gather(reading, gathered, path, BUILTIN_FILE_PREFIX + relative_name(path, folder), builtin=True)
    for path in where.files:
        _gather(reading, gathered, path, relative_name(path, root), strict=where.ours)
    project = _assemble(reading, gathered, settings, root)
    problems = sorted(dict.fromkeys(reading.problems), key=lambda problem: (problem.place, problem.code, problem.message))
    return Loaded(project, tuple(problems))


def _gather(reading: Reading, gathered: _Gathered, path: Path, file: str, *, builtin: bool = False, strict: bool = False) -> None:
    """Sorts what a file holds. Files of tests and, in the documented layout, files of something else are passed over."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reading.report(Place(file), "unreadable-file", f"the file cannot be read: {error.strerror}")
        return
    if _TESTS.search(content):
        return
    node, problems = parse_bytes(content, file)
    reading.problems.extend(problems)
    if node is None:
        return
    if node.entries is None:
        if strict:
            reading.report(node, "bad-file", f"the file holds {node.kind}", f"write one of these at the top: {', '.join(FILE_KEYS)}")
        return
    rank = 2
    if builtin:
        only = reading.texts(node.get("compat"), "`compat`", "bad-setting")
        if only and reading.compat not in only:
            return
        rank = 1 if only else 0
    for key, inner in node.entries.items():
        _sort(reading, gathered, node, key, inner, rank, strict)


def _sort(reading: Reading, gathered: _Gathered, node: Node, key: str, inner: Node, rank: int, strict: bool) -> None:
    if key in gathered.named:
        for name, entry in reading.mapping(inner, f"`{key}`", "bad-file"):
            ours = reading.renamed(name) if key == "responses" else name
            gathered.named[key].append(_Entry(ours, entry, inner.key_place(name), rank))
    elif key == "actions":
        gathered.actions.extend(read_actions(reading, inner))
    elif key == "session_config":
        gathered.session = read_session(reading, inner, gathered.session)
        gathered.plain["session_config"].update(inner.data if inner.entries else {})
    elif key in ("intents", "entities"):
        gathered.plain[key].extend(inner.data if isinstance(inner.data, list) else [])
    elif key in refusals.TOP_LEVEL:
        if inner.data:
            reading.refuse(node.key_place(key), refusals.TOP_LEVEL[key])
    elif key not in QUIET_KEYS:
        before = len(reading.problems)
        reading.unknown(node.key_place(key), "unknown-key", f"`{key}`", FILE_KEYS, "a file")
        if not strict and reading.problems[before:] and reading.problems[-1].severity == "warning":
            del reading.problems[before:]  # data/ may hold files of other tools


def _merge(reading: Reading, entries: Iterable[_Entry], what: str) -> dict[str, _Entry]:
    """One entry a name. Two of the same rank are a problem; the first counts."""
    merged: dict[str, _Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.rank):
        first = merged.get(entry.name)
        if first is None or first.rank < entry.rank:
            merged[entry.name] = entry
        elif first.node.data == entry.node.data:
            message = f"{what} `{entry.name}` is written twice, with the same content (first at {first.place})"
            reading.report(entry.place, "duplicate-id", message, "keep one of the two", "warning")
        else:
            message = f"{what} `{entry.name}` is written twice (first at {first.place}); the first counts"
            reading.report(entry.place, "duplicate-id", message, "rename one of the two, or remove it")
    return merged


def _read_all(reading: Reading, entries: Mapping[str, _Entry], read: Callable[[Reading, str, Node, Place], T | None]) -> dict[str, T]:
    values = ((name, read(reading, name, entry.node, entry.place)) for name, entry in entries.items())
    return {name: value for name, value in values if value is not None}


def _actions(reading: Reading, written: Iterable[ActionSpec]) -> dict[str, ActionSpec]:
    """Skills may name the same action; what one says about it counts for all."""
    merged: dict[str, ActionSpec] = {}
    for action in written:
        first = merged.get(action.name, action)
        read_only, idempotent = first.read_only or action.read_only, first.idempotent or action.idempotent
        merged[action.name] = replace(first, read_only=read_only, idempotent=idempotent)
    return merged


def _with_examples(reading: Reading, flows: Mapping[str, Flow], entries: Iterable[_Entry]) -> dict[str, Flow]:
    """Adds the examples that stand in files of their own."""
    merged = dict(flows)
    for entry in entries:
        flow = merged.get(entry.name)
        if flow is None:
            reading.unknown(entry.place, "unknown-flow", f"flow `{entry.name}`", tuple(flows), "the project")
            continue
        examples = dict(flow.examples)
        for language, texts in read_examples(reading, entry.node).items():
            examples[language] = tuple(dict.fromkeys((*examples.get(language, ()), *texts)))
        merged[entry.name] = replace(flow, examples=examples)
    return merged


def _assemble(reading: Reading, gathered: _Gathered, settings: Settings, root: Path) -> Project:
    merged = {kind: _merge(reading, gathered.named[f"{kind}s"], kind) for kind in ("flow", "slot", "response")}
    flows = _with_examples(reading, _read_all(reading, merged["flow"], read_flow), gathered.named["examples"])
    actions = _actions(reading, gathered.actions)
    domain = {
        "version": "3.1",
        **gathered.plain,
        "slots": {name: entry.node.data or {} for name, entry in merged["slot"].items()},
        "responses": {name: entry.node.data or [] for name, entry in merged["response"].items()},
        "actions": list(actions),
        "forms": {},
        "e2e_actions": [],
    }
    return Project(
        root=root,
        flows=flows,
        slots=_read_all(reading, merged["slot"], read_slot),
        responses=_read_all(reading, merged["response"], read_response),
        actions=actions,
        language=settings.language,
        additional_languages=settings.additional_languages,
        compat=settings.compat,
        session=gathered.session,
        settings=settings.plain,
        domain=domain,
    )
