"""What each kind of step does when it runs. A step takes a Progress and returns one; where it goes next is not decided here.

A step that must let another frame run first sets `stop="switch"` and marks its own work `done`; one that must wait for the customer
sets `stop="wait"`. When its frame is on top again the same step is entered again and goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.language import (
    ActionStep,
    CallStep,
    CollectStep,
    HandoffStep,
    LinkStep,
    SetSlotsStep,
    Step,
)

from . import builtins, slots
from .actions import ActionResult
from .effects import call_of, perform
from .progress import Progress, Surroundings
from .saying import knows, refusal_values, say, utter

_TEMPLATE = re.compile(r"\{\{\s*context\.(?P<path>\w+)\s*\}\}")


class RunawayTurn(Exception):
    """A turn that took more steps than it may: most likely a cycle that never waits."""


async def run_step(step: Step, progress: Progress, around: Surroundings) -> Progress:
    """Enters a step. Raises ActionFailed when a custom action fails and RunawayTurn when the turn has gone on for too long."""
    top = progress.state.top
    assert top is not None
    if top.step == step.id and top.done:
        return progress.with_frame(done=False, asked=False)
    if progress.steps >= around.max_steps:
        raise RunawayTurn(f"more than {around.max_steps} steps in one turn, last {top.flow}/{step.id}")
    arrived = top.step != step.id
    progress = progress.with_frame(step=step.id, visit=top.visit + 1, asked=top.asked and not arrived)
    progress = progress.evolve(steps=progress.steps + 1).emit("step", flow=top.flow, frame=top.id, step=step.id, kind=step.kind)
    match step:
        case ActionStep():
            return await _action(step, progress, around)
        case CollectStep():
            return await _collect(step, progress, around)
        case SetSlotsStep():
            return _set_slots(step, progress, around)
        case LinkStep():
            return progress
        case CallStep():
            return _call(step, progress, around)
        case HandoffStep():
            context = {"reason": step.reason, "skill": step.skill, "priority": step.priority}
            return progress.with_frame(done=True).push_pattern("pattern_human_handoff", around.project, context).evolve(stop="switch")
        case _:
            return progress


def _filled_in(template: str, context: Mapping[str, Any]) -> str:
    return _TEMPLATE.sub(lambda match: str(context.get(match["path"]) or ""), template)


async def _action(step: ActionStep, progress: Progress, around: Surroundings) -> Progress:
    top = progress.state.top
    assert top is not None
    name = _filled_in(step.action, top.context)
    return await run_action(name, progress, around, templated=name != step.action)


async def run_action(name: str, progress: Progress, around: Surroundings, *, templated: bool = False) -> Progress:
    """Runs an action by name: a response, a custom action (which may replace a built-in one), or a built-in one.

    A name made from a template may lead nowhere, e.g. `validate_{{context.collect}}`: then nothing happens.
    """
    top = progress.state.top
    assert top is not None
    progress = progress.emit("action", name=name, flow=top.flow, step=top.step)
    if name in around.actions.names:
        result = await perform(call_of(progress, around, name), around)
        return _absorb(result, progress, around)
    if (builtin := builtins.ACTIONS.get(name)) is not None:
        return builtin(progress, around)
    if knows(name, around) or name.startswith("utter_"):
        return say(progress, around, name)
    if templated:
        return progress
    await perform(call_of(progress, around, name), around)  # unknown everywhere: the port says so
    return progress


def _absorb(result: ActionResult, progress: Progress, around: Surroundings, judged: str = "") -> Progress:
    """Takes over what an action returned: slots in order (checked by their own rules), then what it wants said."""
    for event in result.events:
        progress = _absorb_event(event, progress, around)
    invalid: list[str] = []
    for name, value in result.slots:
        slot = around.project.slots.get(name)
        if slot is None:
            top = progress.state.top
            detail = f"an action set {name}, which is no slot"
            progress = progress.emit(
                "problem", code="unknown-slot", detail=detail, flow=top.flow if top else "", step=top.step if top else ""
            )
            continue
        fitted = slots.fit_or_keep(slot, value)  # actions are trusted with odd types, as documented
        progress = progress.set_slot(name, fitted, around.project, "action")
        if name != judged and slots.breaks_own_rules(name, progress.state, around.project):
            invalid.append(name)
    for utterance in result.utterances:
        progress = utter(progress, around, utterance)
    return _validated(progress, invalid, around)


def _validated(progress: Progress, invalid: list[str], around: Surroundings) -> Progress:
    """Lets slots be put right that a step has set against their own rules; the step's own work is done."""
    for name in invalid:
        if progress.stop is None:
            progress = progress.with_frame(done=True)
        progress = progress.push_validation(name, around.project).evolve(stop="switch")
    return progress


def _absorb_event(event: Mapping[str, Any], progress: Progress, around: Surroundings) -> Progress:
    match event.get("event"):
        case "reset_slots":
            for name in list(progress.state.slots):
                progress = progress.set_slot(name, around.project.initial_values.get(name), around.project, "action")
            return progress
        case "restart":
            return builtins.ACTIONS["action_restart"](progress, around)
        case kind if kind in ("session_ended", "pause", "followup", "session_started", "action"):
            return progress.emit("action_event", kind=kind, details={key: value for key, value in event.items() if key != "timestamp"})
        case "reminder":
            details = {"at": event.get("date_time"), "intent": event.get("intent"), "entities": event.get("entities")}
            return progress.emit("reminder", name=str(event.get("name") or ""), **details, kill=bool(event.get("kill_on_user_msg", True)))
        case "cancel_reminder":
            return progress.emit("reminder_cancelled", name=str(event.get("name") or ""))
        case _:
            return progress


