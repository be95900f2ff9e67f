"""Which files of a folder belong to a project.

There are two layouts: ours (`flows/<skill>/*.yml`) and the documented one (`data/`, `domain.yml`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SETTINGS = ("switchboard.yml", "switchboard.yaml")
CONFIG = ("config.yml", "config.yaml")
ROOT_FILES = ("domain.yml", "domain.yaml", "flows.yml", "flows.yaml", "examples.yml", "examples.yaml")
DOMAIN_FOLDERS = ("domain", "domains")
SKIPPED_FOLDERS = frozenset(("__pycache__", "node_modules", "venv", "tests", "e2e_tests", "dialogue_understanding_tests"))
"""Folders that hold no flows wherever they are; nor do hidden ones. Tests are read by the scenario runner."""


class ProjectNotFound(Exception):
    """A folder that holds no project; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a project, each list in a fixed order. `ours` tells which of the two layouts it has."""

    root: Path
    ours: bool
    files: tuple[Path, ...]
    settings: Path | None = None
    config: Path | None = None
    agents: tuple[str, ...] = ()


def find(root: Path) -> Layout:
    """Raises ProjectNotFound when `root` is no folder or holds no project."""
    if not root.is_dir():
        raise ProjectNotFound(f"{root} is not a folder" if root.exists() else f"there is no folder {root}")
    ours = any(_yaml_files(root / "flows"))
    folders = [*DOMAIN_FOLDERS, "flows" if ours else "data"]
    found = {path for name in ROOT_FILES if (path := root / name).is_file()}
    for folder in folders:
        found.update(_yaml_files(root / folder))
    settings, config = _first(root, SETTINGS), _first(root, CONFIG)
    if settings is None and not found:
        raise ProjectNotFound(_not_found(root))
    files = tuple(sorted(found, key=lambda path: path.relative_to(root).as_posix()))
    return Layout(root, ours, files, settings, config, _agents(root / "sub_agents"))


def yaml_files(folder: Path) -> tuple[Path, ...]:
    """Every YAML file below a folder, in the order of their names; none when there is no such folder."""
    return tuple(sorted(_yaml_files(folder), key=lambda path: path.relative_to(folder).as_posix()))


def _yaml_files(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS)
        for name in sorted(files):
            if name.endswith((".yml", ".yaml")) and not name.startswith("."):
                yield Path(where, name)


def _agents(folder: Path) -> tuple[str, ...]:
    """The names of the sub-agents, a folder each."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))))


def _first(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((path for name in names if (path := root / name).is_file()), None)


def _not_found(root: Path) -> str:
    message = f"{root} holds no project: there is no switchboard.yml, no flows/ folder, and neither data/ nor domain.yml with YAML files"
    for parent in root.resolve().parents[:3]:
        if _first(parent, SETTINGS) or (_first(parent, CONFIG) and (parent / "domain.yml").is_file()):
            return f"{message}; did you mean {parent}?"
    inner = [path.name for path in sorted(root.iterdir()) if path.is_dir() and (_first(path, SETTINGS) or (path / "domain.yml").is_file())]
    return f"{message}; did you mean {root / inner[0]}?" if inner else message
