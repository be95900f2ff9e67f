"""A simulated telephone: what its owner sees and what it remembers. Pure; `switchboard phone` connects it to a running server."""

from .handset import Handset, Shown

__all__ = ["Handset", "Shown"]
