"""A simulated telephone: what its owner sees, types and remembers. Pure; `switchboard phone` connects it to a running server."""

from .commands import HELP, Command, Misread, Say, number, read
from .display import Span, plain, spans
from .handset import Handset, Shown

__all__ = ["HELP", "Command", "Handset", "Misread", "Say", "Shown", "Span", "number", "plain", "read", "spans"]
