"""A response by name -> what the customer reads: choose a wording, translate it, fill in the values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bot.language import Response, Variation

from .formats import written


class RenderError(Exception):
    """A response that cannot be rendered; the message names it and says why, without values."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message, ready to be sent. `response` is the name it came from ("" for literal text); `verbatim`: no model may reword it."""

    text: str
    response: str = ""
    buttons: tuple[Mapping[str, str], ...] = ()
    image: str = ""
    attachment: Any = None
    custom: Any = None
    verbatim: bool = False
    rephrase: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


_PLACEHOLDER = re.compile(r"\{(?P<name>[A-Za-z_][\w.-]*)(?::(?P<form>[a-z]+))?\}")


def choose(response: Response, slots: Mapping[str, Any], context: Mapping[str, Any], channel: str, pick: int) -> Variation | None:
    """The wording that fits best: condition and channel, channel alone, condition alone, neither; `pick` decides among equals."""
    best: list[Variation] = []
    best_rank = -1
    for variation in response.variations:
        if variation.channel and variation.channel != channel:
            continue
        if variation.condition is not None and not variation.condition.holds(slots, context):
            continue
        rank = (2 if variation.channel else 0) + (1 if variation.condition is not None else 0)
        if rank > best_rank:
            best, best_rank = [variation], rank
        elif rank == best_rank:
            best.append(variation)
    return best[pick % len(best)] if best else None


def render(
    response: Response,
    *,
    slots: Mapping[str, Any],
    context: Mapping[str, Any],
    language: str,
    channel: str,
    pick: int = 0,
    extra: Mapping[str, Any] | None = None,
) -> Said | None:
    """Renders a response; None when no variation's condition holds. Raises RenderError when a Jinja template is broken."""
    variation = choose(response, slots, context, channel, pick)
    if variation is None:
        return None
    text = variation.texts.get(language) or variation.text
    buttons = tuple(
        {
            "title": fill(button.titles.get(language) or button.title, slots, extra, language),
            "payload": fill(button.payload, slots, extra, ""),
        }
        for button in variation.buttons
    )
    if variation.template == "jinja":
        filled = _jinja(text, response.name, {"slots": slots, "context": context, **dict(slots), **(extra or {})})
    else:
        filled = fill(text, slots, extra, language)
    return Said(
        text=filled,
        response=response.name,
        buttons=buttons,
        image=fill(variation.image, slots, extra, language),
        attachment=variation.attachment,
        custom=variation.custom,
        verbatim=variation.verbatim,
        rephrase=variation.rephrase,
        metadata=variation.metadata,
    )


def fill(text: str, slots: Mapping[str, Any], extra: Mapping[str, Any] | None, language: str) -> str:
    """Puts values in the place of `{slot}` and `{slot:form}`. A name that is no slot stays as it is written; an empty slot leaves nothing."""

    def value(match: re.Match[str]) -> str:
        name = match["name"]
        if extra and name in extra:
            return written(extra[name], match["form"] or "", language)
        if name in slots:
            return written(slots[name], match["form"] or "", language)
        return match[0]

    return _PLACEHOLDER.sub(value, text) if "{" in text else text


def placeholders(text: str) -> Sequence[str]:
    """The names a text asks to be filled in."""
    return [match["name"] for match in _PLACEHOLDER.finditer(text)]


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(autoescape=False)
    environment.filters["written"] = written
    return environment


@lru_cache(maxsize=1024)
def _template(text: str) -> Any:
    return _environment().from_string(text)


def _jinja(text: str, name: str, values: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError

    try:
        return str(_template(text).render(values))
    except (TemplateError, TypeError, ValueError, AttributeError) as error:
        raise RenderError(f"response {name}: the template cannot be rendered ({type(error).__name__})") from None
