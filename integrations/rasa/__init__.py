"""Custom actions written for rasa-sdk: run in process, by a separate action server over HTTP, or a mixture of both.

Importing this package costs nothing: rasa_sdk and httpx are loaded by the first host that needs them.
"""

from .in_process import ActionsImportError, InProcessActions
from .mixed import MixedActions
from .names import RESPONSE_ALIASES
from .over_http import HttpActions
from .tools import Call, call

__all__ = [
    "RESPONSE_ALIASES",
    "ActionsImportError",
    "Call",
    "HttpActions",
    "InProcessActions",
    "MixedActions",
    "call",
]
