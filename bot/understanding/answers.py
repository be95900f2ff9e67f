"""Reads the answer to the question a flow has asked: what `awaited` names, out of the customer's words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.dialogue.commands import SetSlot, parse_payload
from bot.dialogue.state import State
from bot.language import CollectStep, Project, Slot

from . import korean
from .choices import Offer, exactly, ordinal, pick, polarity
from .closed_lists import SMALL_TALK, meanings, opening, without_fillers
from .contexts import Context
from .entities import KINDS, Found, Where, find_asked
from .gazetteer import Gazetteer
from .text import fold, has_hangul, is_question, is_request, words

_FEW_WORDS = 4
_FEW_SYLLABLES = 12
_SENTENCE_SLOTS = re.compile(r"reason|descri|detail|comment|issue|problem|feedback|note|message|complaint|symptom|question|text|summary")
_BUT = re.compile(
    r"^(?:but|wait|however|except|only|unless|if|first|근데|그런데|하지만|다만|대신|혹시)\b|^(?:how|what|why|when|where|which|who|can|could|is|are|do|does|will)\b"
)
_WRAPPING = re.compile(
    r"^(?:it's|its|it is|that's|that is|that would be|my (?:\w+ ){0,2}(?:is|was)|the (?:\w+ )?(?:is|was)|i'm|i am|this is|call me|i'd like|i would like|i want|i'll take|i'll have|"
    r"i live in|i'm in|i am in|we're in|we live in|going to|travell?ing to|flying to|heading to|visiting|moving to|let's go with|let's do|let's say|go with|make it|set it to|change it to|i guess|i think|i said|to|in|at|from|near|for|around|"
    r"because(?: of)?|the)\s+"
)
_POLITE_START = re.compile(
    r"^(?:(?:um+|uh+|hm+|oh|ah|well|hi|hello|hey|ok|okay|so|sorry|please|yes|yeah|sure|음+|어+|아|저기요?|네|안녕하세요)[\s,.!]+)+"
)
_POLITE_END = re.compile(
    r"(?:[\s,.!]+(?:please|pls|plz|thanks|thank you|thx|sir|ma'am|감사합니다|고마워요|부탁드려요|부탁드립니다|부탁해요))+$"
)
_LEFT_OVER = frozenset(
    [
        "it's",
        "its",
        "it",
        "is",
        "that's",
        "the",
        "a",
        "an",
        "to",
        "for",
        "on",
        "at",
        "in",
        "by",
        "of",
        "my",
        "number",
        "phone",
        "amount",
        "date",
        "day",
        "plan",
        "code",
        "email",
        "address",
        "will",
        "be",
        "i'd",
        "i'll",
        "i",
        "want",
        "like",
        "pay",
        "make",
        "set",
        "from",
        "starting",
        "start",
        "send",
        "let's",
        "do",
        "go",
        "with",
        "this",
        "that",
        "please",
        "want",
        "would",
        "take",
        "use",
        "and",
        "i",
        "me",
        "about",
        "around",
        "approximately",
        "roughly",
        "exactly",
        "only",
        "just",
        "can",
        "you",
        "we",
        "need",
        "have",
        "want",
        "is",
        "are",
    ]
)
_LEFT_OVER_KO = re.compile(
    r"^(?:제|저의|저는|전|내|번호|전화|휴대폰|핸드폰|연락처|금액|날짜|인증|코드|이메일|메일|주소|요금제|은|는|이|가|을|를|로|으로|부터|까지|에|날|정도|쯤|만|요|이요|입니다|이에요|예요|에요|해|주세요|할게요|하고|싶어요|해주세요|보내|낼게요|"
    r"결제|납부|변경|바꿔|바꿀게요|시작|신청|추가|충전|와|오|방문|가능|한가요|부탁|드려요|드립니다|합니다|할래요|줘|좀|더|주|원|네|예|하나|개|기가)*$"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A value read for the awaited slot. `sure`: the message is nothing but the answer. `rest`: what else it says."""

    value: Any
    sure: bool
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What words are read against: the slot, its known values, the buttons shown for it, the day and region, where examples keep it."""

    slot: Slot
    known: Gazetteer
    offered: tuple[Offer, ...]
    where: Where
    contexts: tuple[Context, ...] = ()


def awaited(state: State, project: Project) -> Slot | None:
    """The slot the top frame waits for, or None. A frame of an older version counts while its step is still there."""
    frame = state.top
    flow = project.flows.get(frame.flow) if frame is not None else None
    if frame is None or flow is None:
        return None
    step = flow.by_id.get(frame.step)
    return project.slots.get(step.slot) if isinstance(step, CollectStep) else None


def read(text: str, asked: Asked) -> Answer | None:
    """The answer to what was asked, or None when the words hold none."""
    slot = asked.slot
    if slot.type == "bool":
        return _yes_or_no(text)
    if slot.entity in KINDS or slot.type == "float":
        return _entity(text, slot.entity if slot.entity in KINDS else "number", asked)
    if (answer := _known_value(text, asked)) is not None:
        return answer
    return _words(text, asked) if slot.type in ("text", "any") else None


def read_strictly(text: str, asked: Asked) -> Answer | None:
    """As `read`, but never takes free words for a value, nor yes or no."""
    slot = asked.slot
    if slot.type == "bool":
        return None
    if slot.entity in KINDS or slot.type == "float":
        return _entity(text, slot.entity if slot.entity in KINDS else "number", asked)
    return _known_value(text, asked)


def takes_sentences(slot: Slot) -> bool:
    """Whether a slot asks for an account in the customer's own words (by its name), so that a statement is an answer."""
    return slot.type in ("text", "any") and not slot.entity and _SENTENCE_SLOTS.search(slot.name.lower()) is not None


