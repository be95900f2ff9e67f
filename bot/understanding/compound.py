"""Two requests in one message: where it can be cut. Whether both halves mean something is for the caller to judge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .text import fold, has_hangul, words

_CUT = re.compile(
    r"[.!?;\n]+\s+|,?\s+(?:and also|and then|and after that|as well as|plus|also|and|then)\s+|,\s*(?:and |also |then )?"
    r"|,?\s*(?:그리고 나서|그리고|그 다음에|그담에|또한|또)\s+|(?<=[가-힣])(?:이랑|랑|하고|과|와)\s+|(?<=[가-힣])고\s+(?=[가-힣a-z])"
)
_MOST_CUTS = 3
_LEAST_LETTERS = 3
_LEAST_SYLLABLES = 2


def halves(text: str) -> Iterator[tuple[str, str]]:
    """Ways to cut a message in two. When two nouns share the verb at the end, the first half is given the verb, too."""
    folded = fold(text)
    for count, match in enumerate(_CUT.finditer(folded)):
        if count == _MOST_CUTS:
            return
        left, right = folded[: match.start()].strip(), folded[match.end() :].strip()
        if min(len(left), len(right)) < (_LEAST_SYLLABLES if has_hangul(folded) else _LEAST_LETTERS):
            continue
        if match[0].strip() in ("이랑", "랑", "하고", "과", "와") and has_hangul(right):
            left = f"{left} {words(right)[-1].text}" if words(right) else left
        yield left, right
