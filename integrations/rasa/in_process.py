"""Runs a project's custom actions inside this process: microseconds a call, and one program to deploy.

Async actions run on the event loop; sync ones in a thread each, so that they do not hold up other conversations. Python cannot
stop a thread: a sync action past its time limit is reported as such and left to end by itself, so give network calls inside
actions a time limit of their own.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import pickle
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult
from bot.language import Problem

from .catalogue import Catalogue, is_documented_layout, where
from .wire import plain, result_of, tracker_json, with_form

DEFAULT_TIMEOUT = 10.0
MAX_THREADS = 64


class ActionsImportError(Exception):
    """A project's actions could not be loaded. `problems` says everything that is wrong, each with file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("cannot load the project's actions:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = tuple(problems)


class InProcessActions:
    """The actions of one project: the rasa-sdk `Action` classes in `actions/`, `actions.py` and `flows/<skill>/actions.py`.

    `modules` names modules to load instead of those (as `--actions` does). `services` go into the constructors of action
    classes by parameter name: `def __init__(self, bss: Bss)` gets `services["bss"]`. `timeout` is in seconds for the whole
    call; `timeouts` overrides it by action. `max_threads` bounds the sync actions running at once; more wait, within their time.

    `chdir`: actions in the documented layout open files relative to the project's folder, so by default (None) the process
    changes to it, once, here, when the project has that layout; `close` changes back. The working directory is the process's:
    resolve your own relative paths first, and load one such project a process (or pass False).

    Raises ActionsImportError; with `lenient`, an action that could not be loaded is missing instead, and `problems` says why.
    `notes` says which classes were passed over, and why.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        services: Mapping[str, object] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        timeouts: Mapping[str, float] | None = None,
        modules: Iterable[str] | None = None,
        chdir: bool | None = None,
        max_threads: int = MAX_THREADS,
        lenient: bool = False,
    ) -> None:
        self.root = Path(root).resolve()
        self._timeout = timeout
        self._timeouts = dict(timeouts or {})
        self._threads = asyncio.Semaphore(max_threads)
        self._domain: tuple[Mapping[str, Any] | None, bytes] = (None, b"")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._left = ""
        if is_documented_layout(self.root) if chdir is None else chdir:
            self._left = str(Path.cwd())
            os.chdir(self.root)
        self._catalogue = Catalogue.load(self.root, services or {}, modules, lenient)
        self.problems = tuple(self._catalogue.problems)
        if self.problems and not lenient:
            self.close()
            raise ActionsImportError(self._catalogue.problems)
        self.notes = self._catalogue.notes

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._catalogue.actions)

    def close(self) -> None:
        """Forgets the project's modules and goes back to the directory the process was in."""
        self._catalogue.close()
        if self._left and Path.cwd() == self.root:
            os.chdir(self._left)
        self._left = ""

    def __enter__(self) -> InProcessActions:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def run(self, call: ActionCall) -> ActionResult:
        """Runs one action on copies of the call's values. Raises ActionFailed."""
        action = self._catalogue.actions.get(call.action)
        if action is None:
            raise ActionFailed("unknown", call.action, f"no action of this name in {self.root.name}; known: {len(self.names)}")
        from rasa_sdk import Tracker
        from rasa_sdk.executor import CollectingDispatcher

        dispatcher = CollectingDispatcher()
        tracker = Tracker.from_dict(tracker_json(call))
        domain = self._copy_of(call.domain)
        if call.candidate is not None:
            domain = with_form(domain, call.candidate[0])

        async def work() -> Any:
            if inspect.iscoroutinefunction(action.run):
                events = await action.run(dispatcher, tracker, domain)
            else:
                events = await self._in_thread(lambda: action.run(dispatcher, tracker, domain))
                if inspect.isawaitable(events):
                    events = await events
            if dispatcher.is_streaming_active:
                await dispatcher.stream_end()
            return events

        events = await self._guarded(call.action, work)
        return result_of(call.action, events, list(dispatcher.messages))

    async def _guarded(self, action: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Waits for the work, at most its time, and turns whatever goes wrong into ActionFailed."""

        async def outcome() -> tuple[Any, BaseException | None]:
            try:
                return await work(), None
            except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:  # SystemExit as well: an action must not end the process
                return None, error

        limit = self._timeouts.get(action, self._timeout)
        task = asyncio.create_task(outcome(), name=f"action {action}")
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)
        try:
            # Not wait_for: that would wait on for an action that swallows its cancellation.
            await asyncio.wait({task}, timeout=limit)
        finally:
            if not task.done():
                task.cancel()
        if not task.done():
            raise ActionFailed("timeout", action, f"no answer within {limit:g} s")
        if task.cancelled():
            raise ActionFailed("failed", action, "the action cancelled itself")
        events, error = task.result()
        if error is not None:
            raise self._failure(action, error) from None
        return events

    def _failure(self, action: str, error: BaseException) -> ActionFailed:
        """Tells the error's type and place only: its message may hold a customer's data."""
        from rasa_sdk import ActionExecutionRejection

        place = where(error, self.root)
        if isinstance(error, ActionExecutionRejection):
            return ActionFailed("rejected", action, f"rejected its execution at {place}")
        # The operator port's errors say so themselves when nobody knows whether an effect happened.
        unsure = str(getattr(error, "code", "")) == "unknown_outcome"
        return ActionFailed("unknown_outcome" if unsure else "failed", action, f"{type(error).__name__} at {place}")

    async def _in_thread(self, function: Callable[[], Any]) -> Any:
        """A daemon thread a call: one that hangs holds up neither the others nor the end of the process."""
        await self._threads.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def settle(value: Any, error: BaseException | None) -> None:
            self._threads.release()
            if answer.done():  # timed out meanwhile
                return
            if error is None:
                answer.set_result(value)
            else:
                answer.set_exception(_Carried(error))

        def body() -> None:
            value, error = None, None
            try:
                value = context.run(function)
            except BaseException as raised:
                error = raised
            try:
                loop.call_soon_threadsafe(settle, value, error)
            except RuntimeError:  # the loop was closed: nobody waits any more
                self._threads.release()

        try:
            threading.Thread(target=body, name="action", daemon=True).start()
        except RuntimeError:
            self._threads.release()
            raise
        try:
            return await answer
        except _Carried as carried:
            raise carried.error from None

    def _copy_of(self, domain: Mapping[str, Any]) -> dict[str, Any]:
        """A fresh copy for each call; pickled once, since unpickling costs a tenth of a deep copy."""
        source, frozen = self._domain
        if source is not domain:
            frozen = pickle.dumps(plain(domain), pickle.HIGHEST_PROTOCOL)
            self._domain = (domain, frozen)
        copied: dict[str, Any] = pickle.loads(frozen)
        return copied


class _Carried(Exception):
    """Takes any exception through a future, which refuses StopIteration."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
