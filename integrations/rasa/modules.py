"""A project's Python modules under a private name, so that two projects with the same `actions` package do not meet.

Every module of a project is imported as `<private name>.<its own name>` and gets an `import` of its own, which looks in the
project first. So `from actions.shared import x`, `import actions.db` and relative imports mean this project's files, at the
top of a module and inside a function alike, with no shared entry in `sys.modules` and no lock around a call. What is not seen
is `importlib.import_module("actions.x")` with an absolute name: write `import_module(".x", __package__)`.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

FRAMEWORK = frozenset({"bot", "integrations"})
"""Shared with the framework, never loaded a second time: their classes must stay the same classes."""

LAYOUT = frozenset({"actions", "flows"})
"""Folders that are the project's by their name."""


class _Loader(SourceFileLoader):
    """Loads a source file with the project's own `import`."""

    def __init__(self, name: str, path: str, names: dict[str, Any]) -> None:
        super().__init__(name, path)
        self._names = names

    def exec_module(self, module: ModuleType) -> None:
        # CPython takes `import` and all other built-in names of a module from its `__builtins__`.
        module.__dict__["__builtins__"] = self._names
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType | None:
        # By the source itself: a cached file is only as exact as its second, and a project may be republished within one.
        return _compiled(self.get_data(self.path), self.path)


@lru_cache(maxsize=1024)
def _compiled(source: bytes, path: str) -> CodeType:
    code: CodeType = compile(source, path, "exec", dont_inherit=True)
    return code


class ProjectModules:
    """The modules below `root`. `close` forgets them."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        for number in itertools.count(1):
            self.name = f"_project_{number}"
            package = ModuleType(self.name)
            if sys.modules.setdefault(self.name, package) is package:
                break
        package.__path__ = [str(self.root)]
        self._names = {**vars(builtins), "__import__": self._import}
        self._owned: dict[str, bool] = {}
        sys.meta_path.insert(0, self)

    def load(self, name: str) -> ModuleType:
        """Imports a module by the name it has in the project. Raises whatever its code raises."""
        return importlib.import_module(f"{self.name}.{name}")

    def loaded(self) -> Iterator[ModuleType]:
        """The modules imported so far, in order of import."""
        return (module for name, module in list(sys.modules.items()) if name.startswith(self.name + "."))

    def public(self, text: str) -> str:
        """The text without the private name."""
        return text.replace(self.name + ".", "")

    def close(self) -> None:
        """Forgets every module. Actions still running keep what they have imported."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in [name for name in sys.modules if name == self.name or name.startswith(self.name + ".")]:
            del sys.modules[name]

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Part of the import protocol: finds only names below the private one."""
        if not name.startswith(self.name + "."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(name, spec.loader.path, self._names)
        return spec

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """`__import__` as a module of this project sees it."""
        top = name.partition(".")[0]
        if level or not self._owns(top):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = builtins.__import__(f"{self.name}.{name}", globals, locals, fromlist or (), 0)
        return module if fromlist else sys.modules[f"{self.name}.{top}"]

    def _owns(self, top: str) -> bool:
        if top not in self._owned:  # the files of a loaded project do not change: a new version is a new ProjectModules
            self._owned[top] = self._find(top)
        return self._owned[top]

    def _find(self, top: str) -> bool:
        """Whether a top-level name means a file of this project, as it does for an action server started in its folder."""
        if top in FRAMEWORK or top in sys.stdlib_module_names:
            return False
        folder = self.root / top
        if folder.with_suffix(".py").is_file() or (folder / "__init__.py").is_file() or (top in LAYOUT and folder.is_dir()):
            return True
        # Any other folder without __init__.py is a package only if nothing installed has the name.
        return next(folder.glob("**/*.py"), None) is not None and top not in sys.modules and importlib.util.find_spec(top) is None
