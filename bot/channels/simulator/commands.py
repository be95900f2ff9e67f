"""What is typed into a handset: words to send, or commands, which begin with a slash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

HELP = """/as NUMBER            another SIM card, e.g. +12025550102; the others stay on
/photo FILE [words]   a picture or file, from this machine or from a URL
/offline, /online     this SIM off and on: messages wait, there and here
/duplicate            the server is told of your next message twice, at once
/slow                 messages to you take their time, until the next /slow
/late                 receipts come late, the last first, until the next /late
/fail CODE            the server's next message fails: 21610 and such at once,
                      30003 and the like on the way, 429 and 500 for now only;
                      lost: it is taken, but the server does not hear so
/resend               what the server refused, once more
/quit                 end
//text                sends /text"""

_NAMES: Mapping[str, str] = {
    "as": "as", "photo": "photo", "offline": "offline", "off": "offline", "online": "online", "on": "online", "duplicate": "duplicate",
    "twice": "duplicate", "slow": "slow", "late": "late", "fail": "fail", "resend": "resend", "help": "help", "quit": "quit", "exit": "quit",
    "q": "quit",
}  # fmt: skip
_NEEDS: Mapping[str, str] = {
    "as": "a number, e.g. /as +12025550102",
    "photo": "a file or a URL, e.g. /photo receipt.jpg",
    "fail": "a code, e.g. /fail 21610",
}


@dataclass(frozen=True, slots=True)
class Say:
    """Words for the operator."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Misread:
    """Neither: `problem` tells the owner what to type instead."""

    problem: str


Typed: TypeAlias = Say | Command | Misread


def read(line: str) -> Typed | None:
    """None for an empty line."""
    text = line.strip()
    if not text:
        return None
    if not text.startswith("/"):
        return Say(text)
    if text.startswith("//"):
        return Say(text[1:])
    word, _, argument = text[1:].partition(" ")
    name, argument = _NAMES.get(word.lower(), ""), argument.strip()
    if not name:
        near = get_close_matches(word.lower(), _NAMES, 1)
        return Misread(f"/{word} is no command{f'; did you mean /{near[0]}?' if near else ''} /help shows all, //{word} sends it as it is")
    if name in _NEEDS and not argument:
        return Misread(f"/{word} needs {_NEEDS[name]}")
    if name == "as":
        try:
            return Command(name, number(argument))
        except ValueError as error:
            return Misread(str(error))
    if name == "fail" and not re.fullmatch(r"lost|429|500|\d{5}", argument):
        return Misread("/fail takes 429, 500, lost, or a code of five digits such as 21610 or 30003")
    return Command(name, argument)


def number(text: str) -> str:
    """A telephone number as networks write it; spaces, dashes, dots and brackets are left out. Raises ValueError."""
    found = re.sub(r"[\s().-]", "", text)
    if not re.fullmatch(r"\+[1-9]\d{7,14}", found):
        raise ValueError("a number begins with + and the country, e.g. +12025550102 or +821000000101")
    return found
