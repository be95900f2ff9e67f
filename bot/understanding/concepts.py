"""A small thesaurus of telecom care, English and Korean: words that mean the same thing to a customer share a concept.

It lets a dozen examples of one wording cover the others, and examples in one language help the other. Concepts are features for the
classifier, never decisions. English entries are stems, matched at the start of a word ("bill" is in "billing"); `$` ends the word.
Korean entries are matched anywhere, spaces left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from .text import bare

_CONCEPTS: Mapping[str, tuple[str, str]] = {
    "bill": ("bill$ bills$ billing invoice statement", "요금 청구 고지서 명세서 빌 사용료"),
    "charge": ("charge charges fee fees surcharge", "부과 수수료 과금 청구됐 청구된"),
    "pay": ("pay$ paying payment paid settle", "납부 결제 지불 내고싶 낼게 내려고 입금 수납"),
    "due": ("due overdue deadline late owe owing balance outstanding arrears", "납기 마감 연체 미납 밀린 밀렸 잔액 내야"),
    "card": ("card visa mastercard credit$ debit", "카드"),
    "autopay": ("autopay auto-pay automatic recurring", "자동이체 자동납부 자동결제"),
    "extend": ("extension extend postpone delay defer installment later arrangement", "연기 미루 미뤄 늦춰 연장 분할 나눠 나중에내"),
    "high": ("high higher expensive much$ overcharg too$ increase went$ jumped doubled spike costly unexpected", "많이 비싸 비싼 올랐 늘었 높아 과도 왜이렇게 더나왔 두배 폭탄"),
    "why": ("why explain reason understand breakdown detail itemi", "왜 이유 설명 내역 상세 뭐때문"),
    "dispute": ("dispute wrong mistake incorrect error refund overcharge reimburse unfair credited", "잘못 이의 환불 부당 오류청구 돌려 틀린 틀려"),
    "plan": ("plan plans tariff package subscription bundle", "요금제 플랜 상품"),
    "change": ("change switch swap move$ modify convert different another", "변경 바꾸 바꿔 바꿀 전환 갈아 옮기"),
    "up": ("upgrade faster bigger better more$ increase premium unlimited", "업그레이드 올리 올려 높은 무제한 더좋은 상향"),
    "down": ("downgrade cheaper smaller lower$ reduce less$ save$ saving", "다운그레이드 내리 낮추 낮은 싼 저렴 하향 아끼 절약 줄이 줄여"),
    "show": ("show see$ view check look$ display list what's$ tell$ find$ get$", "보여 조회 확인 알려 볼래 보고싶 보기 궁금"),
    "howmuch": ("much$ cost price rate$ total amount", "얼마 금액 가격 비용 총"),
    "data": ("data gb$ gig gigs gigabyte mb$ megabyte", "데이터 기가 용량"),
    "usage": ("usage used$ using$ consum consumption", "사용량 썼 쓴 사용한 쓰고있 사용했"),
    "left": ("left$ remaining remain remains balance rest$ run$ ran$ allowance", "남은 남았 잔여 잔량 남아"),
    "addon": ("add$ addon add-on extra boost topup top-up top$ buy$ purchase additional refill", "추가 충전 리필 구매 더줘 더사 쿠폰"),
    "share": ("share sharing gift send$ transfer donate family", "공유 선물 나눠 보내 나누 가족 결합"),
    "internet": ("internet wifi wi-fi broadband router modem fiber fibre home", "인터넷 와이파이 공유기 모뎀 광랜 랜"),
    "network": ("signal network reception coverage bars$ service$ tower lte$ 4g$ 5g$", "신호 네트워크 통신 기지국 터져 터지 안테나 전파 망"),
    "outage": ("outage down$ out$ disruption blackout", "장애 불통 먹통 중단 마비 끊김"),
    "broken": ("broken working$ work$ works$ doesn't doesnt isn't isnt can't cant cannot won't wont dead$ stopped fail problem issue trouble fault error nothing unable", "안돼 안되 안됨 안터 고장 문제 오류 이상 안잡 끊겨 끊어 안켜 불가 없어 못쓰 안나와 안열"),
    "slow": ("slow slowly sluggish lag laggy speed buffering crawl throttl", "느려 느린 느리 속도 버벅 끊기 버퍼"),
    "call": ("call$ calls$ calling dial voice ring$ missed", "통화 전화 음성 발신 수신"),
    "text": ("text$ texts$ texting sms message messages mms", "문자 메시지 메세지 sms"),
    "roam": ("roam roaming abroad overseas international foreign country travel trip vacation holiday flying europe japan mexico canada china korea", "로밍 해외 외국 여행 출국 국제 일본 미국 유럽 중국 태국 베트남 출장"),
    "cancel": ("cancel terminate terminating disconnect close$ closing end$ leave$ leaving quit deactivate discontinue", "해지 취소 탈퇴 끊고싶 끊을 그만쓰 해약"),
    "penalty": ("penalty termination contract commitment early", "위약금 약정 계약 할인반환"),
    "service": ("service account line$ lines$ subscription", "서비스 회선 계정"),
    "lost": ("lost$ lose stolen stole theft missing misplaced robbed", "분실 잃어 도난 도둑 훔쳐 없어졌 두고"),
    "block": ("block suspend freeze lock$ pause hold$ bar$ spam", "정지 차단 일시정지 잠가 막아 스팸"),
    "restore": ("unblock restore resume reactivate unsuspend found$ unlock", "해제 재개 복구 찾았 풀어"),
    "sim": ("sim$ esim sims$ simcard puk pin$", "유심 심카드 이심 esim usim"),
    "device": ("phone$ device handset iphone galaxy samsung pixel tablet watch", "휴대폰 핸드폰 단말 기기 폰 아이폰 갤럭시 태블릿 워치 스마트폰"),
    "new": ("new$ order buy$ purchase", "새로 신규 구매 사고싶 구입 개통"),
    "activate": ("activate activation enable turn$ start$ set$ setup register", "개통 활성 켜 신청 등록 시작 가입"),
    "off": ("off$ disable deactivate remove unsubscribe stop$", "끄 꺼 해제 빼 끊어"),
    "number": ("number port porting keep$", "번호 번호이동"),
    "address": ("address moving moved relocat relocating postal", "주소 이사"),
    "email": ("email e-mail mail$ contact", "이메일 메일 연락처"),
    "password": ("password passcode login log$ sign$ reset locked username", "비밀번호 패스워드 로그인 암호 비번"),
    "appoint": ("technician appointment visit schedule engineer installer install reschedul", "방문 기사 예약 설치 출장 일정"),
    "complain": ("complain complaint complaining unhappy terrible awful angry ridiculous frustrated worst disappointed", "불만 민원 항의 화나 최악 짜증 컴플레인 실망"),
    "store": ("store shop branch location nearest hours$ open$", "매장 대리점 지점 영업시간 가까운"),
    "offer": ("offer offers deal deals discount promotion promo coupon loyalty", "할인 혜택 프로모션 이벤트 쿠폰 행사"),
    "recommend": ("recommend suggest best$ suitable right$ compare comparison options", "추천 비교 어떤게 적합 맞는"),
    "status": ("status track tracking progress ticket order when$ update fixed", "진행 상태 언제 처리 접수 티켓 배송"),
    "voicemail": ("voicemail mailbox forward forwarding", "음성사서함 착신 전환"),
    "person": ("agent human person representative someone advisor", "상담원 상담사 직원 사람"),
    "restart": ("restart reboot reset$ setting settings apn configure configur", "재시작 재부팅 초기화 설정"),
    "hotspot": ("hotspot tether tethering", "핫스팟 테더링"),
}  # fmt: skip


@lru_cache(maxsize=1)
def _tables() -> tuple[tuple[tuple[str, re.Pattern[str]], ...], tuple[tuple[str, re.Pattern[str]], ...]]:
    english = tuple(
        (
            name,
            re.compile(
                r"(?<![\w'])(?:"
                + "|".join(re.escape(stem[:-1]) + r"(?![\w])" if stem.endswith("$") else re.escape(stem) for stem in words.split())
                + ")"
            ),
        )
        for name, (words, _) in _CONCEPTS.items()
    )
    korean = tuple((name, re.compile("|".join(map(re.escape, words.split())))) for name, (_, words) in _CONCEPTS.items())
    return english, korean


def concepts(text: str) -> tuple[str, ...]:
    """The concepts a text mentions, in the order of the thesaurus."""
    plain = bare(text)
    english, korean = _tables()
    found = [name for name, pattern in english if pattern.search(plain)] if re.search("[a-z]", plain) else []
    joined = plain.replace(" ", "")
    if not joined.isascii():
        found += [name for name, pattern in korean if name not in found and pattern.search(joined)]
    return tuple(found)
