"""Messages that are no language: button payloads, `/words`, and input that is empty or far too long."""

from __future__ import annotations

from bot.dialogue.commands import CannotHandle, Command, SetSlot, StartFlow, Trigger, parse_payload
from bot.dialogue.state import State
from bot.language import Project

from .choices import offers

LONGEST = 2_000
"""Characters a message may have."""


def unusable(text: str) -> Trigger | None:
    """The error pattern for input there is nothing to understand in, or None."""
    if not text.strip():
        return Trigger("pattern_internal_error", {"error_type": "user_input_empty"})
    if len(text) > LONGEST:
        return Trigger("pattern_internal_error", {"error_type": "user_input_too_long"})
    return None


def read_payload(text: str, state: State, project: Project) -> tuple[Command, ...] | None:
    """Commands of a message that begins with a slash, or None when it does not.

    `/SetSlots(...)` may set a slot marked `controlled` only when a button with that payload was just shown:
    anybody can type a slash, and such slots hold what must not be claimed ("verified").
    """
    stripped = text.strip()
    if not stripped.startswith("/"):
        return None
    commands = parse_payload(stripped)
    if commands is not None:
        shown = {pair for offer in offers(state.said) for command in parse_payload(offer.payload) or () if (pair := _pair(command))}
        allowed = tuple(command for command in commands if _may_set(command, project, shown))
        return allowed or (CannotHandle(),)
    word = stripped[1:].strip()
    if word in project.user_flows and project.user_flows[word].guard is not False:
        return (StartFlow(word),)
    return (CannotHandle(),)


def _pair(command: Command) -> tuple[str, str] | None:
    return (command.name, str(command.value)) if isinstance(command, SetSlot) else None


def _may_set(command: Command, project: Project, shown: set[tuple[str, str]]) -> bool:
    if not isinstance(command, SetSlot):
        return True
    slot = project.slots.get(command.name)
    if slot is None:
        return False
    return not slot.controlled or (command.name, str(command.value)) in shown
