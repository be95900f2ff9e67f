"""Flow versions as immutable rows: kept once, when the first conversation begins one, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class FlowArchive(Protocol):
    """Keeps flows by id and version, as plain JSON. Keeping the same version twice is harmless."""

    async def keep(self, flow: str, version: str, body: Mapping[str, Any]) -> None: ...
    async def find(self, flow: str, version: str) -> Mapping[str, Any] | None: ...


class MemoryArchive:
    """For one process and for tests."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Mapping[str, Any]] = {}

    async def keep(self, flow: str, version: str, body: Mapping[str, Any]) -> None:
        self._kept.setdefault((flow, version), body)

    async def find(self, flow: str, version: str) -> Mapping[str, Any] | None:
        return self._kept.get((flow, version))
