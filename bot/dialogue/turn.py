"""The turn: understand -> apply -> run -> reply. What branches, the flows, runs as LangGraph graphs; these four follow each other.

`run` takes a state and a message and returns a Progress: the new state and everything that happened. It commits nothing.
The four are no graph of their own: they never branch, and as nodes they would cost as much as the flows do (0.8 ms of CPU a turn).
"""

from __future__ import annotations

from typing import Any

from .apply import apply
from .closing import close_top
from .commands import CancelFlow, Command, SetSlot, Trigger, parse_payload
from .progress import Progress, Surroundings
from .recovery import admit
from .state import State
from .understander import Understanding


async def _understand(progress: Progress, around: Surroundings) -> Progress:
    if around.commands is not None:
        understanding = Understanding(around.commands, engine="given")
    elif (direct := parse_payload(around.message.text)) is not None:
        understanding = Understanding(_permitted(direct, progress.state, around), engine="payload")
    else:
        understanding = await around.understander(around.message, progress.state, around.project)
    progress = progress.evolve(understanding=understanding)
    return progress.emit("commands", commands=[str(command) for command in understanding.commands], engine=understanding.engine)


def _permitted(commands: tuple[Command, ...], state: State, around: Surroundings) -> tuple[Command, ...]:
    """A payload may set a controlled slot only if it was offered on a button: whoever types `/SetSlots(identity_level=verified)` is a
    customer like any other."""
    offered = {str(button.get("payload", "")).strip() for message in state.said for button in message.get("buttons", ())}
    if around.message.text.strip() in offered:
        return commands
    slots = around.project.slots
    return tuple(
        SetSlot(command.name, command.value)
        if isinstance(command, SetSlot) and command.name in slots and slots[command.name].controlled
        else command
        for command in commands
    )


def _apply(progress: Progress, around: Surroundings) -> Progress:
    commands = progress.understanding.commands if progress.understanding else ()
    if progress.state.owner != "bot":
        back = any(isinstance(command, CancelFlow) for command in commands)
        pattern = "pattern_handoff_return" if back else "pattern_handoff_waiting"
        commands = () if progress.state.owner == "agent" else (Trigger(pattern, {}),)
        if not commands:
            return progress.evolve(stop="wait")
    return apply(commands, progress, around.project, around.flow_of)


async def _run(progress: Progress, around: Surroundings) -> Progress:
    """Runs the top frame's own graph, entered at the frame's step, until it waits, ends, or another frame comes on top; a flow that ran
    to its end is closed, and what is on top then runs; until the customer must say something or nothing is left.
    """
    limit = {"recursion_limit": around.max_steps + 50}
    while progress.stop != "wait" and progress.state.top is not None:
        progress, flow = admit(progress.evolve(stop=None), around)
        if flow is None:
            continue
        result: dict[str, Any] = await around.graphs(flow).ainvoke({"progress": progress}, limit, context=around)
        progress = result["progress"]
        if progress.stop is None:
            progress = close_top(progress, around)
    return progress


def _reply(progress: Progress, around: Surroundings) -> Progress:
    """Remembers what was said, for "say that again", and closes the books of the turn."""
    said = tuple(
        {key: event[key] for key in ("response", "text", "buttons", "image", "attachment", "custom")}
        for event in progress.events
        if event["event"] == "bot"
    )
    kept = said or progress.state.said
    return progress.evolve(state=progress.state.evolve(said=kept, last_active=around.now.isoformat(timespec="seconds")), stop=None)


async def run(progress: Progress, around: Surroundings) -> Progress:
    """Runs one turn. Raises only what the understander raises; failures of actions and flows end in patterns."""
    progress = await _understand(progress, around)
    progress = _apply(progress, around)
    progress = await _run(progress, around)
    return _reply(progress, around)
