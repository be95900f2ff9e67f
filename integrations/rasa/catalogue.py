"""Finds the action classes of one project and makes one object of each."""

from __future__ import annotations

import inspect
import logging
import os
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.language import Place, Problem

from .modules import ProjectModules


def is_documented_layout(root: Path) -> bool:
    """Whether a project has the documented layout (`config.yml`, `domain.yml` or `domain/`) and not ours."""
    if (root / "switchboard.yml").exists():
        return False
    return any((root / name).exists() for name in ("config.yml", "domain.yml", "domain"))


def where(error: BaseException, root: Path) -> str:
    """The innermost line of the project that the error came through: `actions/bills.py:12`."""
    place = _place(error, root)
    return f"{place.file}:{place.line}"


@dataclass(slots=True)
class Catalogue:
    """One object per action name. `problems` must be empty before use; `notes` tells which classes were passed over."""

    modules: ProjectModules
    actions: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, root: Path, services: Mapping[str, object], modules: Iterable[str] | None = None, lenient: bool = False) -> Catalogue:
        """Imports the project's action modules. Never raises: what is wrong goes to `problems`, all of it at once.

        `lenient`: the classes of the modules that could be imported are there all the same.
        """
        _import_sdk()
        found = cls(ProjectModules(root))
        for name in modules if modules is not None else _module_names(root):
            found._import(name)
        if lenient or not found.problems:
            for action_class in found._classes():
                found._add(action_class, services)
            found._add_validators()
        return found

    def close(self) -> None:
        self.modules.close()

    def _import(self, name: str) -> None:
        try:
            module = self.modules.load(name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a script that calls sys.exit() is a problem of the project, not our end
            self._problem(
                _place(error, self.modules.root),
                "actions.import",
                f"importing {name} failed: {type(error).__name__}: {self.modules.public(str(error))}",
                "install what is missing, or mend the line" if isinstance(error, ImportError) else "",
            )
            return
        for path in getattr(module, "__path__", ()):
            for child in _children(Path(path)):
                self._import(f"{name}.{child}")

    def _classes(self) -> Iterator[type]:
        """Action classes defined in the project or imported by it from elsewhere, in the order they were written."""
        from rasa_sdk import Action

        seen: set[type] = set()
        for module in self.modules.loaded():
            for value in list(vars(module).values()):
                if isinstance(value, type) and issubclass(value, Action) and value not in seen:
                    seen.add(value)
                    if not value.__module__.startswith("rasa_sdk."):
                        yield value

    def _add(self, action_class: type, services: Mapping[str, object]) -> None:
        from rasa_sdk import Action

        label = f"{self.modules.public(action_class.__module__)}.{action_class.__qualname__}"
        members: Any = action_class
        if inspect.isabstract(action_class) or members.name is Action.name or members.run is Action.run:
            self.notes.append(f"{label} passed over: abstract, or without name() and run() of its own")
            return
        place = self._written(action_class)
        arguments = self._arguments(action_class, services, label, place)
        if arguments is None:
            return
        try:
            action = action_class(**arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._problem(
                _place(error, self.modules.root, place), "actions.construct", f"{label}() failed: {type(error).__name__}: {error}"
            )
            return
        try:
            name = action.name()
        except Exception as error:
            self.notes.append(f"{label} passed over: name() raised {type(error).__name__}")
            return
        if not isinstance(name, str) or not name:
            self._problem(place, "actions.name", f"{label}.name() returned {type(name).__name__}, not a name")
            return
        other = self.actions.get(name)
        if other is None or issubclass(action_class, type(other)):
            self.actions[name] = action
        elif not isinstance(other, action_class):
            first = self._written(type(other))
            self._problem(
                place, "actions.duplicate", f"{label} is called {name}, as is the class at {first.file}:{first.line}", "rename one of them"
            )

    def _arguments(self, action_class: type, services: Mapping[str, object], label: str, place: Place) -> dict[str, object] | None:
        """What the constructor asks for by parameter name; None when a service is missing."""
        if action_class.__init__ is object.__init__:  # type: ignore[misc]
            return {}
        arguments: dict[str, object] = {}
        missing: list[str] = []
        for parameter in inspect.signature(action_class).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if parameter.name in services:
                arguments[parameter.name] = services[parameter.name]
            elif parameter.default is parameter.empty:
                missing.append(parameter.name)
        if missing:
            self._problem(
                place,
                "actions.service",
                f"{label} needs {', '.join(missing)}, which no service provides",
                f"known services: {', '.join(sorted(services)) or 'none'}",
            )
            return None
        return arguments

    def _add_validators(self) -> None:
        """Lets a ValidationAction, one class with a `validate_<slot>` method a slot, answer for each of those names."""
        from rasa_sdk import FormValidationAction, ValidationAction

        for action in list(self.actions.values()):
            if isinstance(action, ValidationAction) and not isinstance(action, FormValidationAction):
                for name in dir(action):
                    if name.startswith("validate_"):
                        self.actions.setdefault(name, action)

    def _problem(self, place: Place, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, "error", code, message, hint))

    def _written(self, action_class: type) -> Place:
        try:
            file, line = inspect.getsourcefile(action_class) or "", inspect.getsourcelines(action_class)[1]
        except (OSError, TypeError):
            return Place(self.modules.public(action_class.__module__))
        return Place(_relative(file, self.modules.root), line)


def _import_sdk() -> None:
    """Imports rasa_sdk without what it says on the way: sanic's filters and deprecations of its own dependencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import rasa_sdk.executor  # noqa: F401
    for name in ("rasa_sdk", "sanic"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


def _module_names(root: Path) -> list[str]:
    """`actions`, then `flows.<skill>.actions`, whether they are files or packages."""
    folders = [root, *(path for path in sorted((root / "flows").glob("*")) if path.is_dir() and "." not in path.name)]
    return [
        ".".join((*folder.relative_to(root).parts, "actions"))
        for folder in folders
        if (folder / "actions.py").is_file() or next((folder / "actions").glob("**/*.py"), None)
    ]


def _children(folder: Path) -> list[str]:
    """Modules and packages right inside a package, as rasa-sdk finds them."""
    return sorted(
        entry.stem
        for entry in folder.iterdir()
        if entry.stem.isidentifier()
        and ((entry.suffix == ".py" and entry.name != "__init__.py") or (not entry.suffix and (entry / "__init__.py").is_file()))
    )


def _place(error: BaseException, root: Path, otherwise: Place | None = None) -> Place:
    if isinstance(error, SyntaxError) and error.filename:
        return Place(_relative(error.filename, root), error.lineno or 1, error.offset or 1)
    inside = str(root) + os.sep
    cause: BaseException | None = error
    for _ in range(10):  # an error wrapped elsewhere still came from a line of the project
        if cause is None:
            break
        for frame, line in reversed(list(traceback.walk_tb(cause.__traceback__))):
            if frame.f_code.co_filename.startswith(inside):
                return Place(_relative(frame.f_code.co_filename, root), line)
        cause = cause.__cause__
    return otherwise or Place("<outside the project>")


def _relative(file: str, root: Path) -> str:
    return Path(file).relative_to(root).as_posix() if file.startswith(str(root) + os.sep) else Path(file).name
