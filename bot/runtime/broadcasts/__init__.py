"""One message to many customers: who gets it, in which words, when, and how far it is.

`Broadcasts` is the way in. Sending itself is the outbox's and the sender's: a broadcast only writes rows, and takes them back.
"""

from .broadcasts import Broadcasts
from .order import BroadcastOrder, BroadcastRefused, Wording
from .progress import BroadcastStatus, Counts
from .recipients import BAD, REASONS, Checked, Skipped

__all__ = [
    "BAD",
    "REASONS",
    "BroadcastOrder",
    "BroadcastRefused",
    "BroadcastStatus",
    "Broadcasts",
    "Checked",
    "Counts",
    "Skipped",
    "Wording",
]
