"""How a message looks: as plain lines for pipes, and in parts with a style each for a terminal."""

from __future__ import annotations

from datetime import tzinfo
from typing import Literal, NamedTuple

from ..receipts import Status
from .handset import Handset, Shown

Style = Literal["", "dim", "yours", "theirs", "bad"]


class Span(NamedTuple):
    text: str
    style: Style = ""


def plain(handset: Handset, message: Shown) -> str:
    """`> text` for what the owner wrote, `< text` for what came; further lines and files below, indented."""
    first, *others = _words(message)
    return "\n".join((f"{_who(handset, message)} {first}", *(f"  {line}" for line in others)))


def spans(handset: Handset, message: Shown, zone: tzinfo | None = None) -> tuple[Span, ...]:
    """The same with the time in `zone` (None: the machine's own), how far it got, and what it cost."""
    clock = f"{message.at.astimezone(zone):%H:%M} "
    who = f"{_who(handset, message)} "
    text = f"\n{' ' * (len(clock) + len(who))}".join(_words(message))
    side: Style = "theirs" if message.incoming else "yours"
    failed = message.progress.status.failed
    return (
        Span(clock, "dim"),
        Span(who, side),
        Span(text, side if message.incoming else ""),
        Span(f"  {_mark(message)}", "bad" if failed else "dim"),
        *([Span(f" {cost}", "dim")] if (cost := _cost(message)) else []),
    )


def _who(handset: Handset, message: Shown) -> str:
    """The direction; with the number when it is not that of the SIM in use."""
    arrow = "<" if message.incoming else ">"
    return arrow if message.number == handset.number else f"{message.number} {arrow}"


def _words(message: Shown) -> list[str]:
    own = (message.text.splitlines() or [""]) if message.text or not message.files else []
    first = "(from the carrier) " if message.by_carrier else ""
    words = [*own, *(f"[file] {file}" for file in message.files)]
    return [first + words[0], *words[1:]]


def _mark(message: Shown) -> str:
    status = message.progress.status
    if status.failed:
        return f"✗ not delivered{f' ({message.progress.error_code})' if message.progress.error_code else ''}"
    if status.arrived:
        return "✓✓"
    return "✓" if status is Status.SENT else "…"


def _cost(message: Shown) -> str:
    parts = [f"part {message.part}"] if message.part > 1 else []
    if message.incoming and message.segments > 1:
        parts.append(f"{message.segments} segments")
    return ", ".join(parts)
