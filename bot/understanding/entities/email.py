"""E-mail addresses, written or read out ("jo dot park at example dot com")."""

from __future__ import annotations

import re

from .found import Found

_ADDRESS = re.compile(r"[a-z0-9][a-z0-9._%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
_SPOKEN = re.compile(r"(?<!\w)[a-z0-9]+(?: (?:dot|point|underscore|dash) [a-z0-9]+)* at [a-z0-9-]+(?: dot [a-z0-9-]+)* dot [a-z]{2,}(?!\w)")
_SIGNS = {"dot": ".", "point": ".", "underscore": "_", "dash": "-", "at": "@"}


def find_emails(text: str) -> list[Found]:
    """Every e-mail address in a folded text. Korean particles after it ("@example.com으로") are not part of it."""
    found = [Found(m[0], m.start(), m.end()) for m in _ADDRESS.finditer(text)]
    for match in _SPOKEN.finditer(text):
        found.append(Found("".join(_SIGNS.get(word, word) for word in match[0].split()), match.start(), match.end()))
    return found
