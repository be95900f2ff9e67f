"""What an SMSC's `command_status` means for a message we tried to send, as data (SMPP 3.4, 5.1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smpplib import consts  # type: ignore[import-untyped]

from bot.channels import Rejected, Retry

RETRY, THROTTLED, ALERT, REJECTED, OPTED_OUT = "retry", "throttled", "alert", "rejected", "opted_out"
KINDS = (RETRY, THROTTLED, ALERT, REJECTED, OPTED_OUT)

_FULL_WAIT = 30.0  # for a queue that is full: seconds

# Any status but 0 says that the message was not accepted. All that are not here are about the message itself: `REJECTED`.
_KINDS: Mapping[int, str] = MappingProxyType(
    {
        0x58: THROTTLED,  # RTHROTTLED
        0x14: THROTTLED,  # RMSGQFUL
        0x08: RETRY,  # RSYSERR
        0x64: RETRY,  # RX_T_APPN
        0xFF: RETRY,  # RUNKNOWNERR
        # What is ours to repair: the bind, the account, what it may use, how we build requests.
        **dict.fromkeys((0x02, 0x03, 0x04, 0x05, 0x0D, 0x0E, 0x0F, 0x15, 0x53), ALERT),
        **dict.fromkeys((0x06, 0x07, 0x0A, 0x43, 0x48, 0x49, 0x61, 0x62, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4), ALERT),
    }
)

_NAMES: Mapping[int, str] = MappingProxyType(
    {value: name.removeprefix("SMPP_ESME_") for name, value in vars(consts).items() if name.startswith("SMPP_ESME_R")}
)

ROK = 0x00
RINVMSGLEN = 0x01
RINVCMDLEN = 0x02
RINVCMDID = 0x03
RX_T_APPN = 0x64
RX_P_APPN = 0x65


def name_of(status: int) -> str:
    """As the specification calls it (`RTHROTTLED`); `status` for a vendor's own."""
    return _NAMES.get(status, "status")


def refusal(status: int, own: Mapping[int, str], throttle_wait: float) -> Retry | Rejected:
    """What came of a request that was answered with a status other than 0. `own` are the SMSC's own meanings, which go first."""
    kind = own.get(status) or _KINDS.get(status, REJECTED)
    reason, code = name_of(status).lower(), f"0x{status:02x}"
    if kind == THROTTLED:
        return Retry(reason, code, after=_FULL_WAIT if status == 0x14 else throttle_wait)
    if kind in (RETRY, ALERT):
        return Retry(reason, code, alert=kind == ALERT)
    return Rejected(reason, code, closes_consent=kind == OPTED_OUT)
