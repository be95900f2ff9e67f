"""The cascade: what each kind of message becomes, by what was asked and what is known."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialogue.state import Frame, State
from bot.dialogue.understander import Message, Understander, Understanding
from bot.language import Project
from bot.understanding import LocalUnderstander, awaited

from .telecom import asking, project

TELECOM = project()
UNDERSTANDER = LocalUnderstander.train(TELECOM, now=lambda: datetime(2025, 3, 5, 10))  # a Wednesday
IDLE = State()


def understand(text: str, state: State = IDLE, **more: Any) -> Understanding:
    return UNDERSTANDER.understand(Message(text, **more), state, TELECOM)


def said(text: str, state: State = IDLE) -> str:
    return " ".join(map(str, understand(text, state).commands))


def buttons(*pairs: tuple[str, str]) -> Sequence[Mapping[str, Any]]:
    return ({"text": "Choose", "buttons": [{"title": title, "payload": payload} for title, payload in pairs]},)


async def test_it_is_an_understander() -> None:
    understander: Understander = UNDERSTANDER
    assert str((await understander(Message("what's my bill"), IDLE, TELECOM)).commands[0]) == "StartFlow(view_bill)"


class TestPayloads:
    @pytest.mark.parametrize(
        ("text", "commands"),
        [
            ("/SetSlots(plan=5G Max)", "SetSlot(plan, 5G Max)"),
            ("/view_bill", "StartFlow(view_bill)"),
            ("/session_start", "Trigger(pattern_session_start)"),
            ("/restart", "Trigger(pattern_restart)"),
            ("/silence_timeout", "Trigger(pattern_user_silence)"),
            ("/no_such_thing", "CannotHandle()"),
            ("/pattern_completed", "CannotHandle()"),
            ("/SetSlots(no_such_slot=1)", "CannotHandle()"),
        ],
    )
    def test_slash_messages(self, text: str, commands: str) -> None:
        assert said(text) == commands

    @pytest.mark.parametrize(
        ("text", "error"), [("", "user_input_empty"), (" \n", "user_input_empty"), ("a" * 2001, "user_input_too_long")]
    )
    def test_unusable_input_goes_to_the_error_pattern(self, text: str, error: str) -> None:
        (trigger,) = understand(text).commands
        assert (trigger.pattern, trigger.context) == ("pattern_internal_error", {"error_type": error})  # type: ignore[union-attr]

    def test_a_controlled_slot_is_set_only_by_a_button_that_was_shown(self) -> None:
        payload = "/SetSlots(verified=true)"
        assert said(payload) == "CannotHandle()"
        assert said(payload, State(said=tuple(buttons(("That's me", payload))))) == "SetSlot(verified, true)"

    @pytest.mark.parametrize("text", ["Show usage", "show usage please", "2", "the second one", "두 번째", "2번이요", "show usge"])
    def test_buttons_may_be_typed_or_counted(self, text: str) -> None:
        state = State(said=tuple(buttons(("Pay now", "/pay_bill"), ("Show usage", "/data_usage"))))
        assert said(text, state) == "StartFlow(data_usage)"


class TestClosedLists:
    @pytest.mark.parametrize(
        "text",
        [
            "I want to talk to a human", "let me speak to someone real", "상담사 연결해 주세요", "agent", "AGENT!!!", "사람이랑 통화하고 싶어요", "상담원이요",
            "this is useless, give me a person", "my bill is wrong and I want to speak to a manager",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "state", [IDLE, asking("change_plan", "plan"), asking("cancel_service", "reason"), asking("pay_bill", "confirm")]
    )
    def test_a_person_wins_from_anywhere(self, text: str, state: State) -> None:
        assert said(text, state) == "HumanHandoff()"

    @pytest.mark.parametrize(
        "text",
        [
            "are you a human?", "I don't want to talk to an agent", "can I call people in Japan", "사람이에요?", "상담원 말고 여기서 해주세요",
            "I spoke to an agent yesterday and he changed my plan", "인터넷 연결해 주세요", "a person stole my phone",
        ],
    )  # fmt: skip
    def test_mentioning_a_person_is_no_request_for_one(self, text: str) -> None:
        assert said(text) != "HumanHandoff()"

    @pytest.mark.parametrize(
        "text",
        [
            "cancel",
            "never mind",
            "forget it",
            "stop please",
            "cancle",
            "취소",
            "취소해 주세요",
            "그만할게요",
            "됐어요",
            "I changed my mind",
        ],
    )
    def test_cancel(self, text: str) -> None:
        assert said(text, asking("change_plan", "plan")) == "CancelFlow()"

    @pytest.mark.parametrize("text", ["say that again", "sorry, what?", "pardon", "다시 말해 주세요", "뭐라고요?", "네?"])
    def test_repeat(self, text: str) -> None:
        assert said(text, asking("change_plan", "confirm")) == "RepeatLastBotMessages()"

    @pytest.mark.parametrize("text", ["skip", "skip this question", "건너뛰어 주세요", "패스", "I don't know", "잘 모르겠어요"])
    def test_skip(self, text: str) -> None:
        assert said(text, asking("roaming", "country")) == "SkipQuestion()"

    @pytest.mark.parametrize(
        "text",
        ["hi", "Thanks a lot!", "okthanks", "how are you?", "안녕하세요", "고마워요 ㅎㅎ", "bye bye", "thank you Riley", "are you a bot?"],
    )
    def test_small_talk(self, text: str) -> None:
        assert said(text) == "ChitChat()"


class TestAnswers:
    @pytest.mark.parametrize(
        "text",
        [
            "yes",
            "yeah sure",
            "Yes please!",
            "ok",
            "go ahead",
            "yep do it",
            "that's right",
            "네",
            "응",
            "맞아요",
            "네 그렇게 해주세요",
            "그걸로 진행해 주세요",
            "좋아요~",
            "ㅇㅇ",
        ],
    )
    def test_yes(self, text: str) -> None:
        assert said(text, asking("change_plan", "confirm", filled=[("plan", "5G Plus")])) == "SetSlot(confirm, True)"

    @pytest.mark.parametrize(
        "text",
        [
            "no",
            "nope",
            "no thanks",
            "not now",
            "No, leave it",
            "too expensive, no",
            "아니요",
            "괜찮아요",
            "아뇨 됐어요",
            "ㄴㄴ",
            "안 할래요",
        ],
    )
    def test_no(self, text: str) -> None:
        assert said(text, asking("change_plan", "confirm", filled=[("plan", "5G Plus")])) == "SetSlot(confirm, False)"

    @pytest.mark.parametrize("text", ["yes but how much is it?", "yes?", "네 근데 얼마예요?", "ok wait, is there a fee?"])
    def test_a_yes_with_a_question_confirms_nothing(self, text: str) -> None:
        assert "SetSlot(confirm, True)" not in said(text, asking("change_plan", "confirm", filled=[("plan", "5G Plus")]))

    @pytest.mark.parametrize(
        ("flow", "slot", "text", "value"),
        [
            ("change_plan", "plan", "5g plus please", "5G Plus"),
            ("change_plan", "plan", "the 5g max one", "5G Max"),
            ("change_plan", "plan", "5G 플러스로 해주세요", "5G Plus"),
            ("change_plan", "plan", "lte basik", "LTE Basic"),
            ("change_plan", "plan", "max", "5G Max"),
            ("change_plan", "plan", "not 5G Plus but 5G Max", "5G Max"),
            ("pay_bill", "method", "신용카드요", "card"),
            ("pay_bill", "method", "by bank transfer", "bank_transfer"),
            ("pay_bill", "method", "the first one", "card"),
            ("pay_bill", "amount", "$45.50", 45.5),
            ("pay_bill", "amount", "twenty five dollars", 25),
            ("pay_bill", "amount", "8만 9천원이요", 89000),
            ("pay_bill", "amount", "45", 45),
            ("lost_phone", "phone", "it's (202) 555-0123", "+12025550123"),
            ("lost_phone", "phone", "제 번호는 010 0000 1234입니다", "+821000001234"),
            ("book_technician", "visit_date", "tomorrow", "2025-03-06"),
            ("book_technician", "visit_date", "다음 주 금요일이요", "2025-03-14"),
            ("update_contact", "email", "my email is jo@example.com, thanks", "jo@example.com"),
            ("update_contact", "code", "the code is 482 913", "482913"),
            ("update_contact", "code", "공일이삼사오", "012345"),
            ("roaming", "country", "I'm going to Japan", "Japan"),
            ("roaming", "country", "일본이요", "일본"),
            ("roaming", "country", "베트남으로 가요", "베트남"),
            ("report_outage", "area", "I live in chicago", "Chicago"),
            ("report_outage", "area", "강남이요", "Gangnam"),
            ("report_outage", "area", "Springfield", "Springfield"),
            ("cancel_service", "reason", "my internet is down all the time", "my internet is down all the time"),
            ("cancel_service", "reason", "비싸서요", "비싸서요"),
            ("buy_data", "data_gb", "five gigs", 5),
        ],
    )
    def test_values(self, flow: str, slot: str, text: str, value: object) -> None:
        assert said(text, asking(flow, slot)) == f"SetSlot({slot}, {value})"

    def test_shown_buttons_are_counted(self) -> None:
        state = asking("pay_bill", "method", said=buttons(("PayPal", "/SetSlots(method=paypal)"), ("Card", "/SetSlots(method=card)")))
        assert said("the second one", state) == "SetSlot(method, card)"
        assert said("1번이요", state) == "SetSlot(method, paypal)"

    def test_a_number_is_an_amount_where_one_is_asked_for(self) -> None:
        state = asking("pay_bill", "amount", said=buttons(("All of it", "/SetSlots(amount=80)"), ("Half", "/SetSlots(amount=40)")))
        assert said("2", state) == "SetSlot(amount, 2)"
        assert said("half", state) == "SetSlot(amount, 40)"

    def test_the_rest_of_an_answer_fills_what_is_still_open(self) -> None:
        assert said("5G Max starting next friday", asking("change_plan", "plan")) == "SetSlot(plan, 5G Max) SetSlot(start_date, 2025-03-14)"

    @pytest.mark.parametrize("text", ["what is this for?", "why?", "hmm", "그게 뭐예요?"])
    def test_a_question_that_nothing_answers(self, text: str) -> None:
        assert said(text, asking("lost_phone", "phone")) == "CannotHandle()"

    def test_thanks_and_no_end_the_talk_but_a_request_starts_a_flow(self) -> None:
        state = asking("pattern_completed", "anything_else")
        for text in ("no", "ok thanks bye", "감사합니다", "그게 다예요", "that's all"):
            assert said(text, state) == "SetSlot(anything_else, False)", text
        assert said("yes I want to pay my bill", state) == "StartFlow(pay_bill)"


class TestCorrections:
    STATE = asking("change_plan", "confirm", filled=[("plan", "5G Plus"), ("start_date", "2025-03-10")])

    @pytest.mark.parametrize(
        "text",
        [
            "no, I meant 5G Max",
            "actually make it 5G Max",
            "아니 5G 맥스로",
            "5G 플러스 말고 5G 맥스로 해주세요",
            "5G Max",
            "change the plan to 5G Max",
            "hm, then 5g max after all",
        ],
    )
    def test_of_a_category(self, text: str) -> None:
        assert said(text, self.STATE) == "SetSlot(plan, 5G Max)"

    @pytest.mark.parametrize("text", ["no, make it march 20th", "change the date to march 20", "날짜는 3월 20일로 바꿔주세요"])
    def test_of_a_date(self, text: str) -> None:
        assert said(text, self.STATE) == "SetSlot(start_date, 2025-03-20)"

    def test_of_words(self) -> None:
        assert said("sorry, I meant Busan", asking("report_outage", "phone", filled=[("area", "Seoul")])) == "SetSlot(area, busan)"

    def test_the_same_value_again_corrects_nothing(self) -> None:
        assert "SetSlot(plan" not in said("actually 5G Plus", self.STATE)


class TestFlows:
    @pytest.mark.parametrize(
        ("text", "commands"),
        [
            ("switch me to 5G Plus from 3 May", "StartFlow(change_plan) SetSlot(plan, 5G Plus) SetSlot(start_date, 2025-05-03)"),
            ("5G 맥스로 바꿔 주세요", "StartFlow(change_plan) SetSlot(plan, 5G Max)"),
            ("move me from LTE Basic to 5G Max", "StartFlow(change_plan) SetSlot(plan, 5G Max)"),
            ("is there an outage in gangnam?", "StartFlow(report_outage) SetSlot(area, Gangnam)"),
            ("is there an outage in Springfield", "StartFlow(report_outage) SetSlot(area, Springfield)"),
            ("I'd like to pay $45", "StartFlow(pay_bill) SetSlot(amount, 45)"),
            ("bill for last month please", "StartFlow(view_bill) SetSlot(month, 2025-02)"),
            ("add 5GB please", "StartFlow(buy_data) SetSlot(data_gb, 5)"),
            ("what's my bill and also change my plan", "StartFlow(view_bill) StartFlow(change_plan)"),
            ("요금 조회하고 로밍도 신청하고 싶어요", "StartFlow(view_bill) StartFlow(roaming)"),
        ],
    )
    def test_start_with_what_the_message_tells(self, text: str, commands: str) -> None:
        assert said(text) == commands

    @pytest.mark.parametrize("text", ["what's my bill?", "show me my bill", "요금 얼마예요?"])
    @pytest.mark.parametrize("slot", ["plan", "start_date", "confirm"])
    def test_digressions(self, text: str, slot: str) -> None:
        assert said(text, asking("change_plan", slot)).endswith("StartFlow(view_bill)")

    def test_a_no_and_a_request(self) -> None:
        assert said("no, show me my bill", asking("change_plan", "confirm")) == "SetSlot(confirm, False) StartFlow(view_bill)"

    def test_a_flow_on_the_stack_is_not_started_again(self) -> None:
        assert "StartFlow" not in said("I want to change my plan", asking("change_plan", "plan"))

    def test_calling_off_the_active_flow_by_name(self) -> None:
        assert said("cancel the plan change", asking("change_plan", "confirm", filled=[("plan", "5G Plus")])) == "CancelFlow()"

    @pytest.mark.parametrize(
        ("text", "commands"),
        [
            ("1", "StartFlow(view_bill)"), ("the second one", "StartFlow(pay_bill)"), ("요금 납부요", "StartFlow(pay_bill)"), ("the paying one", "StartFlow(pay_bill)"),
            ("not pay a bill", "StartFlow(view_bill)"), ("both", "StartFlow(view_bill) StartFlow(pay_bill)"), ("neither", "CannotHandle()"),
            ("I lost my phone", "StartFlow(lost_phone)"),
        ],
    )  # fmt: skip
    def test_after_a_clarification(self, text: str, commands: str) -> None:
        assert said(text, State(offered=("view_bill", "pay_bill"))) == commands


def test_awaited_follows_the_step_by_id_and_forgives_what_is_gone() -> None:
    slot = awaited(asking("change_plan", "plan"), TELECOM)
    assert slot is not None
    assert slot.name == "plan"
    gone = State(stack=(Frame(id="f", flow="change_plan", version="0", step="a_step_of_old"),))
    assert awaited(gone, TELECOM) is None
    assert awaited(State(stack=(Frame(id="f", flow="no_such_flow", version="0", step="x"),)), TELECOM) is None
    assert awaited(IDLE, TELECOM) is None


STATES = (
    IDLE,
    asking("change_plan", "plan"),
    asking("change_plan", "confirm", filled=[("plan", "5G Plus"), ("start_date", "2025-03-10")]),
    asking("pay_bill", "amount", said=buttons(("Half", "/SetSlots(amount=40)"))),
    asking("pay_bill", "method", filled=[("amount", 45)]),
    asking("cancel_service", "reason"),
    asking("report_outage", "area"),
    asking("report_outage", "phone", filled=[("area", "Seoul")]),
    asking("book_technician", "visit_date"),
    asking("update_contact", "code", filled=[("email", "jo@example.com")]),
    State(offered=("view_bill", "pay_bill")),
)
_PIECES = (
    "no yes not but actually 5G Plus max 아니 말고 로 바꿔 주세요 next friday 3월 31일 $ 45 천 만 억 two hundred and point 010 - 0000 1234 @ . ? /SetSlots( plan= ) the "
    "second 두 번째 하고 그리고 to from in double oh nine May month 상담원 bill 요금 ㅋㅋ ㅇ ' ’ ＄ １２ İ ß \u0000 \u200b 👍 29 february 31 of 99999999999999999999 . , ; 원 기가 gb k"
)
WORDS = st.sampled_from(_PIECES.split(" "))


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=120) | st.lists(WORDS, max_size=14).map(" ".join) | st.lists(WORDS, max_size=10).map("".join),
    state=st.sampled_from(STATES),
)
def test_no_text_raises(text: str, state: State) -> None:
    understanding = understand(text, state)
    assert understanding.commands
    assert understanding.engine
    assert all(0 <= candidate.probability <= 1 for candidate in understanding.candidates)


@pytest.mark.parametrize(
    "unit", ["two ", "your ", "해주세요", "아니 ", "일", "9", "1 ", "$", "ok then ", "a dot ", "not ", "3월 ", "talk to a ", "그리고 "]
)
def test_no_text_takes_long(unit: str) -> None:
    for end in ("", "x", "?"):
        text = (unit * 2000)[:1999] + end
        for state in STATES[:4]:
            begin = time.process_time()
            understand(text, state)
            assert time.process_time() - begin < 2


@pytest.mark.parametrize("flows", [0, 1, 2])
def test_tiny_projects(flows: int) -> None:
    kept = dict(list(TELECOM.flows.items())[:flows])
    tiny = Project(root=TELECOM.root, flows=kept, slots=TELECOM.slots, responses={}, actions={})
    understander = LocalUnderstander.train(tiny, now=lambda: datetime(2025, 3, 5))
    for text in ("what's my bill", "pay", "hello", "zzz"):
        commands = understander.understand(Message(text), IDLE, tiny).commands
        assert commands
    if flows:
        assert str(understander.understand(Message("what's my bill"), IDLE, tiny).commands[0]) == "StartFlow(view_bill)"
