"""Takes out of a text what looks like a telephone number, an e-mail address or a secret.

The second line of defence: what is logged should hold none of these. It is generous, and rather masks a harmless number than shows one of a customer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from enum import Enum
from typing import Any

_BETWEEN = r"(?:%[0-9A-Fa-f]{2}|[^\w@<>:;,\"']|_){0,4}"
"""What people write between the digits of a number: blanks, brackets, dashes of all kinds, dots, slashes, and these in a URL."""

_WORD = r"[^\s@<>\"(),;:]"

_PATTERN = re.compile(
    "|".join(
        (
            r"(?P<keep>(?<![0-9A-Za-z])[a-z]{1,2}[0-9a-f]{24}(?![0-9A-Za-z]))",  # the name of a conversation: an HMAC, not a number
            r"(?P<date>(?<![\w.+(-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\W{0,4}\d))",
            r"(?P<credentials>://[^\s/]*:\S*@)",
            r"(?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]+",
            r"(?P<named>\b[\w-]{0,40}(?:token|secret|password|passwd|api[_-]?key|authorization|signature|cookie)[\"']?\s*[=:]\s*)"
            r"(?:(?:bearer|basic|digest)\s+)?(?:\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)",
            rf"(?P<email>{_WORD}{{1,64}}(?:@|%40){_WORD}+)",
            r"(?P<secret>(?=[\w+/=-]{0,100}[0-9])(?=[\w+/=-]{0,100}[A-Za-z])[\w+/=-]{24,}|eyJ[\w-]+\.[\w.-]+)",
            rf"(?P<number>\d(?:{_BETWEEN}\d){{6,}})",
        )
    ),
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN = re.compile(r"[a-z_]{0,23}")  # words of ours: most of what is logged, and too short for a secret
_LONGEST = 2000
_MOST_DIGITS = 10**8
_DEEPEST = 4


def mask(text: str) -> str:
    """The text in one line of at most 2000 characters, with `<number>`, `<email>` and `<secret>` for what was there."""
    if _PLAIN.fullmatch(text):
        return text
    return _PATTERN.sub(_instead, _CONTROL.sub(" ", text[:_LONGEST]))


def _instead(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "keep" | "date":
            return match[0]
        case "credentials":
            return "://<secret>@"
        case "scheme" | "named" as group:
            return f"{match[group]}<secret>"
        case group:
            return f"<{group}>"


def mask_value(value: Any, depth: int = 0) -> Any:
    """Any value, as JSON without personal data. Of objects it knows nothing about, only the name of their class remains."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return mask(value.value if isinstance(value, Enum) else value)
    if isinstance(value, int):
        return value if -_MOST_DIGITS < value < _MOST_DIGITS else "<number>"
    if isinstance(value, float):
        return value if abs(value) < _MOST_DIGITS else "<number>"
    if isinstance(value, datetime):
        return value.isoformat()
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {mask(str(key)): mask_value(item, depth + 1) for key, item in value.items()}
        if isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray | memoryview):
            return [mask_value(item, depth + 1) for item in value]
    return f"<{type(value).__name__}>"
