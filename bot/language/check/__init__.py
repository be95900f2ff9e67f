"""The linter of flows: what is wrong in a project that can be read, found before a customer finds it.

`check(project)` is pure; each rule is a small function in the module named by its noun.
"""

from .checker import CHECKS, Check, check
from .sources import words_in_code
from .view import View

__all__ = ["CHECKS", "Check", "View", "check", "words_in_code"]
