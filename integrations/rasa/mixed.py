"""Local actions in process, the others over HTTP: how a project moves from one host to the other, action by action."""

from __future__ import annotations

from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult, Actions


class MixedActions:
    """Asks the first of `hosts` that knows the action's name."""

    def __init__(self, *hosts: Actions) -> None:
        self._hosts = hosts

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(host.names for host in self._hosts))

    async def run(self, call: ActionCall) -> ActionResult:
        """Raises ActionFailed."""
        for host in self._hosts:
            if call.action in host.names:
                return await host.run(call)
        raise ActionFailed("unknown", call.action, "no action host knows this name")
