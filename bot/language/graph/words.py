"""The few words a picture adds of its own, by language."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    start: str
    end: str
    ask: str
    say: str
    action: str
    set: str
    go_to: str
    call: str
    hand_over: str
    a_person: str
    empty: str
    yes: str
    no: str
    otherwise: str
    either: str
    calls: str
    missing: str
    flows: str
    overview: str
    steps: str
    asks: str


_ENGLISH = Words(
    start="Start",
    end="End",
    ask="ask {}",
    say="say",
    action="action",
    set="set",
    go_to="go to",
    call="call",
    hand_over="hand over · {}",
    a_person="a person takes over",
    empty="empty",
    yes="yes",
    no="no",
    otherwise="else",
    either=" or ",
    calls="calls",
    missing="missing",
    flows="Flows",
    overview="{} flows. A solid arrow calls a flow and comes back, a dashed one goes over to it.",
    steps="steps: {}",
    asks="asks: {}",
)
_KOREAN = Words(
    start="시작",
    end="끝",
    ask="질문 {}",
    say="안내",
    action="실행",
    set="값 설정",
    go_to="이동",
    call="호출",
    hand_over="상담원 연결 · {}",
    a_person="상담원이 이어받음",
    empty="비움",
    yes="예",
    no="아니요",
    otherwise="그 외",
    either=" 또는 ",
    calls="호출",
    missing="없음",
    flows="플로 전체",
    overview="플로 {}개. 실선은 호출 후 돌아오고, 점선은 옮겨 갑니다.",
    steps="단계 {}",
    asks="질문 {}",
)


def words_in(language: str) -> Words:
    """Words of a language (`ko`, `ko-KR`), English when we have none."""
    return _KOREAN if language.lower().partition("-")[0] == "ko" else _ENGLISH
