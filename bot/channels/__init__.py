"""Ports and vocabulary of messaging: what arrives, what goes out, what a channel can do, and the rules that are everybody's.

Imports nothing else of the framework. An adapter implements `port.MessageChannel` and is tested with `contract.ChannelContract`.
"""

from .addresses import RCS, TEL, WHATSAPP, Address, ConversationKey
from .capabilities import Capabilities, with_choices, with_links
from .consent import ENGLISH, KOREAN, UNITED_STATES, ConsentDecision, ConsentWord, ConsentWords, decide, may_send
from .events import Consent, ConsentKind, Event, Inbound, MediaLink, Receipt, UserMessage
from .http import HttpReply, HttpRequest, Received
from .outbound import Choice, Outbound, Payload, Purpose, Template
from .outcomes import Absent, Reconciled, Rejected, Retry, SendOutcome, Sent, Unknown
from .pacing import Backoff, Pace
from .port import BacklogChannel, ConnectedChannel, Deliver, MediaFile, MediaRefused, MediaSource, MessageChannel, WebhookChannel
from .quiet_hours import QuietHours, Window, zones_of
from .receipts import Progress, Status, merge
from .segments import Count, count, plain, split, split_characters

__all__ = [
    "ENGLISH",
    "KOREAN",
    "RCS",
    "TEL",
    "UNITED_STATES",
    "WHATSAPP",
    "Absent",
    "Address",
    "BacklogChannel",
    "Backoff",
    "Capabilities",
    "Choice",
    "ConnectedChannel",
    "Consent",
    "ConsentDecision",
    "ConsentKind",
    "ConsentWord",
    "ConsentWords",
    "ConversationKey",
    "Count",
    "Deliver",
    "Event",
    "HttpReply",
    "HttpRequest",
    "Inbound",
    "MediaFile",
    "MediaLink",
    "MediaRefused",
    "MediaSource",
    "MessageChannel",
    "Outbound",
    "Pace",
    "Payload",
    "Progress",
    "Purpose",
    "QuietHours",
    "Receipt",
    "Received",
    "Reconciled",
    "Rejected",
    "Retry",
    "SendOutcome",
    "Sent",
    "Status",
    "Template",
    "Unknown",
    "UserMessage",
    "WebhookChannel",
    "Window",
    "count",
    "decide",
    "may_send",
    "merge",
    "plain",
    "split",
    "split_characters",
    "with_choices",
    "with_links",
    "zones_of",
]  # fmt: skip
