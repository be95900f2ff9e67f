"""Real processes of Switchboard, started again whenever they end, and killed by `kill -9`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_CANNOT_START = 2


@dataclass(slots=True)
class Process:
    """One process by name; `ended` counts how often it ended without being told to, `not_started` how often it said that it cannot start."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    kills: int = 0
    ended: int = 0
    not_started: int = 0
    running: asyncio.subprocess.Process | None = None


@dataclass(slots=True)
class Fleet:
    """Keeps processes running until `stop`."""

    folder: Path
    processes: list[Process] = field(default_factory=list)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: bool = False

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
        process = Process(name, arguments, environment, self.folder / f"{name}.log")
        self.processes.append(process)
        self._keepers.append(asyncio.create_task(self._keep(process)))
        return process

    async def _keep(self, process: Process) -> None:
        while not self._stopping:
            with open(process.log, "ab") as log:  # noqa: ASYNC230
                process.running = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "bot.cli", *process.arguments,
                    stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **process.environment},
                )  # fmt: skip
            code = await process.running.wait()
            if code != -signal.SIGKILL and not self._stopping:
                if code == _CANNOT_START:
                    process.not_started += 1
                else:
                    process.ended += 1
                await asyncio.sleep(0.2)

    def kill(self, process: Process) -> bool:
        """`kill -9`. False when it does not run just now."""
        running = process.running
        if running is None or running.returncode is not None:
            return False
        with suppress(ProcessLookupError):
            running.kill()
            process.kills += 1
            return True
        return False

    def of(self, pid: int) -> Process | None:
        """The process with that id, if it is one of these."""
        return next((one for one in self.processes if one.running is not None and one.running.pid == pid), None)

    async def stop(self, grace: float = 30.0) -> list[int]:
        """SIGTERM to all. The exit codes: 0 is a drained process, -9 one that did not end within `grace` seconds."""
        self._stopping = True
        codes = []
        for process in self.processes:
            if process.running is not None and process.running.returncode is None:
                with suppress(ProcessLookupError):
                    process.running.terminate()
        for process in self.processes:
            if process.running is None:
                continue
            try:
                async with asyncio.timeout(grace):
                    codes.append(await process.running.wait())
            except TimeoutError:
                process.running.kill()
                codes.append(await process.running.wait())
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        return codes
