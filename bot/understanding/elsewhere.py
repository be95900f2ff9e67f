"""Things people say to a bot that no operator's flow is about: what the classifier learns to leave alone."""

from __future__ import annotations

ELSEWHERE: tuple[str, ...] = tuple(
    line.strip()
    for line in """
what's the weather like today
will it rain tomorrow
how hot is it outside
tell me a joke
who won the football game last night
what's the capital of france
how tall is mount everest
what is the meaning of life
can you write a poem about the sea
translate good morning into spanish
what should I cook for dinner
give me a recipe for pancakes
order me a large pizza
book a table for two at an italian restaurant
find me a flight to new york
book a hotel room in paris
what's the stock price of apple
should I invest in bitcoin
who is the president
when was the second world war
play some jazz music
set an alarm for seven in the morning
remind me to buy milk
what time is it in london
do you believe in god
what's your favourite movie
are you married
how do I lose weight
my cat is sick what should I do
what is twelve times nine
solve this equation for x
how far is the moon
recommend a good book
what's on television tonight
how do I change a flat tire
where can I buy shoes
what's the traffic like on the highway
call me a taxi
turn on the kitchen lights
open the garage door
vacuum the living room
how many calories are in an apple
what are the symptoms of the flu
I have a headache
write me an essay about climate change
who painted the mona lisa
how old is the universe
what language do they speak in brazil
let's play a game
sing me a song
my girlfriend broke up with me
I had a bad day at work
what do you think about politics
which team will win the league
how do I grow tomatoes
what's a good name for a dog
fix the python error in my code
how do I tie a tie
what day is christmas this year
spell necessary
what does ubiquitous mean
do aliens exist
asdf qwer zxcv
blah blah blah
the quick brown fox jumps over the lazy dog
purple monkey dishwasher
my favorite color is blue
I like turtles
the train was crowded this morning
he went to the beach with his dog
오늘 날씨 어때
내일 비 와
농담 하나 해줘
어제 축구 누가 이겼어
프랑스 수도가 어디야
저녁 뭐 먹지
김치찌개 레시피 알려줘
피자 한 판 시켜줘
맛집 추천해줘
서울 가는 기차 예매해줘
제주도 비행기표 예약해 줘
비트코인 살까 말까
삼성전자 주가 얼마야
대통령이 누구야
노래 틀어줘
아침 일곱 시에 깨워줘
지금 몇 시야
영화 추천해 줘
결혼했어
살 빼는 방법 알려줘
우리 강아지가 아파요
십이 곱하기 구는
달까지 거리가 얼마나 돼
재미있는 책 추천해줘
택시 불러줘
거실 불 켜줘
머리가 아파
감기 증상이 뭐야
숙제 좀 도와줘
외계인이 있을까
게임 하자
여자친구랑 헤어졌어
오늘 너무 힘들었어
정치에 대해 어떻게 생각해
영어로 번역해줘
고양이 이름 지어줘
크리스마스가 무슨 요일이야
주말에 뭐 할까
운동하기 싫다
배고파 죽겠다
잠이 안 와
회사 가기 싫어
친구랑 싸웠어
사랑이 뭘까
로또 번호 알려줘
오늘의 운세
비밀 이야기 해 줘
커피 마시고 싶다
옷 뭐 입지
버스가 너무 안 온다
가나다라마바사
아무말 대잔치
""".splitlines()
    if line.strip()
)
