"""Values in words: numbers, money, dates, months, phone numbers, e-mail addresses, codes, amounts of data; English and Korean.

`find` reads one kind, `find_all` every kind that is sure to be meant. Pure functions: the day and the region come in as arguments.
"""

from .found import Found
from .kinds import FREE_KINDS, KINDS, Where, find, find_all, find_asked

__all__ = ["FREE_KINDS", "KINDS", "Found", "Where", "find", "find_all", "find_asked"]
