"""A stateful double of Twilio: see `TwilioDouble`. Sends signed webhooks, knows the codes, fails on demand."""

from .double import TwilioDouble
from .faults import Deliveries, Fault
from .messages import Message
from .webhooks import Alert, Caller, SignedRequest

__all__ = ["Alert", "Caller", "Deliveries", "Fault", "Message", "SignedRequest", "TwilioDouble"]
