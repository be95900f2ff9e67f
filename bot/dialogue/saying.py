"""How steps speak: a response by name, or what an action wants said, becomes a `bot` event. What is said is rendered when it is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zlib import crc32

from bot.speaking import RenderError, Said, render, written

from . import slots
from .actions import Utterance
from .progress import Progress, Surroundings


def knows(name: str, around: Surroundings) -> bool:
    return name in around.project.responses


def say(
    progress: Progress, around: Surroundings, name: str, extra: Mapping[str, Any] | None = None, beside: Utterance | None = None
) -> Progress:
    """Says a response. A name nobody defined, or a broken template, is a problem event: the customer is never shown a name.

    `beside` is what an action adds to the response: its buttons come after the response's own, anything else takes the place of it.
    """
    response = around.project.responses.get(name) or around.project.responses.get(around.aliases.get(name, ""))
    if response is None:
        return progress.emit("problem", code="unknown-response", detail=f"there is no response {name}", flow="", step="")
    top = progress.state.top
    try:
        said = render(
            response,
            slots=slots.values(progress.state, around.project),
            context=top.context if top else {},
            language=progress.state.language,
            channel=around.message.channel,
            pick=crc32(f"{around.conversation}/{progress.state.turn}/{name}".encode()),
            extra=extra,
        )
    except RenderError as error:
        return progress.emit("problem", code="bad-template", detail=str(error), flow=top.flow if top else "", step=top.step if top else "")
    if said is None:
        return progress
    return tell(progress, said if beside is None else _joined(said, beside))


def _joined(said: Said, beside: Utterance) -> Said:
    return replace(
        said,
        text=beside.text or said.text,
        buttons=(*said.buttons, *_buttons(beside)),
        image=beside.image or said.image,
        attachment=beside.attachment or said.attachment,
        custom=beside.custom or said.custom,
    )


def _buttons(utterance: Utterance) -> tuple[Mapping[str, str], ...]:
    return tuple({"title": str(b.get("title", "")), "payload": str(b.get("payload", b.get("title", "")))} for b in utterance.buttons)


def tell(progress: Progress, said: Said) -> Progress:
    if not (said.text or said.buttons or said.image or said.attachment or said.custom):
        return progress
    return progress.emit(
        "bot",
        response=said.response,
        text=said.text,
        buttons=[dict(button) for button in said.buttons],
        image=said.image,
        attachment=said.attachment,
        custom=said.custom,
        verbatim=said.verbatim,
        metadata=dict(said.metadata),
    )


def utter(progress: Progress, around: Surroundings, utterance: Utterance) -> Progress:
    """Says what a custom action asked for, as one message: a response with extra values, literal content, or both together."""
    if utterance.response:
        return say(progress, around, utterance.response, utterance.values, utterance)
    return tell(
        progress,
        Said(
            text=utterance.text,
            buttons=_buttons(utterance),
            image=utterance.image,
            attachment=utterance.attachment,
            custom=utterance.custom,
        ),
    )


def refusal_values(progress: Progress, around: Surroundings, slot: str) -> dict[str, Any]:
    """What a refusal may mention: the slot's allowed values and limits."""
    declared = around.project.slots.get(slot)
    if declared is None:
        return {}
    return {
        "slot_name": slot.replace("_", " "),
        "slot_values": written(list(declared.values), "", progress.state.language),
        "slot_minimum": "" if declared.minimum is None else written(declared.minimum, "number", progress.state.language),
        "slot_maximum": "" if declared.maximum is None else written(declared.maximum, "number", progress.state.language),
    }