def _yes_or_no(text: str) -> Answer | None:
    said = opening(text)
    value = polarity(said.meanings)
    if value is None:
        return _at_the_end(text)
    if said.meanings & {"cancel", "skip", "repeat"}:
        return None
    asking = fold(text).rstrip().endswith("?")
    if said.complete and not (value and asking):
        return Answer(value, sure=True)
    if value and (asking or _BUT.match(said.rest) is not None or is_question(said.rest)):
        return None  # "yes, but how much is it?" must not confirm anything
    return Answer(value, sure=False, rest=said.rest)


_CLAUSES = re.compile(r"[,.!;]+\s*")


def _at_the_end(text: str) -> Answer | None:
    """An answer given last: "too expensive, no"."""
    clauses = [clause for clause in _CLAUSES.split(fold(text)) if clause.strip()]
    if len(clauses) < 2 or fold(text).rstrip().endswith("?"):
        return None
    value = polarity(meanings(clauses[-1]))
    return Answer(value, sure=False, rest=" ".join(clauses[:-1])) if value is not None else None


def _entity(text: str, kind: str, asked: Asked) -> Answer | None:
    if (
        asked.offered
        and (offer := pick(text, asked.offered, plain_numbers=False)) is not None
        and (value := offered_value(offer, asked.slot)) is not None
    ):
        return Answer(value, sure=True)
    found = find_asked(kind, text, asked.where)
    if not found and asked.slot.type == "float" and kind == "number":
        found = find_asked("money", text, asked.where)
    if not found:
        return None
    chosen = found[-1] if _corrects_itself(text, found) else found[0]
    return Answer(chosen.value, sure=len(found) == 1 and _nothing_else(text, chosen), rest=_outside(text, chosen))


def _corrects_itself(text: str, found: Sequence[Found]) -> bool:
    between = fold(text)[found[0].end : found[-1].start] if len(found) > 1 else ""
    return re.search(r"\b(?:no|sorry|wait|actually|i mean|not)\b|아니|말고", between) is not None


def _known_value(text: str, asked: Asked) -> Answer | None:
    slot = asked.slot
    if asked.offered:
        offer = pick(text, asked.offered)
        if offer is not None and (value := offered_value(offer, slot)) is not None:
            return Answer(value, sure=True)
    stripped = without_fillers(text)
    for form in (text, stripped, korean.noun(stripped), _WRAPPING.sub("", stripped)):
        if form and ((hit := asked.known.exact(form)) is not None or (hit := asked.known.near(form)) is not None):
            return Answer(hit[0], sure=True)
    if slot.type == "categorical":
        if (index := ordinal(text, len(slot.values))) is not None and not asked.offered:
            return Answer(slot.values[index], sure=True)
        if (index := exactly_alike(text, slot)) is not None:
            return Answer(slot.values[index], sure=True)
        if (hit := asked.known.partial(korean.noun(stripped))) is not None:
            return Answer(hit[0], sure=True)
    if (one := chosen_value(text, asked.known)) is not None:
        return Answer(one.value, sure=_nothing_else(text, one), rest=_outside(text, one))
    return None


