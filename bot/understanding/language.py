"""Which language a customer writes in, from the script and a few common words."""

from __future__ import annotations

import re
from typing import Literal

from .text import bare

Language = Literal["ko", "en"]

_HANGUL = re.compile(r"[가-힣]")
_JAMO_SPEECH = re.compile(r"^[ㄱ-ㅎㅏ-ㅣ\s]+$")
_COMMON_WORDS = """
    the my is are was it it's what what's how why when where who which can could would will do does did don't i i'm i'd i've you
    your we this that there these and or but not for with from about please thanks thank hello hi hey yes yeah yep yup nope sure
    want need like know get make help pay change cancel show tell give bill phone number working service account money new stop
    right good okay today tomorrow wrong someone human agent agents speak talk never mind nothing more much many up out off on of
    to in bye goodbye skip repeat wait sorry first second third one two report check lost stolen broken slow roaming upgrade
    switch
"""
_ENGLISH = frozenset(_COMMON_WORDS.split())


def detect_language(text: str) -> Language | None:
    """The language of one message: `ko`, `en`, or None when the words belong to both ("5G Plus", "ok", "2", a name, other languages).

    Any Hangul syllable counts as Korean: Korean speakers mix in Latin product names, English speakers hardly ever mix in Hangul.
    """
    plain = bare(text)
    if _HANGUL.search(plain) or (plain and _JAMO_SPEECH.match(plain)):
        return "ko"
    return "en" if any(word in _ENGLISH for word in plain.split()) else None
