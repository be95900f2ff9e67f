"""What a channel can do, as data: replies are fitted to it, so that nothing but the adapter knows which provider it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .outbound import Choice
from .segments import split, split_characters

Markup = Literal["plain", "whatsapp", "markdown", "ssml"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`max_chars` and `max_segments` bound one message; None is no bound. `max_segments` also says that segments are counted.

    `buttons`: how many choices can be shown as buttons, 0 for none. `media`: how many files a message carries out.
    `receipts`: the furthest that can be known. `free_form_window_s`: how long after the customer's last message we may write
    without a template. `segments_per_second`: what one sender may send; None is no limit known.
    """

    max_chars: int | None = None
    max_segments: int | None = None
    buttons: int = 0
    media: int = 0
    templates: bool = False
    receipts: Literal["none", "sent", "delivered", "read"] = "none"
    free_form_window_s: int | None = None
    can_initiate: bool = True
    markup: Markup = "plain"
    segments_per_second: float | None = None

    def fit(self, text: str, *, numbered: bool = False) -> tuple[str, ...]:
        """The messages that say all of `text`, each within bounds; more than one only when it must be."""
        if self.max_segments is not None:
            return split(text, max_segments=self.max_segments, max_chars=self.max_chars, numbered=numbered)
        return split_characters(text, max_chars=self.max_chars, numbered=numbered)


def with_choices(text: str, choices: tuple[Choice, ...]) -> str:
    """The choices as numbered lines under the text, for channels without buttons."""
    lines = [text, *(f"{number}. {choice.title}" for number, choice in enumerate(choices, start=1))]
    return "\n".join(line for line in lines if line)


def with_links(text: str, links: tuple[str, ...]) -> str:
    """The addresses of files as lines under the text, for channels that carry none."""
    return "\n".join(line for line in (text, *links) if line)