async def _collect(step: CollectStep, progress: Progress, around: Surroundings) -> Progress:
    """Judge what is there; otherwise ask and wait."""
    top = progress.state.top
    assert top is not None
    project = around.project
    if step.ask_before_filling and not top.asked and slots.value(progress.state, project, step.slot) is not None:
        progress = progress.set_slot(step.slot, None, project, "flow")
    override = project.flows.get("pattern_collect_information")
    if override is not None:
        return _collect_by_pattern(step, progress, around)
    if slots.value(progress.state, project, step.slot) is not None:
        progress = await _judge(step, progress, around)
        if progress.stop is not None:
            return progress
        if slots.value(progress.state, project, step.slot) is not None:
            return _filled(step, progress)
    return await _ask(step, progress, around)


def _filled(step: CollectStep, progress: Progress) -> Progress:
    top = progress.state.top
    assert top is not None
    others = tuple(pair for pair in top.filled if pair != (step.slot, step.id))
    return progress.with_frame(asked=False, filled=(*others, (step.slot, step.id)))


async def _judge(step: CollectStep, progress: Progress, around: Surroundings) -> Progress:
    """Type, rules of the slot, rules of the step, then the action `validate_<slot>`: the first objection empties the slot."""
    project = around.project
    slot = project.slots.get(step.slot)
    if slot is None:
        return progress
    top = progress.state.top
    raw = slots.value(progress.state, project, step.slot)
    verdict = slots.judge(slot, raw, step.rejections, progress.state, project, top.context if top else {})
    if not verdict.accepted:
        values = refusal_values(progress, around, step.slot)
        if verdict.utter:
            progress = say(progress, around, verdict.utter, values)
        return progress.set_slot(step.slot, None, project, "rejected")
    if verdict.value != raw or type(verdict.value) is not type(raw):
        progress = progress.set_slot(step.slot, verdict.value, project, "fitted")
    validator = f"validate_{step.slot}"
    if validator in around.actions.names:
        progress = progress.emit("action", name=validator, flow=top.flow if top else "", step=step.id)
        result = await perform(call_of(progress, around, validator, (step.slot, verdict.value)), around)
        progress = _absorb(result, progress, around, judged=step.slot)
    return progress


async def _ask(step: CollectStep, progress: Progress, around: Surroundings) -> Progress:
    """Asks, unless the very question was just repeated; then waits. An asking action that says nothing may fill the slot instead."""
    top = progress.state.top
    assert top is not None
    if progress.repeated and top.asked:
        return progress.evolve(stop="wait")
    asker = f"action_ask_{step.slot}"
    if asker in around.actions.names:
        progress = progress.emit("action", name=asker, flow=top.flow, step=step.id)
        result = await perform(call_of(progress, around, asker), around)
        progress = _absorb(result, progress.with_frame(asked=True), around)
        if not result.utterances and progress.stop is None and slots.value(progress.state, around.project, step.slot) is not None:
            progress = await _judge(step, progress, around)
            if progress.stop is None and slots.value(progress.state, around.project, step.slot) is not None:
                return _filled(step, progress)
    else:
        slot = around.project.slots.get(step.slot)
        refill = slot.validation.refill_utter if slot and slot.validation and top.asked else ""
        rejected = any(e["event"] == "slot" and e["by"] == "rejected" and e["name"] == step.slot for e in progress.events)
        question = refill if refill and rejected and knows(refill, around) else step.utter
        progress = say(progress.with_frame(asked=True), around, question)
    return progress if progress.stop is not None else progress.evolve(stop="wait")


def _collect_by_pattern(step: CollectStep, progress: Progress, around: Surroundings) -> Progress:
    """A project that overrides `pattern_collect_information` asks in its own way: its pattern runs until the slot is filled."""
    top = progress.state.top
    assert top is not None
    if top.asked and slots.value(progress.state, around.project, step.slot) is not None:
        return _filled(step, progress)
    context = {
        "collect": step.slot,
        "utter": step.utter,
        "collect_action": f"action_ask_{step.slot}",
        "rejections": [{"if": rejection.condition.text, "utter": rejection.utter} for rejection in step.rejections],
    }
    return progress.with_frame(asked=True).push_pattern("pattern_collect_information", around.project, context).evolve(stop="switch")


def _set_slots(step: SetSlotsStep, progress: Progress, around: Surroundings) -> Progress:
    invalid: list[str] = []
    for name, written in step.assignments:
        slot = around.project.slots.get(name)
        if slot is None:
            continue
        progress = progress.set_slot(name, slots.fit_or_keep(slot, written), around.project, "flow")
        if slots.breaks_own_rules(name, progress.state, around.project):
            invalid.append(name)
    return _validated(progress, invalid, around)


def _call(step: CallStep, progress: Progress, around: Surroundings) -> Progress:
    flow = around.project.flows.get(step.flow)
    if flow is None:
        return progress.emit("problem", code="unknown-flow", detail=f"there is no flow {step.flow} to call", flow="", step=step.id)
    return progress.with_frame(done=True).push(flow, "call").evolve(stop="switch")
