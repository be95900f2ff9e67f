"""Running custom actions through the ledger of effects: at most once each, replayed from the stored result, never blindly repeated."""

from __future__ import annotations

from bot.conversations import EffectMismatch, request_hash

from . import slots
from .actions import ActionCall, ActionFailed, ActionResult
from .progress import Progress, Surroundings

_NOTHING_HAPPENED = frozenset({"rejected", "unknown"})
"""Failures after which an action may be tried again. After all others nobody knows, and the ledger keeps it as started."""


def call_of(progress: Progress, around: Surroundings, action: str, candidate: tuple[str, object] | None = None) -> ActionCall:
    """The call of an action at the current step. Its key names conversation, message, frame, step, visit and action."""
    top = progress.state.top
    place = f"{top.id}/{top.step}/{top.visit}" if top else "-"
    active = next((frame.flow for frame in reversed(progress.state.stack) if frame.kind != "pattern"), "")
    return ActionCall(
        action=action,
        key=f"{around.conversation}/{around.message_id}/{place}/{action}",
        conversation=around.conversation,
        slots=dict(slots.values(progress.state, around.project)),
        text=around.message.text,
        now=around.now,
        language=progress.state.language,
        channel=around.message.channel,
        domain=around.project.domain,
        metadata=around.message.metadata,
        events=(*around.history, *progress.events),
        active_flow=active,
        stack=[{"frame_id": frame.id, "flow_id": frame.flow, "step_id": frame.step} for frame in progress.state.stack],
        candidate=candidate,
    )


async def perform(call: ActionCall, around: Surroundings) -> ActionResult:
    """Runs an action, through the ledger unless it only reads. One begun before a crash runs again only if it is idempotent: with the
    same key, so that the system it calls answers what it did the first time.

    Raises ActionFailed; kind `unknown_outcome` when an earlier attempt was begun and never reported back.
    """
    declared = around.project.actions.get(call.action)
    if around.effects is None or (declared is not None and declared.read_only):
        return await around.actions.run(call)
    try:
        effect = await around.effects.begin(call.key, call.action, request_hash(call.action, call.slots))
    except EffectMismatch:
        raise ActionFailed("unknown_outcome", call.action, "an earlier attempt of this step was asked something else") from None
    if effect.status == "done" and effect.result is not None:
        return ActionResult.from_json(effect.result)
    if effect.status == "started" and not (declared is not None and declared.idempotent):
        raise ActionFailed("unknown_outcome", call.action, "an earlier attempt was begun and never reported back")
    try:
        result = await around.actions.run(call)
    except ActionFailed as failure:
        if failure.kind in _NOTHING_HAPPENED or failure.detail.endswith("nothing was sent"):
            await around.effects.failed(call.key, failure.kind)
        if failure.kind == "timeout":
            raise ActionFailed("unknown_outcome", call.action, f"timed out: {failure.detail}") from None
        raise
    await around.effects.done(call.key, result.to_json())
    return result
