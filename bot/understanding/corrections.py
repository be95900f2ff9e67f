"""Changes of mind about what a flow already knows: "no, I meant X", "actually 50", "X 말고 Y", "change the plan to M"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bot.dialogue.commands import SetSlot
from bot.language import Slot

from .answers import Answer, Asked, read_strictly, short_value
from .entities import KINDS
from .text import bare, compact, fold

_INSTEAD = (
    re.compile(r"^(?:no,? )?not (?P<old>.+?)(?:,| but|\.) ?(?:but )?(?P<new>.+)$"),
    re.compile(r"^(?P<new>.+?),? (?:not|instead of|rather than) (?P<old>.+)$"),
    re.compile(r"^(?P<old>.+?)\s?(?:이|가)?\s?(?:말고|아니고|아니라)\s?(?P<new>.+)$"),
)
_CHANGE = re.compile(
    r"\b(?:change|switch|set|update|correct|fix|make) (?:it|that|(?:the|my) (?:[\w ]+?))? ?(?:to|into|=) (?P<new>.+)$"
    r"|\b(?:make|change) (?:it|that) (?P<new2>.+)$"
)
_MARKER = re.compile(
    r"^(?:(?:oh|oops|wait|sorry|no|nope|nah|hmm|hm|then|ok|okay|fine|ok then|well|um|so|and|my bad|my mistake|hold on|please|actually|rather|correction|scratch that|i mean|i meant|i meant to say|"
    r"that's wrong|that's not right|it's|it should be|should be|let's make it|let's say|make it|i want|i'd like|it is|that should be|on second thought|i changed my mind)[\s,.:;-]+)+(?P<new>.+)$"
)
_MARKER_KO = re.compile(
    r"^(?:(?:아|어|음|앗|아차|저기|죄송\S*|미안\S*|잠깐\S*|잠시\S*|아니|아니요|아뇨|아니야|아니오|아 참|참|그게 아니라|그거 말고|생각해보니|다시|정정\S*|잘못 말\S*|잘못\S*)[\s,.!]+)+(?P<new>.+)$"
)
_ENDING = re.compile(r"^(?P<new>.+?)[,.]? (?:instead|rather|actually|i mean|i meant|after all|then)$")
_ENDING_KO = re.compile(
    r"^(?:\S+(?:은|는|을|를)\s+)?(?P<new>.+?)(?:으로|로)\s?(?:다시\s?)?(?:바꿔|변경|수정|정정|고쳐|할게|해주|해\s주|해줘|바꿀)\S*(?:\s\S+)?$"
)
_EXPLICIT = re.compile(r"i mean|i meant|correction|actually|instead|should be|말고|아니라|아니고|정정|잘못")

_CALLED_KO = {
    "date": "날짜 일자 시작일", "phone": "전화번호 번호 연락처", "money": "금액", "email": "이메일 메일", "plan": "요금제 플랜", "area": "지역 동네", "data": "데이터 용량",
}  # fmt: skip

ReadAgainst = Callable[[Slot], Asked]


def correction(text: str, filled: Sequence[Slot], current: Callable[[str], Any], asked_of: ReadAgainst) -> SetSlot | None:
    """The correction a message makes to one of the `filled` slots (last filled first), or None. `current` gives a slot's value."""
    new = corrected_words(text)
    if new is None:
        return None
    mentioned = [slot for slot in filled if _mentions(text, slot)]
    for slot in mentioned or filled:
        answer = read_strictly(new, asked_of(slot))
        if answer is not None and _is_new(answer, current(slot.name)):
            return SetSlot(slot.name, answer.value)
    free = next((slot for slot in mentioned or filled if slot.type == "text" and not slot.values and slot.entity not in KINDS), None)
    if free is not None and _EXPLICIT.search(fold(text)) and (value := short_value(new)) and len(value.split()) <= 4:
        return SetSlot(free.name, value)
    return None


def restated(text: str, filled: Sequence[Slot], current: Callable[[str], Any], asked_of: ReadAgainst) -> SetSlot | None:
    """A filled slot's other value said outright, with no word of correcting ("5G Max" when asked to confirm 5G Plus)."""
    for slot in filled:
        answer = read_strictly(text, asked_of(slot))
        if answer is not None and answer.sure and _is_new(answer, current(slot.name)):
            return SetSlot(slot.name, answer.value)
    return None


def corrected_words(text: str) -> str | None:
    """The words that say the new value, when the message corrects something; otherwise None."""
    folded = " ".join(fold(text).strip(" .!~").split())
    marked = _MARKER.match(folded) or _MARKER_KO.match(folded)
    core = marked["new"] if marked else folded
    for pattern in _INSTEAD:
        if match := pattern.match(core):
            return match["new"]
    if match := _CHANGE.search(core):
        return match["new"] or match["new2"]
    for pattern in (_ENDING, _ENDING_KO):
        if match := pattern.match(core):
            return match["new"]
    return core if marked else None


def _is_new(answer: Answer, current: Any) -> bool:
    return bool(answer.value != current) and compact(str(answer.value)) != compact(str(current))


def _mentions(text: str, slot: Slot) -> bool:
    plain = f" {bare(text)} "
    names = {word for word in slot.name.lower().split("_") if len(word) > 3} | ({slot.entity} if slot.entity else set())
    return any(f" {name} " in plain for name in names) or any(
        word in plain for word in _CALLED_KO.get(slot.entity, "").split() if slot.entity
    )
