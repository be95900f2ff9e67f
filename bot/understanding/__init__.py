"""Message to commands. `LocalUnderstander` needs no model and no key: closed lists, entities and a classifier trained on a project's examples.

Nothing here decides what happens next; it only says what was meant. `entities/` reads values and may be used on its own.
"""

from .answers import awaited
from .language import detect_language
from .local import LocalUnderstander
from .turn import Bands

__all__ = ["Bands", "LocalUnderstander", "awaited", "detect_language"]
