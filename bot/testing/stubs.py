"""Custom actions that answer from a test file instead of running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult, Actions, Utterance

from .scenarios import Stub

_UTTERANCE = frozenset({"response", "template", "text", "buttons", "image", "attachment", "custom"})


class StubbedActions:
    """The named actions answer from their stubs, every other one is run by `inner`."""

    def __init__(self, inner: Actions, stubs: Mapping[str, Stub]) -> None:
        self._inner = inner
        self._stubs = stubs

    @property
    def names(self) -> frozenset[str]:
        return self._inner.names | frozenset(self._stubs)

    async def run(self, call: ActionCall) -> ActionResult:
        stub = self._stubs.get(call.action)
        if stub is None:
            return await self._inner.run(call)
        return stubbed_result(call.action, stub)


def stubbed_result(action: str, stub: Stub) -> ActionResult:
    """What a stub says, as an action's result. Raises ActionFailed for an event that is none."""
    slots: list[tuple[str, Any]] = []
    utterances = [_utterance(response) for response in stub.responses]
    others: list[Mapping[str, Any]] = []
    for event in stub.events:
        kind = event.get("event")
        if not isinstance(kind, str):
            raise ActionFailed("bad_event", action, "the stub has an event without the key `event`")
        if kind == "slot":
            if not isinstance(event.get("name"), str):
                raise ActionFailed("bad_event", action, "the stub has a slot event without a name")
            slots.append((event["name"], event.get("value")))
        elif kind == "bot":
            utterances.append(_utterance({"text": event.get("text") or "", **(event.get("data") or {})}))
        else:
            others.append(event)
    return ActionResult(tuple(slots), tuple(utterances), tuple(others))


def _utterance(response: Mapping[str, Any]) -> Utterance:
    return Utterance(
        response=str(response.get("response") or response.get("template") or ""),
        text=str(response.get("text") or ""),
        buttons=tuple(response.get("buttons") or ()),
        image=str(response.get("image") or ""),
        attachment=response.get("attachment"),
        custom=response.get("custom"),
        values={key: value for key, value in response.items() if key not in _UTTERANCE},
    )
