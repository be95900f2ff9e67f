"""Phrasings kept out of training: (language, flow or "" for none, text). Written apart from the examples; never to be copied into them."""

from __future__ import annotations

_TEXT = """
view_bill|en|how come I was charged so much this time
view_bill|en|can you pull up my statement
view_bill|en|I don't get what I'm paying for
view_bill|en|what do I need to pay this month and by when
view_bill|en|got a huge bill, what happened??
view_bill|en|whats the total on my account
view_bill|en|there is a charge I don't recognise
view_bill|ko|이번달 청구서 좀 볼 수 있을까요
view_bill|ko|저번 달보다 요금이 두 배로 나왔는데 왜죠
view_bill|ko|내야 할 돈이 얼마인지 알고 싶어요
view_bill|ko|요금명세서 보여줘
view_bill|ko|언제까지 내야 되나요
view_bill|ko|모르는 금액이 청구됐어요
pay_bill|en|let me pay what I owe
pay_bill|en|I'd like to clear my balance today
pay_bill|en|can I give you my card to pay this off
pay_bill|en|take $60 from my visa
pay_bill|en|I got a late notice and want to pay it
pay_bill|en|payment
pay_bill|ko|밀린 요금 지금 낼 수 있어요?
pay_bill|ko|카드 결제 하려구요
pay_bill|ko|돈 낼게요
pay_bill|ko|연체금 납부하려는데요
pay_bill|ko|휴대폰요금 결제
change_plan|en|my plan is too expensive, what else do you have
change_plan|en|can you put me on a bigger package
change_plan|en|I'd like to move from LTE Basic to 5G Max
change_plan|en|need a different tariff
change_plan|en|downgrade me please
change_plan|en|I want unlimited
change_plan|ko|지금 쓰는 요금제 말고 다른 걸로 하고 싶은데요
change_plan|ko|요금제좀바꿔주세요
change_plan|ko|5G 맥스로 올려 주세요
change_plan|ko|좀 더 저렴한 플랜 없나요
change_plan|ko|플랜 변경 문의
report_outage|en|nothing loads on my phone
report_outage|en|I can't make any calls since this morning
report_outage|en|the wifi at home is dead
report_outage|en|is something wrong with your network today
report_outage|en|zero bars for an hour now
report_outage|en|internet super slow what's going on
report_outage|en|my connection keeps cutting out
report_outage|ko|갑자기 인터넷이 끊겼어요
report_outage|ko|폰이 통신이 안되는데 무슨 문제 있나요
report_outage|ko|우리 동네만 안 터지는 것 같아요
report_outage|ko|와이파이 연결이 계속 끊어져요
report_outage|ko|속도가 너무 안 나와요
data_usage|en|how many GB are left on my plan
data_usage|en|have I gone over my allowance
data_usage|en|usage
data_usage|en|tell me how much internet I've used this month
data_usage|en|do I still have data
data_usage|ko|데이터 몇 기가 썼는지 궁금해요
data_usage|ko|데이터 잔량
data_usage|ko|남은데이터알려줘
data_usage|ko|데이터 얼마 안 남았나요
roaming|en|heading to Spain for two weeks, what do I need
roaming|en|what does it cost to use data in Canada
roaming|en|can I call home from overseas
roaming|en|enable roaming before my trip
roaming|en|travel pass
roaming|ko|다음 주에 베트남 가는데 폰 쓸 수 있어요?
roaming|ko|해외 나가면 데이터 요금 어떻게 되나요
roaming|ko|로밍 켜줘
roaming|ko|출장 때문에 로밍 해야 돼요
cancel_service|en|I no longer need this line, shut it down
cancel_service|en|I'm done with you guys, close everything
cancel_service|en|what happens if I break my contract
cancel_service|en|please deactivate my number for good
cancel_service|en|leaving for another provider
cancel_service|ko|이 번호 이제 안 써서 없애고 싶어요
cancel_service|ko|약정 남았는데 해지 가능한가요
cancel_service|ko|다른 통신사로 가려고 합니다
cancel_service|ko|가입 해지 부탁드립니다
lost_phone|en|left my phone in a cab
lost_phone|en|my mobile got nicked last night
lost_phone|en|please stop anyone using my lost phone
lost_phone|en|I think somebody stole my handset
lost_phone|ko|지하철에서 핸드폰 잃어버린 것 같아요
lost_phone|ko|폰 도둑맞았어요
lost_phone|ko|분실폰 사용 못하게 막아주세요
lost_phone|ko|핸드폰이 사라졌어요
sim_swap|en|my sim broke, can I get another
sim_swap|en|want to use an e-sim on my iphone
sim_swap|en|bought a new phone, how do I move my line over
sim_swap|en|where do I get a sim
sim_swap|ko|유심 인식이 안 돼서 새로 받고 싶어요
sim_swap|ko|아이폰에 esim 쓰고 싶은데요
sim_swap|ko|유심칩 바꿔야 해요
buy_data|en|can I get another 3 gigs
buy_data|en|sell me some more data
buy_data|en|I'm out of data, add some
buy_data|en|need a top up
buy_data|ko|데이터 3기가만 더 넣어 주세요
buy_data|ko|데이터가 모자라서 사고 싶어요
buy_data|ko|데이터충전할래요
update_contact|en|I've got a different email now
update_contact|en|please correct my postal address
update_contact|en|we moved to a new apartment, what do you need from me
update_contact|ko|메일 주소가 바뀌었어요
update_contact|ko|이사 가서 주소를 새로 등록해야 해요
update_contact|ko|연락처 바꿀래요
book_technician|en|can somebody come and look at my modem
book_technician|en|I want an engineer at my place on Friday
book_technician|en|move my technician appointment to next week
book_technician|en|I need fiber installed
book_technician|ko|집에 와서 공유기 좀 봐 주실 수 있나요
book_technician|ko|기사님 예약 날짜 미루고 싶어요
book_technician|ko|설치 언제 가능해요
|en|do you know a good restaurant near here
|en|what's the square root of 144
|en|I just adopted a puppy
|en|who is your favourite singer
|en|write an email to my boss
|en|is it going to snow this weekend
|en|my neighbour is too loud
|en|how do I bake bread
|en|the movie was fantastic
|en|where is my pizza
|en|do you sell bicycles
|en|help me with my math homework
|en|lkjsdf lksjdf
|en|book me a flight to Tokyo
|en|I want to buy a house
|ko|근처에 괜찮은 식당 있어?
|ko|강아지 산책시켜야 해
|ko|주말에 눈 온대?
|ko|좋아하는 가수가 누구야
|ko|수학 숙제 도와줘
|ko|빵 굽는 법 알려줘
|ko|어제 본 영화 재밌더라
|ko|집값이 너무 비싸
|ko|도쿄행 비행기 예약해줘
|ko|아무거나 말해 봐
|ko|허리가 아파서 병원 가야 해
|ko|자전거 팔아요?
"""

HELD_OUT: tuple[tuple[str, str, str], ...] = tuple(
    (language, flow, text) for flow, language, text in (line.split("|") for line in _TEXT.strip().splitlines())
)
