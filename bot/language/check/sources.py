"""What the code of a project's actions mentions. The only module here that reads files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

_WORD = re.compile(r"[A-Za-z_][\w-]*")
_SKIPPED = frozenset({"tests", "node_modules", "site-packages", "__pycache__"})
_FOLDERS = ("flows", "actions")
_SHORTEST_BEGINNING = len("utter_") + 1


def words_in_code(root: Path) -> Callable[[str], bool]:
    """Reads the Python files of a project's actions (`flows/**`, `actions/**`, `actions.py`).

    The answer says whether a name occurs, or is put together from a beginning that does (`f"utter_charge_{kind}"`).
    """
    words: set[str] = set()
    files = [path for folder in _FOLDERS for path in sorted((root / folder).rglob("*.py"))]
    for path in [root / "actions.py", *files]:
        inside = path.relative_to(root).parts[:-1]
        if any(part in _SKIPPED or part.startswith(".") for part in inside) or not path.is_file():
            continue
        try:
            words.update(_WORD.findall(path.read_text("utf-8", errors="replace")))
        except OSError:
            continue
    beginnings = tuple(word for word in words if word.endswith("_") and len(word) > _SHORTEST_BEGINNING)
    return lambda name: name in words or name.startswith(beginnings)
