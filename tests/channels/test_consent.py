from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import ENGLISH, KOREAN, UNITED_STATES, Address, Consent, ConsentKind, ConversationKey, Purpose, decide, may_send
from bot.channels.consent import normalise

ALL = UNITED_STATES | KOREAN
KEY = ConversationKey("twilio", Address("tel", "+12025550100"), Address("tel", "+12025550101"))


def consent(kind: ConsentKind, *, replied: bool = False, only: bool = False) -> Consent:
    return Consent(KEY, "twilio:msg:1", datetime(2026, 1, 1, tzinfo=UTC), {"Body": "yes"}, kind, "yes", replied, only)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("STOP", ConsentKind.STOP), ("stop", ConsentKind.STOP), ("  Stop.\n", ConsentKind.STOP), ("“STOP”", ConsentKind.STOP), ("ＳＴＯＰ", ConsentKind.STOP),
        ("STOP ALL", ConsentKind.STOP), ("opt-out", ConsentKind.STOP), ("Opt  Out!", ConsentKind.STOP), ("s\u200btop", ConsentKind.STOP), ("Unsubscribe", ConsentKind.STOP),
        ("CANCEL", ConsentKind.STOP), ("수신거부", ConsentKind.STOP), ("수신 거부", ConsentKind.STOP), ("거부", ConsentKind.STOP), ("거부.", ConsentKind.STOP),
        ("START", ConsentKind.START), ("unstop", ConsentKind.START), ("수신동의", ConsentKind.START), ("수신 거부 해제", ConsentKind.START),
        ("HELP", ConsentKind.HELP), ("help!", ConsentKind.HELP), ("도움말", ConsentKind.HELP), ("INFO", ConsentKind.HELP),
    ],
)  # fmt: skip
def test_words_that_count(text: str, kind: ConsentKind) -> None:
    word = ALL.read(text)
    assert word is not None
    assert word.kind is kind
    assert not word.only_if_stopped


@pytest.mark.parametrize(
    "text",
    ["", " ", "stop please", "STOP PLEASE", "please cancel", "stop?", "cancel my plan", "수신거부가 뭐예요?", "동의 안 함", "개통 거부 사유", "stopper", "s.t.o.p", "stop" * 100],
)  # fmt: skip
def test_words_that_do_not(text: str) -> None:
    assert ALL.read(text) is None


@pytest.mark.parametrize("text", ["YES", "yes.", "동의", "동의합니다", "네"])
def test_words_that_resume_are_answers_otherwise(text: str) -> None:
    word = ALL.read(text)
    assert word is not None
    assert word.only_if_stopped
    answered = decide(False, consent(word.kind, only=True))
    assert answered.message is not None
    assert (answered.message.text, answered.message.event_id, answered.stopped, answered.answer) == ("yes", "twilio:msg:1", False, None)
    resumed = decide(True, consent(word.kind, only=True))
    assert (resumed.stopped, resumed.answer, resumed.message) == (False, "start", None)


def test_words_of_a_conversation_are_not_ours_unless_the_provider_takes_them() -> None:
    assert [ENGLISH.read(text) for text in ("cancel", "end", "quit", "info")] == [None] * 4


def test_what_follows() -> None:
    assert decide(False, consent(ConsentKind.STOP)).answer == "stop"
    assert decide(False, consent(ConsentKind.STOP)).stopped
    assert decide(True, consent(ConsentKind.STOP)).answer is None  # confirmed once
    assert decide(False, consent(ConsentKind.STOP, replied=True)).answer is None
    assert not decide(True, consent(ConsentKind.START)).stopped
    assert decide(True, consent(ConsentKind.HELP)).stopped
    assert decide(True, consent(ConsentKind.HELP)).answer == "help"
    assert decide(False, consent(ConsentKind.HELP, replied=True)).answer is None


def test_who_may_be_written_to() -> None:
    assert [may_send(True, purpose, marketing_agreed=True) for purpose in Purpose] == [False] * 3
    assert [may_send(False, purpose) for purpose in Purpose] == [True, True, False]
    assert may_send(False, Purpose.MARKETING, marketing_agreed=True)


@given(st.text(max_size=40))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    ALL.read(text)


@given(st.sampled_from(sorted(ALL.stop)), st.sampled_from(["", " ", "\n", ".", "!", " . ", "\u200b"]), st.booleans())
def test_every_way_to_type_a_stop_stops(word: str, around: str, upper: bool) -> None:
    found = ALL.read(around + (word.upper() if upper else word) + around)
    assert found is not None
    assert found.kind is ConsentKind.STOP


@given(st.text(min_size=1, max_size=20).filter(lambda text: any(char.isalpha() for char in text)))
def test_a_word_among_others_never_counts(text: str) -> None:
    word = ALL.read(f"the {text} stop")
    assert word is None


def test_texts_stay_out_of_logs() -> None:
    shown = repr(consent(ConsentKind.STOP))
    assert "yes" not in shown
    assert "+1202555" not in shown
