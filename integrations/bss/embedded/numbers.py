"""Phone numbers as people write them."""

from __future__ import annotations

import phonenumbers

from ..parties import Market


def e164_candidates(number: str) -> tuple[str, ...]:
    """What a written number may be, in E.164: as an international one, then as a national one of each market."""
    found: list[str] = []
    for region in (None, *Market):
        try:
            parsed = phonenumbers.parse(number, None if region is None else region.value)
        except phonenumbers.NumberParseException:
            continue
        found.append(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    return tuple(dict.fromkeys(found))
