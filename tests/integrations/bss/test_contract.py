"""The embedded operator keeps the contract of the port, in memory and in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integrations.bss import Bss
from integrations.bss.embedded import EmbeddedOperator
from integrations.bss.testing import BssContract


class TestInMemory(BssContract):
    @pytest.fixture
    async def bss(self, operator: EmbeddedOperator) -> Bss:
        return operator


class TestInAFile(BssContract):
    """The same, with readers that do not wait for the writer, at a real time."""

    @pytest.fixture
    async def bss(self, tmp_path: Path) -> AsyncIterator[Bss]:
        async with EmbeddedOperator.open(f"sqlite+aiosqlite:///{tmp_path}/operator.db", customers=0) as operator:
            yield operator
