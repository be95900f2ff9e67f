"""How steps speak: a response by name, or what an action wants said, becomes a `bot` event. What is said is rendered when it is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from bot.speaking import RenderError, Said, render, written

from . import slots
from .actions import Utterance
from .progress import Progress, Surroundings


def knows(name: str, around: Surroundings) -> bool:
    return name in around.project.responses


def say(progress: Progress, around: Surroundings, name: str, extra: Mapping[str, Any] | None = None) -> Progress:
    """Says a response. A name nobody defined, or a broken template, is a problem event: the customer is never shown a name."""
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
    return progress if said is None else tell(progress, said)


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
    """Says what a custom action asked for: a response with extra values, literal content, or both."""
    if utterance.response:
        progress = say(progress, around, utterance.response, utterance.values)
    if utterance.text or utterance.buttons or utterance.image or utterance.attachment or utterance.custom:
        progress = tell(
            progress,
            Said(
                text=utterance.text,
                buttons=tuple({"title": str(b.get("title", "")), "payload": str(b.get("payload", b.get("title", "")))} for b in utterance.buttons),
                image=utterance.image,
                attachment=utterance.attachment,
                custom=utterance.custom,
            ),
        )
    return progress


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
