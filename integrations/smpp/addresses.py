"""Numbers as an SMSC writes them, and as the framework does: a number with its country as `+<digits>`, all else as it is."""

from __future__ import annotations

from bot.channels import TEL, Address

from .settings import Numbering, SmppSettings

_INTERNATIONAL, _NATIONAL, _ALPHANUMERIC = 1, 2, 5
_TRUNK = "0"  # what stands before a number within its country, in Korea and most others
_SHORTEST_NATIONAL = 8  # digits with the trunk prefix: all shorter ones are short codes
_LONGEST = 20  # octets
_UNKNOWN = "unknown"


def read_address(settings: SmppSettings, ton: int, value: str) -> Address:
    """Of a source or destination. National numbers get the configured country; an empty one becomes `unknown`."""
    value = value.strip()
    digits = value.removeprefix("+")
    number = digits.isascii() and digits.isdigit()
    if ton == _ALPHANUMERIC or not number:
        return Address(TEL, value or _UNKNOWN)
    if ton == _INTERNATIONAL or value.startswith("+"):
        return Address(TEL, f"+{digits}")
    within = digits.startswith(_TRUNK) and len(digits) >= _SHORTEST_NATIONAL
    if settings.country_code and (ton == _NATIONAL or (ton == 0 and within)):
        return Address(TEL, f"+{settings.country_code}{digits.removeprefix(_TRUNK)}")
    return Address(TEL, value)


def write_address(settings: SmppSettings, address: Address) -> tuple[Numbering, str]:
    """For a request. Raises ValueError for what no SMSC can carry."""
    value = address.value
    if not value.isascii() or not value.isprintable():
        raise ValueError("an address has characters that SMPP cannot carry")
    digits = value.removeprefix("+")
    if len(digits) > _LONGEST:
        raise ValueError(f"an address is longer than {_LONGEST} characters")
    if digits.isdigit():
        return (settings.international if value.startswith("+") else settings.other), digits
    return settings.alphanumeric, value
