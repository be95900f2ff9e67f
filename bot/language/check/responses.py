"""Responses: whether what a flow says is there, who asks a question, and what one wording may not be at once."""

from __future__ import annotations

from collections.abc import Iterator

from ..builtins import BUILTIN_RESPONSES, PLACEHOLDER_FORMATS, REFUSAL_NAMES
from ..conditions import Value
from ..spec import CollectStep, Problem, Response, Variation
from .logic import taken_before
from .view import View, did_you_mean, is_own, is_template
from .wording import placeholders, template_error, template_slots


def named(view: View) -> Iterator[Problem]:
    """Responses that flows, rejections and slots name."""
    questions = {(step.place, step.utter) for _, step in view.steps(CollectStep) if isinstance(step, CollectStep)}
    for name, users in view.said.items():
        if name in view.project.responses or is_template(name):
            continue
        for place, what in users:
            if not is_own(place) or (place, name) in questions:
                continue
            hint = did_you_mean(name, view.project.responses, "add it under `responses:` in the domain")
            if name in view.project.actions:
                hint = f"it is declared as an action, and has no wording: add `{name}` under `responses:`"
            yield Problem(place, "error", "unknown-response", f"{what} says `{name}`, and there is no such response", hint)


def questions(view: View) -> Iterator[Problem]:
    """Every collect has exactly one who asks."""
    for flow, step in view.steps(CollectStep):
        assert isinstance(step, CollectStep)
        if is_template(step.utter) or is_template(step.slot):
            continue
        usual, asking_action = f"utter_ask_{step.slot}", f"action_ask_{step.slot}"
        by_action = asking_action in view.project.actions
        by_response = step.utter in view.project.responses
        what = f"step `{step.id}` of flow `{flow.id}`"
        if by_action and by_response:
            message = f"slot `{step.slot}` is asked for twice: by `{step.utter}` and by `{asking_action}`"
            yield Problem(step.place, "error", "question-twice", message, "remove the response or the action")
        elif by_action or by_response or step.utter in view.project.actions:
            continue
        elif step.utter == usual or step.utter == asking_action:
            hint = f"add `{usual}` under `responses:`, or declare `{asking_action}`"
            near = did_you_mean(usual, (name for name in view.project.responses if name not in view.said), hint)
            message = f"{what} asks for `{step.slot}`, and nothing says the question"
            yield Problem(step.place, "error", "collect-without-question", message, near)
        else:
            hint = did_you_mean(step.utter, view.project.responses, "add it under `responses:` in the domain")
            yield Problem(step.place, "error", "unknown-response", f"{what} asks with `{step.utter}`, and there is no such response", hint)


def wordings(view: View) -> Iterator[Problem]:
    for response, variation in view.variations():
        if variation.verbatim and variation.rephrase:
            message = f"`{response.name}` is `verbatim` and `rephrase` at once"
            yield Problem(variation.place, "error", "verbatim-rephrased", message, "keep the one you mean; verbatim is never reworded")
        if not _says_something(variation):
            hint = "write `text:`, or `custom:`, `image:`, `buttons:`"
            yield Problem(variation.place, "error", "empty-response", f"a variation of `{response.name}` says nothing", hint)
        for text in (variation.text, *variation.texts.values()) if variation.template == "jinja" else ():
            if error := template_error(text):
                message = f"`{response.name}` is no readable template: {error}"
                yield Problem(variation.place, "error", "bad-template", message, "the template language is Jinja")


def defaults(view: View) -> Iterator[Problem]:
    for response in view.responses:
        if not response.variations:
            yield Problem(response.place, "error", "empty-response", f"`{response.name}` has no variation", "write at least one `text:`")
        elif all(variation.condition is not None for variation in response.variations):
            conditions = [variation.condition.expression for variation in response.variations if variation.condition]
            known = [expression for expression in conditions if expression is not None]
            if not taken_before(known, Value(True), view.slots):
                message = f"every variation of `{response.name}` has a condition, so at times nothing is said"
                asks = any(isinstance(step, CollectStep) and step.utter == response.name for _, step in view.steps(CollectStep))
                yield Problem(response.place, "warning" if asks else "info", "no-default-variation", message, "add one without a condition")
        elif all(variation.channel for variation in response.variations if variation.condition is None):
            channels = ", ".join(sorted({variation.channel for variation in response.variations}))
            message = f"`{response.name}` has wordings for {channels} only, so elsewhere nothing is said"
            yield Problem(response.place, "warning", "no-default-variation", message, "add one without `channel`")


def placeholder_names(view: View) -> Iterator[Problem]:
    for response, variation in view.variations():
        by_flow = response.name in view.said
        for text in (variation.text, *variation.texts.values()):
            if variation.template == "jinja":
                names: tuple[tuple[str, str], ...] = tuple((name, "") for name in template_slots(text))
            else:
                names = tuple(placeholders(text))
            for name, format in dict.fromkeys(names):
                yield from _placeholder(view, response, variation, name, format, by_flow)


def unused(view: View) -> Iterator[Problem]:
    slots = {step.slot for flow in view.project.flows.values() for step in flow.steps if isinstance(step, CollectStep)}
    for response in view.responses:
        used = response.name in view.said or response.name in BUILTIN_RESPONSES
        if not used and not view.in_code(response.name) and response.name.removeprefix("utter_ask_") not in slots:
            hint = "remove it, unless an action says it"
            yield Problem(response.place, "info", "unused-response", f"no flow says `{response.name}`", hint)


def _placeholder(view: View, response: Response, variation: Variation, name: str, format: str, by_flow: bool) -> Iterator[Problem]:
    if format and format not in PLACEHOLDER_FORMATS:
        hint = did_you_mean(format, PLACEHOLDER_FORMATS, f"known formats: {', '.join(sorted(PLACEHOLDER_FORMATS))}")
        yield Problem(variation.place, "error", "unknown-format", f"`{response.name}`: {{{name}:{format}}} has no known format", hint)
    base = name.split(".")[0]
    known = base in view.slots or base in ("slots", "context") or base in view.context_names or base in REFUSAL_NAMES
    if known or (not by_flow and view.in_code(base)):
        return
    message = f"`{response.name}` holds {{{name}}}, and there is no such slot"
    if by_flow:
        hint = did_you_mean(base, view.slots, "customers would read `None`: add the slot, or remove the placeholder")
        yield Problem(variation.place, "error", "placeholder-no-slot", message, hint)
    else:
        hint = did_you_mean(base, view.slots, "unless an action gives it, customers would read `None`")
        yield Problem(variation.place, "info" if view.project.actions else "warning", "placeholder-no-slot", message, hint)


def _says_something(variation: Variation) -> bool:
    said = (variation.text.strip(), variation.buttons, variation.image, variation.attachment, variation.custom, variation.metadata)
    return any(bool(part) for part in said)
