"""`switchboard new DIR`: a working project of one's own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from .failures import UsageError
from .projects import reference_project

_SMALL = Path(__file__).resolve().parent / "scaffold"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "demo.yml")


def run(folder: Path, reference: bool) -> int:
    """Makes the folder and says what to do next. Nothing that exists is overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not empty: choose another name")
    if reference:
        source = reference_project()
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("flows", "data"):
            shutil.copytree(source / name, folder / name, ignore=_LEFT_OUT)
        shutil.copy(source / "switchboard.yml", folder / "switchboard.yml")
    else:
        shutil.copytree(_SMALL, folder, dirs_exist_ok=True, ignore=_LEFT_OUT)
    sys.stdout.write(
        f"Made {folder}.\n\n"
        f"  switchboard check {folder}     find mistakes\n"
        f"  switchboard test {folder}      play its test conversations\n"
        f"  switchboard chat {folder}      talk to it\n"
    )
    return 0
