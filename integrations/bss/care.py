"""Outages, tickets, visits and one-time codes (TMF656, 621, 646)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .money import LocalText


class Service(StrEnum):
    MOBILE_DATA = "mobile_data"
    VOICE = "voice"
    SMS = "sms"
    FIVE_G = "5g"


class ProblemStatus(StrEnum):
    ACKNOWLEDGED = "acknowledged"
    """Known, cause still looked for."""
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class ServiceProblem:
    """An outage or planned work, for everybody in some areas (TMF656)."""

    id: str
    area_ids: tuple[str, ...]
    services: tuple[Service, ...]
    planned: bool
    cause: LocalText
    status: ProblemStatus
    started: datetime
    expected_resolution: datetime | None
    resolved: datetime | None
    affected_count: int
    """Customers living in the areas."""

    @property
    def current(self) -> bool:
        return self.status is not ProblemStatus.RESOLVED


@dataclass(frozen=True, slots=True)
class OutageSubscription:
    """A customer who wants to hear when a problem is solved."""

    id: str
    problem_id: str
    customer_id: str
    number: str
    created: datetime


class TicketKind(StrEnum):
    NETWORK = "network"
    DEVICE = "device"
    BILLING = "billing"
    ORDER = "order"
    COMPLAINT = "complaint"
    OTHER = "other"


class Severity(StrEnum):
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class TicketStatus(StrEnum):
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    PENDING = "pending"
    """Waits for the customer."""
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in (TicketStatus.CLOSED, TicketStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class TicketNote:
    author: str
    """bot, agent, customer or system."""
    text: str
    written: datetime


@dataclass(frozen=True, slots=True)
class TroubleTicket:
    id: str
    customer_id: str
    kind: TicketKind
    description: str
    severity: Severity
    status: TicketStatus
    related_id: str | None
    """What it is about: a line, a bill, a service problem."""
    created: datetime
    updated: datetime
    notes: tuple[TicketNote, ...]


class AppointmentKind(StrEnum):
    TECHNICIAN_VISIT = "technician_visit"
    STORE_VISIT = "store_visit"
    CALL_BACK = "call_back"


class AppointmentStatus(StrEnum):
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class TimeSlot:
    """A window that can be booked. `id` names area, kind and start."""

    id: str
    area_id: str
    kind: AppointmentKind
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Appointment:
    id: str
    customer_id: str
    slot_id: str
    area_id: str
    kind: AppointmentKind
    start: datetime
    end: datetime
    status: AppointmentStatus
    ticket_id: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A one-time code went out by text message. The code itself is not here."""

    id: str
    last_digits: str
    """The last two digits of the number it went to."""
    expires: datetime


class CodeRefusal(StrEnum):
    WRONG = "wrong"
    EXPIRED = "expired"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    NOT_SENT = "not_sent"
    """No code is open for this number (none sent, or used already)."""


@dataclass(frozen=True, slots=True)
class CodeVerification:
    """Whether the code was right. False in a condition unless it was."""

    verified: bool
    refusal: CodeRefusal | None
    attempts_left: int

    def __bool__(self) -> bool:
        return self.verified
