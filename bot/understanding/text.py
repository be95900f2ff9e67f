"""Text as this room sees it: folded, without punctuation, cut into words. All functions are pure and never raise."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "～": "~"})
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(r"(?:[^\W_]|['&+])+")
_HANGUL = re.compile(r"[가-힣]")
_FINALS = 28
_RIEUL = 8


@lru_cache(maxsize=256)
def fold(text: str) -> str:
    """Lower case, composed Hangul, plain quotes and digits. As long as the NFC form of the text, so offsets can be compared."""
    composed = unicodedata.normalize("NFC", text).translate(_QUOTES)
    return "".join(_fold_character(character) for character in composed)


def _fold_character(character: str) -> str:
    if character < "\x7f" or "\u3131" <= character <= "\u318e":
        return character.lower()
    for form in (unicodedata.normalize("NFKC", character).lower(), character.lower()):
        if len(form) == 1:
            return form
    return character


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a message, drawn-out letters shortened; it stands at `fold(message)[start:end]`."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=256)
def words(text: str) -> tuple[Word, ...]:
    """The words of a text in order, folded."""
    found = ((_REPEATED.sub(r"\1", match[0]).strip("'"), match) for match in _WORD.finditer(fold(text)))
    return tuple(Word(word, match.start(), match.end()) for word, match in found if word)


def bare(text: str) -> str:
    """Folded, without punctuation, single spaces, drawn-out letters shortened ("Nooooo!!" is "no")."""
    return " ".join(word.text for word in words(text))


def compact(text: str) -> str:
    """`bare` without spaces: how Korean is compared, whose spacing nobody agrees on."""
    return bare(text).replace(" ", "")


def has_hangul(text: str) -> bool:
    return _HANGUL.search(text) is not None


def ends_in_consonant(word: str) -> bool:
    """Whether the last Hangul syllable has a final consonant (it decides the form of the particles after it)."""
    return bool(word) and "가" <= word[-1] <= "힣" and (ord(word[-1]) - 0xAC00) % _FINALS != 0


def ends_in_rieul(word: str) -> bool:
    """Whether the last Hangul syllable ends in ㄹ, which takes 로 and not 으로."""
    return bool(word) and "가" <= word[-1] <= "힣" and (ord(word[-1]) - 0xAC00) % _FINALS == _RIEUL


_PARTICLES = (
    "으로요", "로요", "이에요", "예요", "에요", "이요", "입니다", "이라고", "라고", "에서", "에게", "한테", "까지", "부터", "이랑", "랑", "하고",
    "으로", "로", "은", "는", "이", "가", "을", "를", "의", "에", "도", "만", "과", "와", "요", "께", "님", "용", "여", "임",
)  # fmt: skip


def is_particle(tail: str) -> bool:
    """Whether what follows a Korean noun is only a particle or a copula, so that the noun stands as a word of its own."""
    return (
        tail == ""
        or tail in _PARTICLES
        or any(tail.startswith(particle) and tail[len(particle) :] in _PARTICLES for particle in _PARTICLES if len(tail) > len(particle))
    )


_QUESTION_EN = re.compile(
    r"^(?:(?:so|and|but|hey|hi|ok|okay|wait|sorry|um|please)\s+)*"
    r"(?:what|what's|whats|why|how|how's|when|where|who|which|can|could|would|will|do|does|did|is|are|am|should|may|tell me)\b"
)
_REQUEST_EN = re.compile(
    r"^(?:(?:so|and|but|hey|hi|ok|okay|wait|sorry|um|please|actually|no|yes)\s+)*"
    r"(?:i\s+(?:want|need|would like|wanna|have to|am trying|can't|cannot|don't|dont)\b|i'd like|i'm trying|let me|show me|give me|tell me|help me|"
    r"check|cancel|change|switch|pay|send|stop|add|remove|update|report|track|transfer|turn|activate|block|unblock)\b"
)
_QUESTION_KO = re.compile(
    r"(?:나요|까요|인가요|건가요|는지요|던가요|는데요|가요|니까|나|니|냐|지|죠|어때요|얼마예요|얼마에요|얼마야|뭐예요|뭐에요|뭐야|언제예요|왜요|왜)$"
)
_ASKING_KO = re.compile(r"얼마|언제|어떻게|어디|무엇|뭐|뭔|왜|누구|어느|어떤|몇")
_REQUEST_KO = re.compile(r"(?:주세요|줘요?|주실|싶어요?|싶은데요?|싶습니다|바랍니다|알려|보여|해주|확인|할래요?|하려고요?|하고요)")


def is_question(text: str) -> bool:
    """Whether the text asks something (English and Korean); a guess from its form."""
    folded = fold(text).strip()
    plain = bare(text)
    if has_hangul(plain):
        return folded.endswith("?") or (_ASKING_KO.search(plain) is not None and _QUESTION_KO.search(plain) is not None)
    return folded.endswith("?") or _QUESTION_EN.match(plain) is not None


def is_request(text: str) -> bool:
    """Whether the text asks for something to be done; a guess from its form."""
    plain = bare(text)
    return _REQUEST_EN.match(plain) is not None or (has_hangul(plain) and _REQUEST_KO.search(plain) is not None)
