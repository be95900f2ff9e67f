"""The words by which a customer stops, resumes or asks for help, and what follows from them. Decided here, by no model.

A word counts only when it is the whole message: "stop" does, "stop my subscription" does not. Sources: 47 CFR 64.1200(a)(10)
for the English words that always revoke consent in the United States, Twilio's list for what it acts on by itself, and the
wording Korean operators print under notices (the law there, Article 50 of the Network Act, asks for a free way to refuse).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .events import Consent, ConsentKind, UserMessage
from .outbound import Purpose

_EDGES = " \t\r\n.,!~;:'\"()[]<>«»“”‘’·、。…-*_#"
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\u00ad]")
_HANGUL = re.compile(r"[가-힣\s]+")


def normalise(text: str) -> str:
    """One form for all ways to type a word: width, case, spaces, hyphens and the punctuation around it do not matter.

    A question mark does: "stop?" asks something.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    joined = " ".join(_INVISIBLE.sub("", folded).replace("-", " ").split()).strip(_EDGES)
    return joined.replace(" ", "") if _HANGUL.fullmatch(joined) else joined


@dataclass(frozen=True, slots=True)
class ConsentWord:
    kind: ConsentKind
    only_if_stopped: bool = False


@dataclass(frozen=True, slots=True)
class ConsentWords:
    """A list of words, normalised. `resume` are those that mean start only to a customer who has stopped: "yes" is an answer."""

    stop: frozenset[str] = frozenset()
    start: frozenset[str] = frozenset()
    help: frozenset[str] = frozenset()
    resume: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, *, stop: Iterable[str] = (), start: Iterable[str] = (), help: Iterable[str] = (), resume: Iterable[str] = ()
    ) -> ConsentWords:
        """Of words as people write them."""
        return cls(*(frozenset(map(normalise, words)) for words in (stop, start, help, resume)))

    def __or__(self, other: ConsentWords) -> ConsentWords:
        return ConsentWords(self.stop | other.stop, self.start | other.start, self.help | other.help, self.resume | other.resume)

    def read(self, text: str) -> ConsentWord | None:
        """What a whole message means; None if it is not one of the words."""
        if len(text) > 64:
            return None
        word = normalise(text)
        for words, meaning in (
            (self.stop, ConsentWord(ConsentKind.STOP)),
            (self.start, ConsentWord(ConsentKind.START)),
            (self.help, ConsentWord(ConsentKind.HELP)),
            (self.resume, ConsentWord(ConsentKind.START, only_if_stopped=True)),
        ):
            if word in words:
                return meaning
        return None


# Words that nobody means for anything else in a conversation with an operator.
ENGLISH = ConsentWords.of(
    stop=("stop", "stopall", "stop all", "unsubscribe", "optout", "opt out", "revoke"),
    start=("start", "unstop", "optin", "opt in", "subscribe"),
    help=("help",),
    resume=("yes",),
)
# Those that also mean something in a conversation; a provider that acts on them by itself leaves no choice but to follow.
UNITED_STATES = ENGLISH | ConsentWords.of(stop=("cancel", "end", "quit"), help=("info",))
KOREAN = ConsentWords.of(
    stop=(
        "수신거부", "거부", "수신 거부", "수신거부요", "수신거부합니다", "수신거부해주세요", "수신거부해 주세요", "수신거부신청", "광고거부", "광고수신거부",
        "광고 그만", "문자거부", "문자수신거부", "문자 그만", "문자 보내지 마세요", "수신중단", "수신 중지", "무료수신거부", "무료거부", "수신철회", "수신동의철회", "스톱", "스탑",
    ),
    start=("수신동의", "수신 동의", "수신동의합니다", "수신동의요", "수신재개", "수신 허용", "수신거부해제", "수신거부 해제", "수신거부철회", "거부해제"),
    help=("도움말", "헬프"),
    resume=("동의", "동의합니다", "동의해요", "네", "예"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """`stopped`: what the ledger holds from now on. `answer`: which fixed text to answer, if any. `message`: what to give the bot.

    Exactly one of `answer` and `message` can be set. A stop is answered once (the law allows one confirmation), and never twice.
    """

    stopped: bool
    answer: Literal["stop", "start", "help"] | None = None
    message: UserMessage | None = None


def decide(stopped: bool, consent: Consent) -> ConsentDecision:
    """What follows from a consent event, given whether the customer is opted out now. Pure; the caller keeps the ledger."""
    if consent.only_if_stopped and not stopped:
        message = UserMessage(consent.key, consent.event_id, consent.received_at, consent.raw, consent.text)
        return ConsentDecision(stopped=False, message=message)
    silent = consent.provider_replied
    match consent.kind:
        case ConsentKind.STOP:
            return ConsentDecision(stopped=True, answer=None if silent or stopped else "stop")
        case ConsentKind.START:
            return ConsentDecision(stopped=False, answer=None if silent else "start")
        case ConsentKind.HELP:
            return ConsentDecision(stopped=stopped, answer=None if silent else "help")


def may_send(stopped: bool, purpose: Purpose, *, marketing_agreed: bool = False) -> bool:
    """Whether a message of this purpose may go to this customer at all. Offers need an agreement of their own."""
    if stopped:
        return False
    return purpose is not Purpose.MARKETING or marketing_agreed
