"""What can go wrong at an SMSC or on the way there, to be asked of the double."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """For the next `submit_sm`. `*_AFTER`: the message has been accepted; `*_BEFORE`: it has not."""

    STATUS = "status"  # answered with `status`
    NACK = "nack"  # answered with a generic_nack with `status`
    SILENCE_BEFORE = "silence_before"
    SILENCE_AFTER = "silence_after"
    DROP_BEFORE = "drop_before"  # the connection is reset
    DROP_AFTER = "drop_after"
    DROP_AFTER_RECEIPT = "drop_after_receipt"  # a receipt is told and acknowledged, then the connection is reset
    GARBAGE_AFTER = "garbage_after"  # octets that are no PDU
    ODD_ID_AFTER = "odd_id_after"  # status 0 and a message_id that is no text
    NO_ID_AFTER = "no_id_after"  # status 0 and an empty message_id
    OTHER_COMMAND_AFTER = "other_command_after"  # the right sequence number on an enquire_link_resp
    LATE = "late"  # accepted, answered after `seconds`
    LATE_REFUSAL = "late_refusal"  # refused with `status`, answered after `seconds`

    @property
    def accepts(self) -> bool:
        return "_after" in self.value or self is Fault.LATE


@dataclass(frozen=True, slots=True)
class Planned:
    fault: Fault
    status: int
    seconds: float
