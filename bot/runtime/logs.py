"""One line an event, without personal data: JSON for machines, colours for a terminal.

Of an exception the class and the place are told, never its message or its variables: both hold what customers wrote. What libraries
log goes the same way, through `Log.standard`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import PurePath
from types import MappingProxyType, TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from .masking import mask, mask_value

LEVELS: Mapping[str, int] = MappingProxyType({"debug": 10, "info": 20, "warning": 30, "error": 40})

_OURS = ("bot", "integrations", "flows")

# What is heard of others. Below WARNING, SQLAlchemy tells parameters, httpx URLs with their queries, procrastinate every job.
_LIBRARIES: Mapping[str, int] = MappingProxyType(
    {
        "alembic": logging.INFO,
        "alembic.runtime.plugins": logging.WARNING,
        "asyncio": logging.WARNING,
        "httpcore": logging.WARNING,
        "httpx": logging.WARNING,
        "procrastinate": logging.WARNING,
        "sqlalchemy": logging.WARNING,
        "uvicorn": logging.WARNING,
        "uvicorn.access": logging.CRITICAL + 1,  # addresses and queries; the event "webhook" stands for it
    }
)
_ERROR = "_error"
_LONGEST_TEXT = 300
_MOST_CAUSES = 5


class Log:
    """`stream` takes the lines. `colours` None: as the stream is a terminal or not. `level` is debug, info, warning or error (KeyError)."""

    def __init__(
        self, stream: TextIO | None = None, *, level: str = "info", colours: bool | None = None, now: Callable[[], datetime] | None = None
    ) -> None:
        stream = stream or sys.stderr
        self._level = LEVELS[level]
        self._now = now or (lambda: datetime.now(UTC))
        render: Processor = structlog.processors.JSONRenderer()
        if stream.isatty() if colours is None else colours:
            render = structlog.dev.ConsoleRenderer(colors=True, timestamp_key="time", sort_keys=False, pad_event_to=16)
        processors: list[Processor] = [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _masked,
            self._stamped,
            render,
        ]
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=processors,
            wrapper_class=structlog.make_filtering_bound_logger(self._level),
            context_class=dict,
            cache_logger_on_first_use=True,
        ).bind()

    def write(self, level: str, event: str, error: BaseException | None = None, /, **fields: Any) -> None:
        """One line. Never raises: a log that nobody takes is no reason to stop."""
        if LEVELS[level] < self._level:
            return
        line = {name if name != "event" else "event_": value for name, value in fields.items()}
        with suppress(OSError, ValueError):  # the stream is closed, full, or cannot write a character
            getattr(self._logger, level)(event, **line, **{_ERROR: error})

    def _stamped(self, _: Any, __: str, line: EventDict) -> EventDict:
        """The same four in front of every line."""
        first = {"time": self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        for name in ("level", "event", "conversation"):
            if name in line:
                first[name] = line.pop(name)
        return {**first, **line}

    @contextmanager
    def standard(self) -> Iterator[None]:
        """Takes over the standard library's logging, which is one for the whole process, and gives it back at the end."""
        root = logging.getLogger()
        ours = dict.fromkeys(_OURS, self._level)
        loggers = {name: logging.getLogger(name) for name in (*_LIBRARIES, *ours)}
        before = {name: (logger.level, logger.handlers, logger.propagate) for name, logger in loggers.items()}
        handlers, level = root.handlers, root.level
        root.handlers = [_Bridge(self)]
        root.setLevel(logging.WARNING)
        for name, logger in loggers.items():
            logger.setLevel({**_LIBRARIES, **ours}[name])
            logger.handlers = []
            logger.propagate = True
        try:
            yield
        finally:
            root.handlers = handlers
            root.setLevel(level)
            for name, (old, held, propagate) in before.items():
                loggers[name].setLevel(old)
                loggers[name].handlers = held
                loggers[name].propagate = propagate


class _Bridge(logging.Handler):
    """Lines of the standard library's logging become lines of ours."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # arguments that do not fit their text, or cannot be printed
            text = str(record.msg)
        # What follows the first line is a traceback, or an object with all it holds; asyncio prints those in its first line, too.
        text = text.strip().partition("\n")[0][:_LONGEST_TEXT]
        if record.name == "asyncio":
            text = re.split(r"[<(\[{]", text)[0].strip()
        level = next((name for name, number in reversed(list(LEVELS.items())) if record.levelno >= number), "debug")
        error = record.exc_info[1] if record.exc_info else None
        self._log.write(level, text or "(nothing)", error, logger=record.name)


def _masked(_: Any, __: str, line: EventDict) -> EventDict:
    error = line.pop(_ERROR, None)
    masked = {name: mask_value(value) for name, value in line.items()}
    return {**masked, **explain(error)} if isinstance(error, BaseException) else masked


def explain(error: BaseException) -> dict[str, Any]:
    """What may be told of an exception: its class, the classes of what caused it, and the innermost place in our own code."""
    told: dict[str, Any] = {"error": _name(error)}
    causes: list[str] = []
    place = _place(error.__traceback__)
    cause: BaseException | None = error
    while len(causes) < _MOST_CAUSES and cause is not None and (cause := _cause(cause)) is not None:
        causes.append(_name(cause))
        place = place or _place(cause.__traceback__)
    if isinstance(error, BaseExceptionGroup):
        causes += [_name(part) for part in error.exceptions[:_MOST_CAUSES]]
    if causes:
        told["causes"] = causes
    if place:
        told["at"] = place
    return told


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _name(error: BaseException) -> str:
    kind = type(error)
    return mask(kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}")


def _place(traceback: TracebackType | None) -> str:
    """`bot/runtime/web.py:12`, by the names of packages and not by where they are installed, which may name a person. "" for none."""
    place = ""
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in _OURS:
            file = PurePath(traceback.tb_frame.f_code.co_filename)
            folder = module.split(".") if file.stem == "__init__" else module.split(".")[:-1]
            place = "/".join((*folder, file.name)) + f":{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
