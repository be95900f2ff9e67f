"""What stands in a text: placeholders `{slot}` and `{slot:format}`, Jinja names, and how long it becomes as text messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

_PLACEHOLDER = re.compile(r"(?<!\{)\{(?P<name>[A-Za-z_][\w.]*)(?::(?P<format>\w*))?\}(?!\})")
_JINJA_OUTPUT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_JINJA_TAG = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)
_NAME_LIKE = re.compile(r"^\W*[A-Z0-9][A-Z0-9+./-]*\W*$")
"""`5G`, `LTE`, `SMS`: the same in every language."""
_JINJA_SLOT = re.compile(r"\bslots\.([A-Za-z_]\w*)|\bslots\[\s*['\"]([^'\"]+)['\"]\s*\]")


def placeholders(text: str) -> Iterator[tuple[str, str]]:
    """The placeholders of a plain text: name, format ("" when none is written)."""
    return ((match["name"], match["format"] or "") for match in _PLACEHOLDER.finditer(text))


def template_slots(text: str) -> tuple[str, ...]:
    """The slots a Jinja text reads."""
    code = " ".join(match[0] for pattern in (_JINJA_OUTPUT, _JINJA_TAG) for match in pattern.finditer(text))
    return tuple(dict.fromkeys(match[1] or match[2] for match in _JINJA_SLOT.finditer(code)))


def template_error(text: str) -> str:
    """Why a Jinja text cannot be read; empty when it can."""
    from jinja2 import TemplateSyntaxError

    try:
        _environment().parse(text)
    except TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    return ""


def says_words(text: str) -> bool:
    """Whether a text holds words of a language, not only placeholders, numbers and signs."""
    bare = _JINJA_TAG.sub("", _JINJA_OUTPUT.sub("", _PLACEHOLDER.sub("", text)))
    return any(any(letter.isalpha() for letter in word) and not _NAME_LIKE.match(word) for word in bare.split())


def segments(text: str, width: Callable[[str, str], int], template: bool = False) -> int:
    """How many text messages a text becomes. `width` estimates the length of a placeholder from its name and format."""
    from smsutil import split

    if template:
        filled = _JINJA_OUTPUT.sub("x" * 10, _JINJA_TAG.sub("", text))
    else:
        filled = _PLACEHOLDER.sub(lambda match: "x" * width(match["name"], match["format"] or ""), text)
    return len(split(filled.encode("utf-8", "replace").decode("utf-8")).parts)


def odd_character(text: str) -> str:
    """The first sign that keeps an otherwise Latin text out of the GSM alphabet; empty for texts that are not Latin at all."""
    from smsutil import is_valid_gsm

    odd = [letter for letter in text if not is_valid_gsm(letter)]
    return odd[0] if odd and len(odd) <= max(3, len(text) // 20) else ""


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment

    return Environment(autoescape=False)
