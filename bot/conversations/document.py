"""JSON as it is stored: strict, compact, and safe for any text a customer can send."""

from __future__ import annotations

import json
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_encode_escaped = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def encode(value: Any) -> str:
    """Raises TypeError or ValueError when the value is not JSON (NaN is not)."""
    text = _encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, as broken phones send them: no database takes it unescaped
        text = _encode_escaped(value)
    return text


def decode(text: str | bytes) -> Any:
    return json.loads(text)
