"""What Koreans put around a noun: endings after it (입니다, 이요, 로 해주세요) and openings before it (저는, 제 이름은)."""

from __future__ import annotations

import re

from .text import ends_in_consonant, ends_in_rieul

_DO = r"(?:해\s?(?:줘요?|주세요|주실래요|주십시오|줄래요?)|할\s?게요?|할\s?께요?|할래요?|하겠습니다|부탁\s?(?:해요?|드려요|드립니다|합니다)?|변경\S*|바꿔\s?\S*|바꿀\S*|선택\S*|진행\S*|가입\S*|옮\S*|보내\s?\S*|주세요|줘요?|갈게요?|가겠습니다|정정\S*|수정\S*)"
_ENDINGS = (
    re.compile(rf"\s?(?:으로|로)\s+{_DO}(?:\s.*)?$"),
    re.compile(rf"\s?(?:으로|로)\s?{_DO}$"),
    re.compile(rf"\s?(?:을|를|만)?\s+{_DO}$"),
    re.compile(r"(?:이라고|라고)\s?(?:합니다|해요|불러\s?주세요|불러줘요?|해)$"),
    re.compile(r"(?:에|에서)\s?(?:살아요?|삽니다|살고\s?있어요|살고\s?있습니다|있어요|있습니다|거주\S*)$"),
    re.compile(r"(?:으로|로|에)\s(?:가요|갑니다|가려고\S*|여행\S*|갈\s?거\S*|출장\S*|이사\S*)(?:\s\S+)?$"),
    re.compile(r"\s?(?:쪽|근처|정도|쯤)?(?:이에요|이예요|예요|에요|입니다|이요|이용|이야|이고요|인데요|같아요|일\s?거예요|임)$"),
)
_OPENING = re.compile(
    r"^(?:(?:음|어|아|저기|네|예|그럼|그러면|그냥|아니|아니요|제가|저는|전|난|나는|저|제|제\s?이름은|이름은|성함은|제\s?번호는|번호는|주소는|지역은|동네는|요금제는|날짜는|금액은|여기는|여긴|지금)\s*[,.]?\s+)+"
)


def noun(text: str) -> str:
    """The noun in a short Korean answer: "저는 홍길동입니다" is 홍길동, "5g 플러스로 해주세요" is 5g 플러스. Other text stays as it is."""
    kept = _OPENING.sub("", text.strip(" .,!~?"))
    for ending in _ENDINGS:
        shorter = ending.sub("", kept)
        if shorter != kept and len(shorter.strip()) >= 1:
            return shorter.strip()
    if (
        len(kept) >= 3
        and kept.endswith("요")
        and not kept.endswith(("어요", "아요", "해요", "세요", "게요", "네요", "래요", "까요", "나요", "와요", "돼요", "려요"))
    ):
        kept = kept[:-1]
    if len(kept) >= 4 and kept.endswith("으로") and ends_in_consonant(kept[:-2]):
        return kept[:-2].strip()
    if len(kept) >= 4 and kept.endswith("로") and (not ends_in_consonant(kept[:-1]) or ends_in_rieul(kept[:-1])):
        return kept[:-1].strip()
    return kept.strip()
