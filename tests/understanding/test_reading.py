"""The parts of the cascade on their own: text, language, closed lists, people, choices, annotations, gazetteers, contexts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding import detect_language, korean
from bot.understanding.annotations import annotated, plain
from bot.understanding.choices import excluded, named, ordinal
from bot.understanding.classifier import Classifier
from bot.understanding.closed_lists import meanings, opening, without_fillers
from bot.understanding.compound import halves
from bot.understanding.contexts import contexts, unknown_value
from bot.understanding.features import letters
from bot.understanding.gazetteer import Gazetteer
from bot.understanding.lessons import lessons
from bot.understanding.text import bare, fold, words

from .telecom import flow, project


@given(st.text(max_size=60))
def test_folding_keeps_offsets(text: str) -> None:
    assert len(fold(text)) == len(unicodedata.normalize("NFC", text))
    assert all(word.end <= len(fold(text)) and word.start < word.end for word in words(text))
    assert fold(fold(text)) == fold(text) or not text.isascii()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Nooooo!!", "no"), ("I’M  fine...", "i'm fine"), ("ＬＴＥ １", "lte 1"), ("1000", "1000"), ("ㅋㅋㅋㅋ", "ㅋ"), ("요금", "요금")],
)
def test_bare(text: str, expected: str) -> None:
    assert bare(text) == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("what's my bill", "en"), ("yes", "en"), ("요금 얼마예요", "ko"), ("5G Plus로 바꿔줘", "ko"), ("ㅇㅇ", "ko"), ("5G Plus", None), ("ok", None), ("2", None), ("", None),
        ("👍", None), ("hola quiero ver mi factura", None), ("Gangnam", None),
    ],
)  # fmt: skip
def test_language(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yeah sure go ahead please", {"yes"}), ("no thanks, not now", {"no", "enough"}), ("okthanks", {"maybe_yes", "thanks"}), ("네 좋아요 진행해 주세요", {"yes"}),
        ("네?", {"repeat"}), ("네", {"yes"}), ("thank you again", {"thanks"}), ("pay my bill", set()), ("yes pay my bill", set()), ("그거 취소해줘", {"cancel"}),
        ("", set()),
    ],
)  # fmt: skip
def test_meanings(text: str, expected: set[str]) -> None:
    assert meanings(text) == expected


def test_an_opening_leaves_the_rest() -> None:
    said = opening("no, I meant 5G Max")
    assert (said.meanings, said.rest) == (frozenset({"no"}), "i meant 5g max")
    assert opening("I want to pay").meanings == frozenset()
    assert without_fillers("hi, 5G Plus please") == "5g plus"


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("2", 1),
        ("the second one", 1),
        ("last", 2),
        ("option 3 please", 2),
        ("두 번째", 1),
        ("1번으로 할게요", 0),
        ("첫번째 거요", 0),
        ("마지막이요", 2),
        ("5", None),
        ("second hand phone", None),
        ("0", None),
    ],
)
def test_ordinals(text: str, index: int | None) -> None:
    assert ordinal(text, 3) == index


def test_plain_numbers_may_be_amounts() -> None:
    assert ordinal("2", 3, plain_numbers=False) is None
    assert ordinal("2번", 3, plain_numbers=False) == ordinal("the second one", 3, plain_numbers=False) == 1


def test_naming_and_excluding() -> None:
    names = [["Pay a bill", "요금 납부"], ["View your bill", "요금 조회"]]
    assert named("pay a bill please", names) == 0
    assert named("요금 조회요", names) == 1
    assert named("bill", names) is None
    assert excluded("not pay a bill", names) == 0
    assert excluded("요금 납부 말고요", names) == 0


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("저는 홍길동입니다", "홍길동"),
        ("홍길동이요", "홍길동"),
        ("강남으로 해주세요", "강남"),
        ("서울요", "서울"),
        ("강남구에 살아요", "강남구"),
        ("모르겠어요", "모르겠어요"),
        ("제주로 갈 거예요", "제주"),
    ],
)
def test_korean_nouns(text: str, noun: str) -> None:
    assert korean.noun(text) == noun


def test_letters_of_hangul() -> None:
    assert letters("요금") == "ㅇㅛㄱㅡㅁ"
    assert letters("5G 값") == "ㄱㅏㅄ"


def test_annotations() -> None:
    example = "move [Ella](line) to [5G 맥스](plan=5G Max) now"
    assert plain(example) == "move Ella to 5G 맥스 now"
    assert [(one.slot, one.words, one.value) for one in annotated(example)] == [("line", "Ella", "Ella"), ("plan", "5G 맥스", "5G Max")]
    assert plain("no [brackets] (here)") == "no [brackets] (here)"


class TestGazetteer:
    PLANS = Gazetteer.of([("5G Plus", "plus"), ("5G 플러스", "plus"), ("5G Max", "max"), ("LTE Basic", "basic"), ("New York", "ny")])

    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ("switch to 5g plus now", ["plus"]), ("5gplus", ["plus"]), ("5G 플러스로 바꿔줘", ["plus"]), ("from lte basic to 5g max", ["basic", "max"]), ("lte basik", ["basic"]),
            ("is the network down", []), ("5g", []), ("4g plus", []), ("basic", []),
        ],
    )  # fmt: skip
    def test_find(self, text: str, values: list[str]) -> None:
        assert [one.value for one in self.PLANS.find(text)] == values

    def test_part_of_a_name(self) -> None:
        assert self.PLANS.partial("max") == ("max",)
        assert self.PLANS.partial("5g") is None
        assert self.PLANS.partial("something else") is None


def test_contexts_find_values_nobody_listed() -> None:
    learned = contexts(
        flow(
            "f",
            examples={"en": ("is there an outage in [Chicago](area)", "change [Ella](line)'s plan"), "ko": ("[강남](area)에서 안 터져요",)},
        )
    )

    def value(text: str, slot: str) -> str | None:
        found = unknown_value(text, slot, learned)
        return found.value if found else None

    assert value("outage in Springfield?", "area") == "Springfield"
    assert value("outage in my area", "area") is None
    assert value("please change Mark's plan", "line") == "Mark"
    assert value("change my plan", "line") is None
    assert value("부산에서 안 터져요", "area") == "부산"


def test_halves() -> None:
    assert ("show my bill", "change my plan") in list(halves("show my bill and also change my plan"))
    assert ("요금 알려줘", "데이터 알려줘") in list(halves("요금이랑 데이터 알려줘"))
    assert list(halves("hello")) == []


def test_an_example_word_for_word_is_certain_and_two_owners_are_not() -> None:
    classify = Classifier(lessons(project()))
    assert [(guess.flow, guess.probability) for guess in classify("What's my bill?")] == [("view_bill", 1.0)]
    shared = flow("a", name="same words"), flow("b", name="same words")
    telecom = project()
    both = Classifier(lessons(type(telecom)(root=telecom.root, flows={one.id: one for one in shared}, slots={}, responses={}, actions={})))
    assert all(guess.probability < 0.6 for guess in both("same words"))


@given(st.text(max_size=60))
def test_probabilities_never_sum_to_more_than_one(text: str) -> None:
    assert sum(guess.probability for guess in CLASSIFY(text)) <= 1 + 1e-6


CLASSIFY = Classifier(lessons(project()))
