"""JSON as it is stored: strict, compact, and safe for any text a customer can send."""

from __future__ import annotations

import json
from typing import Any


def encode(value: Any) -> str:
    """Raises TypeError or ValueError when the value is not JSON (NaN is not)."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, as broken phones send them: no database takes it unescaped
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


def decode(text: str | bytes) -> Any:
    return json.loads(text)
