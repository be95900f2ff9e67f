"""A stateful double of Twilio: see `TwilioDouble`. Sends signed webhooks, knows the codes, fails on demand."""

from .carrier import Carrier
from .double import TwilioDouble
from .faults import Chaos, Deliveries, Fault
from .messages import Message
from .store import MessageStore
from .webhooks import Alert, Caller, SignedRequest

__all__ = ["Alert", "Caller", "Carrier", "Chaos", "Deliveries", "Fault", "Message", "MessageStore", "SignedRequest", "TwilioDouble"]
