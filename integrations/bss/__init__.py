"""The operator's billing and network systems: the port (`Bss`), its nouns and its one error.

`embedded` is a whole operator on SQLite for demos and tests (import it from there); `testing` holds the contract any
other implementation must pass. Importing this package costs nothing but the standard library.
"""

from . import models
from .comparison import compare_bills
from .errors import BssError, Code
from .json_values import from_json, to_json
from .models import Entity, Language, LocalText, Market, Money
from .ownership import owned
from .port import Billing, Bss, Care, Catalog, Customers, Lines
from .recommendation import Recommendation, recommend_offerings

__all__ = [
    "Billing",
    "Bss",
    "BssError",
    "Care",
    "Catalog",
    "Code",
    "Customers",
    "Entity",
    "Language",
    "Lines",
    "LocalText",
    "Market",
    "Money",
    "Recommendation",
    "compare_bills",
    "from_json",
    "models",
    "owned",
    "recommend_offerings",
    "to_json",
]
