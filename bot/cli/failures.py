"""Errors a user can mend, as one message."""

from __future__ import annotations


def told(error: BaseException) -> str | None:
    """What to tell the user; None for an error that is ours, which deserves its traceback."""
    known = {
        "ProjectBroken",
        "ProjectNotFound",
        "ActionsImportError",
        "SelectionError",
        "UsageError",
        "ConflictError",
        "StateError",
        "PictureError",
        "DependencyMissing",
    }
    if type(error).__name__ in known:
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return None


class UsageError(Exception):
    """Something about the command line cannot be done as asked; the message says what to do."""


class DependencyMissing(Exception):
    """A package that only this command needs is not installed; the message says how to get it."""
