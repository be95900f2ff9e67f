"""`switchboard phone`: a telephone in the terminal. It texts a running server through a simulated carrier, over the provider's protocol:
signed webhooks one way, the provider's REST API and delivery receipts the other."""

from .command import run

__all__ = ["run"]