def exactly_alike(text: str, slot: Slot) -> int | None:
    """The category that says the same as a plain yes or no, where one does."""
    return index if (index := _same_polarity(text, slot.values)) is not None else exactly(text, [Offer(v, v) for v in slot.values])


def _same_polarity(text: str, values: Sequence[str]) -> int | None:
    answer = polarity(meanings(text))
    same = [index for index, value in enumerate(values) if answer is not None and polarity(meanings(value)) is answer]
    return same[0] if len(same) == 1 else None


def chosen_value(text: str, known: Gazetteer) -> Found | None:
    """The one known value the text is about: of several, the one it moves to ("from A to B", "A 말고 B"); None when that is open."""
    found = known.find(text)
    folded = fold(text)
    kept = [one for one in found if not _ruled_out(folded, one)]
    if len({repr(one.value) for one in kept}) > 1:
        targets = [
            one
            for one in kept
            if re.search(r"\b(?:to|into|for|want)\s+(?:the\s+)?$", folded[: one.start])
            or re.match(r"\s?(?:으로|로)\s", folded[one.end - 2 :])
        ]
        kept = targets if len({repr(one.value) for one in targets}) == 1 else []
    return kept[-1] if kept else None


def _ruled_out(folded: str, one: Found) -> bool:
    before, after = folded[: one.start], folded[one.end :]
    return (
        re.search(r"\b(?:not|from|instead of|rather than|no longer|currently(?: have)?|except)\s+(?:the\s+|on\s+)?$", before) is not None
        or re.match(r"\s?(?:말고|에서|아니고|아니라|빼고|말구)", after) is not None
        or re.search(r"(?:에서|말고)$", folded[one.start : one.end]) is not None
    )


def offered_value(offer: Offer, slot: Slot) -> Any | None:
    """What a button sets the slot to; None when it does something else."""
    commands = parse_payload(offer.payload)
    if commands is None:
        return None if offer.payload.startswith("/") else offer.payload
    return next((command.value for command in commands if isinstance(command, SetSlot) and command.name == slot.name), None)


def _words(text: str, asked: Asked) -> Answer | None:
    said = meanings(text)
    if said & SMALL_TALK or (said and asked.slot.entity):
        return None
    original = unicodedata.normalize("NFC", text).strip()
    if takes_sentences(asked.slot):
        return Answer(original, sure=not (is_question(text) or _is_flow_request(text)))
    value = short_value(original)
    short = len(words(value)) <= _FEW_WORDS and (not has_hangul(value) or len(value) <= _FEW_SYLLABLES)
    return Answer(value, sure=short and not is_question(text) and not _is_flow_request(text))


def _is_flow_request(text: str) -> bool:
    return is_request(text) and korean.noun(fold(text)) == fold(text).strip(" .,!~?")


def short_value(original: str) -> str:
    """The value in a short answer ("It's Jo Park, thanks" is Jo Park), in the customer's spelling; long answers stay whole."""
    folded = fold(original)
    core = korean.noun(_POLITE_END.sub("", _POLITE_START.sub("", folded.strip(" .,!~"))) or folded)
    while (shorter := _WRAPPING.sub("", core)) != core and shorter:
        core = shorter
    core = core.strip(" .,!~")
    start = folded.find(core)
    if not core or start < 0 or len(words(core)) > _FEW_WORDS or len(folded) != len(original):
        return original.strip()
    return original[start : start + len(core)]


def _outside(text: str, one: Found) -> str:
    folded = fold(text)
    return f"{folded[: one.start]} {folded[one.end :]}"


def _nothing_else(text: str, one: Found) -> bool:
    """Whether only function words, fillers and endings stand around a value."""
    rest = [word.text for word in words(without_fillers(_outside(text, one)))]
    return all(word in _LEFT_OVER or _is_korean_left_over(word) for word in rest) or bool(
        rest and meanings(" ".join(rest)) & {"yes", "no", "maybe_yes"} and not is_question(text)
    )


def _is_korean_left_over(word: str) -> bool:
    # The length is checked first: the endings overlap, and the pattern would try every way to cut a long word.
    return len(word) <= _FEW_SYLLABLES and has_hangul(word) and _LEFT_OVER_KO.match(word) is not None
