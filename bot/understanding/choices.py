"""Picking from what was offered: by number ("2", "the second one", "두 번째", "1번이요"), or by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import korean
from .closed_lists import meanings, without_fillers
from .gazetteer import Gazetteer
from .text import bare, compact

_ORDINALS = {
    "first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "5th": 4, "sixth": 5, "6th": 5,
    "one": 0, "two": 1, "three": 2, "four": 3, "five": 4, "six": 5, "last": -1, "latter": -1, "former": 0,
}  # fmt: skip
_ORDINALS_KO = {
    "첫": 0, "첫번째": 0, "첫째": 0, "처음": 0, "한": 0, "두": 1, "둘째": 1, "두번째": 1, "세": 2, "셋째": 2, "세번째": 2, "네": 3, "넷째": 3, "네번째": 3,
    "다섯": 4, "다섯번째": 4, "마지막": -1, "맨마지막": -1, "맨처음": 0, "일": 0, "이": 1, "삼": 2, "사": 3, "오": 4,
}  # fmt: skip
_WORD = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_ENGLISH = re.compile(
    rf"^(?:(?:i'll take|i'd like|i want|let's go with|go with|give me|take|choose|pick|select|option|number|no|choice|button|the|#) )*"
    rf"(?:#? ?(?P<number>\d{{1,2}})|(?P<word>{_WORD}))(?: (?:one|option|choice|plan|please|of them|of those))*$"
)
_BARE_WORDS = frozenset({"one", "two", "three", "four", "five", "six"})
_KOREAN = re.compile(
    r"^(?:(?P<number>\d{1,2})(?:번째|번|)|(?P<counted>첫|두|세|네|다섯)번째|(?P<spelled>[일이삼사오])번|(?P<word>첫째|둘째|셋째|넷째|마지막|맨마지막|맨처음|처음))"
    r"(?:거|것|걸|꺼|옵션|요금제|선택지)?(?:으로|로|을|를|이)?(?:할게요?|할께요?|해줘요?|해주세요|선택할게요|선택|부탁해요|부탁드려요|부탁드립니다|이요|요|예요|에요|입니다|주세요|하겠습니다)?$"
)
_NOT = re.compile(
    r"^(?:no,? )?(?:not|isn't|it's not|don't want|anything but|without) (?:the |that |about )?(?P<en>.+?)(?: one| option)?$|^(?P<ko>.+?)\s?(?:말고요?|빼고|아니고|는 아니에요|은 아니에요|아니에요)(?:\s?(?:다른|나머지)\s?\S*)?$"
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A button as the customer saw it."""

    title: str
    payload: str


def offers(said: Sequence[Mapping[str, Any]]) -> tuple[Offer, ...]:
    """The buttons of the bot's last messages, in order."""
    found: list[Offer] = []
    for message in said:
        buttons = message.get("buttons")
        for button in buttons if isinstance(buttons, list | tuple) else ():
            if isinstance(button, Mapping) and button.get("title"):
                found.append(Offer(str(button["title"]), str(button.get("payload") or button["title"])))
    return tuple(found)


def ordinal(text: str, count: int, *, plain_numbers: bool = True) -> int | None:
    """Which of `count` things the text picks, from 0, or None.

    `plain_numbers=False` takes "2" and "two" for an amount, and only "number 2", "the second one", "2번" for a pick.
    """
    plain = bare(without_fillers(text))
    index: int | None = None
    explicit = True
    if match := _ENGLISH.match(plain):
        index = int(match["number"]) - 1 if match["number"] else _ORDINALS[match["word"]]
        explicit = match[0] not in (match["number"] or "", match["word"] if match["word"] in _BARE_WORDS else "")
    elif match := _KOREAN.match(compact(plain)):
        index = int(match["number"]) - 1 if match["number"] else _ORDINALS_KO[match["counted"] or match["spelled"] or match["word"]]
        explicit = match[0] != (match["number"] or "")
    if index is None or not (explicit or plain_numbers) or (index < 0 and match and match["number"]):
        return None
    index = count - 1 if index == -1 else index
    return index if 0 <= index < count else None


def named(text: str, names: Sequence[Sequence[str]]) -> int | None:
    """Which thing the text names, if exactly one; `names` lists every name of each thing."""
    gazetteer = Gazetteer.of((name, index) for index, all_names in enumerate(names) for name in all_names if name)
    stripped = without_fillers(text)
    for form in (stripped, korean.noun(stripped)):
        if (hit := gazetteer.exact(form)) is not None or (hit := gazetteer.near(form)) is not None:
            return int(hit[0])
    found = {int(one.value) for one in gazetteer.find(text)}
    return found.pop() if len(found) == 1 else None


def pick(text: str, offered: Sequence[Offer], *, plain_numbers: bool = True) -> Offer | None:
    """The button a text means: its title, its number, or a yes/no where one button says the same."""
    if not offered:
        return None
    index = exactly(text, offered)
    if index is None:
        index = ordinal(text, len(offered), plain_numbers=plain_numbers)
    if index is None:
        index = _same_meaning(text, offered)
    return offered[index] if index is not None else None


def exactly(text: str, offered: Sequence[Offer]) -> int | None:
    """The button whose title is the text, but for fillers, endings and a slip of the finger."""
    gazetteer = Gazetteer.of((offer.title, index) for index, offer in enumerate(offered))
    stripped = without_fillers(text)
    for form in (text, stripped, korean.noun(stripped)):
        if form and ((hit := gazetteer.exact(form)) is not None or (hit := gazetteer.near(form)) is not None):
            return int(hit[0])
    hit = gazetteer.partial(korean.noun(stripped)) if stripped else None
    return int(hit[0]) if hit is not None else None


def _same_meaning(text: str, offered: Sequence[Offer]) -> int | None:
    answer = polarity(meanings(text))
    if answer is None:
        return None
    same = [index for index, offer in enumerate(offered) if polarity(meanings(offer.title)) is answer]
    return same[0] if len(same) == 1 else None


def polarity(said: frozenset[str]) -> bool | None:
    """Yes, no, or neither, from the meanings of a message. A plain yes or no outweighs "fine" and the like."""
    yes, no = bool(said & {"yes", "worked"}), bool(said & {"no", "enough", "failed"})
    if yes != no:
        return yes
    if yes:
        return None
    soft_yes, soft_no = "maybe_yes" in said and "bye" not in said, "maybe_no" in said
    return soft_yes if soft_yes != soft_no else None


def excluded(text: str, names: Sequence[Sequence[str]]) -> int | None:
    """The thing a text rules out ("not the bill", "요금 말고"), if it rules one out."""
    match = _NOT.match(" ".join(text.lower().split()))
    if match is None:
        return None
    return named(match["en"] or match["ko"], names)
