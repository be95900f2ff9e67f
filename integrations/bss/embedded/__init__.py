"""A telecom operator in one SQLite database, for demos, tests and developing without a billing system.

`EmbeddedOperator.open(...)` seeds itself from the data folder and implements `integrations.bss.Bss`.
"""

from .faults import Faults
from .operator import EmbeddedOperator
from .sources import SourceError, default_data

__all__ = ["EmbeddedOperator", "Faults", "SourceError", "default_data"]
