"""The contract of the port, as tests any implementation runs. Needs pytest and pytest-asyncio (auto mode).

    class TestMySystem(BssContract):
        @pytest.fixture
        async def bss(self): ...        # a fresh system for every test, filled with the personas of data/

Override the fixture `cast` where the ids differ.
"""

import pytest

from .accounts import AccountContract
from .care import CareContract
from .cast import Cast
from .keys import KeyContract
from .money import MoneyContract


class BssContract(KeyContract, AccountContract, MoneyContract, CareContract):
    """Subclass with a fixture `bss`."""

    @pytest.fixture
    def cast(self) -> Cast:
        return Cast()


__all__ = ["BssContract", "Cast"]
