"""Requests for a person, recognised anywhere in a message. Never argued with, so the patterns lean to hearing one; they do heed "not"."""

from __future__ import annotations

import re

from .text import bare, compact, fold, has_hangul

_WHO = (
    r"(?:human(?: being)?s?|persons?|people|agents?|representatives?|reps?|csr|operators?|advis[oe]rs?|associates?|specialists?|managers?|supervisors?|"
    r"employees?|somebody|someone|staff(?: member)?|customer (?:service|care|support)(?: (?:agent|rep|representative|person|team))?|"
    r"support (?:agent|person|team|staff|rep)|sales (?:rep|person|agent)|real one|anyone|anybody|man or woman)"
)
_ROLE = r"(?:human(?: being)?|agent|representative|rep|csr|operator|advis[oe]r|supervisor|manager|customer (?:service|care|support)|live person|real person|actual person)"
_ADJECTIVES = r"(?:(?:a|an|the|your|some|one of your|another|any|real|live|actual|human|proper|customer|service|support|care|different|technical|tech|sales|billing|damn|freaking|fucking|goddamn) )*"
_ENGLISH = re.compile(
    rf"\b(?:talk|talking|speak|speaking|chat|chatting|spk|tlk)\s+(?:to|with|2)\s+{_ADJECTIVES}{_WHO}\b"
    rf"|\b(?:connect|transfer|forward|hand|pass|put|switch|escalate|direct|patch|refer)\s+(?:me|us|this|it|the call|my call|my chat)?\s*(?:over |on |through |up )*(?:to|with|through to|onto)\s+{_ADJECTIVES}{_WHO}\b"
    rf"|\b(?:get|give|find|fetch|bring|send|want|need|reach|contact|prefer|like|wants|request|requesting|see)\s+(?:me |us |to have |to reach |to get |to contact |to see )*{_ADJECTIVES}{_ROLE}\b(?! (?:number|id|code|discount|charge|fee|plan))"
    rf"|\b(?:have|let|can|could|want|need|get)\s+{_ADJECTIVES}{_WHO}\s+(?:to )?(?:call|contact|phone|ring|text|help)\s+(?:me|us)\b"
    r"|\b(?:hand ?over|live chat|live support|live help|live agent|human agent|human please|agent please|representative please|operator please|real person please|call me back by a person)\b"
    rf"|\b(?:is there|are there|isn't there|do you have)\s+{_ADJECTIVES}(?:human|person|agent|representative|rep|someone|somebody|anyone|anybody)\s+(?:real )?(?:i can|there i can|to|that i can|available|around|here i can)\b"
    r"|\b(?:give|get|find|bring) (?:me |us )(?:a |an |some )?(?:real |live |actual )?(?:person|people|somebody|someone)\b"
    r"|\bnot (?:a |with a |to a |talking to a )?(?:ro)?bot\b.*\b(?:human|person|agent)\b"
    r"|\b(?:talk|speak|chat) (?:to|with) (?:some ?one|some ?body) (?:real|else|human|in charge|competent|who)\b"
    r"|\bescalate (?:this|it|my|the)\b|\bescalate$|\bi (?:want|need|demand) (?:a |an )?(?:human|person|agent)\b"
)
_ENGLISH_ALONE = re.compile(
    r"^(?:(?:please|pls|plz|just|no|sorry|hi|hello|hey|um|uh|ok|i said|a|an|the|to|your|real|live|actual|human|speak to|talk to|customer) )*"
    r"(?:agents?|humans?|person|people|representative|rep|operator|real person|live person|customer service|customer support|customer care|advisor|supervisor|manager|human being|someone real|somebody real|a real human)"
    r"(?: (?:please|pls|plz|now|right now|asap|thanks|thank you|agent))*$"
)
_ENGLISH_NOT = re.compile(
    r"\b(?:don't|dont|do not|doesn't|didn't|not|no need to|without|rather than|instead of|never|won't|avoid) (?:\w+ ){0,3}?(?:talk|speak|chat|talking|speaking|need|want|have|an? agent|a human|a person|connect|transfer|be transferred)"
    r"|\b(?:spoke|talked|chatted|was speaking|was talking|been talking|been speaking) (?:to|with)\b(?!.*\b(?:want|need|again|now|please)\b)"
    r"|\bi(?:'ll| will| would| can) (?:contact|call|reach|ask|get|see)\b(?! me)"
    r"|\bam i (?:talking|speaking|chatting)|\bare you (?:an? )?(?:real |live )?(?:human|person|agent)|\bis this (?:an? )?(?:real |live )?(?:human|person|agent)"
)

_WHO_KO = r"(?:상담원|상담사|상담직원|상담자|상담사분|직원|직원분|담당자|담당직원|매니저|관리자|책임자|사람|실제사람|진짜사람|인간|휴먼|에이전트|고객센터|콜센터)"
_LINK_KO = r"(?:님|분)?(?:이랑|랑|과|와|하고|한테|에게|께|으로|로|을|를|이|가|좀|께서|에)?(?:직접|바로|빨리|좀|지금|한번|제발|당장)*"
_WANT_KO = r"(?:연결|바꿔|바꾸|통화|전화|말하|말씀|말할|말좀|얘기|이야기|대화|상담|채팅|불러|부탁|원해|원합|필요|나와|나오라|데려|물어보|문의하고|주세요|줘|어딨|없어요|없나요|계신가|있나요|있어요)"
_KOREAN = re.compile(
    rf"{_WHO_KO}{_LINK_KO}{_WANT_KO}|상담(?:을|좀)?연결|상담원?전환|연결해(?:줘|주세요|주실|주시)[^가-힣]*$|전화상담|유선상담|상담받고싶|직접상담|상담하고싶|상담(?:신청|요청|부탁)"
    rf"|(?:말고|아니라|아닌){_WHO_KO}"
)
_KOREAN_ALONE = re.compile(
    rf"^(?:그냥|제발|저기요?|빨리|네|아니|아니요|음|좀)*{_WHO_KO}(?:님|분)?(?:이요|요|으로|로|으로요|로요|좀요?|제발|부탁|플리즈)?$"
)
_KOREAN_NOT = re.compile(
    rf"{_WHO_KO}(?:님|분)?(?:말고|연결없이|연결하지|안거치|없이|이야\?|인가요|이에요|이세요|맞아|맞나|이야$)|연결(?:은|이)?(?:안|필요없|괜찮|하지)|(?:인터넷|와이파이|데이터|블루투스|기기|전화|통화)(?:이|가|를|을)?연결"
    rf"|{_WHO_KO}(?:님|분)?(?:이랑|랑|과|와|하고|한테)?(?:통화|상담|얘기|이야기)(?:했|하다가|중이었)"
)


_CLAUSE = re.compile(r"[,.!?;:\n]+|\bbut\b|\bso\b")


def asks_for_person(text: str) -> bool:
    """Whether the message asks to be put through to a person, in English or Korean."""
    plain = bare(text)
    if has_hangul(plain):
        joined = compact(text)
        if _KOREAN_ALONE.match(joined) or (_KOREAN.search(joined) and not _KOREAN_NOT.search(joined)):
            return True
    return any(_english(bare(clause)) for clause in _CLAUSE.split(fold(text)))


def _english(clause: str) -> bool:
    if _ENGLISH_ALONE.match(clause):
        return True
    return _ENGLISH.search(clause) is not None and _ENGLISH_NOT.search(clause) is None
