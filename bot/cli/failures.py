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
        "DeploymentError",
        "ListenError",
        "BroadcastRefused",
        "SettingsError",
        "MigrationError",
        "SealError",
    }
    if type(error).__name__ in known:
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if type(error).__module__.startswith("sqlalchemy") and type(error).__name__ in ("OperationalError", "InterfaceError"):
        reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        return f"the database does not answer: {reason}; is it running, and is SWITCHBOARD_DATABASE_URL (or --database) right?"
    if isinstance(error, ModuleNotFoundError) and error.name in ("psycopg", "procrastinate"):
        return f"PostgreSQL needs more packages ({error.name}): pip install 'switchboard[postgres]'"
    return None


class UsageError(Exception):
    """Something about the command line cannot be done as asked; the message says what to do."""


class DependencyMissing(Exception):
    """A package that only this command needs is not installed; the message says how to get it."""
