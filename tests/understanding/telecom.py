"""A small invented operator's project, built from spec values: no loader, no files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.dialogue.state import Frame, State
from bot.language import Branch, Button, CollectStep, Flow, Project, Response, Slot, Variation

EXAMPLES: dict[str, tuple[str, str, str, list[str], list[str]]] = {
    "view_bill": ("View your bill", "요금 조회", "Shows the current bill: total, due date and what it is made of.", [
        "what's my bill", "how much do I owe this month", "show me my latest bill", "why is my bill so high", "I'd like to see my invoice",
        "when is my bill due", "what are these charges on my bill", "my bill for [March](month)", "check my balance due", "explain my bill please",
    ], [
        "이번 달 요금 얼마예요", "청구서 보여주세요", "요금이 왜 이렇게 많이 나왔어요", "요금 조회해 주세요", "[지난달](month) 요금 알려줘", "납부일이 언제예요",
        "청구 금액 확인하고 싶어요", "요금 내역 설명해 주세요", "고지서 확인", "이번달 얼마 내야 해요",
    ]),
    "pay_bill": ("Pay a bill", "요금 납부", "Takes a payment for an open bill.", [
        "I want to pay my bill", "pay now", "make a payment", "can I pay with a credit card", "I'd like to pay [$45](amount)", "settle my outstanding balance",
        "take a payment please", "pay by [card](method)", "how can I pay", "process my payment",
    ], [
        "요금 납부할게요", "지금 결제하고 싶어요", "카드로 낼게요", "미납 요금 내고 싶어요", "[5만원](amount) 결제할게요", "요금 내려고요", "[계좌이체](method)로 납부할게요",
        "납부하고 싶습니다", "연체된 요금 납부", "바로 결제해 주세요",
    ]),
    "change_plan": ("Change your plan", "요금제 변경", "Moves the line to another plan.", [
        "I want to change my plan", "switch me to [5G Plus](plan)", "upgrade my plan", "I'd like a cheaper plan", "move me to the [LTE Basic](plan) plan",
        "change to [5G Max](plan)", "can I downgrade my plan", "I need a plan with more data", "switch plans", "get me on unlimited",
    ], [
        "요금제 변경하고 싶어요", "[5G 플러스](plan=5G Plus)로 바꿔 주세요", "더 싼 요금제로 바꾸고 싶어요", "요금제 업그레이드", "[5G 맥스](plan=5G Max) 요금제로 변경해 주세요",
        "[LTE 베이직](plan=LTE Basic)으로 바꿀게요", "무제한 요금제로 갈아타고 싶어요", "요금제 낮추고 싶어요", "다른 요금제로 변경", "데이터 많은 요금제로 바꿔줘",
    ]),
    "report_outage": ("Report an outage", "장애 신고", "Checks for a known outage and reports a new one.", [
        "my internet is down", "there's no signal here", "I have no service", "is there an outage in [Gangnam](area)", "my phone can't connect to the network",
        "the network isn't working", "calls keep dropping", "my internet has been slow all day", "no reception in [Chicago](area)", "wifi stopped working",
    ], [
        "인터넷이 안 돼요", "신호가 안 잡혀요", "전화가 안 터져요", "[강남](area=Gangnam)에 통신 장애 있나요", "데이터가 안 터져요", "통화가 자꾸 끊겨요", "인터넷이 너무 느려요",
        "서비스가 안 돼요", "와이파이가 먹통이에요", "[시카고](area=Chicago) 지역 장애 신고하고 싶어요",
    ]),
    "data_usage": ("Check data usage", "데이터 사용량 조회", "Shows how much data is used and left.", [
        "how much data do I have left", "check my data usage", "am I over my data limit", "show my remaining data", "how many gigs have I used",
        "what's my data balance", "data usage this month", "did I use up my data", "how much data have I used so far", "remaining minutes and data",
    ], [
        "데이터 얼마나 남았어요", "데이터 사용량 알려주세요", "남은 데이터 확인", "이번 달 데이터 얼마나 썼어요", "데이터 잔여량 조회", "데이터 다 썼나요", "사용량 확인하고 싶어요",
        "몇 기가 남았어", "남은 용량 보여줘", "데이터 사용한 거 보여주세요",
    ]),
    "roaming": ("Roaming", "로밍", "Adds a roaming pass for a trip abroad.", [
        "I'm travelling to Japan next week", "turn on roaming", "how much is roaming", "will my phone work abroad", "I need a roaming pass", "going overseas and need data",
        "activate international roaming", "roaming rates for Europe", "use my phone in another country", "I'm flying to Mexico on [3 May](start_date)",
    ], [
        "로밍 신청하고 싶어요", "해외에서 쓸 수 있나요", "일본 여행 가는데 로밍 되나요", "로밍 요금 얼마예요", "데이터 로밍 켜 주세요", "[5월 3일](start_date)부터 로밍 신청할게요", "해외 로밍 가입",
        "출국하는데 데이터 쓰고 싶어요", "미국 가는데 로밍 필요해요", "로밍 패스 추가해 주세요",
    ]),
    "cancel_service": ("Cancel your service", "서비스 해지", "Ends the contract of a line.", [
        "I want to cancel my service", "close my account", "terminate my contract", "disconnect my line", "I want to leave your company", "cancel my subscription",
        "how do I cancel my contract", "what's the early termination fee", "I'm switching to another carrier", "end my service",
    ], [
        "해지하고 싶어요", "서비스 해지 신청", "회선 해지해 주세요", "계약 해지할게요", "위약금 얼마예요", "탈퇴하고 싶습니다", "인터넷 해지하려고요", "통신사 옮기려고요", "해지하면 위약금 나오나요",
        "이제 안 쓸 거라 해지할래요",
    ]),
    "lost_phone": ("Lost or stolen phone", "분실 신고", "Suspends the line of a lost phone.", [
        "I lost my phone", "my phone was stolen", "block my sim", "suspend my line", "someone took my phone", "report a stolen device", "I can't find my phone", "lock my lost phone",
        "freeze my number", "my phone is missing",
    ], [
        "휴대폰을 잃어버렸어요", "폰 분실했어요", "핸드폰 도난당했어요", "분실 신고할게요", "회선 정지해 주세요", "유심 정지시켜 주세요", "휴대폰이 없어졌어요", "택시에 폰을 두고 내렸어요", "분실 정지 신청",
        "누가 제 폰을 훔쳐갔어요",
    ]),
    "sim_swap": ("New SIM or eSIM", "유심 교체", "Orders a SIM or activates an eSIM.", [
        "I need a new sim card", "activate my esim", "how do I set up esim", "my sim card is damaged", "order a replacement sim", "switch to esim", "transfer my number to a new phone",
        "my sim doesn't work in my new phone", "sim card replacement", "get an esim",
    ], [
        "유심 교체하고 싶어요", "eSIM 개통해 주세요", "이심으로 바꾸고 싶어요", "유심이 망가졌어요", "유심 새로 주문할게요", "새 폰에 유심 옮기려고요", "이심 등록 방법", "유심 재발급", "유심 카드 필요해요",
        "기기 변경해서 이심 필요해요",
    ]),
    "buy_data": ("Buy extra data", "데이터 추가", "Adds a data package to this month.", [
        "I need more data", "buy extra data", "add [5GB](data_gb) to my line", "top up my data", "I ran out of data and want more", "purchase a data add-on", "get [2 GB](data_gb) more",
        "data boost please", "refill my data", "extra data package",
    ], [
        "데이터 추가하고 싶어요", "데이터 충전해 주세요", "[5기가](data_gb) 더 살게요", "데이터 쿠폰 구매", "데이터 다 써서 더 필요해요", "[2GB](data_gb) 추가해 주세요", "데이터 리필", "추가 데이터 구매할게요",
        "데이터 더 주세요", "데이터 충전",
    ]),
    "update_contact": ("Update contact details", "연락처 변경", "Changes the e-mail address or the postal address.", [
        "change my email address", "I moved, update my address", "update my contact details", "my new email is [jo@example.com](email)", "I have a new address", "change where you send my mail",
        "edit my contact info", "new phone contact for my account", "update email", "I'm moving house",
    ], [
        "이메일 주소 변경", "주소 바꾸고 싶어요", "이사했어요 주소 변경해 주세요", "연락처 수정", "이메일 바꿔 주세요", "개인정보 수정하고 싶어요", "청구지 주소 변경", "새 이메일로 바꿀게요", "연락처 정보 업데이트",
        "주소지가 바뀌었어요",
    ]),
    "book_technician": ("Book a technician", "기사 방문 예약", "Books a visit of a technician at home.", [
        "send a technician", "book an appointment with an engineer", "I need someone to fix my router at home", "schedule a repair visit", "when can a technician come",
        "reschedule my appointment", "install my fiber at home", "technician visit [tomorrow](visit_date)", "set up an installation", "arrange a home visit",
    ], [
        "기사님 방문 예약하고 싶어요", "방문 수리 신청", "인터넷 설치 예약", "기사 언제 오나요", "방문 일정 변경하고 싶어요", "[내일](visit_date) 기사님 와주세요", "출장 수리 예약할게요", "설치 기사 불러 주세요",
        "수리 기사 보내 주세요", "방문 날짜 바꿀게요",
    ]),
}  # fmt: skip

COLLECTS = {
    "pay_bill": ("amount", "method", "confirm"),
    "change_plan": ("plan", "start_date", "confirm"),
    "report_outage": ("area", "phone", "description"),
    "roaming": ("country", "start_date", "confirm"),
    "cancel_service": ("reason", "confirm"),
    "lost_phone": ("phone", "confirm"),
    "buy_data": ("data_gb", "confirm"),
    "update_contact": ("email", "code"),
    "book_technician": ("visit_date", "phone", "confirm"),
    "view_bill": ("month",),
}

SLOTS = (
    Slot("amount", "float", entity="money"),
    Slot("method", "categorical", values=("card", "bank_transfer", "paypal")),
    Slot("confirm", "bool"),
    Slot("plan", "categorical", values=("5G Plus", "5G Max", "LTE Basic"), entity="plan"),
    Slot("start_date", "text", entity="date"),
    Slot("visit_date", "text", entity="date"),
    Slot("area", "text", entity="area"),
    Slot("phone", "text", entity="phone"),
    Slot("description", "text"),
    Slot("country", "text"),
    Slot("reason", "text"),
    Slot("data_gb", "float", entity="data"),
    Slot("email", "text", entity="email"),
    Slot("code", "text", entity="code"),
    Slot("month", "text", entity="month"),
    Slot("lines", "float"),
    Slot("verified", "bool", controlled=True),
    Slot("anything_else", "bool"),
)


def flow(
    flow_id: str,
    *,
    collects: Sequence[str] = (),
    name: str = "",
    ko: str = "",
    description: str = "",
    examples: dict[str, tuple[str, ...]] | None = None,
) -> Flow:
    steps = tuple(CollectStep(id=f"ask_{slot}", slot=slot, utter=f"utter_ask_{slot}", next=(Branch("END"),)) for slot in collects)
    return Flow(flow_id, description, steps, version="1", name=name, names={"ko": ko} if ko else {}, examples=examples or {})


def project(*, with_examples: bool = True, limit: int = 99) -> Project:
    flows = {
        flow_id: flow(
            flow_id, collects=COLLECTS.get(flow_id, ()), name=name, ko=ko, description=description,
            examples={"en": tuple(en[:limit]), "ko": tuple(korean[:limit])} if with_examples else None,
        )
        for flow_id, (name, ko, description, en, korean) in EXAMPLES.items()
    }  # fmt: skip
    flows["pattern_completed"] = flow("pattern_completed", collects=("anything_else",))
    method = Variation(
        text="How would you like to pay?",
        buttons=(
            Button("Credit or debit card", "/SetSlots(method=card)", {"ko": "신용카드"}),
            Button("Bank transfer", "/SetSlots(method=bank_transfer)", {"ko": "계좌이체"}),
            Button("PayPal", "/SetSlots(method=paypal)", {"ko": "페이팔"}),
        ),
    )
    return Project(
        root=Path("."), flows=flows, slots={slot.name: slot for slot in SLOTS}, actions={}, additional_languages=("ko",),
        responses={"utter_ask_method": Response("utter_ask_method", (method,))},
    )  # fmt: skip


def asking(flow_id: str, slot: str, *, filled: Sequence[tuple[str, object]] = (), **more: object) -> State:
    """A conversation in which a flow has just asked for a slot, others being filled already."""
    frame = Frame(
        id="f1", flow=flow_id, version="1", step=f"ask_{slot}", asked=True, filled=tuple((name, f"ask_{name}") for name, _ in filled),
        kind="pattern" if flow_id.startswith("pattern_") else "regular",
    )  # fmt: skip
    return State(stack=(frame,), slots=dict(filled), turn=3, session=1, **more)  # type: ignore[arg-type]
