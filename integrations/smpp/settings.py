"""What an account at an SMSC needs to be told to us, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from .statuses import KINDS

ALPHABETS = ("gsm0338", "latin-1")
BINDS = ("transceiver", "pair")
LONG_MESSAGES = ("udh", "sar", "payload")
PARTS = ("hold", "acknowledge")
RECEIPT_IDS = ("same", "decimal", "hexadecimal")

_MESSAGE_ID_TLVS = (0x001E,)  # receipted_message_id, which some SMSCs give on messages too


class SmppSettingsError(ValueError):
    """What is missing or wrong, all of it at once. Holds names of variables, never their values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("SMPP is not configured: " + "; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Numbering:
    """Type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6)."""

    ton: int
    npi: int


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """Times are seconds. See `integrations/smpp/README.md` for what each setting means; names there are `SMPP_` and these."""

    host: str
    system_id: str
    password: str = field(repr=False)
    port: int = 2775
    system_type: str = ""
    service_type: str = ""
    address_range: str = ""
    bind: str = "transceiver"
    tls: bool = False
    tls_ca: str = ""
    source: str = ""
    international: Numbering = Numbering(1, 1)
    other: Numbering = Numbering(0, 0)
    alphanumeric: Numbering = Numbering(5, 0)
    country_code: str = ""
    window: int = 10
    connect_timeout: float = 10.0
    send_timeout: float = 10.0
    enquire_link: float = 30.0
    enquire_link_timeout: float = 10.0
    reconnect_first: float = 0.5
    reconnect_most: float = 60.0
    throttle_wait: float = 2.0
    segments_per_second: float = 10.0
    max_segments: int = 3
    long_messages: str = "udh"
    default_alphabet: str = "gsm0338"
    data_codings: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    parts: str = "hold"
    parts_wait: float = 8.0
    message_id_tlvs: tuple[int, ...] = _MESSAGE_ID_TLVS
    receipt_ids: str = "same"
    statuses: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    unknown_resend_after: timedelta | None = None

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise SmppSettingsError(problems)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> SmppSettings:
        """From environment variables. Raises SmppSettingsError."""
        given = _Given(env)
        host, system_id, password = given.need("HOST"), given.need("SYSTEM_ID"), given.need("PASSWORD")
        resend = given.text("UNKNOWN_RESEND_AFTER", "never")
        values = {
            "port": int(given.number("PORT", 2775)),
            "system_type": given.text("SYSTEM_TYPE", ""),
            "service_type": given.text("SERVICE_TYPE", ""),
            "address_range": given.text("ADDRESS_RANGE", ""),
            "bind": given.text("BIND", "transceiver"),
            "tls": given.switch("TLS"),
            "tls_ca": given.text("TLS_CA", ""),
            "source": given.text("SOURCE", ""),
            "international": given.numbering("INTERNATIONAL", Numbering(1, 1)),
            "other": given.numbering("OTHER", Numbering(0, 0)),
            "alphanumeric": given.numbering("ALPHANUMERIC", Numbering(5, 0)),
            "country_code": given.text("COUNTRY_CODE", "").lstrip("+"),
            "window": int(given.number("WINDOW", 10)),
            "connect_timeout": given.number("CONNECT_TIMEOUT", 10),
            "send_timeout": given.number("SEND_TIMEOUT", 10),
            "enquire_link": given.number("ENQUIRE_LINK", 30),
            "enquire_link_timeout": given.number("ENQUIRE_LINK_TIMEOUT", 10),
            "throttle_wait": given.number("THROTTLE_WAIT", 2),
            "segments_per_second": given.number("SEGMENTS_PER_SECOND", 10),
            "max_segments": int(given.number("MAX_SEGMENTS", 3)),
            "long_messages": given.text("LONG_MESSAGES", "udh"),
            "default_alphabet": given.text("DEFAULT_ALPHABET", "gsm0338"),
            "data_codings": given.table("DATA_CODINGS"),
            "parts": given.text("PARTS", "hold"),
            "parts_wait": given.number("PARTS_WAIT", 8),
            "message_id_tlvs": given.tags("MESSAGE_ID_TLVS", _MESSAGE_ID_TLVS),
            "receipt_ids": given.text("RECEIPT_IDS", "same"),
            "statuses": given.table("STATUSES"),
            "unknown_resend_after": None if resend == "never" else timedelta(seconds=given.number("UNKNOWN_RESEND_AFTER", 0)),
        }
        if given.problems:
            raise SmppSettingsError(given.problems)
        return cls(host, system_id, password, **values)  # type: ignore[arg-type]


class _Given:
    """The variables that are set, and what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._values = {name: value.strip() for name, value in env.items() if name.startswith("SMPP_") and value.strip()}
        self.problems: list[str] = []

    def need(self, name: str) -> str:
        if f"SMPP_{name}" not in self._values:
            self.problems.append(f"SMPP_{name} is not set")
        return self.text(name, "")

    def text(self, name: str, default: str) -> str:
        return self._values.get(f"SMPP_{name}", default)

    def number(self, name: str, default: float) -> float:
        try:
            number = float(self.text(name, str(default)))
        except ValueError:
            number = float("nan")
        if not -1e9 < number < 1e9:
            self.problems.append(f"SMPP_{name} is not a number")
            return default
        return number

    def switch(self, name: str) -> bool:
        word = self.text(name, "false").lower()
        if word not in ("true", "false"):
            self.problems.append(f"SMPP_{name} is 'true' or 'false'")
        return word == "true"

    def numbering(self, name: str, default: Numbering) -> Numbering:
        try:
            ton, npi = (int(part, 0) for part in self.text(name, f"{default.ton},{default.npi}").split(","))
        except ValueError:
            self.problems.append(f"SMPP_{name} is a type of number and a numbering plan, such as '1,1'")
            return default
        return Numbering(ton, npi)

    def tags(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        if f"SMPP_{name}" not in self._values:
            return default
        try:
            return tuple(int(part, 0) for part in self.text(name, "").split(","))
        except ValueError:
            self.problems.append(f"SMPP_{name} is a list of tags, such as '0x001e,0x1403'")
            return default

    def table(self, name: str) -> Mapping[int, str]:
        try:
            pairs = [item.split("=") for item in self.text(name, "").split(",") if item.strip()]
            return MappingProxyType({int(number, 0): word.strip() for number, word in pairs})
        except ValueError:
            self.problems.append(f"SMPP_{name} is a list of numbers with a word each, such as '0x0e=cp949'")
            return MappingProxyType({})


_LONGEST = {  # octets without the closing zero (SMPP 3.4, 4.1)
    "system_id": 15,
    "password": 8,
    "system_type": 12,
    "service_type": 5,
    "address_range": 40,
    "source": 20,
}


def _problems(settings: SmppSettings) -> list[str]:
    problems: list[str] = []
    for name, longest in _LONGEST.items():
        value: str = getattr(settings, name)
        if len(value) > longest or not value.isascii() or not value.isprintable():
            problems.append(f"SMPP_{name.upper()} is at most {longest} ASCII characters")
    for name in ("host", "system_id"):
        if not getattr(settings, name):
            problems.append(f"SMPP_{name.upper()} is empty")
    if not 1 <= settings.port <= 65535:
        problems.append("SMPP_PORT is 1 to 65535")
    if not 1 <= settings.window <= 1000:
        problems.append("SMPP_WINDOW is 1 to 1000")
    if not 1 <= settings.max_segments <= 255:
        problems.append("SMPP_MAX_SEGMENTS is 1 to 255")
    choices = {
        "bind": BINDS,
        "long_messages": LONG_MESSAGES,
        "default_alphabet": ALPHABETS,
        "parts": PARTS,
        "receipt_ids": RECEIPT_IDS,
    }
    for name, words in choices.items():
        if getattr(settings, name) not in words:
            problems.append(f"SMPP_{name.upper()} is one of: {', '.join(words)}")
    for name in ("connect_timeout", "send_timeout", "enquire_link", "enquire_link_timeout", "segments_per_second", "parts_wait"):
        if not getattr(settings, name) > 0:
            problems.append(f"SMPP_{name.upper()} is positive")
    if not 0 < settings.reconnect_first <= settings.reconnect_most:
        problems.append("waits before reconnecting are positive, the first not longer than the longest")
    if settings.throttle_wait < 0:
        problems.append("SMPP_THROTTLE_WAIT is not negative")
    if settings.country_code and not (settings.country_code.isascii() and settings.country_code.isdigit()):
        problems.append("SMPP_COUNTRY_CODE is digits, such as 82")
    for name in ("international", "other", "alphanumeric"):
        numbering: Numbering = getattr(settings, name)
        if not (0 <= numbering.ton <= 255 and 0 <= numbering.npi <= 255):
            problems.append(f"SMPP_{name.upper()} is two numbers of one octet")
    if not all(0 <= tag <= 0xFFFF for tag in settings.message_id_tlvs):
        problems.append("SMPP_MESSAGE_ID_TLVS are numbers of two octets")
    if not all(0 <= number <= 255 and _codec(name) for number, name in settings.data_codings.items()):
        problems.append(f"SMPP_DATA_CODINGS gives to numbers of one octet one of {', '.join(ALPHABETS)} or another codec of Python's")
    if not all(0 < number <= 0xFFFFFFFF and word in KINDS for number, word in settings.statuses.items()):
        problems.append(f"SMPP_STATUSES gives to statuses other than 0 one of: {', '.join(KINDS)}")
    if settings.unknown_resend_after is not None and settings.unknown_resend_after <= timedelta(0):
        problems.append("SMPP_UNKNOWN_RESEND_AFTER is 'never' or a positive number of seconds")
    return problems


def _codec(name: str) -> bool:
    if name == "gsm0338":
        return True
    try:
        b"a".decode(name, "replace")
    except LookupError:
        return False
    return True
